"""The crop keeps faces and writing, stands still where it can, and moves slowly."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.creative.crop_path import MAX_SPEED, Framing, crop_size, frame_clip
from shared.domain.creative.footage import Reel, open_reels
from shared.domain.creative.subject import rectangle
from tests.support.footage import FaceAt, analysis, footage, inference

REELS = 9 / 16


def reel(faces: Sequence[FaceAt], seconds: tuple[float, ...] = (10.0,), **others: object) -> Reel:
    found = analysis(seconds, faces=faces, **others)  # type: ignore[arg-type]
    [one] = open_reels([footage(found)])
    return one


def kept(one: Reel, framing: Framing) -> float:
    """The share of faces whose middle and nine tenths are in the picture, also between samples."""
    good = total = 0
    for before, after in pairwise(one.analysis.faces.samples):
        for share in (0.0, 0.25, 0.5, 0.75):
            at = before.at_seconds + share * (after.at_seconds - before.at_seconds)
            a, b = rectangle(before.boxes[0]), rectangle(after.boxes[0])
            left, top, right, bottom = framing.project(
                tuple(x + share * (y - x) for x, y in zip(a, b, strict=True)),  # type: ignore[arg-type]
                at,
            )
            wide = max(0.0, min(right, 1) - max(left, 0))
            high = max(0.0, min(bottom, 1) - max(top, 0))
            inside = wide * high >= 0.9 * (right - left) * (bottom - top)
            good += inside and 0 <= (left + right) / 2 <= 1 and 0 <= (top + bottom) / 2 <= 1
            total += 1
    return good / total


def test_a_still_face_is_in_the_middle_and_the_crop_does_not_move() -> None:
    one = reel([(i * 0.5, 0.7 + 0.01 * (i % 2), 0.12, 0) for i in range(20)])
    framing = frame_clip(one, 0.0, 10.0, aspect=REELS)
    assert len({key.left for key in framing.keys}) == 1
    key = framing.keys[0]
    assert key.left + key.width / 2 == pytest.approx(0.705, abs=0.02)
    assert kept(one, framing) == 1.0


def test_a_face_that_walks_through_the_picture_is_followed_without_going_back() -> None:
    one = reel([(i * 0.5, 0.2 + 0.03 * i, 0.12, 0) for i in range(20)])
    framing = frame_clip(one, 0.0, 10.0, aspect=REELS)
    lefts = [key.left for key in framing.keys]
    assert lefts == sorted(lefts)
    assert kept(one, framing) == 1.0
    assert framing.why == "follows the face"


@given(st.lists(st.floats(-0.05, 0.05), min_size=19, max_size=19), st.floats(0.3, 0.7))
def test_a_face_that_wanders_stays_in_the_picture(steps: list[float], middle: float) -> None:
    faces: list[FaceAt] = [(0.0, middle, 0.12, 0)]
    for i, step in enumerate(steps):
        middle = min(0.9, max(0.1, middle + step))
        faces.append(((i + 1) * 0.5, middle, 0.12, 0))
    one = reel(faces)
    framing = frame_clip(one, 0.0, 10.0, aspect=REELS)
    assert kept(one, framing) >= 0.98
    for key, after in pairwise(framing.keys):
        speed = abs(after.left - key.left) / (after.at_seconds - key.at_seconds)
        assert speed <= MAX_SPEED * key.width + 1e-3


def test_two_faces_far_apart_are_no_ping_pong() -> None:
    """Each is seen on every other sample: the crop goes to one and stays."""
    one = reel([(i * 0.5, 0.2 if i % 2 == 0 else 0.8, 0.12, i % 2) for i in range(20)])
    lefts = [key.left for key in frame_clip(one, 0.0, 10.0, aspect=REELS).keys]
    assert max(lefts) - min(lefts) < 0.02


def test_the_crop_jumps_with_the_shot_and_not_before() -> None:
    faces: list[tuple[float, float, float, int | None]] = [
        (i * 0.5, 0.25 if i < 10 else 0.75, 0.12, int(i >= 10)) for i in range(20)
    ]
    one = reel(faces, (5.0, 5.0))
    framing = frame_clip(one, 0.0, 10.0, aspect=REELS)
    assert [key.at_seconds for key in framing.keys] == [0.0, 4.96, 5.0, 9.96]
    assert framing.keys[0].left == framing.keys[1].left < framing.keys[2].left


def test_without_faces_a_person_is_followed_else_the_middle_is_shown() -> None:
    found = analysis([4.0])
    [one] = open_reels([footage(found, inference(persons=[(1.0, 0.8), (3.0, 0.8)]))])
    framing = frame_clip(one, 0.0, 4.0, aspect=REELS)
    assert framing.why == "follows the person"
    assert framing.keys[0].left > 0.6
    [empty] = open_reels([footage(found)])
    key = frame_clip(empty, 0.0, 4.0, aspect=REELS).keys[0]
    assert key.left + key.width / 2 == pytest.approx(0.5, abs=0.01)


def test_writing_that_a_crop_would_cut_off_is_kept_by_showing_the_whole_picture() -> None:
    lines = [("Grey walls again?", 0.0, 3.0, (0.2, 0.8, 0.6, 0.1))]
    [one] = open_reels([footage(analysis([4.0]), inference(lines=lines))])
    assert frame_clip(one, 0.0, 4.0, aspect=REELS).fit == "blur"
    assert frame_clip(one, 0.0, 4.0, aspect=16 / 9).fit == "crop"
    left, _, right, bottom = frame_clip(one, 0.0, 4.0, aspect=REELS).project((0, 0, 1, 1), 1.0)
    assert (left, right) == (0.0, 1.0)
    assert bottom < 0.7


def test_writing_at_one_side_pulls_the_crop_there() -> None:
    lines = [("SALE", 0.0, 4.0, (0.75, 0.1, 0.2, 0.1))]
    [one] = open_reels([footage(analysis([4.0]), inference(lines=lines))])
    framing = frame_clip(one, 0.0, 4.0, aspect=REELS)
    assert framing.fit == "crop"
    left, _, right, _ = framing.project((0.75, 0.1, 0.95, 0.2), 2.0)
    assert left >= 0 - 1e-4
    assert right <= 1 + 1e-4


def test_a_face_wider_than_the_crop_is_shown_whole() -> None:
    one = reel([(i * 0.5, 0.5, 0.45, 0) for i in range(20)])
    assert frame_clip(one, 0.0, 10.0, aspect=REELS).fit == "blur"


def test_footage_of_the_right_ratio_is_not_cropped() -> None:
    one = reel([], size=(1080, 1920))
    assert frame_clip(one, 0.0, 10.0, aspect=REELS).keys == ()


@given(st.floats(0.3, 3.5), st.floats(0.3, 3.5), st.floats(1.0, 1.5))
def test_a_crop_has_the_ratio_that_is_asked(source: float, aspect: float, zoom: float) -> None:
    width, height = crop_size(source, aspect, zoom)
    assert width * source / height == pytest.approx(aspect)
    assert max(width, height) <= 1.0
