"""The check of an ad: measured once on the file, judged for as many placements as asked for."""

import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from shared.compliance_models import Compliance, Finding, Grade
from shared.creative_models import Placement
from shared.domain.compliance.bounds import judge_value
from shared.domain.compliance.claims import claim_book, judge_claims
from shared.domain.compliance.facts import AdText, Measured, ShownFacts
from shared.domain.compliance.figures import as_data, ratio_name
from shared.domain.compliance.measure import measure_ad
from shared.domain.compliance.on_screen import (
    judge_call_to_action,
    judge_captions,
    judge_reading_time,
    judge_safe_zone,
    judge_text_amount,
    judge_text_size,
    unread,
)
from shared.domain.compliance.rulebook import Rule, RuleBook, rule_book, safe_zones
from shared.models import InferenceTools, Limits

WORST_FIRST: tuple[Grade, ...] = ("fail", "warn", "unavailable", "pass")
SHAPE_TOLERANCE = 0.03
ON_SCREEN = ("safe_zone", "text_size", "reading_time", "text_amount", "call_to_action")
CLAIMS = ("claims_on_screen", "claims_spoken", "claims_in_texts")


def check_video(
    file: Path,
    placement: Placement,
    facts: ShownFacts | None = None,
    *,
    limits: Limits | None = None,
    tools: InferenceTools | None = None,
) -> Compliance:
    """Whether the video at `file` may run at `placement`; for several, measure once and `judge`.

    Raises a refusal (shared/domain/video/refusals.py) when the file cannot be read.
    """
    measured = measure_ad(file, limits=limits or Limits(), tools=tools or InferenceTools())
    return judge(measured, placement, facts or ShownFacts())


def judge(measured: Measured, placement: Placement, facts: ShownFacts) -> Compliance:
    """The verdict on a measured file: its findings, worst first, and the worst grade of them."""
    book = rule_book()
    findings = [
        finding
        for rule in applying(book.rules_of(placement), measured)
        for finding in _judged(rule, placement, measured, facts, book)
    ]
    findings.sort(key=lambda one: WORST_FIRST.index(one.grade))
    return Compliance(
        placement=placement,
        verdict=verdict_of(findings),
        findings=tuple(findings),
        rules_version=f"rules {book.version}, claims {claim_book().version}",
    )


def verdict_of(findings: list[Finding]) -> Literal["pass", "warn", "fail"]:
    """The worst grade; what could not be checked never lets an ad pass, it warns."""
    grades = {finding.grade for finding in findings}
    if "fail" in grades:
        return "fail"
    return "warn" if grades & {"warn", "unavailable"} else "pass"


def applying(rules: tuple[Rule, ...], measured: Measured) -> list[Rule]:
    """The rules for a picture of this shape; one made for the shape takes the general one's place.

    The safe zone stays, to say that it could not be checked on another shape.
    """
    shape = ratio_name(measured.shape)
    own = {rule.rule for rule in rules if rule.when_ratio == shape}
    return [
        rule
        for rule in rules
        if rule.when_ratio == shape
        or rule.rule == "safe_zone"
        or (not rule.when_ratio and rule.rule not in own)
    ]


def _judged(
    rule: Rule, placement: Placement, measured: Measured, facts: ShownFacts, book: RuleBook
) -> Iterator[Finding]:
    if rule.rule in CLAIMS:
        yield from judge_claims(rule, placement, measured, facts, book)
    elif rule.rule == "ad_text":
        yield from judge_ad_texts(rule, facts, book)
    elif rule.rule == "captions":
        yield judge_captions(rule, measured, facts, book)
    elif rule.rule in ON_SCREEN:
        yield _judge_on_screen(rule, placement, measured, facts, book)
    else:
        zone = safe_zones()[placement]
        finding = judge_value(rule, measured, book, f"{zone.width}x{zone.height}")
        if finding is not None:
            yield finding


def _judge_on_screen(
    rule: Rule, placement: Placement, measured: Measured, facts: ShownFacts, book: RuleBook
) -> Finding:
    """The rules about text that is read, `unavailable` when nothing could read it."""
    lines = measured.text
    if lines is None:
        return unread(rule, book, measured.text_problem)
    if rule.rule == "safe_zone":
        shape = measured.shape
        zone = safe_zones()[placement]
        other = abs(shape * zone.height / zone.width - 1) > SHAPE_TOLERANCE
        if rule.when_ratio and other:
            return unread(
                rule,
                book,
                f"what the app covers is known for {rule.when_ratio}, this is {ratio_name(shape)}",
            )
        return judge_safe_zone(rule, zone, lines, facts, book)
    if rule.rule == "reading_time":
        return judge_reading_time(rule, lines, book)
    if rule.rule == "text_size":
        return judge_text_size(rule, lines, measured, book)
    if rule.rule == "text_amount":
        return judge_text_amount(rule, lines, measured, book)
    return judge_call_to_action(rule, lines, measured, book)


def judge_ad_texts(rule: Rule, facts: ShownFacts, book: RuleBook) -> Iterator[Finding]:
    """One finding a text beside the video that has a limit, by the limits that came with it."""
    for one in facts.ad_texts:
        if one.most is None and one.shown is None:
            continue
        length, grade = text_width(one.text), _text_grade(one)
        limits = [f"at most {one.most}"] if one.most else []
        limits += [f"{one.shown} are seen without a tap"] if one.shown else []
        yield Finding(
            rule=rule.rule,
            grade=grade,
            found=f"{one.field}: {length} characters, {as_data(one.text, 40)}",
            expected=", ".join(limits),
            fix="" if grade == "pass" else book.words[rule.rule].fix,
            source="the limits that came with the text",
        )


def _text_grade(one: AdText) -> Grade:
    length = text_width(one.text)
    if one.most is not None and length > one.most:
        return "fail"
    return "warn" if one.shown is not None and length > one.shown else "pass"


def text_width(text: str) -> int:
    """Characters as platforms count them: one of a wide script, or an emoji, counts two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
