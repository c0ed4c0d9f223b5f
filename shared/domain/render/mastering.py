"""Brings a mix to the loudness that is asked for, and measures what became of it.

Loudness after EBU R128 and the true peak after ITU-R BS.1770-4, by ffmpeg's meter; what is
reported was measured on the coded sound, which is louder in its peaks than what went in.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.domain.render.process import Allowance, run_ffmpeg
from shared.timeline_models import Encoding, Sound

METER = "ebur128=peak=true:framelog=quiet"
INTEGRATED = re.compile(r"Integrated loudness:\s+I:\s+(-?[\d.]+|-?inf|nan) LUFS")
TRUE_PEAK = re.compile(r"True peak:\s+Peak:\s+(-?[\d.]+|-?inf|nan) dBFS")
# The meter says -70 for silence, as its absolute gate stands there.
SILENT_LUFS = -69.0
MOST_GAIN_DB = 30.0
CLOSE_ENOUGH_LU = 0.4
ROUNDS = 6
LEAST_YIELD = 0.3
PEAK_RESERVE_DB = 0.4
LIMITER_RATE = 192_000
MIX, CODED = "mix.wav", "sound.m4a"


@dataclass(frozen=True)
class Loudness:
    """Integrated loudness and true peak; None where there is nothing to measure."""

    lufs: float | None
    peak_db: float | None


@dataclass(frozen=True)
class Mastered:
    """The coded sound in the work folder, how loud it is, and what has to be said."""

    name: str
    loudness: Loudness
    notes: tuple[str, ...]


def read_loudness(said: str) -> Loudness:
    """What the meter printed at its end."""
    lufs, peak = (_number(pattern.findall(said)) for pattern in (INTEGRATED, TRUE_PEAK))
    return Loudness(None if lufs is None or lufs <= SILENT_LUFS else lufs, peak)


def _number(found: Sequence[str]) -> float | None:
    value = float(found[-1]) if found else math.nan
    return value if math.isfinite(value) else None


def measure_loudness(name: str, folder: Path, allowance: Allowance) -> Loudness:
    """How loud a file of the work folder is."""
    words = ["-i", f"file:{name}", "-map", "0:a:0", "-af", METER, "-f", "null", "-"]
    return read_loudness(run_ffmpeg(words, folder, allowance, verbose=True))


def master(
    mixed: Loudness | None, sound: Sound, encoding: Encoding, folder: Path, allowance: Allowance
) -> Mastered:
    """Codes the mix at the gain that gives the loudness asked for, limited below the peak.

    Lossy coding moves peaks and the limiter takes loudness, so it is measured and tried again.
    """
    notes = []
    if mixed is None:
        _code(0.0, None, encoding, folder, allowance)
        return Mastered(CODED, Loudness(None, None), ("there is no sound: it is silent",))
    if mixed.lufs is None:
        gain, wanted = 0.0, None
        notes.append(
            "the sound is silent or shorter than 0.4 s: its loudness cannot be measured, "
            "it was left as it is"
        )
    else:
        gain, wanted = sound.loudness_lufs - mixed.lufs, sound.loudness_lufs
    if gain > MOST_GAIN_DB:
        notes.append(
            f"the sound is very quiet ({mixed.lufs:.1f} LUFS): it was raised by "
            f"{MOST_GAIN_DB:g} dB and not by {gain:.0f} dB, which would raise its noise; "
            "take a louder source, or add music"
        )
        gain, wanted = MOST_GAIN_DB, None
    found = _approach(mixed, gain, wanted, sound, encoding, folder, allowance)
    if wanted is not None and found.lufs is not None and abs(found.lufs - wanted) > 1:
        notes.append(
            f"the sound came to {found.lufs:.1f} LUFS and not to {wanted:g}: "
            "its peaks leave no more room"
        )
    return Mastered(CODED, found, tuple(notes))


def _approach(
    mixed: Loudness,
    gain: float,
    wanted: float | None,
    sound: Sound,
    encoding: Encoding,
    folder: Path,
    allowance: Allowance,
) -> Loudness:
    ceiling = sound.true_peak_db - PEAK_RESERVE_DB
    found = Loudness(None, None)
    before: tuple[float, float] | None = None
    for _ in range(ROUNDS):
        peak = None if mixed.peak_db is None else mixed.peak_db + gain
        limit = peak is not None and peak > ceiling
        _code(gain, ceiling if limit else None, encoding, folder, allowance)
        found = measure_loudness(CODED, folder, allowance)
        over = (found.peak_db or -math.inf) - sound.true_peak_db
        lacking = 0.0 if wanted is None or found.lufs is None else wanted - found.lufs
        if found.lufs is None or (over <= 0 and abs(lacking) <= CLOSE_ENOUGH_LU):
            break
        ceiling -= over + 0.1 if over > 0 else 0.0
        # Under a limiter a decibel of gain brings less than one of loudness; as much as last time.
        yields = 1.0 if before is None else (found.lufs - before[1]) / (gain - before[0] or 1.0)
        before = (gain, found.lufs)
        gain += lacking / min(1.0, max(LEAST_YIELD, yields))
    return found


def _code(
    gain: float, ceiling: float | None, encoding: Encoding, folder: Path, allowance: Allowance
) -> None:
    filters = f"volume={gain:.3f}dB"
    if ceiling is not None:
        # Peaks between samples are seen at four times the rate (BS.1770-4, annex 2).
        level = math.pow(10, ceiling / 20)
        filters += (
            f",aresample={LIMITER_RATE},alimiter=limit={level:.6f}:attack=3:release=60:"
            "level=0:latency=1,aresample=48000"
        )
    words = ["-i", f"file:{MIX}", "-map", "0:a:0", "-af", filters, *sound_words(encoding)]
    run_ffmpeg([*words, "-f", "mp4", CODED], folder, allowance)


def sound_words(encoding: Encoding) -> list[str]:
    """How sound is coded."""
    return [
        *("-c:a", "aac", "-b:a", f"{encoding.audio_kbps}k", "-ar", "48000", "-ac", "2"),
        *("-flags:a", "+bitexact", "-fflags", "+bitexact", "-map_metadata", "-1"),
    ]
