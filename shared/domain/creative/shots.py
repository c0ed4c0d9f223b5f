"""What footage offers an editor: spoken sentences, free stretches, how strong each moment is."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile

import numpy as np
from numpy.typing import NDArray

from shared.domain.creative.footage import Reel
from shared.domain.creative.pace import Editing
from shared.domain.creative.words import Breath, breaths_of, cut_around, divide
from shared.domain.scoring.hook_types import find_hooks
from shared.inference_models import Word

STEPS_A_SECOND = 10
FACE_REACH_SECONDS = 0.6
# How a moment is judged where the shot's own score is known, and a viewer's first three seconds:
# our judgement, for the documents name the signals and not their parts.
CALM, TEXT_BONUS, CLIP_SHARE = 0.3, 0.1, 0.5
PEAK_SHARE, FACE_AT_ONCE, OPENING_SHARE = 0.25, 0.15, 0.2
LATE_SHARE, CTA_BONUS = 0.6, 0.3
WORDS_SHARE, FULL_HOOK, MOST_READ = 0.3, 2.0, 30
# A first picture that is gone at once is a flash.
FLASH_SECONDS, FLASH_COST = 0.6, 0.25


@dataclass(frozen=True)
class Stretch:
    """A range of one source that can be kept: a sentence as it is, or a free part of a shot."""

    reel: Reel
    start: float
    end: float
    spoken: bool
    score: float
    shots: tuple[int, ...] = ()
    whole: bool = True
    pauses: tuple[float, ...] = ()
    """Frames between words, where the view may change."""

    @property
    def seconds(self) -> float:
        """How long it can be."""
        return self.end - self.start

    @property
    def place(self) -> tuple[int, float]:
        """Where it is in the story."""
        return self.reel.number, self.start


@dataclass(frozen=True)
class Interest:
    """How strong the moments of a reel are, 0-1, ten a second."""

    reel: Reel
    rules: Editing

    @cached_property
    def motion(self) -> NDArray[np.float64]:
        """Movement as a share of the liveliest window."""
        curve = np.zeros(self._steps)
        moments = self.reel.analysis.motion_moments
        most = max((one.motion_energy for one in moments), default=0.0)
        for one in moments if most > 0 else ():
            curve[self._at(one.timestamp_start) : self._at(one.timestamp_end)] = (
                one.motion_energy / most
            )
        return curve

    @cached_property
    def faces(self) -> NDArray[np.float64]:
        """1 where a face is near in time."""
        curve = np.zeros(self._steps)
        for sample in self.reel.analysis.faces.samples:
            if sample.boxes:
                begin = self._at(sample.at_seconds - FACE_REACH_SECONDS / 2)
                curve[begin : self._at(sample.at_seconds + FACE_REACH_SECONDS / 2) + 1] = 1.0
        return curve

    @cached_property
    def total(self) -> NDArray[np.float64]:
        """The running sum of the strength, one step longer than the curve."""
        weight = 1 + (self.rules.face_weight - 1) * self.faces
        value = (CALM + (1 - CALM) * self.motion) * weight / self.rules.face_weight
        for line in self.reel.text:
            value[self._at(line.start_seconds) : self._at(line.end_seconds)] += TEXT_BONUS
        for take in self.reel.takes:
            if take.score is not None:
                span = slice(self._at(take.start), self._at(take.end))
                value[span] = (1 - CLIP_SHARE) * value[span] + CLIP_SHARE * take.score
        return np.concatenate([[0.0], np.cumsum(np.minimum(value, 1.0))])

    def mean(self, start: float, end: float) -> float:
        """The mean strength between two moments."""
        first, last = self._at(start), max(self._at(start) + 1, self._at(end))
        last = min(last, self._steps)
        first = min(first, last - 1)
        return float(self.total[last] - self.total[first]) / (last - first)

    def hook(self, start: float, end: float) -> float:
        """How well a viewer is caught by what begins here, 0 to about 1.6."""
        end = min(end, start + self.rules.hook_seconds)
        first = self._at(start)
        last = max(first + 1, self._at(end))
        value = self.mean(start, end) + PEAK_SHARE * float(self.motion[first:last].max(initial=0))
        if self.faces[first : first + 3].any():
            value += FACE_AT_ONCE
        if start <= self.reel.takes[0].start + 0.1:
            value += OPENING_SHARE * self.reel.analysis.hook.hook_score
        takes = self.reel.takes
        after = bisect_right(takes, start + 0.05, key=lambda take: take.start)
        if after < len(takes) and takes[after].start < start + FLASH_SECONDS:
            value -= FLASH_COST
        return round(value, 4)

    def best_start(self, start: float, end: float, seconds: float) -> float:
        """Where the strongest part of so many seconds begins; the earliest among equals."""
        room = end - start - seconds
        if room <= 1 / STEPS_A_SECOND:
            return start
        first, long = self._at(start), max(1, round(seconds * STEPS_A_SECOND))
        count = max(1, min(int(room * STEPS_A_SECOND), self._steps - long - first) + 1)
        sums = self.total[first + long : first + long + count] - self.total[first : first + count]
        return start + int(np.argmax(np.round(sums, 6))) / STEPS_A_SECOND if len(sums) else start

    @cached_property
    def _steps(self) -> int:
        return max(1, math.ceil(self.reel.end * STEPS_A_SECOND) + 1)

    def _at(self, seconds: float) -> int:
        return min(self._steps - 1, max(0, int(seconds * STEPS_A_SECOND + 1e-6)))


def stretches_of(interest: Interest, most_seconds: float) -> list[Stretch]:
    """The spoken and the free stretches of a reel, in order of time; none overlaps another.

    Speech longer than `most_seconds` is divided at its widest pauses, into parts that can be put
    together; a part that still is longer or that no frame can be cut around is left out.
    """
    reel, rules = interest.reel, interest.rules
    breaths = [
        part
        for breath in breaths_of(reel, rules.pause_seconds)
        for part in divide(breath, _part_seconds(breath, most_seconds))
    ]
    spoken, kept = [], []
    for breath in breaths:
        span = cut_around(breath, reel.grid)
        kept.append(span or (breath.start, breath.end))
        if span and span[1] - span[0] <= most_seconds + LONGER_SECONDS:
            found = _spoken(interest, breath, span)
            if found:
                spoken.append(found)
    free = _free(interest, kept, breaths)
    return sorted([*spoken, *free], key=lambda one: (one.start, one.end))


# What a breath's air may add to its length; speech that is divided gives so many parts a version.
LONGER_SECONDS = 0.3
PARTS_A_VERSION, LEAST_PART_SECONDS = 4, 2.0


def _part_seconds(breath: Breath, most_seconds: float) -> float:
    if breath.seconds <= most_seconds:
        return most_seconds
    return max(LEAST_PART_SECONDS, most_seconds / PARTS_A_VERSION)


def _spoken(interest: Interest, breath: Breath, span: tuple[float, float]) -> Stretch | None:
    reel = interest.reel
    start, end = max(span[0], reel.takes[0].start), min(span[1], reel.end)
    if start > breath.start + 0.03 or end < breath.end - 0.03:
        return None
    # A few frames of the shot before or after flash up: the air ends at the shot's boundary.
    for take in reel.takes:
        if start < take.start <= breath.start:
            start = take.start
        if breath.end <= take.end < end:
            end = take.end
    shots = tuple(take.shot for take in reel.takes if take.start < end and take.end > start)
    if end <= start or not shots:
        return None
    score = round(interest.mean(start, end), 4)
    pauses = tuple(
        at
        for begin, stop in breath.pauses
        if begin - 1e-6 <= (at := reel.grid.near((begin + stop) / 2)) <= stop + 1e-6
    )
    return Stretch(reel, start, end, True, score, shots, breath.whole, pauses)


def _free(
    interest: Interest, kept: Sequence[tuple[float, float]], breaths: Sequence[Breath]
) -> list[Stretch]:
    """What of each shot is free of speech."""
    reel = interest.reel
    ends = sorted(
        (min(a, breath.start), max(b, breath.end))
        for (a, b), breath in zip(kept, breaths, strict=True)
    )
    found = []
    for take in reel.takes:
        at = take.start
        inside = [one for one in ends if one[1] > take.start and one[0] < take.end]
        for begin, end in [*inside, (take.end, take.end)]:
            start, stop = reel.grid.after(at), reel.grid.before(min(begin, take.end))
            if stop - start > 0.5 / reel.grid.rate:
                score = round(interest.mean(start, stop), 4)
                found.append(Stretch(reel, start, stop, False, score, (take.shot,)))
            at = max(at, end)
    return found


def _words_from(stretch: Stretch) -> Iterator[Word]:
    """The words that begin within a stretch."""
    words = stretch.reel.words or ()
    first = bisect_left(words, stretch.start - 0.05, key=lambda word: word.start_seconds)
    return takewhile(lambda word: word.start_seconds < stretch.end, words[first:])


def spoken_hook(stretch: Stretch) -> float:
    """How strong a hook the words of a stretch are, 0-1; 0 where they are unknown."""
    if not stretch.spoken or not stretch.whole:
        return 0.0
    said = (
        word.word
        for word in _words_from(stretch)
        if stretch.start - 0.05 <= word.start_seconds and word.end_seconds <= stretch.end + 0.05
    )
    found = find_hooks(" ".join(said))
    return min(1.0, sum(one.strength * one.confidence for one in found) / FULL_HOOK)


def pick_hook(
    stretches: Sequence[Stretch], interests: Sequence[Interest], least_seconds: float
) -> tuple[Stretch, float]:
    """The strongest beginning: its stretch, and where in it to begin."""
    long_enough = [one for one in stretches if one.seconds >= least_seconds]
    long_enough = long_enough or [max(stretches, key=lambda one: (one.seconds, -one.start))]
    said = sorted((o for o in long_enough if o.spoken), key=lambda o: (-o.score, o.place))
    words = {id(one): WORDS_SHARE * spoken_hook(one) for one in said[:MOST_READ]}
    by_reel = {interest.reel.number: interest for interest in interests}
    best: tuple[float, tuple[int, float], Stretch, float] | None = None
    for one in long_enough:
        interest = by_reel[one.reel.number]
        seconds = min(one.seconds, interest.rules.hook_seconds)
        places = {one.start}
        if not one.spoken:
            places.add(
                one.reel.grid.before(
                    max(one.start, interest.best_start(one.start, one.end, seconds))
                )
            )
        for place in places:
            value = interest.hook(place, one.end) + words.get(id(one), 0.0)
            key = (-round(value, 4), (one.reel.number, place))
            if best is None or key < best[:2]:
                best = (*key, one, place)
    if best is None:
        raise ValueError("no footage to take a hook from")
    return best[2], best[3]


def pick_closing(stretches: Sequence[Stretch], interests: Sequence[Interest]) -> Stretch | None:
    """What asks the viewer to act: the strongest of the last part of the story."""
    by_reel = {interest.reel.number: interest for interest in interests}
    last = max((one.reel.number for one in stretches), default=0)
    reel = by_reel[last].reel
    from_seconds = LATE_SHARE * reel.end
    late = [one for one in stretches if one.reel.number == last and one.start >= from_seconds]
    moments = [one for one in reel.analysis.motion_moments if one.moment_type == "cta"]

    def strength(one: Stretch) -> tuple[float, float]:
        asks = any(m.timestamp_start < one.end and m.timestamp_end > one.start for m in moments)
        late_by = (one.start - from_seconds) / max(reel.end - from_seconds, 1e-6)
        return one.score + CTA_BONUS * asks + 0.2 * late_by, one.start

    return max(late, key=strength, default=None)


def beats_between(reel: Reel, start: float, end: float) -> list[float]:
    """The beats of the reel's own sound from one moment to another, inclusive."""
    beats = reel.analysis.audio.beats_seconds
    return list(beats[bisect_left(beats, start - 1e-3) : bisect_right(beats, end + 1e-3)])
