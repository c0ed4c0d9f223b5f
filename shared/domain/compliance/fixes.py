"""Mends a timeline for a new render: each fix is pure, and None where a render cannot mend.

A finding names its fix as `name=value`; the names are the keys of FIXES.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from pydantic import ValidationError

from shared.compliance_models import Finding
from shared.timeline_models import (
    Captions,
    CaptionWord,
    CropKey,
    EndCard,
    Logo,
    Source,
    TextOverlay,
    Timeline,
    TimelineClip,
)

MIN_CRF, MAX_CRF = 4, 40
MIN_BOX_HEIGHT = 0.04
GAP = 0.01
MIN_CLIP_SECONDS = 0.8
ROUNDING = 1e-6
LOGO_SHAPE = 1.0
Shown = TypeVar("Shown", TextOverlay, CaptionWord)


def apply_fix(timeline: Timeline, finding: Finding) -> Timeline | None:
    """The timeline that a new render mends the finding with; None where there is no such fix.

    None also where the timeline says already what the fix would make it say: rendering it again
    would give the same file.
    """
    name, _, value = finding.automatic_fix.partition("=")
    fix = FIXES.get(name)
    if fix is None:
        return None
    try:
        mended = fix(timeline, value)
        # Copies are not validated; what comes out must be a timeline like any other.
        checked = None if mended is None else Timeline.model_validate(mended.model_dump())
    except (ValidationError, ValueError):
        return None
    return None if checked == timeline else checked


def fix_size(timeline: Timeline, value: str) -> Timeline | None:
    """Another size; crops keep their middle and take the new shape."""
    width, height = (int(part) for part in value.split("x"))
    same_shape = abs(width / height / (timeline.width / timeline.height) - 1) < ROUNDING
    clips = timeline.clips
    if not same_shape:
        clips = tuple(_reshaped(clip, timeline, width / height) for clip in clips)
    return timeline.model_copy(update={"width": width, "height": height, "clips": clips})


def _reshaped(clip: TimelineClip, timeline: Timeline, ratio: float) -> TimelineClip:
    if clip.source is None or not clip.crop:
        return clip
    source = timeline.sources[clip.source]
    keys = tuple(_crop_to(key, source, ratio) for key in clip.crop)
    return clip.model_copy(update={"crop": keys})


def _crop_to(key: CropKey, source: Source, ratio: float) -> CropKey:
    """The largest rectangle of a shape around the middle of a key, no larger than its area."""
    pixels = key.width * source.width * key.height * source.height
    width = min(source.width, (pixels * ratio) ** 0.5)
    height = width / ratio
    if height > source.height:
        width, height = source.height * ratio, float(source.height)
    wide, high = width / source.width, height / source.height
    middle, centre = key.left + key.width / 2, key.top + key.height / 2
    return key.model_copy(
        update={
            "width": min(1.0, wide),
            "height": min(1.0, high),
            "left": min(max(0.0, middle - wide / 2), max(0.0, 1 - wide)),
            "top": min(max(0.0, centre - high / 2), max(0.0, 1 - high)),
        }
    )


def fix_length(timeline: Timeline, value: str) -> Timeline | None:
    """Shorter by whole clips from the end, the first and the end card kept; None when too few."""
    most = float(value)
    clips = list(timeline.clips)
    while len(clips) > 1 and _with_clips(timeline, clips).seconds > most + ROUNDING:
        clips.pop()
    shorter = _with_clips(timeline, clips)
    if shorter.seconds > most + ROUNDING:
        return None
    return _ending_at(shorter, timeline)


def _with_clips(timeline: Timeline, clips: list[TimelineClip]) -> Timeline:
    return timeline.model_copy(update={"clips": tuple(clips)})


def _body_seconds(timeline: Timeline) -> float:
    return timeline.seconds - (timeline.end_card.seconds if timeline.end_card else 0.0)


def _ending_at(shorter: Timeline, before: Timeline) -> Timeline:
    """Overlays, captions and logo of `before` within the new end; a late call comes earlier."""
    end, old_end = _body_seconds(shorter), _body_seconds(before)
    overlays = []
    for one in before.overlays:
        moved = one
        if one.role == "cta" and one.end_seconds > end:
            long = min(one.end_seconds - one.start_seconds, end)
            later = min(one.end_seconds, old_end) - old_end
            stop = max(long, end + later)
            moved = one.model_copy(update={"start_seconds": stop - long, "end_seconds": stop})
        if (cut := _until(moved, end)) is not None:
            overlays.append(cut)
    words = tuple(
        word.model_copy(update={"end_seconds": min(word.end_seconds, end)})
        for word in (before.captions.words if before.captions else ())
        if word.start_seconds < end
    )
    captions = before.captions
    if captions:
        captions = captions.model_copy(update={"words": words}) if words else None
    logo = before.logo
    if logo:
        stop = min(logo.end_seconds, shorter.seconds)
        logo = logo.model_copy(update={"end_seconds": stop}) if logo.start_seconds < stop else None
    return shorter.model_copy(
        update={
            "overlays": tuple(overlays),
            "captions": captions,
            "logo": logo,
        }
    )


def _until(one: TextOverlay, end: float) -> TextOverlay | None:
    """An overlay cut off at `end`; None when nothing of it is left."""
    if one.start_seconds >= end - ROUNDING:
        return None
    return one.model_copy(update={"end_seconds": min(one.end_seconds, end)})


def fix_loudness(timeline: Timeline, value: str) -> Timeline | None:
    """Another loudness to aim at."""
    sound = timeline.sound.model_copy(update={"loudness_lufs": float(value)})
    return timeline.model_copy(update={"sound": sound})


def fix_true_peak(timeline: Timeline, value: str) -> Timeline | None:
    """A lower ceiling for peaks; never a higher one."""
    peak = min(timeline.sound.true_peak_db, float(value))
    return timeline.model_copy(
        update={"sound": timeline.sound.model_copy(update={"true_peak_db": peak})}
    )


def fix_frame_rate(timeline: Timeline, value: str) -> Timeline | None:
    """Another frame rate."""
    return timeline.model_copy(update={"fps": int(value)})


def fix_crf(timeline: Timeline, value: str) -> Timeline | None:
    """Finer (-) or coarser (+) by so many steps of crf; None at the end of the scale."""
    now = timeline.encoding.crf
    crf = min(MAX_CRF, max(MIN_CRF, now + int(value)))
    if (crf - now) * int(value) <= 0:
        return None
    return timeline.model_copy(
        update={"encoding": timeline.encoding.model_copy(update={"crf": crf})}
    )


def fix_video_kbps(timeline: Timeline, value: str) -> Timeline | None:
    """A steady rate of at least so many bits for the pictures."""
    kbps = max(timeline.encoding.video_kbps or 0, int(value))
    return timeline.model_copy(
        update={"encoding": timeline.encoding.model_copy(update={"video_kbps": kbps})}
    )


def fix_audio_kbps(timeline: Timeline, value: str) -> Timeline | None:
    """At least so many bits for the sound."""
    kbps = max(timeline.encoding.audio_kbps, int(value))
    return timeline.model_copy(
        update={"encoding": timeline.encoding.model_copy(update={"audio_kbps": kbps})}
    )


def fix_fit(timeline: Timeline, value: str) -> Timeline | None:
    """What was padded with bars is filled instead: `blur` or `crop`."""
    clips = tuple(
        clip.model_copy(update={"fit": value}) if clip.fit == "pad" else clip
        for clip in timeline.clips
    )
    return timeline.model_copy(update={"clips": clips})


def fix_trim_start(timeline: Timeline, value: str) -> Timeline | None:
    """Begins later in the first clip; everything else comes earlier by as much."""
    away = float(value)
    first = timeline.clips[0]
    following = timeline.clips[1].transition if len(timeline.clips) > 1 else None
    left = first.seconds - away
    if away <= 0 or left < max(MIN_CLIP_SECONDS, 2 * following.seconds if following else 0.0):
        return None
    start = first.start_seconds + away * first.speed
    clips = (first.model_copy(update={"start_seconds": start}), *timeline.clips[1:])
    return _earlier(timeline.model_copy(update={"clips": clips}), away)


def _earlier(timeline: Timeline, by: float) -> Timeline:
    overlays = tuple(_moved(one, by) for one in timeline.overlays if one.end_seconds > by)
    captions = timeline.captions
    if captions:
        words = tuple(_moved(word, by) for word in captions.words if word.end_seconds > by)
        captions = captions.model_copy(update={"words": words}) if words else None
    logo = timeline.logo
    if logo:
        shown = {
            "start_seconds": max(0.0, logo.start_seconds - by),
            "end_seconds": max(MIN_CLIP_SECONDS, logo.end_seconds - by),
        }
        logo = logo.model_copy(update=shown)
    return timeline.model_copy(update={"overlays": overlays, "captions": captions, "logo": logo})


def _moved(shown: Shown, by: float) -> Shown:
    """The same words so much earlier, what lay before the beginning cut off."""
    times = {
        "start_seconds": max(0.0, shown.start_seconds - by),
        "end_seconds": shown.end_seconds - by,
    }
    return shown.model_copy(update=times)


def fix_end_card(timeline: Timeline, value: str) -> Timeline | None:
    """An end card with the words of the call that is shown; None when there is no call."""
    if timeline.end_card is not None:
        return None
    call = next((one for one in reversed(timeline.overlays) if one.role == "cta"), None)
    if call is None:
        return None
    headline = next((one.text for one in timeline.overlays if one.role == "headline"), "")
    color = call.background or "#111111"
    return timeline.model_copy(
        update={"end_card": EndCard(cta=call.text, headline=headline, background=color)}
    )


class Rect(NamedTuple):
    """A rectangle in fractions of the picture, and when it is shown."""

    left: float
    top: float
    width: float
    height: float
    start_seconds: float
    end_seconds: float

    def meets(self, other: "Rect") -> bool:
        """Whether the two are there at one moment and have a point in common."""
        across = self.left < other.left + other.width and other.left < self.left + self.width
        down = self.top < other.top + other.height and other.top < self.top + self.height
        when = self.start_seconds < other.end_seconds and other.start_seconds < self.end_seconds
        return across and down and when


def fix_safe_zone(timeline: Timeline, value: str) -> Timeline | None:
    """Overlays, captions and logo within the safe rectangle, none over another."""
    top, bottom, left, right = (float(part) for part in value.split(","))
    safe = Rect(left, top, 1 - left - right, 1 - top - bottom, 0.0, 0.0)
    if safe.width <= 0 or safe.height <= 0:
        return None
    placed: list[Rect] = []
    overlays: dict[int, TextOverlay] = {}
    captions = timeline.captions
    if captions:
        # Captions keep their place as well as they can; overlays make way for them.
        placed.append(_within(_rect_of_captions(captions), safe))
        captions = captions.model_copy(update=_place(placed[0]))
    order = sorted(enumerate(timeline.overlays), key=lambda pair: pair[1].top)
    for index, one in order:
        rect = _free(_within(_rect_of(one), safe), placed, safe)
        placed.append(rect)
        overlays[index] = one.model_copy(update=_place(rect))
    logo = _logo_within(timeline.logo, safe, timeline) if timeline.logo else None
    moved = tuple(overlays[index] for index in range(len(timeline.overlays)))
    return timeline.model_copy(update={"overlays": moved, "captions": captions, "logo": logo})


def _rect_of(one: TextOverlay) -> Rect:
    return Rect(one.left, one.top, one.width, one.height, one.start_seconds, one.end_seconds)


def _rect_of_captions(captions: Captions) -> Rect:
    first, last = captions.words[0], captions.words[-1]
    place = (captions.left, captions.top, captions.width, captions.height)
    return Rect(*place, first.start_seconds, last.end_seconds)


def _place(rect: Rect) -> dict[str, float]:
    return {"left": rect.left, "top": rect.top, "width": rect.width, "height": rect.height}


def _within(rect: Rect, safe: Rect) -> Rect:
    """Moved by as little as can be, and smaller only when it does not fit."""
    width, height = min(rect.width, safe.width), min(rect.height, safe.height)
    left = min(max(rect.left, safe.left), safe.left + safe.width - width)
    top = min(max(rect.top, safe.top), safe.top + safe.height - height)
    return rect._replace(left=left, top=top, width=width, height=height)


def _free(rect: Rect, placed: list[Rect], safe: Rect) -> Rect:
    """The nearest place up or down where nothing else is at the time; lower when none is left."""
    others = [
        other for other in placed if other._replace(left=0, width=1, top=0, height=1).meets(rect)
    ]
    height = rect.height
    while height >= MIN_BOX_HEIGHT:
        sized = _within(rect._replace(height=height), safe)
        tops = [sized.top]
        tops += [other.top + other.height + GAP for other in others]
        tops += [other.top - GAP - height for other in others]
        fitting = [
            sized._replace(top=at)
            for at in sorted(tops, key=lambda at: abs(at - rect.top))
            if safe.top - ROUNDING <= at <= safe.top + safe.height - height + ROUNDING
        ]
        for candidate in fitting:
            if not any(candidate.meets(other) for other in others):
                return candidate
        height *= 0.8
    return rect


def _logo_within(logo: Logo, safe: Rect, timeline: Timeline) -> Logo:
    """A logo moved inside; its height is not known, so that of a square is taken."""
    high = logo.width * timeline.width / timeline.height * LOGO_SHAPE
    rect = Rect(logo.left, logo.top, logo.width, high, logo.start_seconds, logo.end_seconds)
    inside = _within(rect, safe)
    width = min(inside.width, inside.height * timeline.height / timeline.width / LOGO_SHAPE)
    return logo.model_copy(update={"left": inside.left, "top": inside.top, "width": width})


FIXES: dict[str, Callable[[Timeline, str], Timeline | None]] = {
    "size": fix_size,
    "length": fix_length,
    "loudness": fix_loudness,
    "true_peak": fix_true_peak,
    "frame_rate": fix_frame_rate,
    "crf": fix_crf,
    "video_kbps": fix_video_kbps,
    "audio_kbps": fix_audio_kbps,
    "fit": fix_fit,
    "trim_start": fix_trim_start,
    "end_card": fix_end_card,
    "safe_zone": fix_safe_zone,
}
