"""How well the transitions of a report agree with those that an ad was composed with."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from shared.models import Transition

SHARED_SHARE = 0.5


@dataclass(frozen=True)
class Score:
    """Transitions found that are there, found that are not, and missed."""

    hits: int = 0
    false: int = 0
    missed: int = 0

    def __add__(self, other: "Score") -> "Score":
        return Score(self.hits + other.hits, self.false + other.false, self.missed + other.missed)

    @property
    def f1(self) -> float:
        """2 hits / (2 hits + false + missed): 1 when all is right, also when nothing was there."""
        wrong = self.false + self.missed
        return 2 * self.hits / (2 * self.hits + wrong) if self.hits + wrong else 1.0


def read_transitions(report: dict[str, Any]) -> list[Transition]:
    """The transitions of a report as `gv analyze --json` prints it."""
    return [Transition.model_validate(one) for one in report["transitions"]]


def score(
    found: Sequence[Transition], truth: Sequence[Transition], *, within_frames: int = 0
) -> Score:
    """Each true transition is matched with at most one found, cuts with cuts only.

    A cut is right within `within_frames`; a fade or dissolve when kind and range are right: half
    of the shorter range lies in the other.
    """
    left, hits = list(found), 0
    for want in truth:
        near = [one for one in left if _agree(one, want, within_frames)]
        if near:
            left.remove(min(near, key=lambda one: abs(one.start_frame - want.start_frame)))
            hits += 1
    return Score(hits, len(left), len(truth) - hits)


def cuts_of(transitions: Iterable[Transition]) -> list[Transition]:
    """Only the hard cuts."""
    return [one for one in transitions if one.kind == "cut"]


def _agree(one: Transition, other: Transition, within_frames: int) -> bool:
    if one.kind != other.kind:
        return False
    if one.kind == "cut":
        return abs(one.start_frame - other.start_frame) <= within_frames
    shared = min(one.end_frame, other.end_frame) - max(one.start_frame, other.start_frame) + 1
    shorter = min(t.end_frame - t.start_frame + 1 for t in (one, other))
    return shared >= SHARED_SHARE * shorter
