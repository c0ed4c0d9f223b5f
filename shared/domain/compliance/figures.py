"""How values and bounds are said: one formatter a rule, so that people read units, not floats."""

from collections.abc import Callable

from shared.domain.compliance.facts import Value
from shared.domain.compliance.rulebook import Bounds, RuleName

RATIO_NAMES = {
    "9:16": 9 / 16,
    "2:3": 2 / 3,
    "4:5": 4 / 5,
    "1:1": 1.0,
    "4:3": 4 / 3,
    "16:9": 16 / 9,
    "1.91:1": 1.91,
    "2:1": 2.0,
}
NAMED_WITHIN = 0.012
MAX_TOLD = 80


def _bytes(value: float) -> str:
    for size, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.0f} bytes"


def _seconds(value: float) -> str:
    if value < 120:
        return f"{value:.4g} s" if value >= 10 else f"{value:.2g} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min" + (f" {rest} s" if rest else "")


def ratio_name(value: float) -> str:
    """`9:16` and the like for a width over a height; `0.62:1` for one without a name."""
    for name, ratio in RATIO_NAMES.items():
        if abs(value / ratio - 1) <= NAMED_WITHIN:
            return name
    return f"{value:.2f}:1"


def _share(value: float) -> str:
    return f"{100 * value:.2g}%" if value < 0.1 else f"{100 * value:.0f}%"


def _kilobits(value: float) -> str:
    return f"{value:,.0f} kbit/s"


def _tenths(value: float) -> str:
    return f"{value:.2g}" if abs(value) < 10 else f"{value:.1f}"


# How a number is written, and what follows it.
UNITS: dict[RuleName, tuple[Callable[[float], str], str]] = {
    "ratio": (ratio_name, ""),
    "size": ("{:.0f} pixels".format, " on the shorter side"),
    "long_side": ("{:.0f} pixels".format, " on the longer side"),
    "length": (_seconds, ""),
    "file_size": (_bytes, ""),
    "video_bit_rate": (_kilobits, ""),
    "audio_bit_rate": (_kilobits, ""),
    "frame_rate": ("{:.4g}".format, " frames a second"),
    "loudness": ("{:.1f}".format, " LUFS"),
    "true_peak": ("{:.1f}".format, " dBTP"),
    "black_start": (_tenths, " s of black"),
    "frozen_start": (_tenths, " s without a change"),
    "letterbox": (_share, " of the picture in black bars"),
    "text_size": (_share, " of the picture's shorter side"),
    "reading_time": ("{:.0f}".format, " characters a second"),
    "text_amount": (_share, " of the picture under text"),
    "captions": (_share, " of the speech with its words on screen"),
    "call_to_action": (_tenths, " s without words at the end"),
}
PLAIN = ("{:g}".format, "")


def told(rule: RuleName, value: Value) -> str:
    """A value as people say it."""
    if isinstance(value, str):
        return value
    number, after = UNITS.get(rule, PLAIN)
    return number(value) + after


def bounds_told(rule: RuleName, bounds: Bounds) -> str:
    """Bounds as people say them."""
    if bounds.one_of:
        return ", ".join(bounds.one_of[:-1]) + " or " * (len(bounds.one_of) > 1) + bounds.one_of[-1]
    number, after = UNITS.get(rule, PLAIN)
    if bounds.low is not None and bounds.high is not None:
        return f"{number(bounds.low)} to {number(bounds.high)}{after}"
    if bounds.low is not None:
        return f"at least {number(bounds.low)}{after}"
    assert bounds.high is not None
    return f"at most {number(bounds.high)}{after}"


def as_data(text: str, longest: int = MAX_TOLD) -> str:
    """Text from outside in quotes, on one line: nothing in it can write to a terminal."""
    plain = "".join(c if c.isprintable() else " " for c in text)
    plain = " ".join(plain.split())
    if len(plain) > longest:
        plain = plain[: longest - 1] + "…"
    return f"“{plain}”"
