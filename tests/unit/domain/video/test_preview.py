"""Preview mode: what it leaves out, and that its report is about the whole video."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.video.analyze import analyze_video
from shared.domain.video.preview import Numbering, full_timeline, number_frames
from shared.models import Analysis, Limits, Transition
from tests.unit.domain.video.clips import Picture, mix, scene, write_clip


def moving(seed: int, count: int) -> list[Picture]:
    """A shot whose camera moves, so that the encoder makes frames that nothing refers to."""
    return [np.roll(scene(seed), 3 * i, axis=1) for i in range(count)]


def analyze(path: Path, *, preview: bool) -> Analysis:
    return analyze_video(
        path,
        video_id="v1",
        limits=Limits(),
        extracted_at=datetime(2026, 1, 2, tzinfo=UTC),
        on_progress=lambda _share, _step: None,
        preview=preview,
    )


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> tuple[Analysis, Analysis]:
    blend = [mix(scene(2), scene(3), (i + 1) / 17) for i in range(16)]
    pictures = moving(1, 50) + [scene(2)] * 40 + blend + [scene(3)] * 40 + moving(4, 34)
    path = write_clip(tmp_path_factory.mktemp("preview") / "clip.mp4", pictures)
    return analyze(path, preview=False), analyze(path, preview=True)


def test_a_preview_says_what_it_left_out(reports: tuple[Analysis, Analysis]) -> None:
    whole, preview = reports
    assert all(not a.reason for a in whole.analysers if a.name == "scenes")
    (reason,) = (a.reason for a in preview.analysers if a.name == "scenes")
    seen = int(reason.split()[1])
    assert seen < 180
    assert "of 180 frames" in reason


def test_a_preview_is_about_the_same_frames(reports: tuple[Analysis, Analysis]) -> None:
    whole, preview = reports
    assert preview.media == whole.media
    assert [m.frame_end for m in preview.motion_moments] == [
        m.frame_end for m in whole.motion_moments
    ]
    assert preview.shots[-1].end_frame == whole.shots[-1].end_frame == 180


def test_a_preview_finds_the_same_transitions(reports: tuple[Analysis, Analysis]) -> None:
    whole, preview = reports
    assert whole.cuts == (50, 146)
    assert [t.kind for t in preview.transitions] == ["cut", "dissolve", "cut"]
    assert all(abs(a - b) <= 3 for a, b in zip(preview.cuts, whole.cuts, strict=True))


@given(st.lists(st.integers(1, 5), min_size=1, max_size=60), st.data())
def test_frames_left_out_are_counted_from_their_packets(
    gaps: list[int], data: st.DataObject
) -> None:
    every = np.cumsum(gaps) / 30.0
    picked = data.draw(st.sets(st.integers(1, max(1, len(every) - 1))))
    seen = sorted({0, *(i for i in picked if i < len(every))})
    packets = data.draw(st.permutations(every.tolist()))
    seen_at = [float(every[i]) + 1e-6 for i in seen]
    everything = full_timeline(seen_at, packets)
    assert len(everything) == len(every)
    assert np.allclose(everything, every, atol=1e-4)
    assert number_frames(seen_at, everything).seen.tolist() == seen


@given(st.sets(st.integers(0, 40), min_size=1, max_size=41))
def test_a_value_holds_for_the_frames_before_it(picked: set[int]) -> None:
    seen = np.array(sorted({0, *picked}))
    numbering = Numbering(seen, 41)
    spread = numbering.spread(seen.astype(np.float64))
    assert len(spread) == 41
    assert all(spread[i] == min([s for s in seen if s >= i], default=seen[-1]) for i in range(41))


def test_a_transition_gets_the_numbers_of_its_frames() -> None:
    numbering = Numbering(np.array([0, 2, 3, 7]), 9)
    (moved,) = numbering.transitions([Transition(kind="dissolve", start_frame=1, end_frame=3)])
    assert (moved.start_frame, moved.end_frame) == (2, 7)
