"""Whether picture and sound fall together: beats and onsets on cuts and motion peaks."""

from collections.abc import Sequence

from shared.models import Sync

TOLERANCE_SECONDS = 0.08
# Times are rounded to a tenth of a millisecond; 80 ms between them are 80 ms.
ROUNDING_SECONDS = 1e-6


def match_sync(
    beats: Sequence[float],
    onsets: Sequence[float],
    cuts: Sequence[float],
    peaks: Sequence[float],
    span_seconds: tuple[float, float],
) -> Sync:
    """Sync of sound and picture events, all in seconds, within `span_seconds` of video.

    `sync_quality` is the share of cuts (of motion peaks when there is no cut) on a beat (on an
    onset when there is no beat), rescaled so that what chance would give is 0 and all is 1; None
    when there is nothing to compare.
    """
    seen = sorted({*cuts, *peaks})
    pairs = pair_events(seen, sorted({*beats, *onsets}))
    on_beat = pair_events(seen, sorted(beats))
    return Sync(
        sync_points=tuple(round(at, 4) for at, _ in pairs),
        sync_quality=quality_against_chance(cuts or peaks, beats or onsets, span_seconds),
        beat_matches=len(on_beat),
    )


def pair_events(seen: Sequence[float], heard: Sequence[float]) -> list[tuple[float, float]]:
    """Pairs (seen, heard) at most 80 ms apart, each event used once; both sorted.

    Taking the earliest that fits, in order, gives the largest number of pairs.
    """
    pairs = []
    i = j = 0
    while i < len(seen) and j < len(heard):
        apart = heard[j] - seen[i]
        if is_together(apart):
            pairs.append((seen[i], heard[j]))
            i, j = i + 1, j + 1
        elif apart < 0:
            j += 1
        else:
            i += 1
    return pairs


def is_together(apart_seconds: float) -> bool:
    """Whether two events so far apart count as one: at most 80 ms."""
    return abs(apart_seconds) <= TOLERANCE_SECONDS + ROUNDING_SECONDS


def quality_against_chance(
    seen: Sequence[float], heard: Sequence[float], span_seconds: tuple[float, float]
) -> float | None:
    """(p - c) / (1 - c), at least 0: p the share of `seen` on `heard`, c the time near `heard`."""
    if not seen or not heard:
        return None
    hits = sum(any(is_together(h - s) for h in heard) for s in seen)
    chance = covered_share(heard, span_seconds)
    if chance >= 1:
        return 0.0
    return round(max(0.0, (hits / len(seen) - chance) / (1 - chance)), 4)


def covered_share(heard: Sequence[float], span_seconds: tuple[float, float]) -> float:
    """The share of the span that lies within 80 ms of an event."""
    first, last = span_seconds
    covered, until = 0.0, first
    for at in sorted(heard):
        begin = min(last, max(until, at - TOLERANCE_SECONDS))
        end = min(last, max(begin, at + TOLERANCE_SECONDS))
        covered, until = covered + end - begin, max(until, end)
    return covered / (last - first) if last > first else 1.0
