"""What a detector is: it sees every frame of the one decode and has a result at the end."""

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from shared.domain.video.pictures import Look


class Detector(Protocol):
    """Two methods; `see` is called once a frame, in order of display."""

    def see(self, frame: "Look", at: float) -> None:
        """Takes one frame, shown at `at` seconds; keeps nothing of its planes."""

    def result(self) -> Any:
        """What was found; called once, after the last frame."""


class AnalyserUnavailable(Exception):
    """An analyser lacks something (a model file, a library) and cannot run here."""
