"""What ingest refuses, one reason after the other, with real files."""

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from shared.domain.video.inspect import inspect_video
from shared.domain.video.refusals import (
    FrameRateTooHigh,
    NoDecodableFrame,
    NotVideo,
    NoVideoStream,
    TooLong,
    TooManyPixels,
    TooManyStreams,
)
from shared.errors import Rejected
from shared.models import Limits
from tests.unit.domain.video.clips import drawn, scene, tone, write_clip


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good video of one second with sound."""
    path = tmp_path_factory.mktemp("clips") / "good.mp4"
    return write_clip(path, drawn(30, lambda i: scene(i // 15)), sound=tone(1.0))


def test_a_good_video_is_described(clip: Path) -> None:
    facts = inspect_video(clip, Limits())
    assert (facts.container, facts.codec) == ("mov", "h264")
    assert (facts.width, facts.height, facts.rotation) == (320, 180, 0)
    assert facts.claimed_fps == pytest.approx(30)
    assert facts.claimed_seconds == pytest.approx(1.0, abs=0.1)
    assert facts.has_audio
    assert not facts.hdr
    assert facts.size_bytes == clip.stat().st_size


@pytest.mark.parametrize(
    "name",
    ["видео", "视频.txt", "-i", "a:b.mp4", "file%03d.mp4", "http:x.mp4", "'; rm -rf .mp4", "🎬"],
)
def test_names_of_any_shape_are_only_names(clip: Path, tmp_path: Path, name: str) -> None:
    copy = tmp_path / name
    copy.write_bytes(clip.read_bytes())
    assert inspect_video(copy, Limits()).width == 320


@pytest.mark.parametrize(
    ("limits", "wanted"),
    [
        (Limits(max_seconds=0.5), TooLong),
        (Limits(max_side_pixels=200), TooManyPixels),
        (Limits(max_fps=20), FrameRateTooHigh),
        (Limits(max_streams=1), TooManyStreams),
    ],
)
def test_limits_are_kept(clip: Path, limits: Limits, wanted: type[Rejected]) -> None:
    with pytest.raises(wanted):
        inspect_video(clip, limits)


def test_a_video_without_its_end_has_no_index(clip: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(clip.read_bytes()[:3000])
    with pytest.raises((NotVideo, NoDecodableFrame)):
        inspect_video(broken, Limits())


def test_a_brand_that_is_no_text_is_only_odd(clip: Path, tmp_path: Path) -> None:
    content = bytearray(clip.read_bytes())
    content[8] = 0x80
    odd = tmp_path / "odd.mp4"
    odd.write_bytes(content)
    assert inspect_video(odd, Limits()).width == 320


def test_garbage_behind_a_good_start_is_no_video(tmp_path: Path) -> None:
    file = tmp_path / "garbage.mp4"
    file.write_bytes(b"\x00\x00\x00\x18ftypisom" + np.random.default_rng(0).bytes(5000))
    with pytest.raises(NotVideo):
        inspect_video(file, Limits())


def test_a_container_with_sound_alone_is_refused(tmp_path: Path) -> None:
    import av

    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as output:
        audio = output.add_stream("aac", rate=16_000)
        audio.layout = "mono"
        frame = av.AudioFrame.from_ndarray(tone(0.5).reshape(1, -1), format="fltp", layout="mono")
        frame.sample_rate = 16_000
        output.mux(audio.encode(frame))
        output.mux(audio.encode(None))
    with pytest.raises(NoVideoStream):
        inspect_video(path, Limits())


def test_encrypted_or_empty_pictures_are_refused(clip: Path, tmp_path: Path) -> None:
    content = bytearray(clip.read_bytes())
    start = content.index(b"mdat") + 4
    end = content.index(b"moov") - 4
    content[start:end] = bytes(end - start)
    blank = tmp_path / "blank.mp4"
    blank.write_bytes(content)
    with pytest.raises(NoDecodableFrame):
        inspect_video(blank, Limits())


@settings(
    max_examples=8,
    deadline=None,
    # Each example starts a process: shrinking a failure would take minutes.
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data())
def test_a_file_with_flipped_bytes_is_read_or_refused(
    clip: Path, tmp_path: Path, data: st.DataObject
) -> None:
    content = bytearray(clip.read_bytes())
    for at in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=40)):
        content[at] = data.draw(st.integers(0, 255))
    flipped = tmp_path / "flipped.mp4"
    flipped.write_bytes(content)
    with suppress(Rejected):
        assert inspect_video(flipped, Limits(deadline_seconds=10)).width > 0
