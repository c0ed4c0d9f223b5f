"""The true peak: what lies between the samples, beside ffmpeg's meter."""

import re
import subprocess
import wave
from pathlib import Path

import numpy as np
import pytest

from shared.domain.video.true_peak import TruePeakMeter


def peak_of(samples: np.ndarray, rate: int, piece: int = 1024) -> float | None:
    meter = TruePeakMeter()
    for first in range(0, samples.shape[1], piece):
        meter.hear(samples[:, first : first + piece].astype(np.float32), rate)
    return meter.result()


def tone(hertz: float, rate: int, phase: float, amplitude: float = 0.5) -> np.ndarray:
    time = np.arange(rate) / rate
    ramp = np.minimum(1, np.minimum(time, time[::-1]) * 20)
    return np.asarray((amplitude * ramp * np.sin(2 * np.pi * hertz * time + phase))[None])


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
@pytest.mark.parametrize("share", [0.02, 0.25, 0.4])
def test_a_tone_has_its_amplitude_as_true_peak(rate: int, share: float) -> None:
    """Also where every sample lies 3 dB below it, as at a quarter of the rate."""
    found = peak_of(tone(rate * share, rate, np.pi / 4), rate)
    assert found == pytest.approx(20 * np.log10(0.5), abs=0.15)


def test_the_pieces_in_which_sound_comes_do_not_matter() -> None:
    """Frames of a decoder have any size."""
    noise = np.random.default_rng(1).normal(0, 0.1, (2, 9_000)).clip(-1, 1)
    assert peak_of(noise, 48_000, 37) == peak_of(noise, 48_000, 9_000)


def test_silence_has_no_peak() -> None:
    """Minus infinity is no number to compare with."""
    assert peak_of(np.zeros((2, 4_000)), 48_000) is None
    assert TruePeakMeter().result() is None


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_it_agrees_with_ffmpeg(tmp_path: Path, rate: int) -> None:
    """Within 0.15 dB on noise with energy up to 0.42 of the rate, and on a tone between samples."""
    ffmpeg = pytest.importorskip("imageio_ffmpeg").get_ffmpeg_exe()
    spectrum = np.fft.rfft(np.random.default_rng(2).normal(0, 0.12, rate))
    spectrum[round(0.42 * rate) :] = 0
    noise = np.fft.irfft(spectrum, rate)[None].clip(-1, 1)
    for sound in (noise, tone(rate / 4, rate, np.pi / 4)):
        whole = np.rint(sound * 32767).astype("<i2")
        with wave.open(str(tmp_path / "a.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(rate)
            file.writeframes(whole.tobytes())
        command = [ffmpeg, "-nostdin", "-i", str(tmp_path / "a.wav"), "-af", "ebur128=peak=true"]
        done = subprocess.run([*command, "-f", "null", "-"], capture_output=True, check=True)
        told = done.stderr.decode()
        theirs = float(re.findall(r"Peak:\s+(-?[\d.]+) dBFS", told)[-1])
        assert peak_of(whole / 32768, rate) == pytest.approx(theirs, abs=0.15)
