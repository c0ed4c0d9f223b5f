"""Weighted scores whose parts are shown: what is not known gives its weight to the others."""

import math
from collections.abc import Mapping
from typing import NamedTuple

from shared.score_models import Score

DIGITS = 4


class Part(NamedTuple):
    """A part of a score: its weight, its value 0-1 (None: unknown), the words behind it."""

    weight: float
    value: float | None
    evidence: str = ""


def weigh(parts: Mapping[str, Part]) -> Score:
    """The weighted mean of the known parts, 0-1; the contributions sum to it to four digits.

    Values are clamped to 0-1; with nothing known the value is None.
    """
    known = {name: part for name, part in parts.items() if part.value is not None}
    unknown = tuple(name for name in parts if name not in known)
    total = sum(part.weight for part in known.values())
    if not total:
        return Score(value=None, unknown=unknown)
    exact = {
        name: p.weight / total * min(1.0, max(0.0, p.value or 0.0)) for name, p in known.items()
    }
    shares = round_to_sum(exact)
    return Score(
        value=round(sum(shares.values()), DIGITS),
        contributions=shares,
        unknown=unknown,
        evidence={name: part.evidence for name, part in known.items() if part.evidence},
    )


def round_to_sum(parts: Mapping[str, float]) -> dict[str, float]:
    """Non-negative parts rounded such that they sum to the rounded sum (largest remainders)."""
    units = {name: math.floor(part * 10**DIGITS + 1e-6) for name, part in parts.items()}
    missing = round(sum(parts.values()) * 10**DIGITS) - sum(units.values())
    by_remainder = sorted(units, key=lambda name: units[name] - parts[name] * 10**DIGITS)
    for name in by_remainder[: max(0, missing)]:
        units[name] += 1
    return {name: unit / 10**DIGITS for name, unit in units.items()}
