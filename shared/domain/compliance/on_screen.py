"""Judges the text that was read on the file: where it stands, how large, how long, how much."""

from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import pairwise
from typing import NamedTuple

from shared.compliance_models import Finding, Grade
from shared.domain.compliance.bounds import expected_of, grade_of
from shared.domain.compliance.facts import Measured, ShownFacts
from shared.domain.compliance.figures import as_data, told
from shared.domain.compliance.rulebook import Rule, RuleBook, SafeZone
from shared.domain.inference.text import coverage_of, same_text
from shared.inference_models import TextLine
from shared.models import Box

# A reader's box stands out over the letters by these shares of its height, as measured on drawn
# words of 13 to 64 pixels: 0.17 to 0.27 above and below, 0.1 to 0.2 at the sides.
MARGIN_ABOVE, MARGIN_BESIDE = 0.2, 0.12
TOUCHES = 0.004
STANDS_SECONDS = 0.8
SAME_MOMENT_SECONDS = 0.35
REACTION_SECONDS = 0.3
CAPTION_SECONDS = 6.0
SPEECH_SECONDS = 1.0
SAID_SHARE = 0.5
ALIKE = 0.75
MIN_LETTERS = 3


def unread(rule: Rule, book: RuleBook, why: str) -> Finding:
    """A rule that could not be checked."""
    return Finding(
        rule=rule.rule,
        grade="unavailable",
        found=why,
        expected=expected_of(rule),
        source=book.told(rule),
    )


def judged(
    rule: Rule,
    book: RuleBook,
    value: float,
    *,
    about: str = "",
    at: float | None = None,
    grade: Grade | None = None,
    automatic: str = "",
) -> Finding:
    """The finding of one value; `about` names what has it."""
    grade = grade or grade_of(rule, value)
    bad = grade != "pass"
    return Finding(
        rule=rule.rule,
        grade=grade,
        found=f"{told(rule.rule, value)}{about}",
        expected=expected_of(rule),
        at_seconds=at if bad else None,
        fix=book.words[rule.rule].fix if bad else "",
        automatic_fix=automatic if bad else "",
        source=book.told(rule),
    )


def judge_safe_zone(
    rule: Rule, zone: SafeZone, lines: Sequence[TextLine], facts: ShownFacts, book: RuleBook
) -> Finding:
    """The line that is covered worst by what the app shows over the video.

    A line that stands still and is mostly covered fails; one that reaches in is warned of. Where
    `facts` tell what was written on the picture, other words belong to what was filmed: they are
    warned of, and no text can be moved to mend it.
    """
    expected = (
        f"no text in the top {100 * zone.top:.3g}%, bottom {100 * zone.bottom:.3g}%, "
        f"left {100 * zone.left:.3g}% and right {100 * zone.right:.3g}%"
    )
    covered = sorted(
        (_covered(line, rule, zone, facts) for line in lines),
        key=lambda one: (_BADNESS[one.grade], one.share, -one.line.start_seconds),
    )
    worst = covered[-1] if covered and covered[-1].grade != "pass" else None
    if worst is None:
        found = "no text is covered"
    else:
        others = sum(one.grade != "pass" for one in covered) - 1
        found = (
            f"{as_data(worst.line.text)} {_side(worst.line.box, zone)}, "
            f"{100 * worst.share:.0f}% covered"
            f"{'' if worst.ours else ', part of what was filmed'}"
            f"{f', and {others} more' if others else ''}"
        )
    margins = f"{zone.top:g},{zone.bottom:g},{zone.left:g},{zone.right:g}"
    return Finding(
        rule=rule.rule,
        grade=worst.grade if worst else "pass",
        found=found,
        expected=expected,
        at_seconds=worst.line.start_seconds if worst else None,
        fix=book.words[rule.rule].fix if worst else "",
        automatic_fix=f"safe_zone={margins}" if worst and worst.ours else "",
        source=zone.told,
    )


_BADNESS: dict[Grade, int] = {"pass": 0, "unavailable": 0, "warn": 1, "fail": 2}


class _Covered(NamedTuple):
    line: TextLine
    share: float
    grade: Grade
    ours: bool


def _covered(line: TextLine, rule: Rule, zone: SafeZone, facts: ShownFacts) -> _Covered:
    share = covered_share(letters(line), zone)
    grade = grade_of(rule, share)
    ours = _is_ours(line, facts)
    if grade == "fail" and (not ours or line.end_seconds - line.start_seconds < STANDS_SECONDS):
        grade = "warn"
    return _Covered(line, share, grade, ours)


def _is_ours(line: TextLine, facts: ShownFacts) -> bool:
    """Whether a line was written on the picture; nobody knows where `facts` tell of no text."""
    if not facts.shown and not facts.captions:
        return True
    read = _plain(line.text)
    middle = line.box.top + line.box.height / 2
    return any(
        one.start_seconds - SAME_MOMENT_SECONDS <= line.end_seconds
        and line.start_seconds <= one.end_seconds + SAME_MOMENT_SECONDS
        and one.top <= middle <= one.bottom
        and _alike_part(read, _plain(one.text))
        for one in (*facts.shown, *facts.captions)
    )


def _first(pair: tuple[float, TextLine]) -> float:
    return pair[0]


def letters(line: TextLine) -> Box:
    """The box of the letters themselves, without what a reader adds around them."""
    box = line.box
    above = MARGIN_ABOVE * box.height
    beside = min(MARGIN_BESIDE * box.height, box.width / 4)
    return Box(
        left=box.left + beside,
        top=box.top + above,
        width=box.width - 2 * beside,
        height=box.height - 2 * above,
    )


def covered_share(box: Box, zone: SafeZone) -> float:
    """The share of a box outside of the safe rectangle, 0-1."""
    area = box.width * box.height
    if area <= 0:
        return 0.0
    right, bottom = min(box.left + box.width, 1 - zone.right), box.top + box.height
    width = max(0.0, right - max(box.left, zone.left))
    height = max(0.0, min(bottom, 1 - zone.bottom) - max(box.top, zone.top))
    share = 1 - width * height / area
    return share if share > TOUCHES else 0.0


def _side(box: Box, zone: SafeZone) -> str:
    """At which side a box is covered most."""
    over = {
        "at the top": zone.top - box.top,
        "at the bottom": box.top + box.height - (1 - zone.bottom),
        "at the left": zone.left - box.left,
        "at the right": box.left + box.width - (1 - zone.right),
    }
    return max(over, key=lambda side: over[side])


def judge_text_size(
    rule: Rule, lines: Sequence[TextLine], measured: Measured, book: RuleBook
) -> Finding:
    """The smallest line that stands long enough to be meant to be read."""
    scale = measured.height / min(measured.width, measured.height)
    sized = [(letters(line).height * scale, line) for line in lines if _stands(line)]
    if not sized:
        return _no_text(rule, book)
    height, line = min(sized, key=_first)
    return judged(rule, book, height, about=f": {as_data(line.text)}", at=line.start_seconds)


def _stands(line: TextLine) -> bool:
    long_enough = line.end_seconds - line.start_seconds >= STANDS_SECONDS
    return long_enough and sum(map(str.isalnum, line.text)) >= MIN_LETTERS


def _no_text(rule: Rule, book: RuleBook) -> Finding:
    return Finding(
        rule=rule.rule,
        grade="pass",
        found="no text on screen",
        expected=expected_of(rule),
        source=book.told(rule),
    )


def judge_reading_time(rule: Rule, lines: Sequence[TextLine], book: RuleBook) -> Finding:
    """The text that must be read fastest; lines that come and go together are one text."""
    if not lines:
        return _no_text(rule, book)
    speeds = []
    for block in together(lines):
        seconds = max(one.end_seconds for one in block) - min(one.start_seconds for one in block)
        count = sum(len(text) for text in _different(block))
        speeds.append((count / max(0.1, seconds + REACTION_SECONDS), block))
    speed, block = max(speeds, key=lambda pair: pair[0])
    text = " ".join(_different(block))
    return judged(rule, book, speed, about=f": {as_data(text)}", at=block[0].start_seconds)


def _different(block: Sequence[TextLine]) -> list[str]:
    """The texts of a block, one that was read in two ways taken once."""
    kept: list[str] = []
    for line in block:
        if not any(same_text(line.text, other) for other in kept):
            kept.append(line.text)
    return kept


def together(lines: Sequence[TextLine]) -> list[list[TextLine]]:
    """Groups of lines that come and go at the same moments, top to bottom."""
    groups: list[list[TextLine]] = []
    for line in sorted(lines, key=lambda one: (one.start_seconds, one.box.top)):
        for group in groups:
            starts = abs(group[0].start_seconds - line.start_seconds) <= SAME_MOMENT_SECONDS
            if starts and abs(group[0].end_seconds - line.end_seconds) <= SAME_MOMENT_SECONDS:
                group.append(line)
                break
        else:
            groups.append([line])
    return [sorted(group, key=lambda one: one.box.top) for group in groups]


def judge_text_amount(
    rule: Rule, lines: Sequence[TextLine], measured: Measured, book: RuleBook
) -> Finding:
    """The largest share of the picture under text at any moment."""
    if not lines:
        return _no_text(rule, book)
    most = coverage_of(tuple(lines), 0.0, measured.length_seconds).most
    return judged(rule, book, most)


def judge_call_to_action(
    rule: Rule, lines: Sequence[TextLine], measured: Measured, book: RuleBook
) -> Finding:
    """How long the end goes without any words."""
    end = measured.length_seconds
    last = max((line.end_seconds for line in lines if _stands(line)), default=0.0)
    silent = max(0.0, end - last)
    if not lines:
        return judged(rule, book, end, grade="warn", at=0.0, automatic="end_card")
    return judged(rule, book, silent, at=last, automatic="end_card")


def judge_captions(rule: Rule, measured: Measured, facts: ShownFacts, book: RuleBook) -> Finding:
    """How much of the speech has words on screen that come and go with it.

    With a transcript the words themselves are looked for, else text that changes while
    somebody speaks.
    """
    if measured.speech is None:
        return unread(rule, book, f"where somebody speaks is not known: {measured.speech_problem}")
    spoken = sum(one.end_seconds - one.start_seconds for one in measured.speech)
    if spoken < SPEECH_SECONDS:
        return judged(rule, book, 1.0, grade="pass").model_copy(update={"found": "nobody speaks"})
    if measured.text is None:
        return unread(rule, book, measured.text_problem)
    share, first = _followed(measured, facts)
    return judged(rule, book, share, at=first)


def _followed(measured: Measured, facts: ShownFacts) -> tuple[float, float | None]:
    """The share of the speech that is on screen, and where it first is not."""
    assert measured.speech is not None
    words = facts.transcript.words if facts.transcript else ()
    if words:
        missing = [word for word in words if not _is_shown(word.word, word.start_seconds, measured)]
        return 1 - len(missing) / len(words), missing[0].start_seconds if missing else None
    lines = [one for one in measured.text or () if _like_a_caption(one)]
    whole = covered = 0.0
    first: float | None = None
    for part in measured.speech:
        marks = {part.start_seconds, part.end_seconds}
        marks |= {
            at
            for line in lines
            for at in (line.start_seconds, line.end_seconds)
            if part.start_seconds < at < part.end_seconds
        }
        for begin, end in pairwise(sorted(marks)):
            middle = (begin + end) / 2
            whole += end - begin
            if any(line.start_seconds <= middle < line.end_seconds for line in lines):
                covered += end - begin
            elif first is None:
                first = round(begin, 3)
    return covered / whole if whole else 1.0, first


def _like_a_caption(line: TextLine) -> bool:
    return line.end_seconds - line.start_seconds <= CAPTION_SECONDS


def _is_shown(word: str, at: float, measured: Measured) -> bool:
    """Whether a spoken word is read on screen within a second of when it is said."""
    said = _plain(word)
    if len(said) < MIN_LETTERS:
        return True
    return any(
        line.start_seconds - 1 <= at <= line.end_seconds + 1
        and _alike_part(said, _plain(line.text))
        for line in measured.text or ()
    )


def _plain(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())


def _alike_part(part: str, whole: str) -> bool:
    """Whether a text is read in another; readers lose gaps between words, a letter now and then."""
    if part in whole:
        return True
    match = SequenceMatcher(None, part, whole, autojunk=False)
    same = sum(block.size for block in match.get_matching_blocks() if block.size > 2)
    return same >= ALIKE * len(part)
