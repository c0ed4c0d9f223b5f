"""Judges a measured value by the bounds of a rule, and names the fix where there is one."""

from math import ceil, log2

from shared.compliance_models import Finding, Grade
from shared.domain.compliance.facts import Measured, Value
from shared.domain.compliance.figures import RATIO_NAMES, bounds_told, ratio_name, told
from shared.domain.compliance.rulebook import Bounds, Rule, RuleBook, RuleName

# What a rule is about is not in every file; then there is nothing to judge.
NEEDS_SOUND: tuple[RuleName, ...] = (
    "audio_codec",
    "audio_bit_rate",
    "sample_rate",
    "loudness",
    "true_peak",
)
# x264 halves its bits every 6 steps of crf (x264's documentation).
CRF_PER_OCTAVE = 6
LOW_RATE_SPARE = 1.2
TARGET_LUFS, TARGET_PEAK_DB, TARGET_FPS, TARGET_AUDIO_KBPS = -14, -2, 30, 128


def keeps(bounds: Bounds | None, value: Value, tolerance: float = 0.0) -> bool:
    """Whether a value is within bounds; a word by equality, a ratio by its name or its number."""
    if bounds is None:
        return True
    if isinstance(value, str):
        return not bounds.one_of or value in bounds.one_of
    if bounds.one_of:
        return any(abs(value / RATIO_NAMES[n] - 1) <= tolerance for n in bounds.one_of)
    low = bounds.low is None or value >= bounds.low - tolerance * abs(bounds.low)
    high = bounds.high is None or value <= bounds.high + tolerance * abs(bounds.high)
    return low and high


def grade_of(rule: Rule, value: Value) -> Grade:
    """Fail when `must` is broken, warn when `should` is, pass otherwise."""
    if not keeps(rule.must, value, rule.tolerance):
        return "fail"
    return "pass" if keeps(rule.should, value, rule.tolerance) else "warn"


def expected_of(rule: Rule) -> str:
    """What a rule asks for, in one line."""
    must = bounds_told(rule.rule, rule.must) if rule.must else ""
    should = bounds_told(rule.rule, rule.should) if rule.should else ""
    asked = f"{must}; best {should}" if must and should and must != should else must or should
    return f"{asked} ({rule.note})" if rule.note else asked


def judge_value(rule: Rule, measured: Measured, book: RuleBook, best_size: str) -> Finding | None:
    """The finding of a rule on the file itself; None when the file has no such thing."""
    value = measured.values.get(rule.rule)
    if value is None:
        return _without_value(rule, measured, book)
    grade = grade_of(rule, value)
    found = told(rule.rule, value)
    if rule.rule in ("ratio", "size", "long_side"):
        found = f"{measured.width}x{measured.height} ({ratio_name(measured.shape)})"
    bad = grade != "pass"
    return Finding(
        rule=rule.rule,
        grade=grade,
        found=found,
        expected=expected_of(rule),
        at_seconds=0.0 if bad and rule.rule in ("black_start", "frozen_start") else None,
        fix=fix_of(rule, value, book) if bad else "",
        automatic_fix=automatic_fix(rule, value, best_size) if bad else "",
        source=book.told(rule),
    )


def fix_of(rule: Rule, value: Value, book: RuleBook) -> str:
    """What a person can do; for some rules another thing when the value is too low."""
    words = book.words[rule.rule]
    lows = [one.low for one in (rule.must, rule.should) if one and one.low is not None]
    low = isinstance(value, float) and any(value < bound for bound in lows)
    return words.fix_low if low and words.fix_low else words.fix


def _without_value(rule: Rule, measured: Measured, book: RuleBook) -> Finding | None:
    """Silence has no loudness; for anything else that lacks, say that it could not be measured."""
    if rule.rule in NEEDS_SOUND or rule.rule == "faststart":
        return None
    return Finding(
        rule=rule.rule,
        grade="unavailable",
        found="it could not be measured on this file",
        expected=expected_of(rule),
        source=book.told(rule),
    )


def automatic_fix(rule: Rule, value: Value, best_size: str) -> str:
    """The name of the fix that a new render makes, `name=value`; empty where there is none."""
    name = rule.rule
    if name in ("ratio", "size", "long_side"):
        return f"size={best_size}"
    if name == "loudness":
        return f"loudness={TARGET_LUFS}"
    if name == "true_peak":
        return f"true_peak={TARGET_PEAK_DB}"
    if name == "frame_rate":
        return f"frame_rate={TARGET_FPS}"
    if name == "audio_bit_rate":
        return f"audio_kbps={TARGET_AUDIO_KBPS}"
    if name == "letterbox":
        return "fit=blur"
    if isinstance(value, str):
        return ""
    if name == "black_start":
        return f"trim_start={value:.3f}"
    return _by_amount(rule, value)


def _by_amount(rule: Rule, value: float) -> str:
    """Fixes whose size follows from how far a value is off."""
    bounds = rule.must if not keeps(rule.must, value) else rule.should
    if bounds is None:
        return ""
    over = bounds.high is not None and value > bounds.high
    if rule.rule == "length" and over:
        return f"length={bounds.high:g}"
    if rule.rule in ("video_bit_rate", "file_size"):
        wanted = bounds.high if over else bounds.low
        if not wanted or not value:
            return ""
        if rule.rule == "video_bit_rate" and not over:
            # Finer steps do not help where a picture is plain: the rate is filled up.
            return f"video_kbps={ceil(LOW_RATE_SPARE * wanted)}"
        # A little more than needed: bits follow crf only roughly.
        octaves = log2(value / wanted)
        steps = ceil(CRF_PER_OCTAVE * abs(octaves)) + 1
        return f"crf={steps if over else -steps:+d}"
    return ""
