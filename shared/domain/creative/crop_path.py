"""The way of a crop over a clip: it keeps faces and writing, stands still if it can, never jitters.

Along each side the crop has a corridor, in which what is followed stays near its middle; the way is
the shortest one through the corridor, which is also the slowest. Between two shots it jumps.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from shared.domain.creative.footage import Reel
from shared.domain.creative.subject import (
    Rectangle,
    Sighting,
    follow_faces,
    follow_persons,
    rectangle,
    union,
)
from shared.timeline_models import CropKey

# Shares of the crop's size: how far from its place a face may be before the crop moves at all,
# before it has to, and the air that is left around it.
STILL, DRIFT, AIR = 0.2, 0.12, 0.1
MAX_SPEED = 0.9
MIDDLE, EYE_LINE = 0.5, 0.42
SAME_RATIO = 0.02
LOOK_AROUND_SECONDS = 1.0
# Writing that is missed when it is cut off, as shares of the picture.
MIN_TEXT_CONFIDENCE, MIN_TEXT_LETTERS = 0.5, 3
MIN_TEXT_WIDTH, MIN_TEXT_HEIGHT, MIN_TEXT_SECONDS = 0.12, 0.05, 0.3
DIGITS = 5


@dataclass(frozen=True)
class Framing:
    """How a clip fills the picture."""

    fit: Literal["crop", "pad", "blur"]
    keys: tuple[CropKey, ...]
    why: str
    source_aspect: float
    aspect: float

    def project(self, box: Rectangle, at: float) -> Rectangle:
        """Where a rectangle of the source is seen on the output; it may lie outside."""
        left, top, width, height = self._window(at)
        return (
            (box[0] - left) / width,
            (box[1] - top) / height,
            (box[2] - left) / width,
            (box[3] - top) / height,
        )

    def _window(self, at: float) -> tuple[float, float, float, float]:
        """What of the source the output shows; larger than 1 where it is padded."""
        if self.fit != "crop":
            wide = max(1.0, self.aspect / self.source_aspect)
            high = max(1.0, self.source_aspect / self.aspect)
            return (1 - wide) / 2, (1 - high) / 2, wide, high
        if not self.keys:
            wide, high = crop_size(self.source_aspect, self.aspect, 1.0)
            return (1 - wide) / 2, (1 - high) / 2, wide, high
        return key_at(self.keys, at)


def key_at(keys: Sequence[CropKey], at: float) -> tuple[float, float, float, float]:
    """Left, top, width, height of a crop at one moment of the source."""
    i = bisect_left([key.at_seconds for key in keys], at)
    one, other = keys[max(0, i - 1)], keys[min(i, len(keys) - 1)]
    span = other.at_seconds - one.at_seconds
    share = min(1.0, max(0.0, (at - one.at_seconds) / span)) if span > 0 else 0.0
    return (
        one.left + share * (other.left - one.left),
        one.top + share * (other.top - one.top),
        one.width + share * (other.width - one.width),
        one.height + share * (other.height - one.height),
    )


def crop_size(source_aspect: float, aspect: float, zoom: float) -> tuple[float, float]:
    """The largest crop of a ratio, as fractions of the source, `zoom` times nearer."""
    wide, high = min(1.0, aspect / source_aspect), min(1.0, source_aspect / aspect)
    return wide / zoom, high / zoom


def frame_clip(
    reel: Reel, start: float, end: float, *, aspect: float, zoom: float = 1.0
) -> Framing:
    """The crop's way from `start` to `end` of a reel for a picture of this ratio.

    `blur` instead of a crop where writing or a face would be cut off.
    """
    media = reel.analysis.media
    source_aspect = media.width / media.height
    if abs(source_aspect / aspect - 1) <= SAME_RATIO and zoom == 1.0:
        return Framing("crop", (), "", source_aspect, aspect)
    size = crop_size(source_aspect, aspect, zoom)
    keys: list[CropKey] = []
    reasons = []
    for begin, stop in _segments(reel, start, end):
        followed, why = _followed(reel, begin, stop, size)
        writing = _writing(reel, begin, stop)
        way = _way(
            followed, writing, size, (begin, max(begin, round(stop - 1 / reel.grid.rate, 6)))
        )
        if way is None:
            return Framing(
                "blur",
                (),
                "whole picture: a crop would cut off writing or a face",
                source_aspect,
                aspect,
            )
        keys += way
        reasons.append(why)
    why = "follows " + " and ".join(dict.fromkeys(r for r in reasons if r)) if any(reasons) else ""
    return Framing("crop", tuple(keys), why, source_aspect, aspect)


def _segments(reel: Reel, start: float, end: float) -> list[tuple[float, float]]:
    """The shots within a clip."""
    half = 0.5 / reel.grid.rate
    starts = [reel.grid.near(shot.start_seconds) for shot in reel.analysis.shots]
    inner = [at for at in starts if start + half < at < end - half]
    return [*pairwise([start, *inner, end])]


def _followed(
    reel: Reel, start: float, end: float, size: tuple[float, float]
) -> tuple[tuple[Sighting, ...], str]:
    shots = reel.analysis.shots
    shot = next(
        (one for one in shots if one.start_seconds - 1e-3 <= start < one.end_seconds - 1e-3), None
    )
    from_seconds = max(start - LOOK_AROUND_SECONDS, shot.start_seconds if shot else 0.0)
    to_seconds = min(end + LOOK_AROUND_SECONDS, shot.end_seconds if shot else math.inf)
    samples = reel.analysis.faces.samples
    first = bisect_left(samples, from_seconds - 1e-3, key=lambda one: one.at_seconds)
    last = bisect_left(samples, to_seconds - 1e-3, key=lambda one: one.at_seconds)
    here = samples[first:last]
    if any(sample.boxes for sample in here):
        return follow_faces(here, *size), "the face"
    found = reel.footage.inference
    if found is not None and found.objects:
        seen = [one for one in found.objects if from_seconds <= one.at_seconds <= to_seconds]
        if persons := follow_persons(seen):
            return tuple(_head(one, size) for one in persons), "the person"
    return (), ""


def _head(person: Sighting, size: tuple[float, float]) -> Sighting:
    """The upper middle of a person that is too large for the crop."""
    left, top, right, bottom = person.rectangles[0]
    if right - left > 0.8 * size[0]:
        middle, half = (left + right) / 2, 0.3 * size[0]
        left, right = middle - half, middle + half
    bottom = min(bottom, top + 0.6 * size[1])
    return Sighting(person.at, ((left, top, right, bottom),))


def _writing(reel: Reel, start: float, end: float) -> list[Rectangle]:
    return [
        rectangle(line.box)
        for line in reel.text
        if min(end, line.end_seconds) - max(start, line.start_seconds)
        >= min(MIN_TEXT_SECONDS, (end - start) / 2)
        and line.confidence >= MIN_TEXT_CONFIDENCE
        and len(line.text.strip()) >= MIN_TEXT_LETTERS
        and (line.box.width >= MIN_TEXT_WIDTH or line.box.height >= MIN_TEXT_HEIGHT)
    ]


Corridor = tuple[list[float], list[float]]


def _way(
    followed: Sequence[Sighting],
    writing: Sequence[Rectangle],
    size: tuple[float, float],
    span: tuple[float, float],
) -> list[CropKey] | None:
    """Keys of one shot; None where not all that counts can be kept."""
    sides = []
    for side, line in ((0, MIDDLE), (1, EYE_LINE)):
        extent = size[side]
        spans = [
            (one.at, around[side], around[side + 2])
            for one in followed
            if one.rectangles
            for around in [union(one.rectangles)]
        ]
        if any(b - a > extent + 1e-6 for _, a, b in spans):
            return None
        keep = [(one[side], one[side + 2]) for one in writing]
        points = _points(spans, keep, extent, line, span)
        if points is None:
            return None
        sides.append(points)
    times = sorted({round(at, 6) for points in sides for at, _ in points})
    return [_key(at, _value(sides[0], at), _value(sides[1], at), size) for at in times]


def _key(at: float, left: float, top: float, size: tuple[float, float]) -> CropKey:
    width, height = round(size[0], DIGITS), round(size[1], DIGITS)
    return CropKey(
        at_seconds=round(at, 6),
        left=max(0.0, min(round(left, DIGITS), round(1 - width, DIGITS))),
        top=max(0.0, min(round(top, DIGITS), round(1 - height, DIGITS))),
        width=width,
        height=height,
    )


def _points(
    spans: Sequence[tuple[float, float, float]],
    keep: Sequence[tuple[float, float]],
    extent: float,
    line: float,
    span: tuple[float, float],
) -> list[tuple[float, float]] | None:
    """(moment, where the crop begins) along one side; None if writing cannot be kept."""
    room = 1 - extent
    if room <= 1e-6:
        return [(span[0], 0.0), (span[1], 0.0)] if span[1] > span[0] else [(span[0], 0.0)]
    low, high = 0.0, room
    if keep:
        low = max(0.0, max(b for _, b in keep) - extent)
        high = min(room, *(a for a, _ in keep))
        if low > high + 0.02:
            return None
        high = max(low, high)
    still = _corridor(spans, extent, line, STILL, (low, high))
    corridor = _corridor(spans, extent, line, DRIFT, (low, high))
    if still is None or corridor is None:
        return None
    if max(still[0], default=low) <= min(still[1], default=high) + 1e-9:
        place = _standing(spans, extent, line, room * MIDDLE if not keep else (low + high) / 2)
        place = min(max(place, low, *still[0]), high, *still[1])
        return [(span[0], place), (span[1], place)] if span[1] > span[0] else [(span[0], place)]
    lows, highs = corridor
    way = _shortest([at for at, _, _ in spans], lows, highs, MAX_SPEED * extent)
    return _within(way, span)


def _standing(
    spans: Sequence[tuple[float, float, float]], extent: float, line: float, otherwise: float
) -> float:
    """Where a crop that does not move would begin."""
    wanted = [(a + b) / 2 - line * extent for _, a, b in spans]
    return sum(wanted) / len(wanted) if wanted else otherwise


def _corridor(
    spans: Sequence[tuple[float, float, float]],
    extent: float,
    line: float,
    drift: float,
    limits: tuple[float, float],
) -> tuple[list[float], list[float]] | None:
    """From where to where the crop may begin at each moment; None if a face would be cut."""
    lows, highs = [], []
    for _, a, b in spans:
        place = (a + b) / 2 - line * extent
        air = min(AIR * extent, (extent - (b - a)) / 2)
        low, high = (
            max(place - drift * extent, b + air - extent),
            min(place + drift * extent, a - air),
        )
        if low > high:
            low, high = b + air - extent, a - air
        low, high = _clamp(low, limits), _clamp(high, limits)
        if low > a + 0.1 * (b - a) or high + extent < b - 0.1 * (b - a):
            return None
        lows.append(min(low, high))
        highs.append(max(low, high))
    return lows, highs


def _clamp(value: float, limits: tuple[float, float]) -> float:
    return min(max(value, limits[0]), limits[1])


def _shortest(
    times: Sequence[float], lows: Sequence[float], highs: Sequence[float], speed: float
) -> list[tuple[float, float]]:
    """The shortest way through a corridor, at most so fast: what is too fast is met half-way."""
    low, high = _reachable(times, lows, highs, speed)
    if any(a > b + 1e-9 for a, b in zip(low, high, strict=True)):
        return [(at, (a + b) / 2) for at, a, b in zip(times, low, high, strict=True)]
    at, place = 0, _clamp((low[0] + high[0]) / 2, (low[0], high[0]))
    points = [(times[0], place)]
    while at < len(times) - 1:
        at, place = _turn(times, low, high, at, place)
        points.append((times[at], place))
    return points


def _reachable(
    times: Sequence[float], lows: Sequence[float], highs: Sequence[float], speed: float
) -> tuple[list[float], list[float]]:
    """The corridor narrowed to where a crop of this speed can be in time for what comes."""
    low, high = list(lows), list(highs)
    steps = [*range(1, len(times))]
    for i in steps:
        reach = speed * (times[i] - times[i - 1])
        low[i], high[i] = max(low[i], low[i - 1] - reach), min(high[i], high[i - 1] + reach)
    for i in reversed(steps):
        reach = speed * (times[i] - times[i - 1])
        low[i - 1], high[i - 1] = max(low[i - 1], low[i] - reach), min(high[i - 1], high[i] + reach)
    return low, high


def _turn(
    times: Sequence[float], lows: Sequence[float], highs: Sequence[float], at: int, place: float
) -> tuple[int, float]:
    """The next corner of the shortest way: as far as one can see straight on."""
    least, most = -math.inf, math.inf
    corner_low = corner_high = at
    for i in range(at + 1, len(times)):
        seconds = max(times[i] - times[at], 1e-9)
        to_low, to_high = (lows[i] - place) / seconds, (highs[i] - place) / seconds
        if to_low > most:
            return corner_high, highs[corner_high]
        if to_high < least:
            return corner_low, lows[corner_low]
        if to_low >= least:
            least, corner_low = to_low, i
        if to_high <= most:
            most, corner_high = to_high, i
    slope = min(max(0.0, least), most)
    return len(times) - 1, place + slope * (times[-1] - times[at])


def _within(
    points: Sequence[tuple[float, float]], span: tuple[float, float]
) -> list[tuple[float, float]]:
    """The part of a way between two moments; it stands still before and after."""
    inner = [one for one in points if span[0] < one[0] < span[1]]
    whole = [(span[0], _value(points, span[0])), *inner, (span[1], _value(points, span[1]))]
    return whole if span[1] > span[0] else whole[:1]


def _value(points: Sequence[tuple[float, float]], at: float) -> float:
    if at <= points[0][0]:
        return points[0][1]
    for (t0, p0), (t1, p1) in pairwise(points):
        if at <= t1:
            return p0 + (p1 - p0) * (at - t0) / (t1 - t0) if t1 > t0 else p1
    return points[-1][1]
