"""How the first three seconds hold a viewer: five measured signals, each shown with its part."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.domain.video.pictures import Look
from shared.domain.video.sound import SPEECH_RATE, Samples
from shared.models import Faces, Hook, Transition

HOOK_SECONDS = 3.0
GOOD_SCORE = 0.6
WEAK_SIGNAL = 0.5
NO_HOOK_SCORE = 0.15

# The share of each signal in the score; 1-data-flow section 1 names the signals, not the weights,
# so they are our judgement: faces and movement first.
WEIGHTS = {"motion": 0.25, "faces": 0.25, "cuts": 0.20, "sound": 0.15, "contrast": 0.15}
TYPES = {
    "motion": "motion",
    "faces": "face",
    "cuts": "fast_cuts",
    "sound": "sound",
    "contrast": "bold_picture",
}
LIVELY_MOTION, STRONG_MOTION = 1.0, 4.0
FULL_CONTRAST = 64.0
AUDIBLE_AMPLITUDE = 10 ** (-35 / 20)
LOUDNESS_STEP_SECONDS = 0.05


@dataclass(frozen=True)
class Signal:
    """A measured signal: its value 0-1, the second it points at, and what would help."""

    value: float
    at_seconds: float
    advice: str


class ContrastDetector:
    """The contrast of the pictures of the first three seconds."""

    def __init__(self) -> None:
        self._first_at: float | None = None
        self._contrasts: list[float] = []

    def see(self, frame: Look, at: float) -> None:
        """Takes one frame, shown at `at` seconds."""
        if self._first_at is None:
            self._first_at = at
        if at - self._first_at < HOOK_SECONDS:
            self._contrasts.append(float(frame.thumb[0].std()))

    def result(self) -> list[float]:
        """The standard deviation of brightness (0-127) of each frame of the first 3 s."""
        return self._contrasts


def motion_signal(energies: NDArray[np.float64], at: Sequence[float]) -> Signal:
    """Half how early the picture gets lively (energy >= 1), half how strong it moves (4 = full)."""
    times = np.asarray(at) - at[0]
    early = energies[times < HOOK_SECONDS]
    lively = np.flatnonzero(early >= LIVELY_MOTION)
    begins = float(times[lively[0]]) if len(lively) else HOOK_SECONDS
    value = 0.5 * (1 - begins / HOOK_SECONDS)
    value += 0.5 * min(1.0, float(early.mean()) / STRONG_MOTION)
    return Signal(value, begins, "nothing moves much before; move from the start")


def cut_signal(transitions: Sequence[Transition], at: Sequence[float]) -> Signal:
    """1 - exp(-cuts in the first 3 s): one cut gives .63, two .86."""
    times = [at[t.start_frame] - at[0] for t in transitions if t.kind in ("cut", "dissolve")]
    early = [t for t in times if t < HOOK_SECONDS]
    first = min(early, default=HOOK_SECONDS / 2)
    return Signal(1 - math.exp(-len(early)), first, "there is room for a cut to a second picture")


def face_signal(faces: Faces, start_seconds: float) -> Signal | None:
    """The share of sampled frames with a face; None when faces were not measured."""
    early = [s for s in faces.samples if s.at_seconds - start_seconds < HOOK_SECONDS]
    if faces.share is None or not early:
        return None
    bare = next((s.at_seconds - start_seconds for s in early if not s.boxes), 0.0)
    return Signal(sum(bool(s.boxes) for s in early) / len(early), bare, "show a face")


def contrast_signal(contrasts: Sequence[float]) -> Signal:
    """The mean contrast, 64 levels of deviation = full."""
    flattest = int(np.argmin(contrasts))
    at = HOOK_SECONDS * flattest / max(1, len(contrasts))
    value = min(1.0, float(np.mean(contrasts)) / FULL_CONTRAST)
    return Signal(value, at, "the picture is flat; open on a bright one with strong contrast")


def sound_signal(mono: Samples | None, offset_seconds: float) -> Signal | None:
    """How early something is heard (-35 dBFS); silence gives 0, None when sound is unreadable.

    `offset_seconds` is where the sound begins after the first frame.
    """
    if mono is None:
        return None
    step = int(LOUDNESS_STEP_SECONDS * SPEECH_RATE)
    early = mono[: int(HOOK_SECONDS * SPEECH_RATE)]
    early = early[: len(early) // step * step].reshape(-1, step)
    loud = np.flatnonzero(np.sqrt((early**2).mean(axis=1)) >= AUDIBLE_AMPLITUDE)
    begins = HOOK_SECONDS
    if len(loud):
        begins = min(HOOK_SECONDS, max(0.0, offset_seconds + loud[0] * LOUDNESS_STEP_SECONDS))
    return Signal(1 - begins / HOOK_SECONDS, begins, "nothing is heard before; start at once")


def score_hook(signals: Mapping[str, Signal | None], length_seconds: float = HOOK_SECONDS) -> Hook:
    """The weighted mean of the signals that were measured, 0-1, with what each of them added.

    `length_seconds` is the video's: no suggestion points beyond its end.
    """
    measured = {name: signal for name, signal in signals.items() if signal is not None}
    total = sum(WEIGHTS[name] for name in measured)
    parts = {name: WEIGHTS[name] / total * signal.value for name, signal in measured.items()}
    score = min(1.0, round(sum(parts.values()), 4))
    suggestions = _suggestions(measured, parts, total, length_seconds)
    best = max(parts, key=lambda name: (parts[name], name))
    return Hook(
        hook_score=score,
        hook_type=TYPES[best] if score >= NO_HOOK_SCORE else "none",
        optimization_suggestions=suggestions if score < GOOD_SCORE else (),
        contributions={name: round(part, 4) for name, part in parts.items()},
    )


def _suggestions(
    measured: Mapping[str, Signal],
    parts: Mapping[str, float],
    total: float,
    length_seconds: float,
) -> tuple[str, ...]:
    """The weak signals, the most to be won first."""
    gains = {name: WEIGHTS[name] / total - part for name, part in parts.items()}
    weak = [name for name, signal in measured.items() if signal.value < WEAK_SIGNAL]
    return tuple(
        f"At {min(measured[name].at_seconds, length_seconds):.1f} s: {measured[name].advice} "
        f"({name}: {measured[name].value:.2f} of 1 now, worth up to +{gains[name]:.2f})"
        for name in sorted(weak, key=lambda name: (-gains[name], name))
    )
