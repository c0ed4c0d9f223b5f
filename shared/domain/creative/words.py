"""What is said: where it may be cut, and the captions of what is kept."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from shared.domain.creative.footage import MOST_INSIDE_SECONDS, Grid, Reel
from shared.inference_models import TextLine, Word
from shared.timeline_models import CaptionWord, TimelineClip

SENTENCE_END = re.compile(r"[.!?…。！？؟।][\"'”’»)\]]*$")
LEAD_SECONDS, TAIL_SECONDS = 0.08, 0.2
MAX_WORD_CHARACTERS = 100
# Times of given captions may be off: what counts is that the words are shown around then.
BURNED_IN_SHARE, APART_SECONDS = 0.5, 1.5
MOST_COMPARED = 200
_LETTERS = re.compile(r"\w+")


@dataclass(frozen=True)
class Breath:
    """A stretch of speech that is kept whole, and how far its cut may lie from it."""

    start: float
    end: float
    earliest: float
    latest: float
    pauses: tuple[tuple[float, float], ...] = ()
    """Where it can be divided: silences within, (from, to)."""
    whole: bool = True
    """False: a part of something longer than the version."""

    @property
    def seconds(self) -> float:
        """How long somebody speaks."""
        return self.end - self.start


def breaths_of(reel: Reel, pause_seconds: float) -> list[Breath]:
    """Sentences, where the words are known; else the stretches of speech that were heard."""
    words = reel.words
    if words is not None:
        said = _sentences(words, pause_seconds)
        return _with_limits([(a, b, _on_frames(gaps, reel.grid)) for a, b, gaps in said])
    onsets = reel.analysis.audio.onsets_seconds
    spans = _joined(
        (one.start_seconds, one.end_seconds)
        for one in reel.analysis.audio.speech
        if one.end_seconds > one.start_seconds
    )
    return _with_limits([(a, b, _quiet(onsets, a, b)) for a, b in spans])


def divide(breath: Breath, most_seconds: float) -> list[Breath]:
    """Parts of at most so long, cut at the widest pauses; a part without any stays too long."""
    if breath.seconds <= most_seconds or not breath.pauses:
        return [breath]
    pause = max(
        breath.pauses,
        key=lambda p: (round(p[1] - p[0], 3), -abs(p[0] + p[1] - breath.start - breath.end)),
    )
    before = tuple(p for p in breath.pauses if p[1] <= pause[0])
    after = tuple(p for p in breath.pauses if p[0] >= pause[1] and p != pause)
    first = Breath(breath.start, pause[0], breath.earliest, pause[1], before, whole=False)
    second = Breath(pause[1], breath.end, pause[0], breath.latest, after, whole=False)
    return [*divide(first, most_seconds), *divide(second, most_seconds)]


def cut_around(breath: Breath, grid: Grid) -> tuple[float, float] | None:
    """From which frame to which a breath is kept, with a little air; None: no frame fits."""
    inside = min(MOST_INSIDE_SECONDS, 0.5 / grid.rate)
    # Two breaths share the silence between them: neither goes beyond its middle, unless only
    # there is a frame.
    start = grid.after(max(breath.start - LEAD_SECONDS, (breath.earliest + breath.start) / 2))
    if start > breath.start + 1e-6:
        start = grid.before(breath.start)
        if start < breath.earliest - 1e-6:
            start = grid.near(breath.start)
    end = grid.before(min(breath.end + TAIL_SECONDS, (breath.end + breath.latest) / 2))
    if end < breath.end - 1e-6:
        end = grid.after(breath.end)
        if end > breath.latest + 1e-6:
            end = grid.near(breath.end)
    inside += 1e-6
    fits = start <= breath.start + inside and start >= breath.earliest - inside
    fits = fits and breath.end - inside <= end <= breath.latest + inside
    return (start, end) if fits and end > start else None


def caption_words(
    clips: Sequence[TimelineClip], starts: Sequence[float], words: Mapping[str, Sequence[Word]]
) -> list[CaptionWord]:
    """The words wholly inside the clips that are heard, on the output's clock."""
    kept = []
    for clip, begins in zip(clips, starts, strict=True):
        if clip.source is None or not clip.sound:
            continue
        for word in words.get(clip.source, ()):
            if word.start_seconds >= clip.end_seconds:
                break
            begin, end = word.start_seconds - clip.start_seconds, word.end_seconds
            if begin < -MOST_INSIDE_SECONDS or end > clip.end_seconds + MOST_INSIDE_SECONDS:
                continue
            kept.append(
                CaptionWord(
                    text=_shortened(word.word.strip()),
                    start_seconds=round(begins + max(0.0, begin) / clip.speed, 3),
                    end_seconds=round(
                        begins + (min(end, clip.end_seconds) - clip.start_seconds) / clip.speed, 3
                    ),
                )
            )
    return sorted(kept, key=lambda word: (word.start_seconds, word.end_seconds))


def burned_in(words: Sequence[Word], lines: Sequence[TextLine]) -> bool:
    """Whether the pictures already show what is said: most words are written when they are said."""
    if not words or not lines:
        return False
    words = words[:MOST_COMPARED]
    written = [
        (
            one.start_seconds - APART_SECONDS,
            one.end_seconds + APART_SECONDS,
            set(_LETTERS.findall(one.text.lower())),
        )
        for one in lines
    ]
    shown = sum(
        any(
            begin <= word.start_seconds <= end and not letters.isdisjoint(seen)
            for begin, end, seen in written
        )
        for word in words
        if (letters := set(_LETTERS.findall(word.word.lower())))
    )
    return shown >= BURNED_IN_SHARE * len(words)


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_WORD_CHARACTERS else text[: MAX_WORD_CHARACTERS - 1] + "…"


Span = tuple[float, float, tuple[tuple[float, float], ...]]


def _sentences(words: Sequence[Word], pause_seconds: float) -> list[Span]:
    """Runs of words up to a full stop or a pause, each with the gaps between its words."""
    spans: list[list[tuple[float, float]]] = []
    open_ended = False
    for word in words:
        piece = (word.start_seconds, word.end_seconds)
        last = max((end for _, end in spans[-1]), default=0.0) if spans else 0.0
        overlaps = bool(spans) and piece[0] < last - 1e-6
        if overlaps or (open_ended and piece[0] - last < pause_seconds):
            spans[-1].append(piece)
        else:
            spans.append([piece])
        open_ended = not SENTENCE_END.search(word.word.strip())
    return [(run[0][0], max(end for _, end in run), _gaps(run)) for run in spans]


def _on_frames(gaps: Sequence[tuple[float, float]], grid: Grid) -> tuple[tuple[float, float], ...]:
    """The pauses in which a frame begins."""
    inside = min(MOST_INSIDE_SECONDS, 0.5 / grid.rate) - 1e-6
    return tuple(
        (a, b)
        for a, b in gaps
        if a - inside <= grid.near((a + b) / 2) <= b + inside or grid.after(a) <= b
    )


def _gaps(pieces: Sequence[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """The silences between pieces that follow one another, of no length where they touch."""
    gaps, last = [], pieces[0][1]
    for start, end in pieces[1:]:
        if start >= last - 1e-6:
            gaps.append((last, max(last, start)))
        last = max(last, end)
    return tuple(gaps)


def _joined(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def _quiet(onsets: Sequence[float], start: float, end: float) -> tuple[tuple[float, float], ...]:
    """Where speech of unknown words is likeliest to pause: the moment before its onsets."""
    inner = [one for one in onsets if start + 0.3 < one < end - 0.3]
    return tuple((b - min(0.12, (b - a) / 3), b) for a, b in pairwise([start, *inner]))


def _with_limits(spans: Sequence[Span]) -> list[Breath]:
    """Each span with the end of the one before and the start of the one after."""
    breaths = []
    for i, (start, end, pauses) in enumerate(spans):
        earliest = spans[i - 1][1] if i else 0.0
        latest = spans[i + 1][0] if i + 1 < len(spans) else math.inf
        breaths.append(Breath(start, end, min(earliest, start), max(latest, end), pauses))
    return breaths
