"""Footage as it is cut: the records of one video, on the grid of its own frames."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate

from pydantic import Field

from shared.clip_models import ClipSet
from shared.errors import Rejected
from shared.inference_models import Inference, TextLine, Word
from shared.models import Analysis, Record, Shot
from shared.timeline_models import Source

# Rates that cameras have; a measured one this near is that one.
RATES = (*(24000 / 1001, 24.0, 25.0, 30000 / 1001, 30.0), *(48.0, 50.0, 60000 / 1001, 60.0, 120.0))
NEAR = 2e-4
# Times of the records are rounded to milliseconds: this share of a frame is no other frame.
SLACK_FRAMES = 0.15
DIGITS = 6
# A boundary may lie this far in a word where words follow one another without a pause: half a
# frame, and never more than ears take for the same moment.
MOST_INSIDE_SECONDS = 0.021


class Footage(Record):
    """One video that may be cut from: where it lies and what is known of it."""

    name: str = Field(min_length=1, max_length=100, description="the source's name in the timeline")
    path: str = Field(description="in Files")
    sha256: str = ""
    analysis: Analysis
    inference: Inference | None = None
    scores: tuple[float | None, ...] = Field(
        default=(), description="of the shots, 0-1, in their order; None or lacking: unknown"
    )


def footage_of(
    name: str, path: str, analysis: Analysis, inference: Inference | None, clips: ClipSet | None
) -> Footage:
    """Footage with the scores of its clips."""
    by_shot = {one.clip.shot: one.clip.score for one in clips.clips} if clips else {}
    scores = tuple(by_shot.get(shot) for shot in range(len(analysis.shots)))
    return Footage(name=name, path=path, analysis=analysis, inference=inference, scores=scores)


@dataclass(frozen=True)
class Grid:
    """The moments at which frames begin: `origin + n / rate` seconds."""

    origin: float
    rate: float

    def at(self, frame: int) -> float:
        """When a frame begins."""
        return round(self.origin + frame / self.rate, DIGITS)

    def before(self, seconds: float) -> float:
        """The latest beginning of a frame that is not after a moment."""
        return self.at(math.floor((seconds - self.origin) * self.rate + SLACK_FRAMES))

    def after(self, seconds: float) -> float:
        """The earliest beginning of a frame that is not before a moment."""
        return self.at(math.ceil((seconds - self.origin) * self.rate - SLACK_FRAMES))

    def near(self, seconds: float) -> float:
        """The nearest beginning of a frame."""
        return self.at(round((seconds - self.origin) * self.rate))


@dataclass(frozen=True)
class Take:
    """A shot's usable part: without the fades and dissolves at its ends."""

    shot: int
    start: float
    end: float
    score: float | None


@dataclass(frozen=True)
class Reel:
    """Footage made ready for cutting; `number` is its place in the story."""

    number: int
    footage: Footage
    takes: tuple[Take, ...] = field(default=())

    @property
    def analysis(self) -> Analysis:
        """The measured facts."""
        return self.footage.analysis

    @cached_property
    def grid(self) -> Grid:
        """The frames' moments."""
        return grid_of(self.analysis)

    @cached_property
    def end(self) -> float:
        """When the last frame is over."""
        return max(take.end for take in self.takes)

    @cached_property
    def text(self) -> tuple[TextLine, ...]:
        """What is written on the pictures; empty when nobody read it."""
        found = self.footage.inference
        return found.text or () if found else ()

    @cached_property
    def words(self) -> tuple[Word, ...] | None:
        """What is said in order of time; None when nobody wrote it down."""
        found = self.footage.inference
        if found is None or found.transcript is None:
            return None
        usable = (
            word
            for word in found.transcript.words
            if word.word.strip() and 0 <= word.start_seconds <= word.end_seconds < math.inf
        )
        return tuple(sorted(usable, key=lambda word: (word.start_seconds, word.end_seconds)))

    def inside_word(self, at: float) -> bool:
        """Whether somebody is in the middle of a known word."""
        most = min(MOST_INSIDE_SECONDS, 0.5 / self.grid.rate)
        starts, latest_ends = self._word_times
        begun = bisect_left(starts, at - most)
        return begun > 0 and latest_ends[begun - 1] - most > at

    @cached_property
    def _word_times(self) -> tuple[list[float], list[float]]:
        """When each word begins, and the latest end of it and all before it."""
        words = self.words or ()
        ends = accumulate((word.end_seconds for word in words), max)
        return [word.start_seconds for word in words], list(ends)

    def source(self) -> Source:
        """The file as the timeline names it."""
        media = self.analysis.media
        ends = [shot.end_seconds for shot in self.analysis.shots]
        return Source(
            path=self.footage.path,
            sha256=self.footage.sha256,
            width=media.width,
            height=media.height,
            fps=self.grid.rate,
            duration_seconds=max(media.duration_seconds, *ends, 1 / self.grid.rate),
            has_audio=media.has_audio,
        )


class FootageAmbiguous(Rejected):
    """Two sources of one name: a timeline could not tell them apart."""


def open_reels(footage: Sequence[Footage]) -> list[Reel]:
    """What can be cut; footage without a single whole frame is left out.

    Raises FootageAmbiguous.
    """
    names = [one.name for one in footage]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise FootageAmbiguous(f"{len(names)} sources, {twice[0]!r} twice; give each its own name")
    reels = []
    for number, one in enumerate(footage):
        if one.analysis.media.width > 0 and one.analysis.media.height > 0:
            takes = _takes(one)
            if takes:
                reels.append(Reel(number, one, takes))
    return reels


def grid_of(analysis: Analysis) -> Grid:
    """Where the frames of a video begin; of a variable rate, where they would on average."""
    media = analysis.media
    rate = media.fps
    if not rate > 0:
        rate = media.frames / media.duration_seconds if media.duration_seconds > 0 else 0.0
    rate = rate if 0.5 <= rate <= 1000 else 30.0
    rate = next((known for known in RATES if abs(known / rate - 1) < NEAR), rate)
    first = analysis.shots[0] if analysis.shots else None
    return Grid(first.start_seconds - first.start_frame / rate if first else 0.0, rate)


def output_rate(reels: Sequence[Reel]) -> int:
    """24, 25 or 30 frames a second: what the longest footage is a whole multiple or part of."""
    if not reels:
        return 30
    longest = max(reels, key=lambda reel: (reel.end, -reel.number))
    rate = longest.grid.rate

    def misfit(candidate: int) -> float:
        times = max(rate / candidate, candidate / rate)
        return abs(times / round(times) - 1)

    return min((30, 25, 24), key=lambda candidate: (round(misfit(candidate), 2), -candidate))


def _takes(footage: Footage) -> tuple[Take, ...]:
    grid = grid_of(footage.analysis)
    shots = footage.analysis.shots or _one_shot(footage.analysis)
    takes = []
    for number, shot in enumerate(shots):
        start, end = _clean(footage.analysis, shot)
        start, end = grid.after(start), grid.before(end)
        if end - start > 0.5 / grid.rate:
            score = footage.scores[number] if number < len(footage.scores) else None
            takes.append(Take(number, start, end, score))
    return tuple(takes)


def _one_shot(analysis: Analysis) -> tuple[Shot, ...]:
    """Footage whose shots nobody found is one shot."""
    seconds, frames = analysis.media.duration_seconds, analysis.media.frames
    if seconds <= 0 or frames <= 0:
        return ()
    return (Shot(start_frame=0, end_frame=frames, start_seconds=0.0, end_seconds=seconds),)


def _clean(analysis: Analysis, shot: Shot) -> tuple[float, float]:
    """A shot without what fades or dissolves at its ends, if at least half of it is left."""
    frames = shot.end_frame - shot.start_frame
    seconds = shot.end_seconds - shot.start_seconds
    if frames <= 0:
        return shot.start_seconds, shot.end_seconds
    first, last = shot.start_frame, shot.end_frame
    for one in analysis.transitions:
        if one.kind == "cut" or one.end_frame <= first or one.start_frame >= last:
            continue
        if one.kind == "fade_in" or one.start_frame + one.end_frame < 2 * shot.start_frame + frames:
            first = max(first, one.end_frame)
        else:
            last = min(last, one.start_frame)
    if last - first < frames / 2:
        return shot.start_seconds, shot.end_seconds
    each = seconds / frames
    return (
        shot.start_seconds + (first - shot.start_frame) * each,
        shot.end_seconds - (shot.end_frame - last) * each,
    )
