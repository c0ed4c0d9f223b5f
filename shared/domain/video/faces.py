"""Faces on sampled frames, found by OpenCV's Haar cascade and followed from sample to sample."""

from pathlib import Path

import cv2

from shared.domain.video.detector import AnalyserUnavailable
from shared.domain.video.pictures import Look, Picture
from shared.models import Box, Faces, FaceSample, MotionMoment

SAMPLES_PER_SECOND = 2.0
HOOK_SAMPLES_PER_SECOND = 6.0
HOOK_SECONDS = 3.0
CASCADE = "haarcascade_frontalface_alt2.xml"
SCALE_FACTOR = 1.1
MIN_NEIGHBOURS = 5
MIN_FACE_SHARE = 0.09
FOLLOW_NEIGHBOURS = 2
FOLLOW_MARGIN = 0.5
MIN_SIDE_PIXELS = 40

Rectangle = tuple[int, int, int, int]


class FaceDetector:
    """Looks at two frames a second, six in the first three seconds (Viola and Jones 2001)."""

    def __init__(self) -> None:
        file = Path(cv2.__file__).parent / "data" / CASCADE
        self._cascade = cv2.CascadeClassifier(str(file))
        if self._cascade.empty():
            raise AnalyserUnavailable(f"OpenCV carries no {CASCADE}")
        self._samples: list[FaceSample] = []
        self._last: list[Rectangle] = []
        self._first_at: float | None = None
        self._next_at = float("-inf")

    def see(self, frame: Look, at: float) -> None:
        """Takes one frame, shown at `at` seconds; most are only counted."""
        if at + 1e-6 < self._next_at:
            return
        if self._first_at is None:
            self._first_at = at
        early = at - self._first_at < HOOK_SECONDS
        self._next_at = at + 1 / (HOOK_SAMPLES_PER_SECOND if early else SAMPLES_PER_SECOND)
        picture = frame.face_picture
        boxes = self._find(picture)
        self._last = boxes
        self._samples.append(
            FaceSample(
                frame=frame.index,
                at_seconds=round(at, 4),
                boxes=tuple(_as_share(b, picture) for b in boxes),
            )
        )

    def _find(self, picture: Picture) -> list[Rectangle]:
        if min(picture.shape) < MIN_SIDE_PIXELS:
            return []
        smallest = max(20, round(MIN_FACE_SHARE * max(picture.shape)))
        found = self._cascade.detectMultiScale(
            picture, SCALE_FACTOR, MIN_NEIGHBOURS, minSize=(smallest, smallest)
        )
        sure = [(int(x), int(y), int(w), int(h)) for x, y, w, h in found]
        lost = [box for box in self._last if not any(_overlap(box, other) for other in sure)]
        return sure + [box for old in lost if (box := self._follow(picture, old)) is not None]

    def _follow(self, picture: Picture, old: Rectangle) -> Rectangle | None:
        """The face of the last sample, looked for near its place with less doubt."""
        x, y, w, h = old
        left, top = max(0, x - int(FOLLOW_MARGIN * w)), max(0, y - int(FOLLOW_MARGIN * h))
        part = picture[top : y + h + int(FOLLOW_MARGIN * h), left : x + w + int(FOLLOW_MARGIN * w)]
        smallest = max(20, int(0.7 * w))
        if min(part.shape) <= smallest:
            return None
        near = self._cascade.detectMultiScale(
            part, SCALE_FACTOR, FOLLOW_NEIGHBOURS, minSize=(smallest, smallest)
        )
        if not len(near):
            return None
        fx, fy, fw, fh = max(near, key=lambda box: int(box[2]))
        return int(fx) + left, int(fy) + top, int(fw), int(fh)

    def result(self) -> Faces:
        """All samples; `engagement` follows from the windows, see `engagement_of`."""
        return summarize(tuple(self._samples), engagement=None)


def _overlap(a: Rectangle, b: Rectangle) -> bool:
    return a[0] < b[0] + b[2] and b[0] < a[0] + a[2] and a[1] < b[1] + b[3] and b[1] < a[1] + a[3]


def _as_share(box: Rectangle, picture: Picture) -> Box:
    height, width = picture.shape
    return Box(
        left=round(box[0] / width, 4),
        top=round(box[1] / height, 4),
        width=round(box[2] / width, 4),
        height=round(box[3] / height, 4),
    )


def summarize(samples: tuple[FaceSample, ...], engagement: float | None) -> Faces:
    """The Faces record of `samples`; without any sample nothing is known."""
    if not samples:
        return Faces(share=None, max_count=None, engagement=None, samples=())
    return Faces(
        share=round(sum(bool(s.boxes) for s in samples) / len(samples), 4),
        max_count=max(len(s.boxes) for s in samples),
        engagement=engagement,
        samples=samples,
    )


def engagement_of(moments: tuple[MotionMoment, ...]) -> float:
    """The weighted share of windows with a face, 0-1: weight 3.2 with a face, 1.0 without."""
    lengths = [(m.frame_end - m.frame_start) * m.face_weight for m in moments]
    with_face = sum(part for part, m in zip(lengths, moments, strict=True) if m.face_present)
    return round(with_face / max(1e-9, sum(lengths)), 4)
