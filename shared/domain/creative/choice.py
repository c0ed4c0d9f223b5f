"""Which parts of the footage a version shows, and how long each: exact to the output's frame."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from shared.domain.creative.footage import Reel
from shared.domain.creative.pace import Editing, Pace, share_out
from shared.domain.creative.shots import (
    Interest,
    Stretch,
    beats_between,
    pick_closing,
    pick_hook,
)

# What is said counts beside how it looks; sentences that follow one another make more sense.
VOICE_VALUE, FOLLOWING_VALUE = 0.35, 0.25
MOST_HOOK_SHARE, MOST_CLOSING_SHARE = 0.7, 0.4
LEAST_HOOK_SECONDS = 1.5
WHOLE_SHOT_SECONDS = 0.4
LONGEST_SILENCE_SECONDS = 0.7
BEAT_REACH = 0.35
# A picture that goes on after so short a gap seems to stumble.
JUMP_SECONDS = 0.25


@dataclass(frozen=True)
class Part:
    """A stretch's range in the version: `frames` of the output from `start` of the source."""

    stretch: Stretch
    start: float
    frames: int
    why: str
    speed: float = 1.0

    def at(self, frame: int, rate: int) -> float:
        """Which moment of the source a frame of it shows."""
        return round(self.start + frame / rate * self.speed, 6)

    def end(self, rate: int) -> float:
        """Where in the source it ends."""
        return self.at(self.frames, rate)

    @property
    def reel(self) -> Reel:
        """What it is cut from."""
        return self.stretch.reel


@dataclass(frozen=True)
class Order:
    """What is asked for."""

    frames: int
    rate: int
    pace: Pace
    rules: Editing
    music_beats: tuple[float, ...] = ()
    """On the output's clock."""


def choose_parts(
    stretches: Sequence[Stretch], interests: Sequence[Interest], order: Order
) -> tuple[list[Part], list[str]]:
    """The version's parts in its order, together at most `order.frames`, and what to say of them.

    The hook comes first, all others in the story's order up to the closing, if there is enough.
    """
    notes: list[str] = []
    hook = _hook(stretches, interests, order)
    others = [one for one in stretches if one is not hook.stretch]
    closing = _closing(others, interests, order, hook)
    if closing:
        others = _up_to(closing, others, order, hook)
    left = order.frames - hook.frames
    fixed = [hook]
    if closing and closing.spoken:
        fixed.append(_spoken_part(closing, order, "the last moment asks to act"))
        left -= fixed[-1].frames
    spoken = [one for one in others if one.spoken and one is not closing]
    reserve = _least(order) if closing and not closing.spoken else 0
    said = [
        _spoken_part(spoken[i], order, "said whole")
        for i in _best_set(spoken, left - reserve, order)
    ]
    said = _bridged(said, order)
    left -= sum(part.frames for part in said)
    pauses = [part.stretch for part in said if part.why == "a breath"]
    others = [one for one in others if not any(_within(one, pause) for pause in pauses)]
    free = _free_candidates(others, [*fixed, *said], order)
    shown = _fill(free, closing, left, order)
    left -= sum(frames for _, frames in shown)
    if left > 0:
        more, used_again = _again(hook, free, shown, left, order)
        shown += more
        if used_again:
            # What is left of its shot is taken: the hook stays where it is.
            end = hook.end(order.rate)
            hook = replace(hook, stretch=replace(hook.stretch, start=hook.start, end=end))
            notes.append("there are too few shots: another part of a shot that was shown is shown")
    story = [*said, *fixed[1:], *_windows(shown, interests, order)]
    story.sort(key=lambda part: (part.reel.number, part.start))
    return _without_jumps(_on_beats(hook, story, order), order), notes


def whole_parts(
    stretches: Sequence[Stretch], interests: Sequence[Interest], order: Order
) -> list[Part]:
    """All there is, in the story's order; a hook clearly stronger than the opening comes first."""
    parts = [
        Part(one, one.start, frames, "the story goes on")
        for one in stretches
        if (frames := _room(one, order)) > 0
    ]
    if len({(part.reel.number, part.stretch.shots) for part in parts}) < 2:
        return parts
    hook, _ = pick_hook([part.stretch for part in parts], interests, WHOLE_SHOT_SECONDS)
    by_reel = {interest.reel.number: interest for interest in interests}
    opening = parts[0].stretch
    value = by_reel[hook.reel.number].hook(hook.start, hook.end)
    if value > 1.25 * by_reel[opening.reel.number].hook(opening.start, opening.end):
        parts.sort(key=lambda part: (part.stretch is not hook, part.stretch.place))
        parts[0] = replace(parts[0], why="the hook: the strongest beginning")
    return parts


def _hook(stretches: Sequence[Stretch], interests: Sequence[Interest], order: Order) -> Part:
    most = MOST_HOOK_SHARE * order.frames
    able = [one for one in stretches if not one.spoken or _room(one, order) <= most]
    begun = [one for one in able if one.whole and one.seconds >= LEAST_HOOK_SECONDS]
    stretch, place = pick_hook(begun or able or stretches, interests, LEAST_HOOK_SECONDS)
    if stretch.spoken:
        return Part(stretch, stretch.start, _room(stretch, order), "the hook: the strongest words")
    seconds = min(max(order.pace.shot_seconds, LEAST_HOOK_SECONDS), order.rules.hook_seconds)
    frames = min(_room(stretch, order), round(seconds * order.rate), order.frames)
    place = max(
        stretch.start, min(place, stretch.reel.grid.before(stretch.end - frames / order.rate))
    )
    return Part(stretch, place, frames, "the hook: the strongest beginning")


def _closing(
    others: Sequence[Stretch], interests: Sequence[Interest], order: Order, hook: Part
) -> Stretch | None:
    able = [
        one
        for one in others
        if (
            not one.spoken
            and one.seconds >= order.pace.shortest_seconds
            and one.shots != hook.stretch.shots
        )
        or (one.spoken and _room(one, order) <= MOST_CLOSING_SHARE * (order.frames - hook.frames))
    ]
    return pick_closing(able, interests)


def _up_to(closing: Stretch, others: Sequence[Stretch], order: Order, hook: Part) -> list[Stretch]:
    """Without what comes after the closing, if there is enough before it."""
    before = [one for one in others if one.place <= closing.place]
    enough = sum(_room(one, order) for one in before) >= 1.2 * (order.frames - hook.frames)
    return before if enough else list(others)


def _room(stretch: Stretch, order: Order) -> int:
    """Whole frames of the output that a stretch has; what is said is never cut short."""
    frames = stretch.seconds * order.rate
    return math.ceil(frames - 0.5) if stretch.spoken else math.floor(frames + 0.01)


def _least(order: Order) -> int:
    return round(order.pace.shortest_seconds * order.rate)


def _spoken_part(stretch: Stretch, order: Order, why: str) -> Part:
    return Part(stretch, stretch.start, _room(stretch, order), why)


def _best_set(spoken: Sequence[Stretch], capacity: int, order: Order) -> list[int]:
    """The sentences of most value that fit together; the earlier ones among equals."""
    if capacity <= 0:
        return []
    skipped = np.zeros(capacity + 1)
    taken = np.full(capacity + 1, -np.inf)
    came: list[tuple[NDArray[np.bool_], NDArray[np.bool_], int, int]] = []
    for i, one in enumerate(spoken):
        frames = max(1, _room(one, order))
        value = frames * (VOICE_VALUE + one.score)
        silence = _silence(spoken[i - 1], one, order) if i else None
        alone = _moved_up(skipped, frames, value)
        after = _moved_up(taken, frames + (silence or 0), value)
        if silence is not None:
            after = after + FOLLOWING_VALUE * frames + silence * (VOICE_VALUE + one.score)
        came.append((after > alone, taken > skipped, frames, silence or 0))
        skipped, taken = np.maximum(skipped, taken), np.maximum(alone, after)
    chosen = []
    left = int(np.argmax(np.round(np.maximum(skipped, taken), 6)))
    here = bool(taken[left] > skipped[left])
    for i in range(len(spoken) - 1, -1, -1):
        after_last, last_better, frames, pause = came[i]
        if here:
            chosen.append(i)
            here = bool(after_last[left])
            left -= frames + (pause if here else 0)
        else:
            here = bool(last_better[left])
    return chosen[::-1]


def _moved_up(values: NDArray[np.float64], frames: int, value: float) -> NDArray[np.float64]:
    """What can be had with so many frames more."""
    found = np.full(len(values), -np.inf)
    if frames < len(values):
        found[frames:] = values[: len(values) - frames] + value
    return found


def _within(one: Stretch, other: Stretch) -> bool:
    return one.reel is other.reel and one.start < other.end and one.end > other.start


def _silence(one: Stretch, other: Stretch, order: Order) -> int | None:
    """The frames between two sentences that follow one another; None: they are told apart."""
    pause = other.start - one.end
    if one.reel is not other.reel or not -1e-6 <= pause < LONGEST_SILENCE_SECONDS:
        return None
    return round(pause * order.rate)


def _bridged(said: Sequence[Part], order: Order) -> list[Part]:
    """Sentences that follow one another with the silence between them: nothing jumps there."""
    found: list[Part] = []
    for part in said:
        silence = _silence(found[-1].stretch, part.stretch, order) if found else None
        if silence:
            before = found[-1]
            pause = replace(
                before.stretch, start=before.stretch.end, end=part.stretch.start, spoken=True
            )
            found.append(Part(pause, pause.start, silence, "a breath"))
        found.append(part)
    return found


def _free_candidates(
    others: Sequence[Stretch], used: Sequence[Part], order: Order
) -> list[Stretch]:
    """Free stretches worth showing, one a shot, the strongest first; fresh shots before others."""
    shown = {(part.reel.number, shot) for part in used for shot in part.stretch.shots}
    best: dict[tuple[int, int], Stretch] = {}
    for one in others:
        if one.spoken:
            continue
        take = next(take for take in one.reel.takes if take.shot == one.shots[0])
        whole = take.end - take.start - one.seconds < 1e-3
        least = WHOLE_SHOT_SECONDS if whole else order.pace.shortest_seconds
        key = (one.reel.number, one.shots[0])
        if one.seconds >= least and (key not in best or one.seconds > best[key].seconds):
            best[key] = one
    return sorted(
        best.values(),
        key=lambda one: ((one.reel.number, one.shots[0]) in shown, -one.score, one.place),
    )


def _fill(
    free: Sequence[Stretch], closing: Stretch | None, frames: int, order: Order
) -> list[tuple[Stretch, int]]:
    """So many free stretches that each lasts about as long as the pacing asks, and their frames."""
    must = [closing] if closing is not None and not closing.spoken else []
    rest = [one for one in free if one is not closing]
    least = _least(order)
    if frames < min(least, WHOLE_SHOT_SECONDS * order.rate):
        return []
    count = max(1, round(frames / (order.pace.shot_seconds * order.rate)))
    while True:
        chosen = [*must, *rest][:count]
        if count >= len(must) + len(rest) or sum(_room(o, order) for o in chosen) >= frames:
            break
        count += 1
    given = share_out(frames, [_room(one, order) for one in chosen])
    return [(one, got) for one, got in zip(chosen, given, strict=True) if got > 0]


def _again(
    hook: Part,
    free: Sequence[Stretch],
    shown: Sequence[tuple[Stretch, int]],
    frames: int,
    order: Order,
) -> tuple[list[tuple[Stretch, int]], bool]:
    """What the hook left of its own shot, where nothing else is left to show."""
    if hook.stretch.spoken:
        return [], False
    whole, end = hook.stretch, hook.end(order.rate)
    rests = [
        replace(whole, start=whole.start, end=whole.reel.grid.before(hook.start)),
        replace(whole, start=whole.reel.grid.after(end), end=whole.end),
    ]
    rests = [one for one in rests if one.seconds >= WHOLE_SHOT_SECONDS]
    rests.sort(key=lambda one: -one.seconds)
    given = share_out(frames, [_room(one, order) for one in rests]) if rests else []
    found = [(one, got) for one, got in zip(rests, given, strict=True) if got > 0]
    return found, bool(found)


def _windows(
    shown: Sequence[tuple[Stretch, int]], interests: Sequence[Interest], order: Order
) -> list[Part]:
    by_reel = {interest.reel.number: interest for interest in interests}
    parts = []
    for one, frames in shown:
        seconds = frames / order.rate
        start = by_reel[one.reel.number].best_start(one.start, one.end, seconds)
        start = max(
            one.start, min(one.reel.grid.before(start), one.reel.grid.before(one.end - seconds))
        )
        parts.append(Part(one, start, frames, "its strongest part"))
    return parts


def _on_beats(hook: Part, story: Sequence[Part], order: Order) -> list[Part]:
    """The same parts with free cuts moved to beats; together they stay as long."""
    parts = [hook, *story]
    total = sum(part.frames for part in parts)
    flexible = [i for i, part in enumerate(parts) if not part.stretch.spoken]
    done, owed = 0, 0
    for i, part in enumerate(parts):
        if i in flexible:
            last = i == flexible[-1]
            moved = _moved(part, part.frames + owed, done, order, exact=last)
            owed += part.frames - moved.frames
            parts[i] = moved
        done += parts[i].frames
    return _made_up(parts, total, order)


def _moved(part: Part, frames: int, done: int, order: Order, *, exact: bool) -> Part:
    """A free part that ends on a beat near its length, and begins on one where there is room."""
    stretch, rate = part.stretch, order.rate
    own = beats_between(part.reel, stretch.start, stretch.end)
    start = part.start
    if own and not order.music_beats:
        near = min(own, key=lambda beat: (abs(beat - start), beat))
        if abs(near - start) <= BEAT_REACH * frames / rate:
            start = max(stretch.start, part.reel.grid.near(near))
    room = math.floor((stretch.end - start) * rate + 0.01)
    if not exact:
        if order.music_beats:
            ends = [round(beat * rate) - done for beat in order.music_beats]
        else:
            ends = [round((beat - start) * rate) for beat in own]
        least = max(1, round((1 - BEAT_REACH) * frames))
        ends = [end for end in ends if least <= end <= min(room, (1 + BEAT_REACH) * frames)]
        frames = min(ends, key=lambda end: (abs(end - frames), end), default=frames)
    if frames > room:
        start = max(stretch.start, part.reel.grid.before(stretch.end - frames / rate))
        room = math.floor((stretch.end - start) * rate + 0.01)
    return replace(part, start=start, frames=max(1, min(frames, room)))


def _without_jumps(parts: Sequence[Part], order: Order) -> list[Part]:
    """Free parts that would leave out a moment of a shot go on where the one before ended."""
    found = list(parts[:1])
    for part in parts[1:]:
        at = found[-1].end(order.rate)
        follows = part.reel is found[-1].reel and 0 < part.start - at < JUMP_SECONDS
        # Speech that ends in a dissolve has shown its beginning: the rest of it follows.
        whole = found[-1].stretch.spoken or part.stretch.start <= at + 1e-6
        free = follows and whole and not part.stretch.spoken
        found.append(replace(part, start=part.reel.grid.near(at)) if free else part)
    return found


def _made_up(parts: list[Part], total: int, order: Order) -> list[Part]:
    """Frames that beats took from the version go to parts that have room, last ones first."""
    missing = total - sum(part.frames for part in parts)
    for i in range(len(parts) - 1, -1, -1):
        part = parts[i]
        if missing == 0:
            break
        if part.stretch.spoken:
            continue
        room = math.floor((part.stretch.end - part.stretch.start) * order.rate + 0.01)
        frames = max(1, min(room, part.frames + missing))
        latest = part.reel.grid.before(part.stretch.end - frames / order.rate)
        start = max(part.stretch.start, min(part.start, latest))
        missing -= frames - part.frames
        parts[i] = replace(part, start=start, frames=frames)
    return parts
