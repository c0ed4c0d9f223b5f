"""Faces on sampled frames, found by the chosen detector and followed from sample to sample."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np

from shared.domain.video.face_finders import FaceFinder, Found, choose_finder
from shared.domain.video.face_tracks import Place, Tracker
from shared.domain.video.pictures import Look, Picture
from shared.models import Box, Faces, FaceSample, MotionMoment

SAMPLES_PER_SECOND = 2.0
HOOK_SAMPLES_PER_SECOND = 6.0
HOOK_SECONDS = 3.0
# A whole search is dear. Within a scene it comes again after this long, sooner for the first times;
# in between known faces are looked for near their places. Who walks in meanwhile is found by the
# next search, and looked for on the samples before it.
SEARCH_SECONDS = 0.6
SEARCHES_AT_ONCE = 2
TINY = (32, 18)
# Mean and largest difference in brightness of tiny pictures that are another scene, or the same.
NEW_SCENE_MEAN, SAME_SCENE_MAX = 10.0, 4


class FaceDetector:
    """Looks at two frames a second, six in the first three seconds.

    `model` is the path of an ONNX network, empty for the cascade; raises AnalyserUnavailable when
    it cannot be used.
    """

    def __init__(self, model: str = "") -> None:
        self._finder: FaceFinder = choose_finder(model)
        self._tracker = Tracker(self._finder.find_near)
        self._seen: list[tuple[int, float, tuple[int, ...]]] = []
        self._first_at: float | None = None
        self._next_at = float("-inf")
        self._searched_at = float("-inf")
        self._searches = 0
        self._tiny: Picture | None = None

    def see(self, frame: Look, at: float) -> None:
        """Takes one frame, shown at `at` seconds; most are only counted."""
        if at + 1e-6 < self._next_at:
            return
        if self._first_at is None:
            self._first_at = at
        early = at - self._first_at < HOOK_SECONDS
        self._next_at = at + 1 / (HOOK_SAMPLES_PER_SECOND if early else SAMPLES_PER_SECOND)
        picture = frame.face_picture
        found = self._find(frame, picture, at)
        self._tracker.add(len(self._seen), picture, at, found)
        self._seen.append((frame.index, at, picture.shape))

    def _find(self, frame: Look, picture: Picture, at: float) -> list[Found]:
        """The faces on a picture; known ones near their places, the rest by a whole search."""
        if self._finder.cheap:
            return self._finder.find(frame)
        tiny = cv2.resize(picture, TINY, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
        change = None if self._tiny is None else cv2.absdiff(tiny, self._tiny)
        known = [track.last for track in self._tracker.alive]
        near: list[Found] = []
        if change is None or float(change.mean()) >= NEW_SCENE_MEAN:
            self._searches = 0
        elif not known and int(change.max()) <= SAME_SCENE_MAX:
            return []
        else:
            near = [f for old in known if (f := self._finder.find_near(picture, old))]
            early = at - self._searched_at < SEARCH_SECONDS
            if early and len(near) == len(known) and (known or self._searches >= SEARCHES_AT_ONCE):
                return near
        self._tiny, self._searched_at = tiny, at
        self._searches += 1
        found = self._finder.find(frame)
        return found + [f for f in near if all(f.overlap(other) == 0 for other in found)]

    def result(self) -> Faces:
        """All samples; `engagement` follows from the windows, see `engagement_of`."""
        samples = tuple(
            FaceSample(
                frame=frame,
                at_seconds=round(at, 4),
                boxes=tuple(_as_box(place, shape) for place in self._tracker.faces_of(number)),
            )
            for number, (frame, at, shape) in enumerate(self._seen)
        )
        return summarize(samples, engagement=None, detector=self._finder.name)


def _as_box(place: Place, shape: tuple[int, ...]) -> Box:
    face = place.face
    height, width = shape
    left, top = np.clip([face.left / width, face.top / height], 0, 1)
    right, bottom = np.clip(
        [(face.left + face.width) / width, (face.top + face.height) / height], 0, 1
    )
    return Box(
        left=round(float(left), 4),
        top=round(float(top), 4),
        width=round(float(right - left), 4),
        height=round(float(bottom - top), 4),
        tracked=place.followed,
        track=place.track,
    )


def end_at_shots(faces: Faces, starts: Sequence[int]) -> Faces:
    """The faces without what was followed into a shot where it was never detected.

    `starts` are the first frames of the shots, rising; tracks are numbered anew, from 0 on, one for
    each face of each shot.
    """
    placed = [(s, bisect_right(starts, s.frame)) for s in faces.samples]
    detected = {(b.track, shot) for s, shot in placed for b in s.boxes if not b.tracked}
    numbers: dict[tuple[int | None, int], int] = {}
    samples = []
    for sample, shot in placed:
        boxes = tuple(
            b.model_copy(update={"track": numbers.setdefault((b.track, shot), len(numbers))})
            for b in sample.boxes
            if (b.track, shot) in detected
        )
        samples.append(sample.model_copy(update={"boxes": boxes}))
    return summarize(tuple(samples), faces.engagement, faces.detector)


def summarize(
    samples: tuple[FaceSample, ...], engagement: float | None, detector: str = ""
) -> Faces:
    """The Faces record of `samples`; without any sample nothing is known."""
    if not samples:
        return Faces(share=None, max_count=None, engagement=None, samples=())
    # The first seconds are looked at more often; a sample speaks for the time until the next.
    at = [s.at_seconds for s in samples]
    lasts = [*(after - before for before, after in pairwise(at)), 1 / SAMPLES_PER_SECOND]
    with_face = sum(seconds for s, seconds in zip(samples, lasts, strict=True) if s.boxes)
    return Faces(
        detector=detector,
        share=round(min(1.0, with_face / sum(lasts)), 4),
        max_count=max(len(s.boxes) for s in samples),
        engagement=engagement,
        samples=samples,
    )


def engagement_of(moments: tuple[MotionMoment, ...]) -> float:
    """The weighted share of windows with a face, 0-1: weight 3.2 with a face, 1.0 without."""
    lengths = [(m.frame_end - m.frame_start) * m.face_weight for m in moments]
    with_face = sum(part for part, m in zip(lengths, moments, strict=True) if m.face_present)
    return round(with_face / max(1e-9, sum(lengths)), 4)
