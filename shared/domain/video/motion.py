"""How much the picture moves: dense optical flow between neighbouring frames, in windows."""

from collections.abc import Sequence
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.domain.video.pictures import Look, Picture
from shared.models import Faces, MotionMoment, Transition

WINDOW_FRAMES = 30
FACE_WEIGHT, PLAIN_WEIGHT = 3.2, 1.0
HOOK_SECONDS = 3.0
CTA_SHARE, CTA_MAX_SECONDS, CTA_MIN_VIDEO_SECONDS = 0.2, 5.0, 6.0
FLOW_MIN_SIDE = 16
REFERENCE_FPS = 30.0

Moment = Literal["hook", "transition", "cta", "content"]


class MotionDetector:
    """The mean length of the optical flow (DIS, Kroeger et al. 2016) from frame to frame."""

    def __init__(self) -> None:
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self._last: Picture | None = None
        self._last_at = 0.0
        self._energies: list[float] = []

    def see(self, frame: Look, at: float) -> None:
        """Takes one frame, shown at `at` seconds."""
        picture = frame.flow_picture
        energy = 0.0
        if self._last is not None and self._last.shape == picture.shape:
            elapsed = max(1e-3, at - self._last_at)
            energy = self._speed(self._last, picture) / (elapsed * REFERENCE_FPS)
        self._energies.append(energy)
        self._last, self._last_at = picture, at

    def _speed(self, before: Picture, after: Picture) -> float:
        height, width = before.shape
        if min(height, width) < FLOW_MIN_SIDE or np.array_equal(before, after):
            return 0.0
        flow = self._flow.calc(before, after, np.zeros((height, width, 2), dtype=np.float32))
        lengths = cv2.magnitude(flow[..., 0], flow[..., 1])
        return 1000.0 * float(lengths.mean()) / float(np.hypot(width, height))

    def result(self) -> NDArray[np.float64]:
        """The motion energy of each frame against the one before; 0 for the first.

        Unit: thousandths of the picture's diagonal per 1/30 s, the mean over all pixels.
        """
        return np.array(self._energies)


def calm_cuts(
    energies: NDArray[np.float64], transitions: Sequence[Transition]
) -> NDArray[np.float64]:
    """The energies with the step over each cut replaced by its neighbours' mean.

    The flow from one shot to another measures nothing.
    """
    calm = energies.copy()
    for cut in (t.start_frame for t in transitions if t.kind == "cut"):
        around = [energies[i] for i in (cut - 1, cut + 1) if 0 < i < len(energies)]
        if cut < len(calm):
            calm[cut] = float(np.mean(around)) if around else 0.0
    return calm


def find_peaks(energies: NDArray[np.float64]) -> list[int]:
    """Frames where motion peaks: highest within a quarter second of 30 fps and well above usual."""
    if len(energies) < 3:
        return []
    bar = float(np.median(energies) + 1.5 * np.std(energies))
    reach = 7
    return [
        i
        for i in range(len(energies))
        if energies[i] > max(bar, 1.0)
        and int(np.argmax(energies[max(0, i - reach) : i + reach + 1])) == min(i, reach)
    ]


def cut_windows(
    energies: NDArray[np.float64],
    at: Sequence[float],
    end_seconds: float,
    transitions: Sequence[Transition],
    faces: Faces,
) -> tuple[MotionMoment, ...]:
    """The windows of 30 frames (1-data-flow section 1), the last one shorter.

    `energies` are per frame without cuts, `at` the times of the frames.
    """
    with_face = {s.frame // WINDOW_FRAMES for s in faces.samples if s.boxes}
    changes = {
        window
        for t in transitions
        for window in range(t.start_frame // WINDOW_FRAMES, t.end_frame // WINDOW_FRAMES + 1)
    }
    seconds = [*at, end_seconds]
    moments = []
    for window, first in enumerate(range(0, len(at), WINDOW_FRAMES)):
        last = min(first + WINDOW_FRAMES, len(at))
        part = energies[first:last]
        face = window in with_face
        moments.append(
            MotionMoment(
                frame_start=first,
                frame_end=last,
                timestamp_start=round(seconds[first], 4),
                timestamp_end=round(seconds[last], 4),
                motion_energy=round(float(part.mean()), 3),
                peak_frame=first + int(np.argmax(part)),
                peak_energy=round(float(part.max()), 3),
                moment_type=moment_type(
                    seconds[first] - seconds[0],
                    seconds[last] - seconds[0],
                    end_seconds - seconds[0],
                    window in changes,
                ),
                face_present=face,
                face_weight=FACE_WEIGHT if face else PLAIN_WEIGHT,
            )
        )
    return tuple(moments)


def moment_type(start: float, end: float, duration: float, has_transition: bool) -> Moment:
    """What a window is for: the first 3 s hook, the last fifth (at most 5 s) calls to action.

    In between it is a transition when a cut or blend falls in it, else content.
    """
    if start < HOOK_SECONDS:
        return "hook"
    closing = min(CTA_MAX_SECONDS, CTA_SHARE * duration)
    if duration >= CTA_MIN_VIDEO_SECONDS and (start + end) / 2 >= duration - closing:
        return "cta"
    return "transition" if has_transition else "content"
