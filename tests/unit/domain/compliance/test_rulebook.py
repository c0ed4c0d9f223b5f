"""The shipped rules are whole: sources, dates, words, and a page that says the same."""

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from shared.creative_models import Placement
from shared.domain.compliance.bounds import judge_value
from shared.domain.compliance.claims import claim_book
from shared.domain.compliance.page import rules_page
from shared.domain.compliance.rulebook import (
    PLACEMENTS,
    Bounds,
    PlacementUnknown,
    Rule,
    RuleBook,
    placements_named,
    rule_book,
    safe_zones,
)
from tests.unit.domain.compliance.records import measured

ROOT = Path(__file__).resolve().parents[4]
CASES = [
    pytest.param(placement, rule, id=f"{placement}-{rule.rule}{rule.when_ratio}")
    for placement in PLACEMENTS
    for rule in rule_book().rules_of(placement)
    if rule.rule in measured().values
]


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_every_rule_has_a_source_with_address_and_date(placement: Placement) -> None:
    """Users act on the figures: each says where it is from, when, and whether it was verified."""
    book = rule_book()
    for rule in book.rules_of(placement):
        source = book.sources[rule.source]
        assert source.url == "ours" or source.url.startswith("https://")
        assert date(2026, 1, 1) <= source.looked_at
        assert source.seen
        assert str(source.looked_at) in book.told(rule)
        assert ("not verified" in book.told(rule)) is not source.verified
    assert safe_zones()[placement].status.source


def test_every_claim_has_a_policy_on_every_platform() -> None:
    """No category without a source for Meta, TikTok, YouTube, LinkedIn and X."""
    platforms = {placement.partition(":")[0] for placement in PLACEMENTS}
    for category in claim_book().categories.values():
        assert set(category.sources) == platforms


def test_our_own_defaults_only_warn() -> None:
    """What nobody publishes cannot fail an ad, words that policies forbid aside."""
    for rule in rule_book().everywhere:
        if rule.must is not None and rule.source == "ours":
            assert rule.rule.startswith(("claims", "ad_text"))


@pytest.mark.parametrize(("placement", "rule"), CASES)
def test_each_rule_passes_one_record_and_catches_another(placement: Placement, rule: Rule) -> None:
    """A value within both bounds passes; one outside of `must` fails, of `should` warns."""
    book = rule_book()
    assert verdict(rule, inside(rule), book) == "pass"
    if rule.must is not None:
        assert verdict(rule, outside(rule.must), book) == "fail"
    if rule.should is not None:
        assert verdict(rule, outside(rule.should), book) in ("warn", "fail")


def verdict(rule: Rule, value: Any, book: RuleBook) -> str:
    finding = judge_value(rule, measured(**{rule.rule: value}), book, "1080x1920")
    assert finding is not None
    bad = finding.grade != "pass"
    assert bool(finding.fix) is bad
    assert finding.expected
    assert finding.found
    return finding.grade


def inside(rule: Rule) -> Any:
    """A value that both bounds take."""
    bounds = [one for one in (rule.should, rule.must) if one is not None]
    if rule.rule == "ratio":
        for name in ("9:16", "1:1", "4:5", "16:9"):
            width, height = (float(part) for part in name.split(":"))
            if all(taken(one, name, width / height) for one in bounds):
                return width / height
    if bounds[0].one_of:
        return next(word for word in bounds[0].one_of if all(word in b.one_of for b in bounds))
    low = max((b.low for b in bounds if b.low is not None), default=None)
    high = min((b.high for b in bounds if b.high is not None), default=None)
    if low is not None and high is not None:
        return (low + high) / 2
    return low if low is not None else high


def taken(bounds: Bounds, name: str, value: float) -> bool:
    if bounds.one_of:
        return name in bounds.one_of
    return (bounds.low or 0) <= value <= (bounds.high or 99)


def outside(bounds: Bounds) -> Any:
    """A value that the bounds do not take."""
    if bounds.one_of:
        return 3.0 if ":" in bounds.one_of[0] else "something else"
    if bounds.high is not None:
        return bounds.high * 1.5 + 1 if bounds.high > 0 else bounds.high / 2
    assert bounds.low is not None
    return bounds.low / 2


def test_the_page_says_what_the_data_say() -> None:
    """docs/compliance.md is what `gv check --rules` prints."""
    assert (ROOT / "docs" / "compliance.md").read_text(encoding="utf-8") == rules_page()


def test_a_platform_stands_for_its_placements() -> None:
    """`meta` is three, `all` is everything, nothing twice."""
    assert placements_named(["meta"]) == ("meta:feed", "meta:reels", "meta:stories")
    assert placements_named(["META:Reels", "meta:reels"]) == ("meta:reels",)
    assert placements_named(["x", "all"])[0] == "x:feed"
    assert set(placements_named(["all"])) == set(PLACEMENTS)


def test_an_unknown_placement_is_told_what_there_is() -> None:
    """The message names the value and every choice."""
    with pytest.raises(PlacementUnknown, match=r"'myspace'.*meta:reels.*all"):
        placements_named(["myspace"])


def test_a_rule_without_source_or_bounds_is_refused() -> None:
    """The data cannot lose them silently."""
    raw = rule_book().model_dump()
    raw["everywhere"][0]["source"] = "nobody"
    with pytest.raises(ValueError, match="no source is called 'nobody'"):
        RuleBook.model_validate(raw)
    with pytest.raises(ValueError, match="bounds need"):
        Bounds()


def test_the_page_names_no_source_that_is_not_there() -> None:
    """Each source in a table is one of the sources at the end."""
    page = rules_page()
    named = set(re.findall(r"\| ([a-z_]+) \|$", page, flags=re.MULTILINE))
    listed = set(re.findall(r"^\| ([a-z_]+) \| ", page, flags=re.MULTILINE))
    assert named - {"source", "policies"} <= listed
