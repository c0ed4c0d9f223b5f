"""Sound events on picture events, against what chance would give."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.video.sync import (
    TOLERANCE_SECONDS,
    covered_share,
    is_together,
    match_sync,
    pair_events,
    quality_against_chance,
)

seconds = st.lists(st.floats(0, 30), max_size=40).map(sorted)


@given(seconds, seconds)
def test_pairs_are_near_and_each_event_is_used_once(seen: list[float], heard: list[float]) -> None:
    pairs = pair_events(seen, heard)
    assert all(is_together(a - b) for a, b in pairs)
    assert len(pairs) <= min(len(seen), len(heard))
    assert [a for a, _ in pairs] == sorted(a for a, _ in pairs)
    assert len(pairs) == len(pair_events(heard, seen))


@given(seconds.filter(bool))
def test_everything_matches_itself(events: list[float]) -> None:
    assert len(pair_events(events, events)) == len(events)


@given(seconds, seconds)
def test_quality_is_a_fraction_or_unknown(seen: list[float], heard: list[float]) -> None:
    quality = quality_against_chance(seen, heard, (0.0, 30.0))
    assert (quality is None) == (not seen or not heard)
    assert quality is None or 0 <= quality <= 1


@given(seconds)
def test_covered_share_agrees_with_counting(heard: list[float]) -> None:
    grid = np.linspace(0, 30, 30_001)
    near = np.zeros(len(grid), bool)
    for at in heard:
        near |= np.abs(grid - at) <= TOLERANCE_SECONDS
    assert covered_share(heard, (0.0, 30.0)) == pytest.approx(near.mean(), abs=2e-3)


def test_cuts_on_every_beat_are_perfect() -> None:
    beats = [0.5 * i for i in range(20)]
    sync = match_sync(beats, beats, beats[2::4], [], (0.0, 10.0))
    assert sync.sync_quality == 1.0
    assert sync.beat_matches == len(beats[2::4])
    assert list(sync.sync_points) == beats[2::4]


def test_cuts_between_the_beats_are_worth_nothing() -> None:
    beats = [0.5 * i for i in range(20)]
    cuts = [b + 0.25 for b in beats[::4]]
    sync = match_sync(beats, [], cuts, [], (0.0, 10.0))
    assert sync.sync_quality == 0.0
    assert sync.sync_points == ()


def test_random_cuts_are_worth_next_to_nothing() -> None:
    random = np.random.default_rng(1)
    beats = [0.5 * i for i in range(200)]
    cuts = sorted(random.uniform(0, 100, 300).tolist())
    quality = quality_against_chance(cuts, beats, (0.0, 100.0))
    assert quality is not None
    assert quality < 0.1


def test_eighty_milliseconds_count_and_more_do_not() -> None:
    assert pair_events([1.0], [1.079]) == [(1.0, 1.079)]
    assert pair_events([1.0], [1.08]) == [(1.0, 1.08)]
    assert pair_events([1.0], [1.081]) == []


def test_without_picture_events_the_quality_is_unknown() -> None:
    sync = match_sync([1.0], [1.0], [], [], (0.0, 2.0))
    assert sync.sync_quality is None
    assert sync.sync_points == ()


short = st.lists(st.floats(0, 2), max_size=7).map(sorted)


def most_pairs(seen: list[float], heard: list[float]) -> int:
    """The largest number of pairs, by trying every choice for the first event."""
    if not seen or not heard:
        return 0
    without = most_pairs(seen[1:], heard)
    fits = [j for j, at in enumerate(heard) if is_together(at - seen[0])]
    tries = [1 + most_pairs(seen[1:], heard[:j] + heard[j + 1 :]) for j in fits]
    return max([without, *tries])


@settings(max_examples=60, deadline=None)
@given(short, short)
def test_no_other_choice_gives_more_pairs(seen: list[float], heard: list[float]) -> None:
    assert len(pair_events(seen, heard)) == most_pairs(seen, heard)


@given(seconds.filter(bool), st.lists(st.floats(0, 29), min_size=1, max_size=20).map(sorted))
def test_quality_is_one_only_when_every_cut_is_on_a_beat(
    cuts: list[float], beats: list[float]
) -> None:
    quality = quality_against_chance(cuts, beats, (0.0, 30.0))
    on_beat = all(any(is_together(b - c) for b in beats) for c in cuts)
    assert (quality == 1.0) == on_beat


@given(seconds, st.floats(-100, 100))
def test_another_zero_of_the_clock_changes_no_quality(cuts: list[float], shift: float) -> None:
    beats = [0.05 + 0.5 * i for i in range(60)]
    cuts = [round(c, 1) for c in cuts]
    here = quality_against_chance(cuts, beats, (0.0, 30.0))
    there = quality_against_chance(
        [c + shift for c in cuts], [b + shift for b in beats], (shift, 30.0 + shift)
    )
    assert here == pytest.approx(there, abs=1e-3)


def test_a_beat_everywhere_proves_nothing() -> None:
    assert quality_against_chance([1.0, 2.0], [0.1 * i for i in range(40)], (0.0, 3.0)) == 0.0


def test_a_span_of_nothing_proves_nothing() -> None:
    assert quality_against_chance([1.0], [1.0], (1.0, 1.0)) == 0.0
