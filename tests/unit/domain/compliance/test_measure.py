"""Measured on the file itself: every value is right for one that has the fault, and one without."""

from pathlib import Path

import numpy as np
import pytest

from shared.domain.compliance import measure as measuring
from shared.domain.compliance.boxes import index_place
from shared.domain.compliance.check import check_video, judge
from shared.domain.compliance.facts import ShownFacts
from shared.domain.video.detector import AnalyserUnavailable
from shared.domain.video.refusals import NotVideo
from shared.models import InferenceTools
from tests.unit.domain.compliance.drawn import Picture, make_ad, measure, moving, tone, write


def test_a_plain_ad_is_measured_as_it_was_made(tmp_path: Path) -> None:
    """Size, length, rate, codecs, bits, loudness, peak."""
    found = measure(make_ad(tmp_path / "a.mp4", seconds=2, sound=tone(2, 0.2)))
    values = found.values
    assert (found.width, found.height) == (180, 320)
    assert values["container"] == "mp4"
    assert (values["video_codec"], values["audio_codec"]) == ("h264", "aac")
    assert values["ratio"] == pytest.approx(0.5625)
    assert values["length"] == pytest.approx(2.0)
    assert values["frame_rate"] == pytest.approx(30.0)
    assert values["steady_rate"] == "steady"
    assert values["faststart"] == "first"
    assert values["pixel_format"] == "yuv420p"
    assert values["sample_rate"] == "48000"
    # 0.2 of 1 kHz in two channels is -23 LUFS + 20 log10(0.2 / 0.0707).
    assert values["loudness"] == pytest.approx(-23 + 9.03, abs=0.4)
    # AAC itself makes the peaks up to a decibel higher.
    assert -14.1 < float(values["true_peak"]) < -12.5
    bits = float(values["video_bit_rate"]) + float(values["audio_bit_rate"])
    assert bits * 1000 / 8 * 2.0 == pytest.approx(float(values["file_size"]), rel=0.15)


def test_the_index_of_a_file_is_first_or_last(tmp_path: Path) -> None:
    """The boxes are read, cut-off and senseless ones too."""
    assert measure(make_ad(tmp_path / "a.mp4", faststart=False)).values["faststart"] == "last"
    (tmp_path / "b").write_bytes(b"\x00\x00\x00\x08moov\x00\x00\x00\x01mdat")
    assert index_place(tmp_path / "b") is None
    (tmp_path / "c").write_bytes(b"\x00\x00\x00\x00ftyp")
    assert index_place(tmp_path / "c") is None


@pytest.mark.parametrize(
    ("container", "codec", "name"),
    [("mov", "libx264", "mov"), ("matroska", "libx264", "matroska"), ("avi", "mpeg4", "avi")],
)
def test_a_file_is_what_its_bytes_say(
    tmp_path: Path, container: str, codec: str, name: str
) -> None:
    """The name of the file says nothing."""
    made = make_ad(
        tmp_path / "a.mp4", container=container, codec=codec, options={}, faststart=False
    )
    values = measure(made).values
    assert values["container"] == name
    assert values["video_codec"] == ("h264" if codec == "libx264" else codec)


def test_colour_sampling_and_an_uneven_clock_are_seen(tmp_path: Path) -> None:
    """4:4:4, and frames that do not come evenly."""
    times = [0, 0.033, 0.066, 0.3, 0.333, 0.366, 0.6, 0.633]
    values = measure(make_ad(tmp_path / "a.mp4", pix_fmt="yuv444p", times=times)).values
    assert values["pixel_format"] == "yuv444p"
    assert values["steady_rate"] == "changing"


def test_a_black_and_a_still_opening_are_timed(tmp_path: Path) -> None:
    """Half a second of black, then half a second of one picture."""

    def draw(index: int) -> Picture:
        if index < 15:
            return np.zeros((320, 180, 3), np.uint8)
        return moving(max(0, index - 30))

    values = measure(make_ad(tmp_path / "a.mp4", draw, seconds=1.5)).values
    assert values["black_start"] == pytest.approx(0.5, abs=0.04)
    assert values["frozen_start"] == pytest.approx(0.5, abs=0.1)
    values = measure(make_ad(tmp_path / "b.mp4")).values
    assert values["black_start"] == 0
    assert float(values["frozen_start"]) < 0.1


def test_black_bars_are_told_from_a_thing_on_black(tmp_path: Path) -> None:
    """Bars end in a straight line; words on them do not hide them."""

    def barred(index: int) -> Picture:
        picture = moving(index)
        picture[:70] = picture[-50:] = 0
        return write(picture, "hi", 0.1, 0.5) if index < 10 else picture

    def on_black(index: int) -> Picture:
        y, x = np.mgrid[:320, :180]
        disc = ((x - 90) ** 2 + (y - 160) ** 2 < 70**2)[..., None]
        return np.asarray(np.where(disc, moving(index) + 60, 0), np.uint8)

    values = measure(make_ad(tmp_path / "a.mp4", barred, seconds=2)).values
    assert values["letterbox"] == pytest.approx(120 / 320, abs=0.02)
    assert measure(make_ad(tmp_path / "b.mp4", on_black)).values["letterbox"] == 0
    sides = make_ad(tmp_path / "c.mp4", lambda i: barred(i + 10).transpose(1, 0, 2))
    assert measure(sides).values["letterbox"] == pytest.approx(120 / 320, abs=0.02)


def test_sound_may_be_missing_or_silent(tmp_path: Path) -> None:
    """Then it has no loudness, and nobody speaks."""
    without = measure(make_ad(tmp_path / "a.mp4"))
    assert without.values["sound"] == "none"
    assert "loudness" not in without.values
    assert without.speech == ()
    silent = measure(make_ad(tmp_path / "b.mp4", sound=tone(1, 0.0)))
    assert silent.values["sound"] == "silent"


def test_text_is_read_and_judged_where_it_stands(tmp_path: Path) -> None:
    """Words at the bottom are under the app's buttons; in the middle they are not."""

    def draw(index: int) -> Picture:
        picture = write(moving(index, 360, 640), "You are fat", 0.92, 1.2)
        return write(picture, "Walk today", 0.4, 1.2)

    found = measure(make_ad(tmp_path / "a.mp4", draw, seconds=2))
    assert found.text is not None
    assert {"youarefat", "walktoday"} <= {o.text.lower().replace(" ", "") for o in found.text}
    findings = judge(found, "meta:reels", ShownFacts()).findings
    (zone,) = [one for one in findings if one.rule == "safe_zone"]
    assert (zone.grade, zone.automatic_fix) == ("fail", "safe_zone=0.14,0.35,0.06,0.06")
    assert "at the bottom" in zone.found
    (claim,) = [one for one in findings if one.rule == "claims_on_screen"]
    assert claim.grade == "fail"
    assert claim.at_seconds == pytest.approx(0, abs=0.3)
    feed = {one.rule: one.grade for one in judge(found, "linkedin:feed", ShownFacts()).findings}
    assert feed["text_size"] == "pass"


def test_tiny_text_in_sight_is_too_small_to_read(tmp_path: Path) -> None:
    """The smallest line that stands is what counts."""

    def draw(index: int) -> Picture:
        return write(moving(index, 720, 1280), "terms and Apply", 0.5, 0.4)

    found = measure(make_ad(tmp_path / "a.mp4", draw, seconds=1.5))
    grades = {one.rule: one.grade for one in judge(found, "tiktok:feed", ShownFacts()).findings}
    assert grades["text_size"] == "warn"
    assert grades["safe_zone"] == "pass"


def test_without_networks_nothing_is_read_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rules about text are unavailable with the reason."""

    def nothing(*_: object) -> None:
        raise AnalyserUnavailable("the reader is not there")

    monkeypatch.setattr(measuring, "open_text_reader", nothing)
    found = measure(make_ad(tmp_path / "a.mp4"))
    assert found.text is None
    assert found.text_problem == "the reader is not there"


def test_one_call_checks_one_placement(tmp_path: Path) -> None:
    """What the render job calls; a tiny clip is refused by TikTok for its size and length."""
    made = make_ad(tmp_path / "a.mp4")
    compliance = check_video(made, "tiktok:feed", ShownFacts(), tools=InferenceTools())
    failed = {one.rule for one in compliance.findings if one.grade == "fail"}
    assert compliance.verdict == "fail"
    assert {"size", "length"} <= failed


def test_what_is_no_video_is_refused(tmp_path: Path) -> None:
    """By the same refusals as everywhere."""
    (tmp_path / "a.mp4").write_text("hello")
    with pytest.raises(NotVideo):
        check_video(tmp_path / "a.mp4", "x:feed")
