"""Filled texts read well: a phrase where a phrase belongs, no doubled stops, capitals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.creative.concept import seen_text
from shared.domain.creative.phrasing import Form, fill_well, form_of, phrasing, trimmed
from shared.domain.patterns.templates import Entry
from tests.unit.domain.creative.concepts import HOSTILE, LANGUAGES


def fill(text: str, *, forms: dict[str, str] | None = None, **values: str) -> str | None:
    """An English template filled."""
    entry = Entry.model_validate({"id": "a", "texts": {"en": text}, "forms": forms or {}})
    return fill_well(entry, "en", trimmed(values))


@pytest.mark.parametrize(
    ("value", "language", "form"),
    [
        ("dry skin", "en", "noun"),
        ("spending hours on receipts", "en", "verbal"),
        ("Spending hours on receipts", "en", "verbal"),
        ("you sleep better", "en", "clause"),
        ("Tired of dry skin?", "en", "other"),
        ("tired of dry skin", "en", "other"),
        ("my skin", "en", "other"),
        ("skin feels dry", "en", "other"),
        ("Dry skin", "en", "other"),
        ("receipts, invoices and tax", "en", "other"),
        ("I can't sleep. I'm exhausted.", "en", "other"),
        ("Knieschmerzen", "de", "noun"),
        ("ich schlafe schlecht", "de", "clause"),
        ("perdre des heures", "fr", "verbal"),
        ("ahorrar tiempo", "es", "verbal"),
        ("caminhar sem dor", "pt", "verbal"),
        ("piel seca", "es", "noun"),
    ],
)
def test_the_form_of_a_value_is_told_by_its_words(value: str, language: str, form: Form) -> None:
    assert form_of(value, language) == form


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        (
            "Stop scrolling! {pain_point}?",
            "Tired of dry skin?",
            "Stop scrolling! Tired of dry skin?",
        ),
        ("{pain_point}?", "dry skin???", "Dry skin?"),
        ("{pain_point}. Sound familiar?", "I can't sleep...", "I can't sleep. Sound familiar?"),
        ("{pain_point}?", "  iPhone battery ", "iPhone battery?"),
        ("{pain_point}?", "I can't sleep. I'm tired.", "I can't sleep. I'm tired?"),
        ("What if... {pain_point}?", "You slept?", "What if... you slept?"),
        ("¿{pain_point}?", "¿dry?", "¿Dry?"),
        ("{pain_point}? {pain_point}", "élan", "Élan? Élan"),
    ],
)
def test_stops_and_capitals_meet_well(text: str, value: str, expected: str) -> None:
    assert fill(text, pain_point=value) == expected


def test_a_name_stays_as_it_is_written() -> None:
    assert fill("{product} is here", product="the Acme app") == "the Acme app is here"
    assert fill("With {product}.", product="Acme Inc.") == "With Acme Inc."
    assert fill("Seen {product}?", product="Yahoo!") == "Seen Yahoo!?"


def test_a_template_stands_aside_for_a_value_of_another_form() -> None:
    tired = {"pain_point": "phrase"}
    assert (
        fill("Tired of {pain_point}?", forms=tired, pain_point="dry skin") == "Tired of dry skin?"
    )
    assert fill("Tired of {pain_point}?", forms=tired, pain_point="Tired of dry skin?") is None
    what_if = {"benefit": "clause"}
    assert fill("What if {benefit}?", forms=what_if, benefit="You slept.") == "What if you slept?"
    assert fill("What if {benefit}?", forms=what_if, benefit="hydrated skin") is None


def test_what_is_missing_or_shows_nothing_fills_no_template() -> None:
    assert fill("{offer} now") is None
    assert fill("{offer} now", offer="?!...") is None


def test_a_text_does_not_say_one_word_twice() -> None:
    text = "{benefit} without {pain_point}"
    assert fill(text, benefit="walking without pain", pain_point="pain in the feet") is None
    assert fill(text, benefit="walking", pain_point="pain") == "Walking without pain"


def test_nothing_is_promised_that_the_advertiser_does_not_offer() -> None:
    free = Entry(
        id="a", texts={"en": "Try {product} free", "de": "{product} gratis"}, claims=("free",)
    )
    values = {"product": "Acme"}
    assert fill_well(free, "en", values) is None
    assert fill_well(free, "en", {**values, "offer": "free for 14 days"}) == "Try Acme free"
    assert fill_well(free, "de", {**values, "offer": "14 Tage kostenlos"}) == "Acme gratis"
    other = free.model_copy(update={"claims": ("back_in_stock",)})
    assert fill_well(other, "en", {**values, "offer": "free"}) is None


def test_every_language_of_the_templates_has_its_words() -> None:
    assert set(phrasing()) == set(LANGUAGES)


@given(st.one_of(st.text(min_size=1), st.sampled_from(HOSTILE)))
def test_a_value_is_data(value: str) -> None:
    """Whatever is written, no field of it is filled and no character of it is invented."""
    given_values = trimmed({"product": seen_text(value), "benefit": "SECRET"})
    entry = Entry(id="a", texts={"en": "<{product}>"})
    filled = fill_well(entry, "en", given_values)
    assert filled is None or filled == " ".join(f"<{given_values['product']}>".split())
