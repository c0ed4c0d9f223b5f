"""A concept: read with errors that help, the same content the same id."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.creative.concept import (
    ConceptInvalid,
    concept_id,
    is_visible,
    read_concept,
    seen_text,
)
from tests.unit.domain.creative.concepts import SERUM, concept_of


def read(**fields: Any) -> object:
    """A concept's file with other fields; None leaves one out."""
    kept = {name: value for name, value in {**SERUM, **fields}.items() if value is not None}
    return read_concept(json.dumps(kept), "mine.json")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"product": None}, r"mine.json: product: Field required; add it"),
        ({"benefit": ""}, r"mine.json: benefit: .*at least one character"),
        ({"benefit": "x" * 201}, r"benefit: .*shorten it"),
        ({"benefit": 7}, r"benefit: .*it is 7\); write a text in quotes"),
        ({"hoook": "x"}, r"hoook: .*remove it: a concept has no such field"),
        ({"language": "english"}, r"language: .*'\^\[a-z\]\{2\}\$'"),
        ({"platforms": ["myspace"]}, r"platforms.0: .*'meta', 'google'"),
        ({"platforms": []}, r"platforms: .*at least 1 item"),
        ({"brand": {"colors": ["red"]}}, r"brand.colors.0: .*it is 'red'"),
        ({"duration": 20}, r"duration: .*15, 30 or 60"),
        ({"seed": -1}, r"seed: .*greater than or equal to 0"),
        ({"product": "\u200b\u202e"}, r"product: .*at least one character"),
        ({"product": "\u0301"}, r"product shows nothing; write it in letters"),
        ({"product": None, "benefit": None, "industry": None, "pain_point": None}, "and 1 more"),
    ],
)
def test_a_mistake_names_the_field_and_the_way_out(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConceptInvalid, match=reason):
        read(**fields)


@pytest.mark.parametrize("content", ["", "{", "[]", "7", "[" * 100_001, "[" * 90_000, b"\xff"])
def test_what_is_no_concept_is_said_to_be_none(content: str | bytes) -> None:
    with pytest.raises(ConceptInvalid, match=r"mine.json: "):
        read_concept(content, "mine.json")


def test_the_same_content_of_a_tenant_is_the_same_concept() -> None:
    one = concept_id(concept_of(), "local")
    assert len(one) == 32
    assert one == concept_id(concept_of(product=" HydraGlow \u202e Serum"), "local")
    assert one != concept_id(concept_of(seed=1), "local")
    assert one != concept_id(concept_of(), "other")


@given(st.text())
def test_a_text_is_read_as_a_viewer_sees_it(text: str) -> None:
    seen = seen_text(text)
    assert seen == seen_text(seen)
    assert seen == " ".join(seen.split())
    assert not set(seen) & set("\u202e\u2066\u200b\n\0")


def test_what_joins_an_emoji_stays() -> None:
    assert seen_text("👩\u200d🚀 a\u202eb") == "👩\u200d🚀 ab"
    assert is_visible("💧")
    assert not is_visible("\u0301 \u200d")
