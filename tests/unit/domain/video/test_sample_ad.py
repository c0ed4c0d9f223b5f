"""The sample ad that ships: real footage, a real face and a real voice, with known truth."""

from datetime import UTC, datetime

import pytest

from shared.domain.video.analyze import analyze_video
from shared.domain.video.child import ROOT
from shared.models import Analysis, Limits


@pytest.fixture(scope="module")
def report() -> Analysis:
    return analyze_video(
        ROOT / "scripts" / "sample" / "sample_ad.mp4",
        video_id="sample",
        limits=Limits(),
        extracted_at=datetime(2026, 1, 2, tzinfo=UTC),
        on_progress=lambda _share, _step: None,
    )


def test_its_cuts_dissolves_and_fade_are_found(report: Analysis) -> None:
    assert report.cuts == (50, 88, 126, 224)
    soft = [t for t in report.transitions if t.kind != "cut"]
    assert [t.kind for t in soft] == ["dissolve", "dissolve", "fade_out"]
    for found, start in zip(soft, (161, 272, 330), strict=True):
        assert abs(found.start_frame - start) <= 3


def test_the_face_of_the_first_shot_is_seen_and_no_other(report: Analysis) -> None:
    seen = {s.frame for s in report.faces.samples if s.boxes}
    assert len(seen) >= 8
    assert max(seen) < 50
    assert report.faces.max_count == 1
    assert report.hook.hook_type == "face"


def test_the_voice_and_the_beat_are_heard(report: Analysis) -> None:
    (speech,) = report.audio.speech
    assert speech.start_seconds == pytest.approx(9.0, abs=0.3)
    assert speech.end_seconds == pytest.approx(11.5, abs=0.3)
    assert report.audio.tempo_bpm == pytest.approx(120, rel=0.01)
    assert report.audio.sync.beat_matches >= 4
