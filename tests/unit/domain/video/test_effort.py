"""The expected time of an analysis: near what was measured, and never less for more work."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.video.effort import ALLOWANCE, analysis_seconds
from shared.domain.video.inspect import VideoFacts


def facts(**others: float) -> VideoFacts:
    """A minute of 1080p at 30 fps in 20 MB, or what a test says."""
    plain = {
        **{"container": "mov", "codec": "h264", "width": 1920, "height": 1080, "rotation": 0},
        **{"claimed_fps": 30.0, "claimed_seconds": 60.0, "has_audio": True, "hdr": False},
        "size_bytes": 20_000_000,
    }
    return VideoFacts.model_validate({**plain, **others})


@pytest.mark.parametrize(
    ("width", "height", "frames", "megabytes", "measured_seconds"),
    [
        (426, 240, 1500, 2.58, 3.84),
        (854, 480, 1500, 5.32, 5.91),
        (1280, 720, 1000, 5.87, 4.51),
        (1920, 1080, 900, 8.07, 4.77),
        (1080, 1920, 900, 7.99, 5.19),
        (3840, 2160, 240, 6.90, 3.87),
        (1920, 1080, 360, 48.26, 5.74),
        (1920, 1080, 360, 181.55, 15.28),
    ],
)
def test_it_is_near_what_was_measured(
    width: int, height: int, frames: int, megabytes: float, measured_seconds: float
) -> None:
    """Processor seconds of eight encodings, before the allowance."""
    size_bytes = int(megabytes * 1e6)
    video = facts(
        width=width, height=height, claimed_seconds=frames / 25, claimed_fps=25.0,
        size_bytes=size_bytes,
    )  # fmt: skip
    assert analysis_seconds(video) / ALLOWANCE == pytest.approx(measured_seconds, rel=0.18)


def test_an_ordinary_ad_is_analysed_at_once_and_ten_heavy_minutes_are_not() -> None:
    assert analysis_seconds(facts()) < 20
    assert analysis_seconds(facts(claimed_seconds=600.0, size_bytes=100_000_000)) < 300
    uhd = facts(claimed_seconds=600.0, width=3840, height=2160, size_bytes=400_000_000)
    assert analysis_seconds(uhd) > 300


@given(st.sampled_from(["width", "height", "claimed_seconds", "size_bytes"]), st.integers(2, 9))
def test_more_of_anything_takes_longer(name: str, times: int) -> None:
    more = facts(**{name: getattr(facts(), name) * times})
    assert analysis_seconds(more) > analysis_seconds(facts())


def test_an_unknown_frame_rate_counts_as_a_high_one() -> None:
    assert analysis_seconds(facts(claimed_fps=0.0)) > analysis_seconds(facts())
