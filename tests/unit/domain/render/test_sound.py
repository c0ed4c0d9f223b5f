"""The sound of a render: whose it is, when, how loud, and exactly as long as the picture."""

from pathlib import Path

import numpy as np
import pytest

from shared.domain.render.mastering import measure_loudness
from shared.domain.render.process import Allowance
from shared.timeline_models import Music, Sound, Source
from tests.support.renders import (
    colour_clip,
    cut,
    ffmpeg,
    numbered,
    read_wave,
    render,
    small,
    tone,
    write_source,
)

RATE = 48_000


def source_with(
    path: Path, wave: np.ndarray, seconds: float = 4.0, layout: str = "stereo"
) -> Source:
    """Pictures of so many seconds with that sound."""
    return write_source(path, [numbered(1)] * round(seconds * 30), wave=wave, layout=layout)


def noise(seconds: float, level: float) -> np.ndarray:
    """White noise in stereo, always the same."""
    wave = np.random.default_rng(1).standard_normal((2, round(seconds * RATE))) * level
    return wave.astype(np.float32)


def level_db(wave: np.ndarray, begin: float, end: float, hertz: float | None = None) -> float:
    """The level of a stretch, or of one frequency in it, in dB."""
    part = wave[0, round(begin * RATE) : round(end * RATE)].astype(float)
    if hertz is None:
        return float(10 * np.log10(np.mean(part**2) + 1e-12))
    turning = np.exp(-2j * np.pi * hertz * np.arange(len(part)) / RATE)
    return float(20 * np.log10(abs((part * turning).mean()) + 1e-9))


@pytest.mark.parametrize("level", [0.006, 0.05, 0.5])
def test_loudness_and_peak_are_what_is_asked(level: float, tmp_path: Path) -> None:
    """Quiet, usual and loud sources come to -14 LUFS within 1 LU and stay below -2 dBTP."""
    rng = np.random.default_rng(3)
    wave = noise(4, level) * (1 + 3 * (rng.random((1, 4 * RATE)) > 0.9995))
    source = source_with(tmp_path / "a.mp4", wave)
    rendered, _ = render(
        small([cut("a", 0, 4)], sources={"a": source}), {"a": tmp_path / "a.mp4"}, tmp_path / "out"
    )
    found = measure_loudness("video.mp4", tmp_path / "out", Allowance())
    assert found.lufs is not None
    assert found.peak_db is not None
    assert found.lufs == pytest.approx(-14, abs=1)
    assert found.peak_db <= -2
    assert (rendered.loudness_lufs, rendered.true_peak_db) == (found.lufs, found.peak_db)


def test_a_very_quiet_source_is_said_and_not_blown_up(tmp_path: Path) -> None:
    """At -66 LUFS it would take 50 dB."""
    source = source_with(tmp_path / "a.mp4", noise(4, 0.0004))
    rendered, _ = render(
        small([cut("a", 0, 4)], sources={"a": source}), {"a": tmp_path / "a.mp4"}, tmp_path / "out"
    )
    assert any("very quiet" in note for note in rendered.notes)
    assert rendered.loudness_lufs is not None
    assert rendered.loudness_lufs < -20


def test_no_sound_at_all_is_a_silent_track_and_said(tmp_path: Path) -> None:
    """Players expect a track; nobody claims a loudness."""
    rendered, _ = render(small([colour_clip(1)]), {}, tmp_path)
    assert (rendered.loudness_lufs, rendered.true_peak_db) == (None, None)
    assert "there is no sound: it is silent" in rendered.notes
    assert np.abs(read_wave(tmp_path / "video.mp4")).max() == 0


def test_a_short_sound_is_left_as_it_is_and_said(tmp_path: Path) -> None:
    """A third of a second cannot be measured."""
    source = source_with(tmp_path / "a.mp4", tone(0.3), 0.3)
    rendered, _ = render(
        small([cut("a", 0, 0.3)], sources={"a": source}),
        {"a": tmp_path / "a.mp4"},
        tmp_path / "out",
    )
    assert any("shorter than 0.4 s" in note for note in rendered.notes)


def test_each_clip_brings_its_own_sound_or_none(tmp_path: Path) -> None:
    """A tone, the same muted, a colour, another tone; exact to a few milliseconds."""
    both = {
        name: source_with(tmp_path / f"{name}.mp4", tone(2, hertz=hertz), 2)
        for name, hertz in (("a", 440.0), ("b", 1000.0))
    }
    clips = [cut("a", 0.5, 1.5), cut("a", 0, 1, sound=False), colour_clip(0.5), cut("b", 1, 2)]
    quiet = Sound(fade_in_seconds=0, fade_out_seconds=0)
    files = {name: tmp_path / f"{name}.mp4" for name in both}
    render(small(clips, sources=both, sound=quiet), files, tmp_path / "out")
    wave = read_wave(tmp_path / "out" / "video.mp4")
    assert wave.shape[1] / RATE == pytest.approx(3.5, abs=0.022)
    loud = level_db(wave, 0.1, 0.9, 440)
    assert level_db(wave, 0.1, 0.9, 1000) < loud - 40
    assert level_db(wave, 1.02, 2.48) < loud - 40
    assert level_db(wave, 2.6, 3.4, 1000) == pytest.approx(loud, abs=3)
    starts = np.nonzero(np.abs(wave[0, round(2.2 * RATE) :]) > 0.02)[0][0] / RATE + 2.2
    assert starts == pytest.approx(2.5, abs=0.01)


@pytest.mark.parametrize("speed", [0.25, 0.5, 2.0, 4.0])
def test_a_faster_clip_keeps_its_pitch(speed: float, tmp_path: Path) -> None:
    """A tone of 440 Hz stays there, and the sound ends with the picture."""
    source = source_with(tmp_path / "a.mp4", tone(4))
    clips = [cut("a", 0, min(4, 4 * speed), speed=speed)]
    rendered, _ = render(
        small(clips, sources={"a": source}), {"a": tmp_path / "a.mp4"}, tmp_path / "out"
    )
    wave = read_wave(tmp_path / "out" / "video.mp4")
    assert wave.shape[1] / RATE == pytest.approx(rendered.seconds, abs=0.022)
    middle = wave[0, len(wave[0]) // 4 : -len(wave[0]) // 4]
    strongest = np.abs(np.fft.rfft(middle)).argmax() * RATE / len(middle)
    assert strongest == pytest.approx(440, abs=8)


def test_music_gives_way_to_a_voice_and_comes_back(tmp_path: Path) -> None:
    """Music of 300 Hz sinks by the depth asked for while 1000 Hz speaks."""
    voice = np.zeros((2, 6 * RATE), np.float32)
    voice[:, 2 * RATE : 4 * RATE] = tone(2, level=0.2, hertz=1000)
    source = source_with(tmp_path / "a.mp4", voice, 6)
    ffmpeg("-f", "lavfi", "-i", "sine=f=300:d=3,volume=6dB", tmp_path / "music.wav")
    music = Music(source="m", gain_db=-12, duck_db=9)
    entry = source.model_copy(update={"path": "music.wav"})
    timeline = small([cut("a", 0, 6)], sources={"a": source, "m": entry}, sound=Sound(music=music))
    files = {"a": tmp_path / "a.mp4", "m": tmp_path / "music.wav"}
    render(timeline, files, tmp_path / "out")
    wave = read_wave(tmp_path / "out" / "video.mp4")
    alone, under, after = (level_db(wave, at, at + 0.8, 300) for at in (0.8, 2.8, 4.9))
    assert alone - under == pytest.approx(9, abs=1.5)
    assert after == pytest.approx(alone, abs=1)


@pytest.mark.parametrize("layout", ["mono", "5.1"])
def test_other_layouts_become_stereo(layout: str, tmp_path: Path) -> None:
    """One channel and six; both sides sound."""
    wave = np.repeat(tone(2)[:1], {"mono": 1, "5.1": 6}[layout], axis=0)
    source = source_with(tmp_path / "a.mp4", wave, 2, layout=layout)
    render(
        small([cut("a", 0, 2)], sources={"a": source}), {"a": tmp_path / "a.mp4"}, tmp_path / "out"
    )
    heard = read_wave(tmp_path / "out" / "video.mp4")
    assert heard.shape[0] == 2
    assert (np.abs(heard).max(axis=1) > 0.1).all()


@pytest.mark.parametrize("seconds", [0.5, 4.0])
def test_sound_and_picture_of_other_lengths_end_together(seconds: float, tmp_path: Path) -> None:
    """Half a second of sound under two of pictures, and four seconds of it."""
    source = source_with(tmp_path / "a.mp4", tone(seconds), 2)
    rendered, frames = render(
        small([cut("a", 0, 2)], sources={"a": source}), {"a": tmp_path / "a.mp4"}, tmp_path / "out"
    )
    wave = read_wave(tmp_path / "out" / "video.mp4")
    assert (rendered.frames, len(frames)) == (60, 60)
    assert wave.shape[1] / RATE == pytest.approx(2, abs=0.022)
    assert (level_db(wave, 0.6, 1.5) < -60) == (seconds < 1)
