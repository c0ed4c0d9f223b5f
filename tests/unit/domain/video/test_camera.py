"""A camera that turns, told from cuts and slides on thumbnails whose movement is drawn here."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from shared.domain.video.camera import find_shift, has_moved, is_camera_move
from shared.domain.video.scenes import find_transitions
from shared.models import Transition

FPS = 30.0
EVENING, DAY = (20, 90), (130, 230)
Thumbs = NDArray[np.uint8]


def landscape(
    seed: int, light: tuple[int, int] = (30, 225), *, height: int = 27, width: int = 192
) -> NDArray[np.float32]:
    """Soft clouds of brightness and colour without any border in them, (3, height, width)."""
    random = np.random.default_rng(seed)
    coarse = random.uniform(100, 156, (3, height // 6 + 2, width // 6 + 2))
    coarse[0] = random.uniform(*light, coarse[0].shape)
    planes = [cv2.resize(p, (width, height), interpolation=cv2.INTER_CUBIC) for p in coarse]
    return np.asarray(planes, np.float32)


def views(wide: NDArray[np.float32], places: list[float]) -> list[NDArray[np.float32]]:
    """What a camera sees that looks at the given columns."""
    return [wide[:, :27, round(x) : round(x) + 48] for x in places]


def clip(*parts: list[NDArray[np.float32]]) -> Thumbs:
    frames = np.stack([frame for part in parts for frame in part])
    noise = np.random.default_rng(0).normal(0, 1.0, frames.shape)
    return np.clip(np.rint(frames + noise), 0, 255).astype(np.uint8)


def turn(count: int, start: float, end: float) -> list[float]:
    """Places of a camera that starts and stops softly."""
    share = (np.arange(count) + 1) / (count + 1)
    places: list[float] = (start + (end - start) * (3 - 2 * share) * share * share).tolist()
    return places


@settings(max_examples=40, deadline=None)
@given(st.integers(-11, 11), st.integers(-5, 5), st.integers(0, 50))
def test_a_shift_is_measured_to_half_a_pixel(x: int, y: int, seed: int) -> None:
    wide = landscape(seed, height=40, width=96)
    before, after = (
        clip([wide[:, 6:33, 24:72]])[0],
        clip([wide[:, 6 - y : 33 - y, 24 - x : 72 - x]]),
    )
    shift = find_shift(before, after[0])
    assert abs(shift.x - x) <= 0.5
    assert abs(shift.y - y) <= 0.5
    assert shift.residual < 0.1


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1000))
def test_another_shot_has_not_only_moved(seed: int) -> None:
    one, other = clip(views(landscape(seed), [0]) + views(landscape(seed + 1), [0]))
    assert not has_moved(one, other)


@pytest.mark.parametrize("seed", range(1, 5))
def test_a_jerk_of_a_camera_on_its_way_is_no_cut(seed: int) -> None:
    wide = landscape(seed)
    video = clip(views(wide, list(range(30))), views(wide, [39 + i for i in range(30)]))
    assert find_transitions(video, FPS) == ()


@pytest.mark.parametrize("seed", range(1, 5))
def test_the_same_picture_at_another_place_between_still_frames_is_a_jump_cut(seed: int) -> None:
    wide = landscape(seed)
    video = clip(views(wide, [10] * 30), views(wide, [20] * 30))
    assert find_transitions(video, FPS) == (Transition(kind="cut", start_frame=30, end_frame=30),)


@pytest.mark.parametrize("count", [8, 12, 20])
@pytest.mark.parametrize("way", [30, 46, 80])
@pytest.mark.parametrize("seed", range(1, 4))
def test_a_whip_within_a_shot_is_no_transition(seed: int, way: int, count: int) -> None:
    wide = landscape(seed)
    video = clip(
        views(wide, [8] * 30), views(wide, turn(count, 8, 8 + way)), views(wide, [8 + way] * 30)
    )
    assert is_camera_move(video, 29, 30 + count)
    assert find_transitions(video, FPS) == ()


@pytest.mark.parametrize("count", [8, 12, 20])
@pytest.mark.parametrize("seed", range(1, 4))
def test_a_slide_between_two_shots_is_no_camera_move(seed: int, count: int) -> None:
    (one,), (other,) = views(landscape(seed, EVENING), [0]), views(landscape(seed + 50, DAY), [0])
    both = np.concatenate([one, other], axis=2)
    video = clip([one] * 30, views(both, turn(count, 0, 48)), [other] * 30)
    assert not is_camera_move(video, 29, 30 + count)
    (found,) = find_transitions(video, FPS)
    assert found.kind == "dissolve"
    assert found.start_frame < 30 + count
    assert found.end_frame > 30


@pytest.mark.parametrize("seed", range(1, 6))
def test_a_dissolve_between_two_moving_shots_is_one_transition(seed: int) -> None:
    one, other = landscape(seed, EVENING), landscape(seed + 50, DAY)
    first, second = (
        views(one, [i * 0.9 for i in range(60)]),
        views(other, [i * 0.9 for i in range(60)]),
    )
    mixed = [
        a + (b - a) * np.float32((i + 1) / 15)
        for i, (a, b) in enumerate(zip(first[40:54], second, strict=False))
    ]
    (found,) = find_transitions(clip(first[:40], mixed, second[14:]), FPS)
    assert found.kind == "dissolve"
    assert abs(found.start_frame - 39) <= 4
    assert abs(found.end_frame - 54) <= 4
