"""Whom the crop follows: one face until another has been better for a while, or both if both fit.

Rectangles are (left, top, right, bottom), fractions of the displayed picture.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.inference_models import SeenObject
from shared.models import Box, FaceSample

Rectangle = tuple[float, float, float, float]
# Another face takes over when it has been so much larger, or the followed one away, for this long.
LARGER, PATIENCE_SECONDS = 1.4, 1.0
# A face that counts beside the largest one, by area; and one seen once among many is a mistake.
COUNTS_FROM = 0.3
MANY_SAMPLES, MIN_SIGHTINGS = 4, 2
SAME_PLACE = 0.3
PERSON = "person"


@dataclass(frozen=True)
class Sighting:
    """What has to stay in the picture at one moment; nothing: anything may."""

    at: float
    rectangles: tuple[Rectangle, ...]


def rectangle(box: Box) -> Rectangle:
    """A box by its edges."""
    return box.left, box.top, box.left + box.width, box.top + box.height


def union(rectangles: Sequence[Rectangle]) -> Rectangle:
    """The smallest rectangle around all."""
    return (
        min(one[0] for one in rectangles),
        min(one[1] for one in rectangles),
        max(one[2] for one in rectangles),
        max(one[3] for one in rectangles),
    )


def follow_faces(
    samples: Sequence[FaceSample], width: float, height: float
) -> tuple[Sighting, ...]:
    """The faces that a crop of this size follows; all that count when they fit together."""
    believed = _believed(samples)
    boxes = [[_edges(i, j, b) for j, b in enumerate(row)] for i, row in enumerate(believed)]
    counting = [_counting(row) for row in boxes]
    several = [row for row in counting if len(row) > 1]
    fitting = sum(
        around[2] - around[0] <= 0.9 * width and around[3] - around[1] <= 0.9 * height
        for row in several
        for around in [union([edges for _, edges in row])]
    )
    if several and fitting == len(several):
        return tuple(
            Sighting(sample.at_seconds, tuple(edges for _, edges in row))
            for sample, row in zip(samples, counting, strict=True)
        )
    return _follow_one(samples, boxes)


def follow_persons(seen: Sequence[SeenObject]) -> tuple[Sighting, ...]:
    """The largest person of each moment that was looked at."""
    moments: dict[float, Rectangle] = {}
    for one in seen:
        edges = rectangle(one.box)
        if one.label == PERSON and _area(edges) > _area(moments.get(one.at_seconds)):
            moments[one.at_seconds] = edges
    return tuple(Sighting(at, (moments[at],)) for at in sorted(moments))


Edged = tuple[str, Rectangle]


def _edges(sample: int, place: int, box: Box) -> Edged:
    name = f"{sample}.{place}" if box.track is None else f"track {box.track}"
    return name, rectangle(box)


def _believed(samples: Sequence[FaceSample]) -> list[list[Box]]:
    """The faces of each sample without chance patterns."""
    sightings: dict[int, int] = {}
    for sample in samples:
        for box in sample.boxes:
            if box.track is not None:
                sightings[box.track] = sightings.get(box.track, 0) + 1
    often = max(sightings.values(), default=0) >= MIN_SIGHTINGS and len(samples) >= MANY_SAMPLES
    return [
        [
            box
            for box in sample.boxes
            if not often or box.track is None or sightings[box.track] >= MIN_SIGHTINGS
        ]
        for sample in samples
    ]


def _counting(row: Sequence[Edged]) -> list[Edged]:
    """The faces of a sample without small ones beside large ones."""
    largest = max((_area(edges) for _, edges in row), default=0.0)
    return [one for one in row if _area(one[1]) >= COUNTS_FROM * largest]


def _follow_one(
    samples: Sequence[FaceSample], boxes: Sequence[Sequence[Edged]]
) -> tuple[Sighting, ...]:
    followed: Edged | None = None
    better_since: float | None = None
    found = []
    for sample, row in zip(samples, boxes, strict=True):
        at = sample.at_seconds
        here = _again(followed, row) if followed else None
        rival = max(row, key=lambda one: _area(one[1]), default=None)
        if followed is None:
            followed = here = rival
        elif rival is not None and rival is not here:
            if here is None or _area(rival[1]) > LARGER * _area(here[1]):
                better_since = at if better_since is None else better_since
                if at - better_since >= PATIENCE_SECONDS:
                    followed = here = rival
                    better_since = None
            else:
                better_since = None
        elif here is not None:
            better_since = None
        if here is not None:
            followed = here
        found.append(Sighting(at, (here[1],) if here else ()))
    return tuple(found)


def _again(followed: Edged, row: Sequence[Edged]) -> Edged | None:
    """The followed face on another sample: of the same track, else where it was."""
    for one in row:
        if one[0] == followed[0]:
            return one
    near = [one for one in row if _overlap(one[1], followed[1]) >= SAME_PLACE]
    return max(near, key=lambda one: _overlap(one[1], followed[1]), default=None)


def _area(edges: Rectangle | None) -> float:
    return max(0.0, edges[2] - edges[0]) * max(0.0, edges[3] - edges[1]) if edges else 0.0


def _overlap(one: Rectangle, other: Rectangle) -> float:
    """Intersection over union."""
    inner = (
        max(one[0], other[0]),
        max(one[1], other[1]),
        min(one[2], other[2]),
        min(one[3], other[3]),
    )
    shared = _area(inner) if inner[2] > inner[0] and inner[3] > inner[1] else 0.0
    whole = _area(one) + _area(other) - shared
    return shared / whole if whole > 0 else 0.0
