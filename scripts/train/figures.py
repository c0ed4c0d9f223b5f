"""The figures of a model: F1, pairs told right, and whether probabilities mean what they say."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Figure:
    """One measured figure beside its goal and its baseline; None: there is none."""

    name: str
    value: float
    goal: float | None = None
    baseline: float | None = None
    lower_is_better: bool = False
    measured_on: str = ""

    @property
    def shown(self) -> str:
        """The value with three digits after the point, five when it is that small."""
        return f"{self.value:.3f}" if abs(self.value) >= 0.02 else f"{self.value:.5f}"

    @property
    def met(self) -> bool | None:
        """Whether the goal is met, to three digits."""
        if self.goal is None:
            return None
        value, goal = round(self.value, 3), round(self.goal, 3)
        return value <= goal if self.lower_is_better else value >= goal


def f1_score(said: Flags, true: Flags) -> float:
    """2 TP / (2 TP + FP + FN); 0 when there is nothing to find."""
    hits = int((said & true).sum())
    wrong = int((said ^ true).sum())
    return 2 * hits / (2 * hits + wrong) if hits else 0.0


def brier_score(probabilities: Floats, happened: Flags) -> float:
    """The mean squared distance of probability and outcome, 0-1."""
    return float(((probabilities - happened) ** 2).mean())


def calibration_error(probabilities: Floats, happened: Flags, bins: int = 10) -> float:
    """ECE: the distance of mean probability and share, averaged over bins of equal count."""
    return sum(
        abs(said - share) * n for said, share, n in reliability(probabilities, happened, bins)
    ) / max(1, len(probabilities))


def reliability(
    probabilities: Floats, happened: Flags, bins: int = 10
) -> list[tuple[float, float, int]]:
    """(mean probability, share that happened, count) of bins of equal count, from low to high."""
    order = np.argsort(probabilities, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return [
        (float(probabilities[part].mean()), float(happened[part].mean()), len(part))
        for part in parts
    ]
