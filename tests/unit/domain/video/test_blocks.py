"""Sound in blocks: the K weighting, the way to 16 kHz, and frames of every odd kind."""

import math
from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from shared.domain.video.loudness import channel_weights, k_coefficients
from shared.domain.video.samples import SPEECH_RATE, Blocks, is_block_rate
from shared.domain.video.sound import OPENING_SECONDS, SoundTap, samples_of
from tests.unit.domain.video.test_sound import loudness_of

Sound = NDArray[np.float32]
RATES = [8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 96_000]
ONE = np.ones(1, np.float32)


def wave(hertz: float, seconds: float, rate: int, amplitude: float = 0.5) -> Sound:
    time = np.arange(int(seconds * rate)) / rate
    return np.asarray(amplitude * np.sin(2 * np.pi * hertz * time), np.float32)


def through(blocks: Blocks, sound: Sound, piece: int = 1024) -> tuple[Sound, Sound]:
    """(K-weighted, mono at 16 kHz) of one channel."""
    pairs = []
    for first in range(0, len(sound), piece):
        pairs += list(blocks.take(sound[None, first : first + piece]))
    pairs += list(blocks.rest())
    return np.concatenate([w[0] for w, _ in pairs]), np.concatenate([m for _, m in pairs])


def frame_of(
    planes: NDArray[np.generic],
    rate: int,
    at: float | None,
    *,
    form: str = "fltp",
    layout: str = "mono",
) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(planes), format=form, layout=layout)
    frame.sample_rate = rate
    frame.time_base = Fraction(1, 1_000_000)
    frame.pts = None if at is None else round(at * 1_000_000)
    return frame


def hear(tap: SoundTap, sound: Sound, rate: int, start: float = 0.0) -> None:
    for first in range(0, len(sound), 1024):
        tap.hear(frame_of(sound[None, first : first + 1024], rate, start + first / rate))


def test_the_coefficients_at_48_khz_are_those_of_the_recommendation() -> None:
    shelf, high_pass = k_coefficients(48_000)
    assert shelf[0] == pytest.approx((1.53512485958697, -2.69169618940638, 1.19839281085285))
    assert shelf[1] == pytest.approx((1.0, -1.69065929318241, 0.73248077421585))
    assert high_pass[1] == pytest.approx((1.0, -1.99004745483398, 0.99007225036621))


@pytest.mark.parametrize("rate", RATES)
def test_loudness_is_the_same_at_every_rate(rate: int) -> None:
    assert loudness_of(1.0, 0.0, rate=rate) == pytest.approx(-3.01, abs=0.1)


@pytest.mark.parametrize("rate", RATES)
def test_a_tone_comes_through_to_16_khz_with_its_size_and_place(rate: int) -> None:
    _, mono = through(Blocks(rate, ONE), wave(440, 3, rate))
    wanted = wave(440, 3, SPEECH_RATE)
    assert abs(len(mono) - len(wanted)) <= 1
    inside = slice(800, 3 * SPEECH_RATE - 800)
    assert np.abs(mono[inside] - wanted[inside]).max() < 2e-3


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
def test_what_16_khz_cannot_hold_is_gone_and_not_folded_back(rate: int) -> None:
    _, mono = through(Blocks(rate, ONE), wave(11_000, 2, rate))
    assert np.abs(mono[1600:-1600]).max() < 1e-3


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 30_000), st.integers(1, 60_000), st.sampled_from(RATES))
def test_pieces_change_nothing_and_nothing_is_lost(piece: int, count: int, rate: int) -> None:
    piece = max(piece, count // 50)
    sound = np.random.default_rng(count).normal(0, 0.1, count).astype(np.float32)
    weighted, mono = through(Blocks(rate, ONE), sound, piece)
    whole, whole_mono = through(Blocks(rate, ONE), sound, count)
    assert len(weighted) == count
    assert abs(len(mono) - count * SPEECH_RATE / rate) <= 2
    assert np.abs(weighted - whole).max() < 1e-4
    assert np.abs(mono - whole_mono).max(initial=0) < 1e-4


@settings(max_examples=40, deadline=None)
@given(st.integers(-10, 500_000) | st.integers(1, 500).map(lambda k: 800 * k))
def test_only_rates_that_make_small_blocks_are_taken_as_they_are(rate: int) -> None:
    taken = is_block_rate(rate)
    assert taken == (8_000 <= rate <= 400_000 and rate // math.gcd(rate, 16_000) <= 1024)
    if taken:
        _, mono = through(Blocks(rate, ONE), np.zeros(rate // 10, np.float32))
        assert len(mono) == pytest.approx(1600, abs=2)


def test_surrounds_count_more_and_the_low_effects_not_at_all() -> None:
    gains = channel_weights(["FL", "FR", "FC", "LFE", "BL", "SR"])
    assert gains.tolist() == pytest.approx([1, 1, 1, 0, 1.41, 1.41])


@pytest.mark.parametrize(
    ("form", "scale"), [("s16", 32768), ("s32", 2**31), ("flt", 1), ("dbl", 1), ("u8", 128)]
)
def test_packed_samples_of_every_kind_are_read(form: str, scale: int) -> None:
    left, right = np.array([0.0, 0.5, -0.5]), np.array([0.25, -0.25, 0.0])
    types = {"s16": np.int16, "s32": np.int32, "flt": np.float32, "dbl": np.float64, "u8": np.uint8}
    packed = np.stack([left, right], axis=1).reshape(1, -1) * scale + (128 if form == "u8" else 0)
    frame = frame_of(packed.astype(types[form]), 48_000, 0.0, form=form, layout="stereo")
    assert samples_of(frame, 2) == pytest.approx(np.stack([left, right]))


def test_a_late_start_is_kept_as_the_offset() -> None:
    tap = SoundTap(60)
    hear(tap, wave(440, 1, 48_000), 48_000, start=1.4)
    tap.close()
    assert tap.start_seconds == pytest.approx(1.4)
    assert len(tap.opening()) == pytest.approx(SPEECH_RATE, abs=2)


def test_a_hole_in_the_timestamps_becomes_silence() -> None:
    tap = SoundTap(60)
    hear(tap, wave(440, 1, 48_000), 48_000)
    hear(tap, wave(440, 1, 48_000), 48_000, start=3.0)
    tap.close()
    opening = tap.opening()
    assert len(opening) == pytest.approx(4 * SPEECH_RATE, abs=20)
    assert np.abs(opening[int(1.1 * SPEECH_RATE) : int(2.9 * SPEECH_RATE)]).max() < 1e-3
    assert np.abs(opening[int(3.1 * SPEECH_RATE) :]).max() > 0.4


def test_a_hole_as_long_as_the_header_pleases_ends_at_the_limit() -> None:
    tap = SoundTap(5)
    hear(tap, wave(440, 1, 48_000), 48_000)
    hear(tap, wave(440, 1, 48_000), 48_000, start=1e6)
    tap.close()
    assert len(tap.opening()) <= 5.1 * SPEECH_RATE


def test_sound_goes_on_when_its_rate_and_layout_change() -> None:
    tap = SoundTap(60)
    hear(tap, wave(440, 1, 44_100), 44_100)
    for first in range(0, 48_000, 1000):
        both = np.stack([wave(440, 1, 48_000)] * 2)[:, first : first + 1000]
        tap.hear(frame_of(both, 48_000, 1 + first / 48_000, layout="stereo"))
    tap.close()
    assert len(tap.opening()) == pytest.approx(2 * SPEECH_RATE, abs=4)
    late = tap.opening()[int(1.2 * SPEECH_RATE) : int(1.8 * SPEECH_RATE)]
    assert np.abs(late).max() == pytest.approx(0.5, abs=0.01)


def test_a_rate_that_fits_no_block_is_resampled_first() -> None:
    tap = SoundTap(60)
    hear(tap, wave(440, 1, 37_123), 37_123)
    tap.close()
    assert len(tap.opening()) == pytest.approx(SPEECH_RATE, abs=200)
    assert tap.meter.result() is not None


def test_nonsense_samples_are_silence() -> None:
    tap = SoundTap(60)
    sound = wave(440, 2, 48_000)
    sound[10_000:20_000] = np.nan
    sound[30_000:31_000] = np.inf
    hear(tap, sound, 48_000)
    tap.close()
    assert np.isfinite(tap.opening()).all()
    loudness = tap.meter.result()
    assert loudness is not None
    assert np.isfinite(loudness)


def test_nothing_heard_is_nothing_said() -> None:
    tap = SoundTap(60)
    tap.close()
    assert (tap.start_seconds, len(tap.opening()), tap.meter.result()) == (None, 0, None)
    assert tap.rhythm().onsets == ()
    assert tap.speech.segments() == ()


def test_silence_never_loads_the_network() -> None:
    tap = SoundTap(60)
    hear(tap, np.zeros(48_000 * 5, np.float32), 48_000)
    tap.close()
    assert tap.speech.segments() == ()
    assert tap.speech._session is None


def test_of_long_sound_only_the_opening_is_kept() -> None:
    tap = SoundTap(600)
    hear(tap, np.zeros(8_000 * 120, np.float32), 8_000)
    tap.close()
    assert len(tap.opening()) <= (OPENING_SECONDS + 2) * SPEECH_RATE
