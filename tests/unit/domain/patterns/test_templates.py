"""Knowledge: checked data that says what it rests on."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.patterns.templates import (
    TOPICS,
    Entry,
    KnowledgeInvalid,
    combined,
    fill,
    fitting,
    read_knowledge,
    shipped,
)

JUDGEMENT = {"kind": "judgement", "since": "2026-11-21", "ads": 0}
ENTRY: dict[str, Any] = {"id": "one", "texts": {"en": "Try {product}"}}


def file_of(*entries: dict[str, Any], **others: Any) -> str:
    return json.dumps({"version": 2, "status": JUDGEMENT, "entries": entries, **others})


@pytest.mark.parametrize("topic", TOPICS)
def test_what_is_shipped_is_in_order_and_claims_no_results(topic: Any) -> None:
    knowledge = shipped(topic)
    assert len(knowledge.entries) >= 8
    for entry in knowledge.entries:
        status = knowledge.status_of(entry)
        assert (status.kind, status.ads) == ("judgement", 0)
        assert {"en", "de", "es", "fr", "pt"} <= set(entry.texts)


def test_the_documents_own_examples_are_there() -> None:
    hooks = {entry.texts["en"] for entry in shipped("hooks").entries}
    calls = {entry.texts["en"] for entry in shipped("calls_to_action").entries}
    assert {
        "Stop scrolling! {pain_point}?",
        "What if {benefit}?",
        "POV: You discovered {product}",
    } <= hooks
    assert {"Get {product} Now ->", "Try {product} Free", "Shop Now ->"} <= calls


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", r"own.json: .*mend the JSON"),
        ("[]", r"own.json: the whole"),
        (file_of({**ENTRY, "colour": 1}), "entry 'one', colour: .*remove it"),
        (file_of({"texts": {"en": "x"}}), "entry 1: .*add it"),
        (file_of({**ENTRY, "id": "One"}), "entry 'One', id"),
        (file_of(ENTRY, ENTRY), "entry 'one' stands twice; rename"),
        (file_of({**ENTRY, "texts": {}}), "entry 'one' has no text"),
        (file_of({**ENTRY, "texts": {"en": "{price}"}}), "one', en: field 'price'; there are prod"),
        (file_of({**ENTRY, "texts": {"en": "{product.__class__}"}}), "field 'product.__class__'"),
        (file_of({**ENTRY, "texts": {"en": "{product"}}), "brace without its partner"),
        (file_of({**ENTRY, "texts": {"english": "x"}}), "language 'english'; use two letters"),
        (file_of({**ENTRY, "texts": {"en": "{product}", "de": "x"}}), "de has other fields than"),
        (file_of({**ENTRY, "texts": {"en": "x" * 301}}), "301 characters; write 1-300"),
        (file_of({**ENTRY, "low": 2, "high": 1}), "low 2.0 is above high 1.0; swap"),
        (file_of(ENTRY, status={**JUDGEMENT, "ads": -1}), "status.ads"),
    ],
)
def test_a_mistake_is_named_with_file_entry_and_way_out(content: str, reason: str) -> None:
    with pytest.raises(KnowledgeInvalid, match=reason):
        read_knowledge(content, "own.json")


def test_a_tenants_entries_lie_over_ours() -> None:
    """Replaced by id, hidden by `removed`, added at the end; each with the status of its file."""
    measured = {"kind": "measured", "since": "2027-01-01", "ads": 40}
    own = read_knowledge(
        file_of(
            {"id": "what_if", "texts": {"en": "Imagine {benefit}"}, "status": measured},
            {"id": "mistake", "removed": True},
            ENTRY,
        ),
        "own.json",
    )
    whole = {entry.id: entry for entry in combined(shipped("hooks"), own).entries}
    assert whole["what_if"].texts == {"en": "Imagine {benefit}"}
    assert whole["what_if"].status is not None
    assert whole["what_if"].status.ads == 40
    assert "mistake" not in whole
    assert list(whole)[-1] == "one"
    assert combined(shipped("hooks"), None) is shipped("hooks")


def test_the_industrys_own_come_first_and_others_industries_not_at_all() -> None:
    found = fitting(shipped("hooks"), language="de", industry="saas")
    assert found[0].id == "saas_still_by_hand"
    assert "fitness_no_gym" not in [entry.id for entry in found]
    assert fitting(shipped("hooks"), language="xx") == ()
    platforms = {e.platform for e in fitting(shipped("platforms"), platform="tiktok")}
    assert platforms == {"tiktok"}


def test_a_template_is_filled_or_left_alone() -> None:
    entry = Entry(id="a", texts={"en": "{product}, because {benefit}"})
    assert fill(entry, "en", {"product": "Soap", "benefit": "it cleans"}) == (
        "Soap, because it cleans"
    )
    assert fill(entry, "en", {"product": "Soap", "benefit": " "}) is None
    assert fill(entry, "de", {"product": "Soap", "benefit": "x"}) is None


@given(st.text(min_size=1).filter(str.strip))
def test_a_value_is_data(value: str) -> None:
    """Braces and backslashes of a value are not read again."""
    entry = Entry(id="a", texts={"en": "<{product}>"})
    filled = fill(entry, "en", {"product": value, "benefit": "secret"})
    assert filled == f"<{value.strip()}>"[:300]
