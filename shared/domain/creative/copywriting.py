"""Copy by a language model: asked with the concept as quoted data, believed only where it fits."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, StringConstraints, ValidationError

from shared.council_models import Question, Strict
from shared.creative_models import Concept
from shared.domain.council.quoting import LINK, addresses_a_judge, quoted
from shared.domain.creative.concept import is_visible, seen_text
from shared.domain.creative.limits import TextField, limit_of, width_of
from shared.errors import AnswerUnusable
from shared.models import Record

INSTRUCTIONS = Path(__file__).with_name("copy_instructions.md")
WORDS = Path(__file__).parents[2] / "knowledge" / "copy_words.json"
MOST_CHARACTERS, MOST_OUTPUT_TOKENS = 20_000, 1_500
FORM = {"type": "array", "items": {"type": "string"}, "description": "at most 5 of them"}
FIELD_OF: Mapping[str, TextField] = {"hooks": "hook", "headlines": "headline", "ctas": "cta"}

Text = Annotated[str, StringConstraints(min_length=1, max_length=300)]
Texts = Annotated[tuple[Text, ...], Field(max_length=20)]
ClaimCheck = Callable[[str, Concept], Sequence[str]]
"""What is wrong with a text of a concept, as claims and banned words go; empty when nothing is."""


class Copy(Strict):
    """All that a language model can say."""

    hooks: Texts
    headlines: Texts
    ctas: Texts


class Dropped(Record):
    """A text that was not taken, and why."""

    field: TextField
    text: str
    reason: str


class CheckedCopy(Record):
    """What is kept of an answer; stored, because a model would not say the same twice."""

    model: str = ""
    texts: dict[TextField, tuple[str, ...]] = Field(default={})
    dropped: tuple[Dropped, ...] = ()
    cost_micro_usd: int = Field(default=0, ge=0)
    note: str = Field(default="", description="why there is nothing, when there is nothing")


def make_copy_question(concept: Concept, nonce: str) -> Question:
    """The question about a concept; `nonce` is unknown to whoever wrote the concept."""
    told = concept.model_dump(
        include={
            *("product", "benefit", "pain_point", "target_audience", "industry", "objective"),
            *("offer", "language"),
        }
    )
    told["brand"] = concept.brand.name
    told["widths"] = {name: _width(field, concept) for name, field in FIELD_OF.items()}
    return Question(
        instructions=INSTRUCTIONS.read_text(encoding="utf-8").strip(),
        text=f"Write texts for this advertisement.\n\n{quoted(told, nonce)}",
        answer_schema={
            "type": "object",
            "properties": dict.fromkeys(FIELD_OF, FORM),
            "required": list(FIELD_OF),
            "additionalProperties": False,
        },
        max_output_tokens=MOST_OUTPUT_TOKENS,
    )


def read_copy(text: str) -> Copy:
    """The texts in an answer; raises AnswerUnusable for what is not exactly the form."""
    if len(text) > MOST_CHARACTERS:
        raise AnswerUnusable(f"{len(text)} characters; at most {MOST_CHARACTERS} are read")
    try:
        return Copy.model_validate_json(text)
    except ValidationError as problem:
        kind = problem.errors(include_input=False)[0]["type"].replace("_", " ")
        raise AnswerUnusable(f"not the form that was asked for: {kind}") from problem


def check_copy(
    copy: Copy, concept: Concept, model: str, problems_of: ClaimCheck | None = None
) -> CheckedCopy:
    """The texts that fit, claim nothing new and hold no banned word; the others with reasons."""
    kept: dict[TextField, tuple[str, ...]] = {}
    dropped: list[Dropped] = []
    for name, field in FIELD_OF.items():
        texts: list[str] = []
        for text in map(seen_text, getattr(copy, name)):
            problems = _problems(text, field, concept, problems_of or check_claims)
            if problems:
                dropped.append(Dropped(field=field, text=text, reason="; ".join(problems)))
            elif text.casefold() not in map(str.casefold, texts):
                texts.append(text)
        kept[field] = tuple(texts)
    return CheckedCopy(model=model, texts=kept, dropped=tuple(dropped))


def check_claims(text: str, concept: Concept) -> list[str]:
    """Numbers and promises that the concept does not make itself."""
    said = _words(" ".join(_texts_of(concept)))
    words = _words(text)
    numbers = sorted(word for word in words - said if any(map(str.isdigit, word)))
    promises = sorted((words - said) & _banned(concept.language))
    return [
        *(f"the number {word!r} is not in the concept" for word in numbers),
        *(f"{word!r} would have to be proven" for word in promises),
    ]


def addresses_a_model(concept: Concept) -> bool:
    """Whether a text of the concept speaks to whoever reads it; told, and without effect."""
    return addresses_a_judge(_texts_of(concept))


def _problems(text: str, field: TextField, concept: Concept, claims: ClaimCheck) -> list[str]:
    if not is_visible(text):
        return ["shows nothing"]
    found = list(claims(text, concept))
    width, most = width_of(text), _width(field, concept)
    if width > most:
        found.append(f"{width} wide, at most {most}")
    if LINK.search(text) or re.search(r"[#@<>{}\[\]]|www\.|\w\.(com|net|org|io)\b", text):
        found.append("holds a link, a tag or brackets")
    if addresses_a_judge([text]):
        found.append("speaks to a machine")
    return found


def _width(field: TextField, concept: Concept) -> int:
    return limit_of(field, concept.platforms).width


def _texts_of(concept: Concept) -> list[str]:
    texts = [concept.product, concept.benefit, concept.pain_point, concept.target_audience]
    own = [concept.hook, concept.headline, concept.cta]
    return [*texts, *own, concept.industry, concept.objective, concept.offer, concept.brand.name]


def _words(text: str) -> set[str]:
    return set(re.findall(r"[\w'%$€£-]+", text.casefold()))


@cache
def _banned(language: str) -> frozenset[str]:
    data: dict[str, Any] = json.loads(WORDS.read_bytes())
    return frozenset(data["words"].get(language, ()))
