"""Faces: found on a real face, followed while it turns away, not invented."""

from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from shared.domain.video.face_finders import Found, HaarFinder
from shared.domain.video.face_tracks import Tracker, cut_out, find_patch
from shared.domain.video.faces import FaceDetector, end_at_shots, engagement_of, summarize
from shared.domain.video.pictures import Look, Picture
from shared.models import Box, FaceSample, MotionMoment

SAMPLE = Path(__file__).parents[4] / "scripts" / "sample" / "sample_ad.mp4"
SIDE = 200
FACE = Found(60.0, 60.0, 40.0, 40.0, sure=False)


def look(luma: NDArray[np.uint8], index: int = 0) -> Look:
    height, width = luma.shape
    return Look(index=index, width=width, height=height, rotation=0, planes=(luma,), shift_bits=0)


@pytest.fixture(scope="module")
def person() -> NDArray[np.uint8]:
    """The brightness of a frame of the sample ad on which a woman looks past the camera."""
    with av.open(str(SAMPLE)) as container:
        for frame in container.decode(video=0):
            if frame.time is not None and frame.time >= 1.0:
                return np.asarray(frame.reformat(format="gray").to_ndarray(), np.uint8)
    raise AssertionError("the sample ad is too short")


def watch(pictures: list[NDArray[np.uint8]], every: float = 0.5) -> FaceDetector:
    """The detector after these pictures, one each half second, first at 10 s."""
    detector = FaceDetector()
    for index, luma in enumerate(pictures):
        detector.see(look(luma, index), 10 + every * index)
    return detector


def test_a_real_face_is_found_where_it_is(person: NDArray[np.uint8]) -> None:
    faces = watch([person] * 3).result()
    assert faces.detector == "haar"
    assert [len(sample.boxes) for sample in faces.samples] == [1, 1, 1]
    box = faces.samples[0].boxes[0]
    assert 0.4 < box.left + box.width / 2 < 0.6
    assert 0.15 < box.top + box.height / 2 < 0.5
    assert not box.tracked


def test_a_face_that_the_cascade_loses_is_followed_and_said_to_be(
    person: NDArray[np.uint8],
) -> None:
    """A bar over the eyes hides the face from the cascade; the rest of it stays the same."""
    faces = watch([person] * 3).result()
    box = faces.samples[-1].boxes[0]
    height, width = person.shape
    top, left = int((box.top + 0.25 * box.height) * height), int(box.left * width)
    hidden = person.copy()
    hidden[top : top + int(0.25 * box.height * height), left : left + int(box.width * width)] = 160
    assert HaarFinder().find(look(hidden)) == []
    samples = watch([person, person, hidden, hidden]).result().samples
    assert [len(sample.boxes) for sample in samples] == [1, 1, 1, 1]
    assert [sample.boxes[0].tracked for sample in samples] == [False, False, True, True]


def test_a_face_ends_with_its_shot(person: NDArray[np.uint8]) -> None:
    other = np.random.default_rng(1).integers(0, 255, (9, 16)).astype(np.uint8)
    meadow = np.kron(other, np.ones((54, 54), np.uint8))[:480, :854]
    samples = watch([person] * 3 + [np.ascontiguousarray(meadow)] * 3).result().samples
    assert [len(sample.boxes) for sample in samples] == [1, 1, 1, 0, 0, 0]


def test_there_are_six_samples_a_second_at_first_and_then_two() -> None:
    detector = FaceDetector()
    grey = np.full((90, 160), 100, np.uint8)
    for index in range(180):
        detector.see(look(grey, index), index / 30)
    assert len(detector.result().samples) == 18 + 6


def textured(seed: int, left: float = 60.0, top: float = 60.0) -> Picture:
    """A flat picture with a patch of blobs where the face is."""
    picture = np.full((SIDE, SIDE), 90, np.uint8)
    blobs = np.random.default_rng(seed).integers(20, 235, (8, 8)).astype(np.uint8)
    picture[int(top) : int(top) + 40, int(left) : int(left) + 40] = np.kron(
        blobs, np.ones((5, 5), np.uint8)
    )
    return picture


def test_what_is_seen_once_without_certainty_is_not_believed() -> None:
    tracker = Tracker()
    tracker.add(0, textured(1), 0.0, [FACE])
    assert tracker.faces_of(0) == []
    tracker.add(1, textured(1), 0.5, [FACE])
    assert [place.followed for place in tracker.faces_of(0)] == [False]


def test_one_certain_sighting_is_enough() -> None:
    tracker = Tracker()
    tracker.add(0, textured(1), 0.0, [Found(60.0, 60.0, 40.0, 40.0, sure=True)])
    assert len(tracker.faces_of(0)) == 1


def test_a_face_was_there_before_it_turned_to_the_camera() -> None:
    tracker = Tracker()
    for sample in range(4):
        tracker.add(sample, textured(1, left=60 + 3 * sample), sample / 2, [])
    for sample in (4, 5):
        seen = Found(60.0 + 3 * sample, 60.0, 40.0, 40.0, sure=False)
        tracker.add(sample, textured(1, left=60 + 3 * sample), sample / 2, [seen])
    for sample in range(6):
        ((face, followed, _),) = tracker.faces_of(sample)
        assert face.left == 60 + 3 * sample
        assert followed == (sample < 4)


def test_nobody_is_followed_for_ever() -> None:
    tracker = Tracker()
    for sample in range(2):
        tracker.add(sample, textured(1), sample / 2, [FACE])
    for sample in range(2, 20):
        tracker.add(sample, textured(1), sample / 2, [])
    followed = [sample for sample in range(20) if tracker.faces_of(sample)]
    assert followed == list(range(8))


def test_a_flat_patch_is_never_found_again() -> None:
    flat = np.full((SIDE, SIDE), 90, np.uint8)
    assert find_patch(flat, cut_out(flat, FACE), FACE, 0.6) is None


@settings(max_examples=60, deadline=None)
@given(st.integers(-18, 18), st.integers(-18, 18), st.integers(0, 50))
def test_a_patch_is_found_where_it_went(right: int, down: int, seed: int) -> None:
    patch = cut_out(textured(seed), FACE)
    found = find_patch(textured(seed, 60 + right, 60 + down), patch, FACE, 0.65)
    assert found is not None
    assert (found.left, found.top) == (60 + right, 60 + down)


boxes = st.builds(
    Found,
    left=st.floats(-80, 250),
    top=st.floats(-80, 250),
    width=st.floats(1, 150),
    height=st.floats(1, 150),
    sure=st.booleans(),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(boxes, max_size=3), max_size=8))
def test_any_boxes_at_all_are_taken_without_harm(samples: list[list[Found]]) -> None:
    tracker = Tracker()
    for number, found in enumerate(samples):
        tracker.add(number, textured(number), number / 2, found)
    for number, found in enumerate(samples):
        seen = [p.face for p in tracker.faces_of(number) if not p.followed]
        assert all(face in found for face in seen)
        assert sum(face.sure for face in found) <= len(seen) or len(found) > 1


def window(frames: int, *, face: bool) -> MotionMoment:
    return MotionMoment(
        frame_start=0,
        frame_end=frames,
        timestamp_start=0.0,
        timestamp_end=frames / 30,
        motion_energy=0.0,
        peak_frame=0,
        peak_energy=0.0,
        moment_type="content",
        face_present=face,
        face_weight=3.2 if face else 1.0,
    )


@given(st.lists(st.tuples(st.integers(1, 30), st.booleans()), min_size=1, max_size=20))
def test_engagement_lies_between_the_plain_share_and_one(windows: list[tuple[int, bool]]) -> None:
    moments = tuple(window(frames, face=face) for frames, face in windows)
    plain = sum(frames for frames, face in windows if face) / sum(frames for frames, _ in windows)
    assert plain - 1e-4 <= engagement_of(moments) <= 1
    assert (engagement_of(moments) == 0) == (plain == 0)


def test_half_the_windows_with_a_face_weigh_three_quarters() -> None:
    """3.2 / (3.2 + 1.0)."""
    moments = (window(30, face=True), window(30, face=False))
    assert engagement_of(moments) == pytest.approx(3.2 / 4.2, abs=1e-4)


def test_without_a_sample_nothing_is_known() -> None:
    assert summarize((), None).share is None


def test_the_share_of_faces_is_one_of_time_though_the_start_is_looked_at_more_often() -> None:
    at = [sample / 6 for sample in range(18)] + [3 + sample / 2 for sample in range(14)]
    box = Box(left=0.1, top=0.1, width=0.2, height=0.2)
    samples = tuple(
        FaceSample(frame=number, at_seconds=seconds, boxes=(box,) if seconds < 3 else ())
        for number, seconds in enumerate(at)
    )
    assert summarize(samples, None).share == pytest.approx(0.3)


def test_nobody_is_followed_into_a_shot_without_them() -> None:
    def sample(frame: int, *seen: tuple[int, bool]) -> FaceSample:
        place = {"left": 0.1, "top": 0.1, "width": 0.2, "height": 0.2}
        boxes = tuple(Box(**place, track=track, tracked=followed) for track, followed in seen)
        return FaceSample(frame=frame, at_seconds=frame / 10, boxes=boxes)

    samples = [
        sample(0, (4, False)),
        sample(5, (4, True), (7, True)),
        sample(10, (4, True), (7, False)),
        sample(15, (4, True), (7, True)),
    ]
    faces = end_at_shots(summarize(tuple(samples), None), [0, 10])
    kept = [[(box.track, box.tracked) for box in s.boxes] for s in faces.samples]
    assert kept == [[(0, False)], [(0, True)], [(1, False)], [(1, True)]]
    assert (faces.share, faces.max_count) == (1, 1)
