"""Knowledge: hooks, calls to action, headlines and platform patterns as checked data.

What is shipped lies in shared/knowledge; each entry says what it rests on. An entry's texts hold
fields in braces, which are filled in by replacement only.
"""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import Field, ValidationError

from shared.errors import Rejected
from shared.models import Record

Topic = Literal["hooks", "calls_to_action", "headlines", "platforms"]
TOPICS: tuple[Topic, ...] = get_args(Topic)
FOLDER = Path(__file__).parents[2] / "knowledge"
FIELDS = ("product", "benefit", "pain_point", "audience", "number", "days", "offer", "brand")
MAX_FILLED_CHARACTERS = 300
_FIELD = re.compile(r"\{([^{}]*)\}")
_HINTS = {
    "missing": "add it",
    "extra_forbidden": "remove it: no entry has such a field",
}


class KnowledgeInvalid(Rejected):
    """Knowledge that is not in the form of its topic; the message names file, entry, way out."""


class Status(Record):
    """What an entry rests on: our judgement, published advice, or results of so many ads."""

    kind: Literal["judgement", "published", "measured"]
    since: date
    ads: int = Field(ge=0, description="ads whose results stand behind it")
    source: str = ""


class Entry(Record):
    """One template or pattern; `removed` hides the shipped entry of the same id."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")
    texts: dict[str, str] = Field(default={}, description="by language, ISO 639-1")
    industries: tuple[str, ...] = Field(default=(), description="empty: all")
    hook_type: str = ""
    platform: str = ""
    forms: dict[str, Literal["noun", "phrase", "clause"]] = Field(
        default={}, description="what a field's value must be, as grammar goes; else anything"
    )
    claims: tuple[str, ...] = Field(
        default=(), description="what the text promises, which the advertiser must have promised"
    )
    soft: bool = Field(default=False, description="a call to look, not to act")
    feature: str = Field(default="", description="what of the report the pattern is about")
    low: float | None = None
    high: float | None = None
    status: Status | None = Field(default=None, description="None: that of the file")
    removed: bool = False


class Knowledge(Record):
    """One topic: every entry with its own status."""

    version: int = Field(ge=1)
    status: Status
    entries: tuple[Entry, ...]

    def status_of(self, entry: Entry) -> Status:
        """What an entry rests on."""
        return entry.status or self.status


def read_knowledge(content: str | bytes, place: str) -> Knowledge:
    """Knowledge from JSON; `place` is the file that errors name. Raises KnowledgeInvalid."""
    try:
        data = json.loads(content)
    except ValueError as problem:
        raise KnowledgeInvalid(f"{place}: {problem}; mend the JSON there") from problem
    return check_knowledge(data, place)


def check_knowledge(data: Any, place: str) -> Knowledge:
    """Knowledge from plain data; raises KnowledgeInvalid naming place, entry and way out."""
    try:
        found = Knowledge.model_validate(data)
    except ValidationError as problem:
        first = problem.errors()[0]
        where = _where(data, first["loc"])
        hint = _HINTS.get(first["type"], f"it is {first['input']!r:.60}")
        raise KnowledgeInvalid(f"{place}: {where}: {first['msg']}; {hint}") from problem
    seen: set[str] = set()
    for entry in found.entries:
        if entry.id in seen:
            raise KnowledgeInvalid(
                f"{place}: entry {entry.id!r} stands twice; rename or remove one"
            )
        seen.add(entry.id)
        _check_entry(entry, place)
    return found


@cache
def shipped(topic: Topic) -> Knowledge:
    """What comes with the project."""
    path = FOLDER / f"{topic}.json"
    return read_knowledge(path.read_bytes(), path.name)


def combined(ours: Knowledge, theirs: Knowledge | None) -> Knowledge:
    """Shipped knowledge with a tenant's own over it: same id replaces, `removed` hides."""
    if theirs is None:
        return ours
    entries = {entry.id: _explicit(ours, entry) for entry in ours.entries}
    entries |= {entry.id: _explicit(theirs, entry) for entry in theirs.entries}
    kept = tuple(entry for entry in entries.values() if not entry.removed)
    return Knowledge(version=theirs.version, status=theirs.status, entries=kept)


def fitting(
    knowledge: Knowledge, *, language: str = "", industry: str = "", platform: str = ""
) -> tuple[Entry, ...]:
    """The entries for one ad, those made for its industry first; an empty word asks nothing.

    An entry without a text in the language is left out: another language is no substitute.
    """
    found = [
        entry
        for entry in knowledge.entries
        if (not language or language in entry.texts)
        and (not industry or not entry.industries or industry in entry.industries)
        and (not platform or entry.platform in ("", platform))
    ]
    return tuple(sorted(found, key=lambda entry: not (industry and entry.industries)))


def fill(entry: Entry, language: str, values: Mapping[str, str]) -> str | None:
    """The text with its fields replaced, at most 300 characters; None when a value is missing.

    Values are data: braces in them stay as they are.
    """
    text = entry.texts.get(language)
    if text is None or any(not values.get(name, "").strip() for name in fields_in(text)):
        return None
    return _FIELD.sub(lambda match: values[match[1]].strip(), text)[:MAX_FILLED_CHARACTERS]


def fields_in(text: str) -> tuple[str, ...]:
    """The names of the fields in a text, each once."""
    return tuple(dict.fromkeys(_FIELD.findall(text)))


def _check_entry(entry: Entry, place: str) -> None:
    name = f"{place}: entry {entry.id!r}"
    if not entry.texts and not entry.removed:
        raise KnowledgeInvalid(f"{name} has no text; give one, or say `removed`")
    if entry.low is not None and entry.high is not None and entry.low > entry.high:
        raise KnowledgeInvalid(f"{name}: low {entry.low} is above high {entry.high}; swap them")
    unknown = sorted(set(entry.forms) - set(FIELDS))
    if unknown:
        known = ", ".join(FIELDS)
        raise KnowledgeInvalid(f"{name}: a form for field {unknown[0]!r}; there are {known}")
    fields: dict[str, frozenset[str]] = {}
    for language, text in entry.texts.items():
        if not re.fullmatch(r"[a-z]{2}", language):
            raise KnowledgeInvalid(f"{name}: language {language!r}; use two letters such as 'en'")
        if not text.strip() or len(text) > MAX_FILLED_CHARACTERS:
            raise KnowledgeInvalid(
                f"{name}, {language}: {len(text)} characters; write 1-{MAX_FILLED_CHARACTERS}"
            )
        _check_fields(text, f"{name}, {language}")
        fields[language] = frozenset(fields_in(text))
    _check_alike(fields, name)


def _check_fields(text: str, name: str) -> None:
    unknown = [field for field in fields_in(text) if field not in FIELDS]
    if unknown:
        raise KnowledgeInvalid(f"{name}: field {unknown[0]!r}; there are {', '.join(FIELDS)}")
    if set(_FIELD.sub("", text)) & set("{}"):
        raise KnowledgeInvalid(f"{name}: a brace without its partner in {text!r:.80}; close it")


def _check_alike(fields: Mapping[str, Iterable[str]], name: str) -> None:
    """A template that needs more values in one language than in another would fail there only."""
    first = next(iter(fields), "")
    for language, used in fields.items():
        if used != fields[first]:
            raise KnowledgeInvalid(f"{name}: {language} has other fields than {first}; align them")


def _explicit(knowledge: Knowledge, entry: Entry) -> Entry:
    return entry.model_copy(update={"status": knowledge.status_of(entry)})


def _where(data: Any, place: tuple[int | str, ...]) -> str:
    """The entry by its id, and the field in it."""
    if len(place) < 2 or place[0] != "entries" or not isinstance(place[1], int):
        return ".".join(map(str, place)) or "the whole"
    entry = data["entries"][place[1]]
    id = entry.get("id") if isinstance(entry, dict) else None
    field = ".".join(map(str, place[2:]))
    return f"entry {id!r}" + (f", {field}" if field else "") if id else f"entry {place[1] + 1}"
