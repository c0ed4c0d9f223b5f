"""Lines of text with their times: what was read, followed through the edges of all samples."""

import re
from base64 import b64decode
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.domain.inference.gate import Edges
from shared.domain.inference.reading import DETECTION_SIDE, TextReader
from shared.inference_models import TextCoverage, TextLine
from shared.models import Box

# A line is there while this share of its edges is, and more than its surroundings would give.
SAME_SHARE = 0.82
ABOVE_CHANCE = 0.3
MIN_PATTERN_EDGES = 20
# So many samples without it are a blink.
BLINK_SAMPLES = 1
SAME_TEXT = 0.75
# A whole picture is looked at in case there is writing; a region, because it looks like writing.
WHOLE_SIDE = 480
SAME_PLACE = 0.35
NEAR_SECONDS = 1.0
# A scene may look like two huge letters; real ones are read with certainty.
HUGE_SHARE = 0.3
HUGE_CONFIDENCE = 0.95
GRID = 128
# Letters that a network takes for digits of like shape, in words with a digit and none besides.
DIGITS = str.maketrans("OoIl", "0011")
MIXED_NUMBER = re.compile(r"(?=[OoIl]*\d)[\dOoIl]{2,}")


@dataclass
class Sighting:
    """A line as read on one sample; `first` and `last` are samples, times follow from them."""

    sample: int
    place: tuple[float, float, float, float]
    text: str
    confidence: float
    first: int = 0
    last: int = 0

    def shares_place(self, other: "Sighting") -> bool:
        """Whether the boxes overlap by enough of the smaller one."""
        a, b = self.place, other.place
        width = min(a[2], b[2]) - max(a[0], b[0])
        height = min(a[3], b[3]) - max(a[1], b[1])
        smaller = min(_area(a), _area(b)) or 1.0
        return width > 0 and height > 0 and width * height >= SAME_PLACE * smaller


@dataclass
class TextTrack:
    """Takes what the child hands over, reads it, and knows in the end what stood when."""

    reader: TextReader
    whole_side: int = WHOLE_SIDE
    """Pixels of a whole picture's longer side: more make closer boxes, and cost their square."""
    _sightings: list[Sighting] = field(default_factory=list)
    _at: list[float] = field(default_factory=list)
    _edges: list[tuple[tuple[int, int], NDArray[np.uint8]]] = field(default_factory=list)

    def read(self, part: dict[str, Any]) -> None:
        """A `text` part: a JPEG of a region of one sample."""
        data = np.frombuffer(b64decode(part["jpeg"]), np.uint8)
        picture: Any = cv2.imdecode(data, cv2.IMREAD_COLOR)
        if picture is None:
            return
        left, top, width, height = part["place"]
        most = self.whole_side if picture.shape[:2] == (height, width) else DETECTION_SIDE
        side = max(picture.shape[:2]) * min(1.0, most / max(width, height))
        for line in self.reader.read(np.asarray(picture, np.uint8), round(side)):
            place = (
                (line.place[0] + left) / width,
                (line.place[1] + top) / height,
                (line.place[2] + left) / width,
                (line.place[3] + top) / height,
            )
            if _area(place) <= HUGE_SHARE or line.confidence >= HUGE_CONFIDENCE:
                self._sightings.append(
                    Sighting(part["sample"], place, as_written(line.text), line.confidence)
                )

    def remember(self, part: dict[str, Any]) -> None:
        """An `edges` part: packed edge pictures of a run of samples."""
        height, width = (int(n) for n in part["shape"])
        packed = np.frombuffer(b64decode(part["packed"]), np.uint8)
        self._at += part["at"]
        pictures = packed.reshape(len(part["at"]), height, -1)
        self._edges += [((height, width), picture) for picture in pictures]

    def lines(self, end_seconds: float) -> tuple[TextLine, ...]:
        """The lines in order of time; a line lasts to the sample on which it is gone."""
        for sighting in self._sightings:
            sighting.first, sighting.last = self._span(sighting)
        return tuple(
            sorted(
                (self._as_line(s, end_seconds) for s in merge(self._sightings, self._at)),
                key=lambda line: (line.start_seconds, line.box.top, line.box.left),
            )
        )

    def _as_line(self, sighting: Sighting, end_seconds: float) -> TextLine:
        after = sighting.last + 1
        end = self._at[after] if after < len(self._at) else max(end_seconds, self._at[-1])
        left, top, right, bottom = (min(1.0, max(0.0, n)) for n in sighting.place)
        return TextLine(
            start_seconds=round(self._at[sighting.first], 3),
            end_seconds=round(end, 3),
            text=sighting.text,
            confidence=round(sighting.confidence, 3),
            box=Box(
                left=round(left, 4),
                top=round(top, 4),
                width=round(right - left, 4),
                height=round(bottom - top, 4),
            ),
        )

    def _span(self, sighting: Sighting) -> tuple[int, int]:
        """The first and last sample on which the edges of a line stand as when it was read."""
        here = sighting.sample
        # What a line shares with a neighbouring sample is its own, not the background's; it may
        # have been read on its first sample or on its last.
        now = self._cut(here, sighting)
        beside = [
            now & self._cut(other, sighting)
            for other in (here - 1, here + 1)
            if 0 <= other < len(self._at)
        ]
        pattern = max(beside, key=lambda edges: int(edges.sum()), default=now)
        if int(pattern.sum()) < MIN_PATTERN_EDGES:
            return here, here
        return self._follow(sighting, pattern, -1), self._follow(sighting, pattern, 1)

    def _follow(self, sighting: Sighting, pattern: Edges, step: int) -> int:
        """The last sample in one direction that still shows the pattern."""
        last, here, missed = sighting.sample, sighting.sample + step, 0
        while 0 <= here < len(self._at) and missed <= BLINK_SAMPLES:
            edges = self._cut(here, sighting)
            if shows(edges, pattern):
                last, missed = here, 0
            else:
                missed += 1
            here += step
        return last

    def _cut(self, sample: int, sighting: Sighting) -> Edges:
        """The edges in a line's box on one sample; none when its picture has another size."""
        (height, width), packed = self._edges[sighting.sample]
        if self._edges[sample][0] == (height, width):
            packed = self._edges[sample][1]
        else:
            packed = np.zeros_like(packed)
        left, top, right, bottom = sighting.place
        rows = packed[max(0, int(top * height)) : int(np.ceil(bottom * height))]
        bits = np.unpackbits(rows, axis=1, count=width)
        return bits[:, max(0, int(left * width)) : int(np.ceil(right * width))].astype(bool)


def shows(edges: Edges, pattern: Edges) -> bool:
    """Whether a pattern of edges is among `edges`, and not by their mere number."""
    share = int((edges & pattern).sum()) / int(pattern.sum())
    elsewhere = ~pattern
    chance = int((edges & elsewhere).sum()) / max(1, int(elsewhere.sum()))
    return share >= SAME_SHARE and share >= chance + ABOVE_CHANCE


def merge(sightings: list[Sighting], at: list[float]) -> list[Sighting]:
    """One sighting a line: the same words in the same place at touching times are one line.

    A line that is typed on word by word is its longest state, from its first word on.
    """
    lines: list[Sighting] = []
    for new in sorted(sightings, key=lambda s: (s.first, s.sample)):
        old = next((line for line in reversed(lines) if _continues(line, new, at)), None)
        if old is None:
            lines.append(replace(new))
            continue
        old.last = max(old.last, new.last)
        if _better(old, new):
            old.text, old.place, old.confidence = new.text, new.place, new.confidence
    return _without_parts(lines)


def _better(old: Sighting, new: Sighting) -> bool:
    """Whether a new reading says more than the old one, or the same more surely."""
    if _plain(old.text) in _plain(new.text):
        return _letters(new.text) > _letters(old.text) or new.confidence > old.confidence
    return _plain(new.text) not in _plain(old.text) and new.confidence > old.confidence


def _continues(old: Sighting, new: Sighting, at: list[float]) -> bool:
    gap = at[new.first] - at[old.last]
    if gap > NEAR_SECONDS or not (same_text(old.text, new.text) or _grows(old.text, new.text)):
        return False
    # Writing that moves is elsewhere on each sample.
    return old.shares_place(new) or old.first == old.last or new.first == new.last


def _without_parts(lines: list[Sighting]) -> list[Sighting]:
    """The lines less those that are pieces of another one, there most of the same time."""
    kept: list[Sighting] = []
    for line in sorted(lines, key=lambda one: -_letters(one.text)):
        whole = next((other for other in kept if _is_part(line, other)), None)
        if whole is None:
            kept.append(line)
        else:
            whole.first = min(whole.first, line.first)
    return sorted(kept, key=lambda line: line.first)


def _is_part(line: Sighting, whole: Sighting) -> bool:
    both = min(line.last, whole.last) - max(line.first, whole.first) + 1
    most = 2 * both >= line.last - line.first + 1
    return most and _plain(line.text) in _plain(whole.text) and whole.shares_place(line)


def same_text(a: str, b: str) -> bool:
    """Whether two readings are of the same words, a wrong letter allowed."""
    return SequenceMatcher(None, _plain(a), _plain(b), autojunk=False).ratio() >= SAME_TEXT


def _grows(old: str, new: str) -> bool:
    first, second = _plain(old), _plain(new)
    return bool(first) and second.startswith(first)


def _plain(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalnum())


def _letters(text: str) -> int:
    return len(_plain(text))


def as_written(text: str) -> str:
    """Numbers whose digits were taken for letters, put right: `1O` is `10`."""
    return " ".join(
        word.translate(DIGITS) if MIXED_NUMBER.fullmatch(word) else word for word in text.split()
    )


def coverage_of(lines: tuple[TextLine, ...], start: float, end: float) -> TextCoverage:
    """How much of picture and time the lines take; overlapping boxes count once."""
    moments = sorted(
        {start, end, *(at for line in lines for at in (line.start_seconds, line.end_seconds))}
    )
    mean = most = shown = 0.0
    for now, after in pairwise(moments):
        there = [line.box for line in lines if line.start_seconds <= now < line.end_seconds]
        share = _covered(there)
        mean += share * (after - now)
        shown += (after - now) if there else 0.0
        most = max(most, share)
    length = max(1e-6, moments[-1] - moments[0])
    return TextCoverage(
        mean=round(min(1.0, mean / length), 4),
        most=round(most, 4),
        time=round(min(1.0, shown / length), 4),
    )


def _covered(boxes: list[Box]) -> float:
    """The share of the picture under some boxes, on a grid of 128 x 128."""
    grid = np.zeros((GRID, GRID), bool)
    for box in boxes:
        top, bottom = round(GRID * box.top), round(GRID * (box.top + box.height))
        left, right = round(GRID * box.left), round(GRID * (box.left + box.width))
        grid[top:bottom, left:right] = True
    return float(grid.mean())


def _area(place: tuple[float, float, float, float]) -> float:
    return max(0.0, place[2] - place[0]) * max(0.0, place[3] - place[1])
