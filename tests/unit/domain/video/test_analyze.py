"""The whole analysis, through its door, of clips whose truth is known."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from shared.domain.video.analyze import analyze_video
from shared.domain.video.child import ROOT
from shared.domain.video.refusals import FrameRateTooHigh, TooLong
from shared.models import Analysis, Limits
from tests.unit.domain.video.clips import (
    Picture,
    black,
    bursts,
    clicks,
    mix,
    scene,
    write_clip,
)

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def analyze(path: Path, limits: Limits | None = None) -> Analysis:
    return analyze_video(
        path,
        video_id="v1",
        limits=limits or Limits(),
        extracted_at=NOON,
        on_progress=lambda _share, _step: None,
    )


def ad() -> list[Picture]:
    """Cuts at 60 and 120, a dissolve over 165-180, a flash at 90, a fade to black from 220."""
    pictures = [scene(1)] * 60 + [scene(2)] * 60 + [scene(3)] * 45
    pictures += [mix(scene(3), scene(4), (i + 1) / 16) for i in range(15)] + [scene(4)] * 40
    pictures += [mix(scene(4), black(), (i + 1) / 20) for i in range(20)]
    pictures[90] = np.full_like(pictures[90], 250)
    return pictures


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    path = tmp_path_factory.mktemp("clips") / "ad.mp4"
    return analyze(write_clip(path, ad(), sound=clicks(120, 8)))


def test_the_media_facts_are_measured(report: Analysis) -> None:
    media = report.media
    assert (media.width, media.height, media.frames) == (320, 180, 240)
    assert media.duration_seconds == pytest.approx(8.0, abs=0.01)
    assert media.fps == pytest.approx(30, abs=0.01)
    assert media.has_audio
    assert not media.variable_rate


def test_cuts_dissolve_and_fade_are_found_and_the_flash_is_not(report: Analysis) -> None:
    assert report.cuts == (60, 120)
    assert [t.kind for t in report.transitions] == ["cut", "cut", "dissolve", "fade_out"]
    dissolve, fade = report.transitions[2:]
    assert abs(dissolve.start_frame - 164) <= 2
    assert abs(dissolve.end_frame - 180) <= 2
    assert abs(fade.start_frame - 219) <= 2
    assert fade.end_frame >= 236


def test_the_shots_cover_the_video(report: Analysis) -> None:
    assert len(report.shots) == 4
    assert report.shots[0].start_seconds == 0
    assert report.shots[-1].end_frame == 240
    assert report.shots[-1].end_seconds == pytest.approx(8.0, abs=0.01)


def test_the_sound_is_measured_and_falls_on_the_cuts(report: Analysis) -> None:
    audio = report.audio
    assert audio.tempo_bpm == pytest.approx(120, rel=0.01)
    assert audio.speech == ()
    assert audio.loudness_lufs is not None
    assert audio.sync.sync_quality == pytest.approx(1.0)
    assert audio.sync.beat_matches >= 2


def test_there_is_no_face_in_coloured_blocks(report: Analysis) -> None:
    assert report.faces.max_count == 0
    assert report.faces.share == 0
    assert report.faces.engagement == 0
    assert len(report.faces.samples) == 18 + 10


def test_every_analyser_says_that_it_ran(report: Analysis) -> None:
    names = ("scenes", "motion", "faces", "audio", "speech", "sync", "hook", "pattern")
    assert {a.name: a.status for a in report.analysers} == dict.fromkeys(names, "ran")


def test_the_pattern_repeats_the_report(report: Analysis) -> None:
    assert report.pattern.video_id == "v1"
    assert report.pattern.extracted_at == NOON
    assert report.pattern.motion_moments == report.motion_moments
    assert report.pattern.hook_score == report.hook.hook_score


def test_the_same_bytes_give_the_same_report(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "ad.mp4", ad()[:70], sound=clicks(120, 2.3))
    first, second = (analyze(path).model_dump() for _ in range(2))
    for one in (first, second):
        for analyser in one["analysers"]:
            analyser.pop("seconds")
    assert first == second


def test_a_silent_film_skips_the_sound_with_the_reason(tmp_path: Path) -> None:
    report = analyze(write_clip(tmp_path / "silent.mp4", ad()[:40]))
    skipped = {a.name: a.reason for a in report.analysers if a.status == "skipped"}
    assert set(skipped) == {"audio", "speech", "sync"}
    assert set(skipped.values()) == {"the video has no audio track"}
    assert report.audio.tempo_bpm is None
    assert report.audio.loudness_lufs is None
    assert report.audio.sync.sync_quality is None
    assert report.hook.contributions["sound"] == 0


def test_real_timestamps_count_where_the_rate_varies(tmp_path: Path) -> None:
    times = [i / 20 for i in range(20)] + [1.0 + i / 10 for i in range(10)]
    report = analyze(write_clip(tmp_path / "vfr.mp4", [scene(1)] * 30, times=times))
    assert report.media.variable_rate
    assert report.media.frames == 30
    assert report.media.duration_seconds == pytest.approx(1.95, abs=0.02)


def test_a_late_first_frame_keeps_its_time(tmp_path: Path) -> None:
    times = [1.0 + i / 30 for i in range(30)]
    path = write_clip(tmp_path / "late.mkv", [scene(1)] * 30, times=times, container="matroska")
    report = analyze(path)
    assert report.shots[0].start_frame == 0
    assert report.shots[0].start_seconds == pytest.approx(1.0, abs=0.002)
    assert report.media.duration_seconds == pytest.approx(1.0, abs=0.01)


def test_a_truncated_tail_is_analysed_as_far_as_it_goes(tmp_path: Path) -> None:
    whole = write_clip(tmp_path / "whole.mkv", ad()[:120], container="matroska").read_bytes()
    cut_off = tmp_path / "cut_off.mkv"
    cut_off.write_bytes(whole[: len(whole) * 2 // 3])
    report = analyze(cut_off)
    assert 10 < report.media.frames < 120


def test_a_header_that_hides_the_length_is_caught_by_the_timestamps(tmp_path: Path) -> None:
    """A stream written without a seekable end claims no duration at all."""
    path = write_clip(tmp_path / "ad.ts", ad()[:90], container="mpegts")
    with pytest.raises(TooLong):
        analyze(path, Limits(max_seconds=1.5))


def test_more_frames_a_second_than_the_header_says_are_caught(tmp_path: Path) -> None:
    times = [i / 250 for i in range(300)]
    path = write_clip(
        tmp_path / "dense.mkv", [scene(1)] * 300, times=times, fps=30, container="matroska"
    )
    with pytest.raises(FrameRateTooHigh):
        analyze(path)


@pytest.mark.parametrize(("width", "height"), [(2, 2), (16, 400), (322, 182), (180, 320)])
def test_pictures_of_any_shape_are_analysed(tmp_path: Path, width: int, height: int) -> None:
    pictures = [scene(i // 8, width, height) for i in range(16)]
    report = analyze(write_clip(tmp_path / "shape.mp4", pictures))
    assert (report.media.width, report.media.height) == (width, height)


def test_one_frame_is_enough(tmp_path: Path) -> None:
    report = analyze(write_clip(tmp_path / "one.mp4", [scene(1)]))
    assert report.media.frames == 1
    assert len(report.shots) == 1
    assert len(report.motion_moments) == 1
    assert report.cuts == ()


def test_a_blink_of_sound_is_no_error(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "blink.mp4", [scene(1)] * 10, sound=bursts([0.0], 0.05))
    assert analyze(path).audio.tempo_bpm is None


def test_progress_rises_and_is_not_chatty(tmp_path: Path) -> None:
    heard: list[tuple[float, str]] = []
    path = write_clip(tmp_path / "ad.mp4", ad(), sound=clicks(120, 8))
    analyze_video(
        path,
        video_id="v1",
        limits=Limits(),
        extracted_at=NOON,
        on_progress=lambda share, step: heard.append((share, step)),
    )
    shares = [share for share, _ in heard]
    assert shares == sorted(shares)
    assert all(0 <= share <= 1 for share in shares)
    assert {"decode", "scenes", "audio"} <= {step for _, step in heard}


def test_asking_for_an_analysis_loads_no_decoder() -> None:
    code = (
        "import sys, json, shared.domain.video.analyze, shared.domain.video.inspect;"
        "print(json.dumps([m for m in ('cv2', 'av', 'numpy', 'onnxruntime') if m in sys.modules]))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert json.loads(loaded.stdout) == []
