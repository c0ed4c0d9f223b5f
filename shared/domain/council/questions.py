"""What language models are asked, and the form in which they must answer."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from shared.council_models import Opinion, Question
from shared.domain.council.case import Case, facts_of
from shared.domain.council.quoting import quoted
from shared.models import CouncilRules

BOUNDS = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "maxLength": "at most {} characters",
    "maxItems": "at most {} of them",
}
"""Bounds that not every vendor's strict mode takes: they are told in words, and checked by us."""
KEPT = ("type", "enum", "anyOf", "items", "properties")


def make_question(case: Case, rules: CouncilRules, nonce: str) -> Question:
    """The question about one video; `nonce` is unknown to whoever made the video."""
    parts = [prompt("instructions")] + ([prompt("deep")] if rules.deep else [])
    return Question(
        instructions="\n\n".join(parts),
        text=f"{prompt('question')}\n\n{quoted(facts_of(case, rules.most_clips), nonce)}",
        media=case.media,
        answer_schema=opinion_schema(rules.deep),
        max_output_tokens=rules.max_output_tokens,
    )


@cache
def prompt(name: str) -> str:
    """A file of prompts/, without its last line break."""
    folder = files("shared.domain.council") / "prompts"
    return (folder / f"{name}.md").read_text(encoding="utf-8").strip()


@cache
def opinion_schema(deep: bool) -> Mapping[str, Any]:
    """JSON Schema of an Opinion in what Gemini, Claude and GPT all take in strict mode.

    No references, no bounds, every property required, no other property.
    """
    whole = Opinion.model_json_schema()
    if not deep:
        del whole["properties"]["scenes"]
    form: Mapping[str, Any] = _simple(whole, whole["$defs"])
    return form


def _simple(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        return _simple(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    kept: dict[str, Any] = {key: schema[key] for key in KEPT if key in schema}
    bounds = [words.format(schema[key]) for key, words in BOUNDS.items() if key in schema]
    if bounds:
        kept["description"] = ", ".join(bounds)
    if "items" in kept:
        kept["items"] = _simple(kept["items"], definitions)
    if "anyOf" in kept:
        kept["anyOf"] = [_simple(one, definitions) for one in kept["anyOf"]]
    if "properties" in kept:
        kept["properties"] = {
            name: _simple(one, definitions) for name, one in kept["properties"].items()
        }
        kept["required"] = list(kept["properties"])
        kept["additionalProperties"] = False
    return kept
