"""How the first three seconds hold a viewer: measured signals, each shown with its part."""

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
# so they are our judgement: faces and movement first. Only measured signals share the score.
WEIGHTS = {
    "motion": 0.25,
    "faces": 0.25,
    "cuts": 0.20,
    "sound": 0.15,
    "contrast": 0.15,
    "text": 0.15,
}
TYPES = {
    "motion": "motion",
    "faces": "face",
    "cuts": "fast_cuts",
    "sound": "sound",
    "contrast": "bold_picture",
    "text": "text",
}
LIVELY_MOTION, STRONG_MOTION = 1.0, 4.0
FULL_CONTRAST = 64.0
AUDIBLE_AMPLITUDE = 10 ** (-35 / 20)
LOUDNESS_STEP_SECONDS = 0.05
SOON_SECONDS = 0.25
DIGITS = 4


@dataclass(frozen=True)
class Signal:
    """A measured signal: its value 0-1, and what would help, as a sentence on a second.

    The sentence goes on after "Motion, at 1.2 s: ".
    """

    value: float
    at_seconds: float
    advice: str


@dataclass(frozen=True)
class Contrast:
    """The standard deviation of a frame's brightness, 0-127, and when it is shown."""

    at_seconds: float
    deviation: float


class ContrastDetector:
    """The contrast of the pictures of the first three seconds."""

    def __init__(self) -> None:
        self._first_at: float | None = None
        self._contrasts: list[Contrast] = []

    def see(self, frame: Look, at: float) -> None:
        """Takes one frame, shown at `at` seconds."""
        if self._first_at is None:
            self._first_at = at
        if at - self._first_at < HOOK_SECONDS:
            deviation = float(frame.thumb[0].std())
            self._contrasts.append(Contrast(at - self._first_at, deviation))

    def result(self) -> list[Contrast]:
        """One entry a frame of the first 3 s."""
        return self._contrasts


def motion_signal(energies: NDArray[np.float64], at: Sequence[float]) -> Signal:
    """Half how early the picture gets lively (energy >= 1), half how strong it moves (4 = full)."""
    times = np.asarray(at) - at[0]
    early = energies[times < HOOK_SECONDS]
    lively = np.flatnonzero(early >= LIVELY_MOTION)
    begins = float(times[lively[0]]) if len(lively) else HOOK_SECONDS
    value = 0.5 * (1 - begins / HOOK_SECONDS)
    value += 0.5 * min(1.0, float(early.mean()) / STRONG_MOTION)
    if not len(lively):
        return Signal(value, 0.0, "hardly anything moves. Open on a movement that nobody can miss")
    if begins > SOON_SECONDS:
        return Signal(value, begins, "only here does it begin to move. Let it move from the start")
    return Signal(value, begins, "the movement is weak. Show a bigger one, or come closer")


def cut_signal(transitions: Sequence[Transition], at: Sequence[float]) -> Signal:
    """1 - exp(-cuts in the first 3 s): one cut gives .63, two .86."""
    changes = [t for t in transitions if t.kind not in ("fade_in", "fade_out")]
    times = [at[t.start_frame] - at[0] for t in changes]
    early = [t for t in times if t < HOOK_SECONDS]
    first = min(early, default=HOOK_SECONDS / 2)
    advice = "the opening stays with one picture. Cut to a second one about here"
    return Signal(1 - math.exp(-len(early)), first, advice)


def face_signal(faces: Faces, start_seconds: float) -> Signal | None:
    """The share of sampled frames with a face; None when faces were not measured."""
    early = [s for s in faces.samples if s.at_seconds - start_seconds < HOOK_SECONDS]
    if faces.share is None or not early:
        return None
    bare = next((s.at_seconds - start_seconds for s in early if not s.boxes), 0.0)
    advice = "the face is gone. Keep somebody in the picture"
    if not early[0].boxes:
        advice = "nobody is to be seen. Show a face from the first frame on"
    return Signal(sum(bool(s.boxes) for s in early) / len(early), bare, advice)


def contrast_signal(contrasts: Sequence[Contrast]) -> Signal:
    """The mean contrast, 64 levels of deviation = full; it points at the flattest frame."""
    flattest = min(contrasts, key=lambda contrast: contrast.deviation)
    mean = sum(contrast.deviation for contrast in contrasts) / len(contrasts)
    advice = "the picture is flat here. Open on strong light and dark, or bold colours"
    return Signal(min(1.0, mean / FULL_CONTRAST), flattest.at_seconds, advice)


def text_signal(
    shown: Sequence[tuple[float, float]] | None, length_seconds: float = HOOK_SECONDS
) -> Signal | None:
    """The share of the opening with text on screen; None when text was not measured.

    `shown` are stretches (from, to) in seconds after the first frame, in order.
    """
    if shown is None:
        return None
    span = min(HOOK_SECONDS, length_seconds)
    covered = until = 0.0
    for start, end in shown:
        begin, stop = max(until, min(start, span)), min(end, span)
        covered, until = covered + max(0.0, stop - begin), max(until, stop)
    bare = 0.0 if not shown or shown[0][0] > 0 else min(shown[0][1], span)
    advice = "no words are on screen. Say the promise in a few large ones"
    return Signal(min(1.0, covered / span) if span > 0 else 0.0, bare, advice)


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
    if begins >= HOOK_SECONDS:
        return Signal(0.0, 0.0, "nothing is heard. Let a voice or music start with the picture")
    advice = "only here is something heard. Let the sound start with the picture"
    return Signal(1 - begins / HOOK_SECONDS, begins, advice)


def score_hook(signals: Mapping[str, Signal | None], length_seconds: float = HOOK_SECONDS) -> Hook:
    """The weighted mean of the signals that were measured, 0-1, with what each of them added.

    The contributions sum to the score. `length_seconds` is the video's: no suggestion points
    beyond its end.
    """
    measured = {name: signal for name, signal in signals.items() if signal is not None}
    total = sum(WEIGHTS[name] for name in measured)
    parts = _rounded({name: WEIGHTS[name] / total * s.value for name, s in measured.items()})
    score = round(sum(parts.values()), DIGITS)
    best = max(parts, key=lambda name: (parts[name], name))
    suggestions = _suggestions(measured, parts, total, length_seconds)
    return Hook(
        hook_score=score,
        hook_type=TYPES[best] if score >= NO_HOOK_SCORE else "none",
        optimization_suggestions=suggestions if score < GOOD_SCORE else (),
        contributions=parts,
    )


def _rounded(parts: Mapping[str, float]) -> dict[str, float]:
    """The parts rounded such that they sum to the rounded sum (largest remainders)."""
    exact = {name: part * 10**DIGITS for name, part in parts.items()}
    units = {name: math.floor(part + 1e-6) for name, part in exact.items()}
    missing = round(sum(exact.values())) - sum(units.values())
    by_remainder = sorted(units, key=lambda name: units[name] - exact[name])
    for name in by_remainder[: max(0, missing)]:
        units[name] += 1
    return {name: unit / 10**DIGITS for name, unit in units.items()}


def _suggestions(
    measured: Mapping[str, Signal],
    parts: Mapping[str, float],
    total: float,
    length_seconds: float,
) -> tuple[str, ...]:
    """A sentence on each weak signal, the most to be won first."""
    gains = {name: WEIGHTS[name] / total - part for name, part in parts.items()}
    weak = [name for name, signal in measured.items() if signal.value < WEAK_SIGNAL]
    return tuple(
        f"{name.capitalize()}, at {min(measured[name].at_seconds, length_seconds):.1f} s: "
        f"{measured[name].advice} (up to +{gains[name]:.2f})."
        for name in sorted(weak, key=lambda name: (-gains[name], name))
    )
