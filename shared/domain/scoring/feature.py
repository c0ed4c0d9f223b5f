"""One feature: its name, how it is computed, from what, and what it is when that is missing."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from shared.domain.scoring.psychology import read_hook, score_psychology
from shared.domain.scoring.words import Wording, read_wording
from shared.score_models import HookReading, Score, Signals

UNKNOWN = "unknown"


class Case:
    """One creative with what is derived from its signals, computed when first asked for."""

    def __init__(self, signals: Signals) -> None:
        self.signals = signals

    @cached_property
    def wording(self) -> Wording:
        """The words of the creative."""
        return read_wording(self.signals)

    @cached_property
    def psychology(self) -> dict[str, Score]:
        """The five psychology scores."""
        return score_psychology(self.wording)

    @cached_property
    def hook(self) -> HookReading:
        """The hook in the opening words."""
        return read_hook(self.wording)

    @property
    def seconds(self) -> float | None:
        """How long the creative is."""
        analysis = self.signals.analysis
        return analysis.media.duration_seconds if analysis else self.signals.duration_seconds


@dataclass(frozen=True)
class Feature:
    """A row of the feature table; `measure` gives None when its source is missing."""

    name: str
    group: str
    formula: str
    source: str
    unit: str
    measure: Callable[[Case], float | None]
    missing: str = UNKNOWN
