"""A concept as it is given: read with errors that name the field, told apart by its content."""

import hashlib
import json
import re
import unicodedata
from typing import Any

from pydantic import ValidationError

from shared.creative_models import Concept
from shared.errors import Rejected

REQUIRED = ("product", "benefit", "pain_point", "target_audience", "industry")
BIDIRECTIONAL = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
INVISIBLE = frozenset("\u200b\u2060\ufeff\u00ad\u034f\u180e")
HIDDEN = {"Cc", "Cs", "Co", "Cn"}
MAX_BYTES = 100_000
_WAYS_OUT = {
    "missing": "add it",
    "extra_forbidden": "remove it: a concept has no such field",
    "string_too_short": "write at least one character",
    "string_too_long": "shorten it",
    "string_pattern_mismatch": "write it in that form",
    "string_type": "write a text in quotes",
    "tuple_type": "write a list in brackets",
    "model_type": "write an object in braces",
}


class ConceptInvalid(Rejected):
    """A concept that cannot be used; the message names the field and the way out."""


def read_concept(content: str | bytes, place: str) -> Concept:
    """A concept from JSON; `place` is what errors name. Raises ConceptInvalid."""
    if len(content) > MAX_BYTES:
        raise ConceptInvalid(f"{place}: {len(content)} bytes; a concept has at most {MAX_BYTES}")
    try:
        data = json.loads(content)
    except (ValueError, RecursionError) as problem:
        raise ConceptInvalid(f"{place}: {problem}; mend the JSON there") from problem
    return check_concept(data, place)


def check_concept(data: Any, place: str) -> Concept:
    """A concept from plain data, its texts as they are seen; raises ConceptInvalid."""
    if not isinstance(data, dict):
        kind = type(data).__name__
        raise ConceptInvalid(f"{place}: a {kind}; write one JSON object with {', '.join(REQUIRED)}")
    try:
        concept = Concept.model_validate(_seen(data))
    except ValidationError as problem:
        raise ConceptInvalid(f"{place}: {_told(problem)}") from problem
    for name in REQUIRED:
        if not is_visible(getattr(concept, name)):
            raise ConceptInvalid(f"{place}: {name} shows nothing; write it in letters")
    return concept


def concept_id(concept: Concept, tenant_id: str) -> str:
    """32 hexadecimal digits, the same for the same concept of one tenant."""
    name = f"{tenant_id}\n{concept.model_dump_json()}"
    return hashlib.sha256(name.encode()).hexdigest()[:32]


def seen_text(text: str) -> str:
    """A text on one line as a viewer sees it: NFC, without controls and marks of direction.

    What joins the parts of an emoji or of a script stays.
    """
    shown = (
        " " if character.isspace() else character
        for character in unicodedata.normalize("NFC", text)
        if character.isspace()
        or (
            unicodedata.category(character) not in HIDDEN
            and character not in BIDIRECTIONAL
            and character not in INVISIBLE
        )
    )
    return " ".join("".join(shown).split())


def is_visible(text: str) -> bool:
    """Whether anything of a text leaves ink."""
    return any(unicodedata.category(character)[0] in "LNPS" for character in text)


def _seen(data: Any) -> Any:
    if isinstance(data, str):
        return seen_text(data)
    if isinstance(data, dict):
        return {key: _seen(value) for key, value in data.items()}
    return [_seen(value) for value in data] if isinstance(data, list) else data


def _told(problem: ValidationError) -> str:
    """The first three mistakes, each with field and way out."""
    errors = problem.errors(include_url=False, include_context=False)
    lines = [_line(error) for error in errors[:3]]
    more = [f"and {len(errors) - 3} more"] if len(errors) > 3 else []
    return "; ".join([*lines, *more])


def _line(error: Any) -> str:
    place = ".".join(re.sub(r"[^\w-]", "?", str(part))[:40] for part in error["loc"])
    way_out = _WAYS_OUT.get(error["type"], "change it")
    given = "" if error["type"] == "missing" else f" (it is {error['input']!r:.60})"
    return f"{place}: {error['msg']}{given}; {way_out}"
