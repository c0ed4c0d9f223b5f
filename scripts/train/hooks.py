"""Measuring the rules that tell kinds of hooks, on labelled headlines."""

from collections.abc import Sequence

import numpy as np

from scripts.train.figures import Figure, f1_score
from shared.domain.scoring.hook_types import find_hooks

# The letter of each kind in the labels, and the F1 of the regular expressions to be beaten.
LETTERS = {"question": "Q", "number": "N", "you": "Y", "i": "I", "how_why": "H", "command": "C"}
BASELINES = {
    "question": 1.0,
    "number": 0.86,
    "you": 0.97,
    "i": 0.74,
    "how_why": 0.86,
    "command": 0.88,
}


def hook_figures(labelled: Sequence[tuple[str, str]], on: str) -> list[Figure]:
    """F1 of each labelled kind; headlines whose label is small (an open case) are left out."""
    found = [{match.name for match in find_hooks(headline)} for headline, _ in labelled]
    figures = []
    for kind, letter in LETTERS.items():
        sure = [letter.lower() not in labels or letter in labels for _, labels in labelled]
        said = np.array([kind in names for names, keep in zip(found, sure, strict=True) if keep])
        true = np.array(
            [letter in labels for (_, labels), keep in zip(labelled, sure, strict=True) if keep]
        )
        figures.append(
            Figure(
                f"F1 hook {kind}",
                f1_score(said, true),
                BASELINES[kind],
                BASELINES[kind],
                measured_on=on,
            )
        )
    return figures
