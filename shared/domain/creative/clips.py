"""Parts made into the timeline's clips: joined, dissolved, framed, brought nearer at jump cuts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from shared.domain.creative.choice import Order, Part
from shared.domain.creative.crop_path import Framing, frame_clip
from shared.domain.creative.footage import Reel
from shared.domain.creative.shots import beats_between
from shared.timeline_models import TimelineClip, TransitionIn

# Where a part is divided for a nearer view: this near to its pace.
EARLY, LATE = 0.6, 1.8


@dataclass(frozen=True)
class Cut:
    """A clip of the timeline, and how it is framed."""

    clip: TimelineClip
    reel: Reel
    framing: Framing


@dataclass(frozen=True)
class _Range:
    part: Part
    first: int
    frames: int
    zoom: float


def joined(parts: Sequence[Part], rate: int) -> list[Part]:
    """Parts that follow one another in their source as one."""
    found: list[Part] = []
    for part in parts:
        last = found[-1] if found else None
        if last and last.reel is part.reel and abs(part.start - last.end(rate)) < 0.6 / rate:
            spoken = replace(
                last.stretch,
                end=part.stretch.end,
                spoken=last.stretch.spoken or part.stretch.spoken,
                shots=tuple(dict.fromkeys((*last.stretch.shots, *part.stretch.shots))),
                pauses=(*last.stretch.pauses, part.start, *part.stretch.pauses),
            )
            end = part.end(rate)
            frames = last.frames + part.frames
            if abs(last.start + frames / rate - end) > 0.5 / rate:
                frames = round((end - last.start) * rate)
            found[-1] = replace(last, stretch=spoken, frames=frames)
        else:
            found.append(part)
    return found


def dissolved(parts: Sequence[Part], order: Order) -> list[tuple[Part, int]]:
    """Each part with the frames over which it dissolves in; 0 is a cut, and nearly all are.

    A part that dissolves begins earlier in its source by as much, so the version keeps its length.
    """
    frames = round(order.pace.dissolve_seconds * order.rate)
    found = [(part, 0) for part in parts]
    for i in range(2, len(parts)):
        part, before = parts[i], parts[i - 1]
        start = part.reel.grid.near(part.start - frames / order.rate * part.speed)
        if (
            frames
            and found[i - 1][1] == 0
            and not part.stretch.spoken
            and not before.stretch.spoken
            and start >= part.stretch.start - 1e-6
            and min(part.frames, before.frames) >= 3 * frames
        ):
            found[i] = (replace(part, start=start, frames=part.frames + frames), frames)
    return found


def framed_clips(
    parts: Sequence[tuple[Part, int]], order: Order, aspect: float, *, silent: bool
) -> list[Cut]:
    """The clips with their crops; `silent`: what nobody speaks in gives way to music."""
    cuts = []
    for part, dissolve in parts:
        ranges = [
            view for one in _ranges(part, order, aspect) for view in _views(one, order.rate, aspect)
        ]
        for first, frames, framing in ranges:
            reason = part.why if first == 0 else "goes on"
            clip = TimelineClip(
                source=part.reel.footage.name,
                start_seconds=part.at(first, order.rate),
                end_seconds=part.at(first + frames, order.rate),
                speed=part.speed,
                fit=framing.fit,
                crop=framing.keys,
                transition=(
                    TransitionIn(kind="dissolve", seconds=dissolve / order.rate)
                    if dissolve and first == 0
                    else None
                ),
                sound=part.reel.analysis.media.has_audio and (part.stretch.spoken or not silent),
                why="; ".join(text for text in (reason, framing.why) if text),
            )
            cuts.append(Cut(clip, part.reel, framing))
    return cuts


def _views(one: _Range, rate: int, aspect: float) -> list[tuple[int, int, Framing]]:
    """(first frame, frames, framing) of a range: one view, or one a run of shots that fit alike."""
    part = one.part

    def framed(first: int, stop: int) -> Framing:
        begin, end = part.at(first, rate), part.at(stop, rate)
        return frame_clip(part.reel, begin, end, aspect=aspect, zoom=one.zoom)

    stop = one.first + one.frames
    whole = framed(one.first, stop)
    edges = [one.first, *_shot_frames(part, rate, one.first, stop), stop]
    if whole.fit == "crop" or len(edges) == 2:
        return [(one.first, one.frames, whole)]
    runs: list[list[int]] = []
    fits: list[str] = []
    for begin, end in pairwise(edges):
        fit = framed(begin, end).fit
        if fits and fits[-1] == fit:
            runs[-1][1] = end
        else:
            runs.append([begin, end])
            fits.append(fit)
    return [(begin, end - begin, framed(begin, end)) for begin, end in runs]


def _shot_frames(part: Part, rate: int, first: int, stop: int) -> list[int]:
    """The frames of a part, between two others, with which a shot of the source begins.

    Never within a word: there the view stays.
    """
    reel = part.reel
    end = part.end(rate)
    frames = {
        round((at - part.start) / part.speed * rate)
        for shot in reel.analysis.shots
        if part.start < (at := reel.grid.near(shot.start_seconds)) < end
        and not reel.inside_word(at)
    }
    return sorted(frame for frame in frames if first < frame < stop)


def starts_of(clips: Sequence[TimelineClip]) -> list[float]:
    """When each clip begins on the output's clock."""
    starts = []
    at = 0.0
    for clip in clips:
        at -= clip.transition.seconds if clip.transition else 0.0
        starts.append(round(at, 6))
        at += clip.seconds
    return starts


def _ranges(part: Part, order: Order, aspect: float) -> list[_Range]:
    """A part as it is, or every second piece of it nearer where the pacing is faster than it."""
    zoom, rate = order.pace.punch_in, order.rate
    whole = [_Range(part, 0, part.frames, 1.0)]
    pace = round(order.pace.shot_seconds * rate)
    if zoom <= 1 or part.frames < LATE * pace or part.speed != 1.0:
        return whole
    end = part.end(rate)
    if frame_clip(part.reel, part.start, end, aspect=aspect, zoom=zoom).fit != "crop":
        return whole
    shots = _shot_frames(part, rate, 0, part.frames)
    own = _dividers(part, rate)
    ranges: list[_Range] = []
    for begin, stop in pairwise([0, *shots, part.frames]):
        at, near = begin, False
        while stop - at > LATE * pace:
            able = [
                c
                for c in own
                if at + EARLY * pace <= c <= min(stop - EARLY * pace, at + LATE * pace)
            ]
            if not able:
                break
            cut = min(able, key=lambda c: (abs(c - at - pace), c))
            ranges.append(_Range(part, at, cut - at, zoom if near else 1.0))
            at, near = cut, not near
        ranges.append(_Range(part, at, stop - at, zoom if near else 1.0))
    return _merged([one for one in ranges if one.frames > 0])


def _dividers(part: Part, rate: int) -> list[int]:
    """The frames of a part at which a nearer view may begin: pauses of speech, beats, else any."""
    end = part.end(rate)
    if part.stretch.spoken:
        times = [at for at in part.stretch.pauses if part.start < at < end]
    else:
        times = beats_between(part.reel, part.start, end)
        if not times:
            return list(range(part.frames))
    frames = {round((part.reel.grid.near(at) - part.start) * rate) for at in times}
    return sorted(one for one in frames if 0 < one < part.frames)


def _merged(ranges: Sequence[_Range]) -> list[_Range]:
    """Neighbours of one view are one clip: the source's own cuts stay inside it."""
    found: list[_Range] = []
    for one in ranges:
        if found and found[-1].zoom == one.zoom:
            found[-1] = replace(found[-1], frames=found[-1].frames + one.frames)
        else:
            found.append(one)
    return found
