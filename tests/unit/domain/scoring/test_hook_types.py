"""Kinds of hooks: figures on labelled headlines, and each rule on lines of ads."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.train.hooks import hook_figures
from scripts.train.recipes import HOOK_SAMPLE
from scripts.train.sources import read_hook_labels
from shared.domain.scoring.hook_types import KINDS, find_hooks


def kinds(text: str) -> set[str]:
    return {match.name for match in find_hooks(text)}


def test_labelled_headlines_are_told_as_well_as_by_the_baseline() -> None:
    figures = hook_figures(read_hook_labels(HOOK_SAMPLE), "headlines")
    assert {figure.name: figure.value for figure in figures if not figure.met} == {}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Do you struggle to fall asleep?", "question"),
        ("did you know this trick", "question"),
        ("¿Te gusta?", "question"),
        ("7 recipes for busy evenings", "number"),
        ("Five mistakes that cost you money", "number"),
        ("POV: you finally found a good pillow", "pov"),
        ("Stop scrolling and look at this", "command"),
        ("If you have a dog, watch this", "command"),
        ("This cream changed my skin", "testimonial"),
        ("★★★★★ Anna, verified buyer", "testimonial"),
        ("Before and after 30 days", "before_after"),
        ("I used to hate mornings, but now I run", "before_after"),
        ("Your skin deserves better", "you"),
        ("We tried ten pillows", "i"),
        ("Why your knees hurt after running", "how_why"),
        ("Here's how we make soap", "how_why"),
        ("What happened next surprised everyone", "curiosity_gap"),
        ("Tired of dry skin", "negative"),
        ("9 out of 10 dentists agree", "statistic"),
        ("Two years ago I left the city", "story"),
        ("30% off everything", "offer"),
        ("Introducing the new bottle", "news"),
    ],
)
def test_each_kind_is_found(text: str, kind: str) -> None:
    assert kind in kinds(text)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('She asked him "Why violence?" and left', "question"),
        ("In 1970 a reporter came", "number"),
        ("A 14-Year-Old explains it", "number"),
        ("Her 2nd scene", "number"),
        ("Doors open at 9 am", "number"),
        ("Working hours in the US", "i"),
        ("How many would make up that bomb?", "how_why"),
        ("Love is all around", "command"),
        ("Never thought that would work", "command"),
        ("Looks fade, style stays", "command"),
        ('He wrote "Love you" on the wall', "you"),
    ],
)
def test_what_only_looks_like_a_hook_is_none(text: str, kind: str) -> None:
    assert kind not in kinds(text)


def test_another_language_is_searched_for_what_needs_no_words() -> None:
    assert kinds("Wie viel kostet das und warum 3 Stück?") == {"question", "number"}


def test_what_opens_a_short_text_is_stronger_than_what_ends_a_long_one() -> None:
    early, late = find_hooks("Why wait?"), find_hooks("We made it from scratch. Why wait?")
    strength = {m.name: m.strength for m in early}["question"]
    assert strength == 1.0 > {m.name: m.strength for m in late}["question"]


@given(st.text(max_size=300))
def test_any_text_has_hooks_in_range_and_in_order(raw: str) -> None:
    found = find_hooks(raw)
    ranks = [match.strength * match.confidence for match in found]
    assert ranks == sorted(ranks, reverse=True)
    assert all(0 < m.strength <= 1 and 0 < m.confidence < 1 for m in found)


@pytest.mark.parametrize(
    "text", ["day 1 " * 1600, "used to " * 1250, "'a b" * 2500, "went from " * 1000, "1." * 5000]
)
def test_texts_made_to_slow_the_rules_do_not(text: str) -> None:
    find_hooks.cache_clear()
    began = time.process_time()
    find_hooks(text)
    assert time.process_time() - began < 0.25


def test_confidence_is_the_counted_precision_pulled_to_one_half() -> None:
    by_name = {kind.name: kind for kind in KINDS}
    assert by_name["pov"].precision == 0.5
    assert by_name["question"].precision == pytest.approx(13 / 14, abs=1e-4)
