"""Onsets, tempo and beats of 16 kHz mono sound, from its spectral flux."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.domain.video.beats import track_beats
from shared.domain.video.samples import SPEECH_RATE, Samples
from shared.domain.video.tempo import CURVE_RATE, MIN_SECONDS, Curve, find_tempo, is_clear

HOP_SAMPLES = round(SPEECH_RATE / CURVE_RATE)
WINDOW_SAMPLES = 1024
# A frame hears an onset before its middle reaches it: the window rises fastest a quarter in.
EARLY_FRAMES = 1
BANDS = 40
LOW_BANDS, HIGH_BANDS = slice(0, 6), slice(25, BANDS)
LOWEST_HERTZ, HIGHEST_HERTZ = 30.0, 8000.0
COMPRESSION = 1000.0
USUAL_FRAMES = 50

ONSET_USUAL_FRAMES = 15
ONSET_REACH_FRAMES = 4
ONSET_DEVIATIONS = 0.4
ONSET_MIN_GAP_SECONDS = 0.06
# Of the mean log energy: steady noise rises by 0.03 and less, music and speech by 0.09 and more.
MIN_ONSET_SHARE = 0.06
SILENCE_PEAK = 1e-3

# Notes hold their pitch for 80 ms, voices and animals glide: of speech and birdsong at most 9 %
# of the moments stay, of noise none, of music without drums at least 15 %.
PITCH_BINS = slice(10, 138)
PITCH_SMOOTH_BINS = 9
PITCH_LOUDNESS = 100.0
PITCH_EVERY_FRAMES, PITCH_APART = 4, 2
PITCH_PIECES = 12
STEADY_LIKENESS, SOUNDING_SHARE = 0.7, 0.05
MIN_STEADY_SHARE = 0.12
MIN_ONSETS, MIN_ONSETS_A_SECOND = 4, 0.5


@dataclass(frozen=True)
class Rhythm:
    """Times in seconds from the start of the sound; no tempo without a beat."""

    tempo_bpm: float | None
    beats: tuple[float, ...]
    onsets: tuple[float, ...]


class OnsetMeter:
    """Hears mono sound in pieces and keeps how much begins in each hundredth of a second.

    The rise of log mel energies over 20 ms, averaged over all, the low and the high bands
    (spectral flux; Boeck and Widmer 2013).
    """

    def __init__(self) -> None:
        self._waiting = np.zeros(WINDOW_SAMPLES // 2, np.float32)
        self._window = np.hanning(WINDOW_SAMPLES).astype(np.float32)
        self._bands = (COMPRESSION * mel_bands()).astype(np.float32)
        self._groups = _band_groups()
        self._loud = np.zeros((0, BANDS), np.float32)
        self._rises: list[Samples] = []
        self._levels: list[float] = []
        self._pitches = PitchMeter()
        self._peak = 0.0
        self._count = 0

    def hear(self, mono: Samples) -> None:
        """Takes samples at 16 kHz in -1 to 1."""
        if not len(mono):
            return
        self._count += len(mono)
        self._peak = max(self._peak, float(mono.max()), -float(mono.min()))
        self._measure(mono)

    def _measure(self, mono: Samples) -> None:
        heard = np.concatenate([self._waiting, mono])
        count = max(0, (len(heard) - WINDOW_SAMPLES) // HOP_SAMPLES + 1)
        self._waiting = heard[count * HOP_SAMPLES :]
        if not count:
            return
        frames = np.lib.stride_tricks.sliding_window_view(heard, WINDOW_SAMPLES)[::HOP_SAMPLES]
        spectra = np.abs(np.fft.rfft(frames[:count] * self._window))
        self._pitches.hear(spectra)
        fresh = np.log1p(spectra @ self._bands)
        self._levels.append(float(fresh.mean()) * count)
        loud = np.concatenate([self._loud, fresh])
        self._rises.append(np.maximum(0, loud[2:] - loud[:-2]) @ self._groups)
        self._loud = loud[-2:]

    def rises(self) -> Curve:
        """What begins in all, the low and the high bands: (3, n), 100 values a second."""
        self._measure(np.zeros(WINDOW_SAMPLES // 2, np.float32))
        edge = np.zeros((1, 3), np.float32)
        return np.concatenate([edge, *self._rises, edge]).T.astype(np.float64)

    def rhythm(self) -> Rhythm:
        """Tempo, beats and onsets of everything heard; to be asked once, at the end."""
        if self._count < WINDOW_SAMPLES or self._peak < SILENCE_PEAK:
            return Rhythm(None, (), ())
        rises = self.rises()
        onsets = pick_onsets(rises[0], sum(self._levels) / rises.shape[1])
        curves = np.stack([against_usual(rise) for rise in rises])
        if not self._has_beat(curves[0], len(onsets)):
            return Rhythm(None, (), _seconds(onsets))
        tempo = find_tempo(curves)
        beats = track_beats(curves, tempo)
        return Rhythm(tempo_bpm=round(tempo, 2), beats=_seconds(beats), onsets=_seconds(onsets))

    def _has_beat(self, curve: Curve, onsets: int) -> bool:
        """Whether it is music: something repeats clearly, or notes of steady pitch begin."""
        seconds = len(curve) / CURVE_RATE
        if seconds < MIN_SECONDS or onsets < max(MIN_ONSETS, MIN_ONSETS_A_SECOND * seconds):
            return False
        return is_clear(curve) or self._pitches.steady_share() >= MIN_STEADY_SHARE


class PitchMeter:
    """Keeps how alike the fine spectra of moments 80 ms apart are."""

    def __init__(self) -> None:
        self._skip = 0
        self._waiting = [np.zeros((0, PITCH_BINS.stop - PITCH_BINS.start), np.float32)]
        self._loud: list[Samples] = []
        self._alike: list[Samples] = []

    def hear(self, spectra: Samples) -> None:
        """Takes magnitudes, (frames, frequencies)."""
        chosen = spectra[self._skip :: PITCH_EVERY_FRAMES]
        self._skip = (self._skip - len(spectra)) % PITCH_EVERY_FRAMES
        self._loud.append(chosen.sum(axis=1))
        self._waiting.append(chosen[:, PITCH_BINS].copy())
        if len(self._waiting) > PITCH_PIECES:
            self._compare()

    def _compare(self) -> None:
        magnitudes = np.concatenate(self._waiting)
        fine = np.log1p(PITCH_LOUDNESS * magnitudes)
        half = PITCH_SMOOTH_BINS // 2
        around = np.cumsum(np.pad(fine, ((0, 0), (half + 1, half))), axis=1)
        fine -= (around[:, PITCH_SMOOTH_BINS:] - around[:, :-PITCH_SMOOTH_BINS]) / PITCH_SMOOTH_BINS
        fine /= np.linalg.norm(fine, axis=1, keepdims=True) + np.float32(1e-6)
        self._alike.append((fine[PITCH_APART:] * fine[:-PITCH_APART]).sum(axis=1))
        self._waiting = [magnitudes[-PITCH_APART:]]

    def steady_share(self) -> float:
        """The share of the sounding moments whose pitch stays, 0-1; 0 in silence."""
        self._compare()
        loud, alike = np.concatenate(self._loud)[PITCH_APART:], np.concatenate(self._alike)
        if not len(alike):
            return 0.0
        return float(
            (alike[loud > SOUNDING_SHARE * np.quantile(loud, 0.95)] > STEADY_LIKENESS).mean()
        )


def less_usual(rise: Curve, reach: int) -> Curve:
    """A curve less its mean over `reach` frames on either side."""
    around = np.cumsum(np.concatenate([[0.0], np.pad(rise, reach)]))
    width = 2 * reach + 1
    return np.asarray(rise - (around[width:] - around[:-width]) / width)


def against_usual(rise: Curve) -> Curve:
    """How far a curve rises over what is usual in the second around, deviation 1."""
    curve = less_usual(rise, USUAL_FRAMES)
    return np.asarray(curve / max(1e-9, float(curve.std())))


def _band_groups() -> Samples:
    """Means of all, the low and the high bands: (bands, 3)."""
    groups = np.zeros((BANDS, 3), np.float32)
    for column, bands in enumerate((slice(0, BANDS), LOW_BANDS, HIGH_BANDS)):
        groups[bands, column] = 1 / len(range(*bands.indices(BANDS)))
    return groups


def _seconds(frames: NDArray[np.int64]) -> tuple[float, ...]:
    return tuple(round(float(f + EARLY_FRAMES) / CURVE_RATE, 3) for f in frames)


def find_rhythm(mono: Samples) -> Rhythm:
    """Tempo, beats and onsets of `mono` (16,000 samples a second, -1 to 1)."""
    meter = OnsetMeter()
    for first in range(0, len(mono), SPEECH_RATE):
        meter.hear(mono[first : first + SPEECH_RATE])
    return meter.rhythm()


def mel_bands() -> Curve:
    """Triangles on the mel scale, (frequencies, bands), each with area 1."""

    def mel(hertz: NDArray[np.floating]) -> Curve:
        return np.asarray(2595 * np.log10(1 + hertz / 700), np.float64)

    lowest, highest = mel(np.array([LOWEST_HERTZ, HIGHEST_HERTZ])).tolist()
    edges = np.linspace(lowest, highest, BANDS + 2)
    at = mel(np.fft.rfftfreq(WINDOW_SAMPLES, 1 / SPEECH_RATE))[:, None]
    up = (at - edges[:-2]) / (edges[1:-1] - edges[:-2])
    down = (edges[2:] - at) / (edges[2:] - edges[1:-1])
    triangles = np.maximum(0.0, np.minimum(up, down))
    return np.asarray(triangles / np.maximum(1e-9, triangles.sum(axis=0)) / WINDOW_SAMPLES)


def pick_onsets(rise: Curve, level: float) -> NDArray[np.int64]:
    """Frames where the rise peaks clearly over what is usual; `level` is the mean log energy."""
    curve = less_usual(rise, ONSET_USUAL_FRAMES)
    least = max(ONSET_DEVIATIONS * float(curve.std()), MIN_ONSET_SHARE * level)
    found: list[int] = []
    for i in np.flatnonzero(curve > least):
        around = curve[max(0, i - ONSET_REACH_FRAMES) : i + ONSET_REACH_FRAMES + 1]
        if curve[i] < around.max():
            continue
        if not found or i - found[-1] >= ONSET_MIN_GAP_SECONDS * CURVE_RATE:
            found.append(int(i))
    return np.array(found, dtype=np.int64)
