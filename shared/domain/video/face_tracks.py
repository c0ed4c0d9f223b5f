"""Faces followed from sample to sample: a head that turns is kept, a chance pattern is not."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import cv2
import numpy as np

from shared.domain.video.face_finders import Found
from shared.domain.video.pictures import Picture

# Normalised correlation from which a patch is the same face again; looking back is stricter,
# because there the cascade has looked and seen nothing.
SAME_PATCH, SAME_PATCH_BACK = 0.65, 0.75
REACH = 0.5
MIN_OVERLAP = 0.15
MAX_FOLLOWED_SECONDS = 3.0
MIN_PATCH_DEVIATION = 8.0
MIN_SIGHTINGS = 2
LOOK_BACK_SAMPLES = 6


@dataclass
class Track:
    """One face over neighbouring samples; `places` maps a sample to its box and how it came."""

    last: Found
    seen_at: float
    patch: Picture
    sure: bool
    sightings: int = 1
    alive: bool = True
    places: dict[int, tuple[Found, bool]] = field(default_factory=dict)

    @property
    def believed(self) -> bool:
        """Seen twice, or once without doubt."""
        return self.sure or self.sightings >= MIN_SIGHTINGS

    def see(self, sample: int, face: Found, picture: Picture, at: float) -> None:
        """The face was detected again."""
        self.places[sample] = (face, False)
        self.last, self.seen_at, self.patch = face, at, cut_out(picture, face)
        self.sightings += 1
        self.sure = self.sure or face.sure

    def follow(self, sample: int, face: Found, picture: Picture) -> None:
        """The face was not detected, but its patch was found again."""
        self.places[sample] = (face, True)
        self.last, self.patch = face, cut_out(picture, face)


def cut_out(picture: Picture, face: Found) -> Picture:
    """A copy of the face's pixels; empty when it lies outside."""
    left, top = max(0, round(face.left)), max(0, round(face.top))
    right, bottom = round(face.left + face.width), round(face.top + face.height)
    return picture[top : max(top, bottom), left : max(left, right)].copy()


def find_patch(picture: Picture, patch: Picture, old: Found, same: float) -> Found | None:
    """Where `patch` lies within half a face of `old` (normalised cross-correlation, Lewis 1995).

    None when nothing there is alike, or when the patch is too flat to be told from anything.
    """
    height, width = patch.shape
    left = max(0, round(old.left - REACH * width))
    top = max(0, round(old.top - REACH * height))
    part = picture[
        top : round(old.top + (1 + REACH) * height), left : round(old.left + (1 + REACH) * width)
    ]
    if min(patch.shape) < 4 or part.shape[0] < height or part.shape[1] < width:
        return None
    if float(patch.std()) < MIN_PATCH_DEVIATION:
        return None
    alike = cv2.matchTemplate(part, patch, cv2.TM_CCOEFF_NORMED)
    _, best, _, (x, y) = cv2.minMaxLoc(alike)
    if not np.isfinite(best) or best < same:
        return None
    return Found(float(left + x), float(top + y), float(width), float(height), sure=False)


class Place(NamedTuple):
    """A face on a sample; `followed` when it was not detected there, `track` is its number."""

    face: Found
    followed: bool
    track: int


LookAgain = Callable[[Picture, Found], Found | None]


def never_again(picture: Picture, old: Found) -> Found | None:
    """For finders that miss nothing near a known place that a whole search would not miss."""
    return None


class Tracker:
    """Joins what was found on the samples to tracks; `faces_of` tells which are believed.

    `look_again(picture, old)` searches around a known place with less doubt than a whole search.
    """

    def __init__(self, look_again: LookAgain = never_again) -> None:
        self._look_again = look_again
        self._tracks: list[Track] = []
        self._before: deque[Picture] = deque(maxlen=LOOK_BACK_SAMPLES)

    @property
    def alive(self) -> list[Track]:
        """The tracks that reach to the last sample."""
        return [track for track in self._tracks if track.alive]

    def add(self, sample: int, picture: Picture, at: float, found: list[Found]) -> None:
        """Takes the faces found on a sample; follows those that were there before."""
        left = list(found)
        for track in sorted(self.alive, key=lambda track: -track.sightings):
            near = max(left, key=track.last.overlap, default=None)
            if near is not None and track.last.overlap(near) >= MIN_OVERLAP:
                left.remove(near)
                track.see(sample, near, picture, at)
            else:
                self._follow(track, sample, picture, at)
        for face in left:
            if not self._doubled(face, sample):
                self._begin(sample, face, picture, at)
        self._before.appendleft(picture)

    def _follow(self, track: Track, sample: int, picture: Picture, at: float) -> None:
        face = None
        if at - track.seen_at <= MAX_FOLLOWED_SECONDS:
            face = find_patch(picture, track.patch, track.last, SAME_PATCH)
        if face is None or self._doubled(face, sample):
            track.alive = False
        else:
            track.follow(sample, face, picture)

    def _doubled(self, face: Found, sample: int) -> bool:
        """Whether another track is already there."""
        others = (track.places.get(sample) for track in self._tracks if track.alive)
        return any(other and face.overlap(other[0]) >= MIN_OVERLAP for other in others)

    def _begin(self, sample: int, face: Found, picture: Picture, at: float) -> None:
        track = Track(face, at, cut_out(picture, face), face.sure)
        track.places[sample] = (face, False)
        self._look_back(track, sample, face)
        self._tracks.append(track)

    def _look_back(self, track: Track, sample: int, face: Found) -> None:
        """A face may have been there before it was detected: nobody looked, or it was turned."""
        patch = track.patch
        for back, before in enumerate(self._before, start=1):
            if before.shape != self._before[0].shape:
                return
            seen = self._look_again(before, face)
            earlier = seen or find_patch(before, patch, face, SAME_PATCH_BACK)
            if earlier is None or self._doubled(earlier, sample - back):
                return
            track.places[sample - back] = (earlier, seen is None)
            face, patch = earlier, cut_out(before, earlier)

    def faces_of(self, sample: int) -> list[Place]:
        """The believed faces on a sample, the largest first."""
        places = [
            Place(*track.places[sample], number)
            for number, track in enumerate(self._tracks)
            if track.believed and sample in track.places
        ]
        return sorted(places, key=lambda place: (-place.face.width, place.face.left))
