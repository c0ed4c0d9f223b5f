"""Motion energy of drawn movement, and the windows, peaks and moments made from it."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.video.motion import (
    WINDOW_FRAMES,
    MotionDetector,
    calm_cuts,
    cut_windows,
    find_peaks,
    moment_type,
)
from shared.domain.video.pictures import Look
from shared.models import Box, Faces, FaceSample, Transition

NO_FACES = Faces(share=0.0, max_count=0, engagement=None, samples=())
BOX = Box(left=0.1, top=0.1, width=0.2, height=0.2)


def bars(shift: float, width: int = 320, height: int = 180) -> Look:
    """A picture of soft vertical and horizontal waves, moved to the right by `shift` pixels."""
    x, y = np.meshgrid(np.arange(width) - shift, np.arange(height))
    picture = 128 + 50 * np.sin(x / 9) + 40 * np.sin(y / 11 + x / 23)
    return Look(0, width, height, 0, (picture.astype(np.uint8),), 0)


def energy_at(pixels_a_frame: float, fps: float = 30.0) -> float:
    detector = MotionDetector()
    for i in range(12):
        detector.see(bars(pixels_a_frame * i), i / fps)
    return float(detector.result()[2:].mean())


def test_a_still_picture_has_no_energy() -> None:
    assert energy_at(0) == 0


@pytest.mark.parametrize("speed", [2.0, 4.0, 6.0])
def test_energy_is_the_speed_in_thousandths_of_the_diagonal(speed: float) -> None:
    wanted = 1000 * speed / float(np.hypot(320, 180))
    assert energy_at(speed) == pytest.approx(wanted, rel=0.25)


def test_energy_does_not_depend_on_the_frame_rate() -> None:
    assert energy_at(4.0, fps=30) == pytest.approx(energy_at(2.0, fps=60), rel=0.2)


@given(st.integers(1, 400), st.floats(0, 100))
def test_windows_cover_all_frames_once(frames: int, energy: float) -> None:
    at = [i / 30 for i in range(frames)]
    moments = cut_windows(np.full(frames, energy), at, frames / 30, (), NO_FACES)
    assert moments[0].frame_start == 0
    assert moments[-1].frame_end == frames
    for one, following in itertools.pairwise(moments):
        assert one.frame_end == following.frame_start
        assert one.frame_end - one.frame_start == WINDOW_FRAMES
        assert one.timestamp_end == following.timestamp_start
    for one in moments:
        assert one.frame_start <= one.peak_frame < one.frame_end
        assert one.peak_energy >= one.motion_energy - 1e-3


def test_a_face_anywhere_in_a_window_weighs_it() -> None:
    faces = Faces(
        share=0.5,
        max_count=1,
        engagement=None,
        samples=(
            FaceSample(frame=10, at_seconds=0.3, boxes=()),
            FaceSample(frame=45, at_seconds=1.5, boxes=(BOX,)),
        ),
    )
    moments = cut_windows(np.zeros(90), [i / 30 for i in range(90)], 3.0, (), faces)
    assert [m.face_present for m in moments] == [False, True, False]
    assert [m.face_weight for m in moments] == [1.0, 3.2, 1.0]


def test_the_step_over_a_cut_is_not_motion() -> None:
    energies = np.ones(50)
    energies[20] = 300.0
    cut = Transition(kind="cut", start_frame=20, end_frame=20)
    assert calm_cuts(energies, (cut,)).max() == 1.0


@given(st.lists(st.floats(0, 50), max_size=120))
def test_peaks_are_local_maxima(values: list[float]) -> None:
    energies = np.array(values)
    for peak in find_peaks(energies):
        assert energies[peak] == energies[max(0, peak - 7) : peak + 8].max()


def test_a_lone_jump_is_the_only_peak() -> None:
    energies = np.full(100, 0.5)
    energies[40:43] = (4.0, 9.0, 4.0)
    assert find_peaks(energies) == [41]


@pytest.mark.parametrize(
    ("start", "end", "duration", "has_transition", "wanted"),
    [
        (0.0, 1.0, 30.0, True, "hook"),
        (2.99, 3.99, 30.0, False, "hook"),
        (3.0, 4.0, 30.0, True, "transition"),
        (10.0, 11.0, 30.0, False, "content"),
        (27.0, 28.0, 30.0, True, "cta"),
        (24.0, 25.0, 30.0, False, "content"),
        (4.0, 5.0, 5.0, False, "content"),
    ],
)
def test_moments_are_named_by_place_and_content(
    start: float, end: float, duration: float, has_transition: bool, wanted: str
) -> None:
    assert moment_type(start, end, duration, has_transition) == wanted
