"""Whatever footage comes: the edit list is valid, exact, inside the safe zone, and cuts no word."""

from collections.abc import Sequence
from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.creative_models import Pacing, Placement
from shared.domain.creative.footage import MOST_INSIDE_SECONDS, Footage, grid_of
from shared.domain.creative.placements import screen_of
from shared.domain.creative.recut import cut_timeline
from shared.timeline_models import Timeline, TimelineClip
from tests.support.footage import concept, random_footage, variation

PLACEMENTS = get_args(Placement)
PACES = get_args(Pacing)
EXAMPLES = 40


@settings(max_examples=EXAMPLES, suppress_health_check=[*HealthCheck])
@given(
    st.lists(random_footage(), min_size=0, max_size=2),
    st.sampled_from(PACES),
    st.sampled_from([15, 30, 60]),
    st.sampled_from(PLACEMENTS),
    st.text(max_size=300),
)
def test_any_footage_becomes_a_whole_timeline(
    found: list[Footage], pacing: Pacing, seconds: int, placement: Placement, hook: str
) -> None:
    named = [one.model_copy(update={"name": f"ad{i}"}) for i, one in enumerate(found)]
    wanted = variation(pacing=pacing, duration=seconds, hook=hook)
    timeline = cut_timeline(wanted, concept(), named, placement)
    assert timeline == cut_timeline(wanted, concept(), named, placement)
    assert Timeline.model_validate_json(timeline.model_dump_json()) == timeline
    lasts_whole_frames(timeline, seconds)
    stays_in_the_safe_zone(timeline, placement)
    for one in named:
        clips = [clip for clip in timeline.clips if clip.source == one.name]
        begins_on_frames(clips, one, timeline.fps)
        shows_nothing_twice(clips)
        cuts_no_word(clips, one)


def lasts_whole_frames(timeline: Timeline, seconds: int) -> None:
    """Every clip lasts whole frames of the output, and all together not longer than asked."""
    for clip in timeline.clips:
        frames = clip.seconds * timeline.fps
        assert frames == pytest.approx(round(frames), abs=0.01)
        assert round(frames) >= 1
    assert timeline.seconds <= seconds + 1e-3
    frames = timeline.seconds * timeline.fps
    assert frames == pytest.approx(round(frames), abs=0.02)


def stays_in_the_safe_zone(timeline: Timeline, placement: Placement) -> None:
    """Texts, captions, end card and the times they are shown."""
    screen = screen_of(placement)
    boxes = [(o.left, o.top, o.width, o.height) for o in timeline.overlays]
    assert timeline.end_card is not None
    card = timeline.end_card
    boxes.append((card.left, card.top, card.width, card.height))
    if timeline.captions:
        words = timeline.captions
        boxes.append((words.left, words.top, words.width, words.height))
    for left, top, width, height in boxes:
        assert left >= screen.left - 1e-9
        assert top >= screen.top - 1e-9
        assert left + width <= 1 - screen.right + 1e-6
        assert top + height <= screen.safe_bottom + 1e-6
    body = timeline.seconds - card.seconds
    for one in timeline.overlays:
        assert 0 <= one.start_seconds < one.end_seconds <= body + 0.01
    for one, other in pairwise(timeline.overlays):
        assert one.end_seconds <= other.start_seconds + 0.002


def begins_on_frames(clips: Sequence[TimelineClip], found: Footage, rate: int) -> None:
    """A clip begins on a frame of its source and ends within half a frame of one."""
    grid = grid_of(found.analysis)
    coarsest = max(0.5, 0.5 * grid.rate / rate)
    last = max(shot.end_seconds for shot in found.analysis.shots)
    for clip in clips:
        begin = (clip.start_seconds - grid.origin) * grid.rate
        near = abs(begin - round(begin))
        assert near <= coarsest
        assert clip.end_seconds <= last + 0.5 / min(grid.rate, rate) + 1e-3
        for one, other in pairwise(clip.crop):
            assert one.at_seconds < other.at_seconds
        for key in clip.crop:
            assert clip.start_seconds - 1e-3 <= key.at_seconds <= clip.end_seconds + 1e-3
            assert key.left + key.width <= 1 + 1e-9
            assert key.top + key.height <= 1 + 1e-9


def shows_nothing_twice(clips: Sequence[TimelineClip]) -> None:
    """No moment of the source is shown twice, but for what dissolves."""
    ranges = sorted((clip.start_seconds, clip.end_seconds) for clip in clips)
    for one, other in pairwise(ranges):
        assert one[1] <= other[0] + 0.05


def cuts_no_word(clips: Sequence[TimelineClip], found: Footage) -> None:
    """No clip that is heard begins or ends within a word."""
    seen = found.inference
    if seen is None or seen.transcript is None:
        return
    # Where the rates differ, whole frames of the output end up to half of one beside the source's.
    most = MOST_INSIDE_SECONDS + 0.5 / 24
    for clip in clips:
        if not clip.sound:
            continue
        for word in seen.transcript.words:
            for at in (clip.start_seconds, clip.end_seconds):
                inside = word.start_seconds + most < at < word.end_seconds - most
                assert not inside, (word, clip)
