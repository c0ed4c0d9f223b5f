"""Sources as they come: small, odd, turned, unsteady, bright, late, and other containers."""

from pathlib import Path

import numpy as np
import pytest

from shared.domain.render.probe import probe_sources
from shared.models import Limits
from shared.timeline_models import Source
from tests.support.renders import (
    cut,
    ffmpeg,
    media_facts,
    number_of,
    numbered,
    ramp,
    read_pictures,
    render,
    small,
    tone,
    write_source,
)

ENTRY = Source(path="a", width=128, height=96, fps=30, duration_seconds=2, has_audio=False)


def numbers(path: Path, out: Path, start: float = 0, end: float = 1, **more: object) -> list[int]:
    """The numbers on the frames of a render of one range."""
    timeline = small([cut("a", start, end)], sources={"a": ENTRY}, **more)
    return [number_of(f) for f in render(timeline, {"a": path}, out)[1]]


@pytest.mark.parametrize("size", [(64, 48), (17, 33), (63, 47), (256, 40)])
def test_tiny_and_odd_sizes_fill_a_vertical_video(size: tuple[int, int], tmp_path: Path) -> None:
    """Every fit, from pictures smaller than a thumbnail."""
    write_source(tmp_path / "a.mp4", [ramp(size)] * 15)
    for fit in ("crop", "pad", "blur"):
        timeline = small([cut("a", 0, 0.5, fit=fit)], sources={"a": ENTRY}, width=108, height=192)
        rendered, frames = render(timeline, {"a": tmp_path / "a.mp4"}, tmp_path / fit)
        assert rendered.frames == len(frames) == 15
        assert frames[5].std() > 15


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_turned_source_is_shown_upright(degrees: int, tmp_path: Path) -> None:
    """By the display matrix; the crop counts on the displayed picture."""
    write_source(tmp_path / "flat.mp4", [ramp((128, 96))] * 15)
    turn = ("-display_rotation", str(degrees), "-i", tmp_path / "flat.mp4", "-c", "copy")
    ffmpeg(*turn, tmp_path / "a.mp4")
    width, height = (96, 128) if degrees % 180 else (128, 96)
    facts = probe_sources({"a": tmp_path / "a.mp4"}, Limits())["a"]
    assert (facts.width, facts.height, facts.rotated) == (width, height, True)
    timeline = small([cut("a", 0, 0.3)], sources={"a": ENTRY}, width=width, height=height)
    _, frames = render(timeline, {"a": tmp_path / "a.mp4"}, tmp_path / "out")
    wanted = np.rot90(ramp((128, 96)), degrees // 90)
    assert np.abs(frames[4].astype(int) - wanted).mean() < 6


def test_an_unsteady_rate_becomes_constant_and_each_moment_keeps_its_picture(
    tmp_path: Path,
) -> None:
    """Frames at uneven times: at each moment the last one before it is shown."""
    at = [0.0, 0.1, 0.5, 0.6, 0.65, 1.2, 1.3, 1.9]
    write_source(tmp_path / "a.mp4", [numbered(n) for n in range(8)], at=at)
    timeline = small([cut("a", 0.3, 1.5)], sources={"a": ENTRY})
    _, frames = render(timeline, {"a": tmp_path / "a.mp4"}, tmp_path / "out")
    assert len(frames) == 36
    for index, frame in enumerate(frames):
        moment = 0.3 + index / 30
        near = {max(n for n, t in enumerate(at) if t <= moment + d) for d in (-0.02, 0.02)}
        assert number_of(frame) in near
    facts = media_facts(tmp_path / "out" / "video.mp4")
    assert (facts["fps"], facts["frames"]) == (30, 36)


@pytest.mark.parametrize("rate", [10, 24, 60])
def test_other_rates_keep_their_time(rate: int, tmp_path: Path) -> None:
    """A second is a second."""
    write_source(tmp_path / "a.mp4", [numbered(n) for n in range(2 * rate)], rate=rate)
    shown = numbers(tmp_path / "a.mp4", tmp_path / "out", 0.5, 1.5)
    assert len(shown) == 30
    for index, number in enumerate(shown):
        assert abs(number - (0.5 + index / 30) * rate) <= 1


@pytest.mark.parametrize("kind", ["mkv", "mov", "ts", "avi", "webm", "gif"])
def test_every_container_gives_the_frames_of_its_range(kind: str, tmp_path: Path) -> None:
    """Also those in which a moment is hard to find."""
    write_source(
        tmp_path / "a.mp4", [numbered(n) for n in range(60)], options={"g": "20", "bf": "0"}
    )
    codec = {
        "webm": ("-c:v", "libvpx", "-b:v", "2M"),
        "avi": ("-c:v", "mpeg4", "-q:v", "2"),
        "gif": ("-r", "50/2"),
    }.get(kind, ("-c", "copy"))
    more = ("-muxdelay", "0", "-output_ts_offset", "0") if kind == "ts" else ()
    ffmpeg("-i", tmp_path / "a.mp4", *codec, *more, tmp_path / f"b.{kind}")
    start = probe_sources({"a": tmp_path / f"b.{kind}"}, Limits())["a"].start_seconds
    shown = numbers(tmp_path / f"b.{kind}", tmp_path / "out", start + 1, start + 1.5)
    assert len(shown) == 15
    for index, number in enumerate(shown):
        assert abs(number - 30 - index) <= (2 if kind == "gif" else 1)


@pytest.mark.parametrize("transfer", ["smpte2084", "arib-std-b67"])
def test_a_bright_source_becomes_standard(transfer: str, tmp_path: Path) -> None:
    """PQ and HLG are mapped to BT.709; the order of tones stays, white does not clip all."""
    graph = (
        "gradients=s=128x96:c0=black:c1=white:x0=0:y0=0:x1=127:y1=0:n=2:speed=0.00001:d=0.5:r=30,"
        "format=gbrp,zscale=m=bt2020nc:p=bt2020:t=" + transfer + ":pin=bt709:tin=bt709:min=gbr,"
        "format=yuv420p10le"
    )
    colours = ("-color_primaries", "bt2020", "-color_trc", transfer, "-colorspace", "bt2020nc")
    code = ("-c:v", "libx264", "-preset", "ultrafast", *colours)
    ffmpeg("-f", "lavfi", "-i", graph, *code, tmp_path / "a.mp4")
    facts = probe_sources({"a": tmp_path / "a.mp4"}, Limits())["a"]
    assert facts.hdr
    for fit in ("crop", "blur"):
        timeline = small([cut("a", 0, 0.3, fit=fit)], sources={"a": ENTRY})
        _, frames = render(timeline, {"a": tmp_path / "a.mp4"}, tmp_path / fit)
        row = frames[3][48].mean(axis=1)
        assert row[100] > row[60] > row[20]
        assert np.ptp(frames[3][48], axis=1).max() < 25
        told = media_facts(tmp_path / fit / "video.mp4")
        assert (told["pixels"], told["matrix"], told["colours"]) == ("yuv420p", 1, [1, 1])


def test_full_range_and_bt601_keep_their_colours(tmp_path: Path) -> None:
    """What was coded by another matrix and range looks the same afterwards."""
    colours = {"full": ("pc", "bt470bg", "bt601"), "old": ("tv", "smpte170m", "bt601")}
    for name, (extent, tag, matrix) in colours.items():
        scale = f"scale=out_color_matrix={matrix}:out_range={extent},format=yuv420p"
        picture = f"color=c=0x306090:s=128x96:d=0.5:r=30,format=gbrp,{scale}"
        tags = ("-colorspace", tag, "-color_range", extent)
        ffmpeg("-f", "lavfi", "-i", picture, "-c:v", "libx264", *tags, tmp_path / f"{name}.mp4")
        timeline = small([cut("a", 0, 0.3)], sources={"a": ENTRY})
        _, frames = render(timeline, {"a": tmp_path / f"{name}.mp4"}, tmp_path / name)
        assert np.abs(frames[3].mean(axis=(0, 1)) - (48, 96, 144)).max() < 4


def test_a_source_that_ends_early_holds_its_last_picture_and_says_so(tmp_path: Path) -> None:
    """Two seconds are asked of one."""
    write_source(tmp_path / "a.mp4", [numbered(n) for n in range(30)], wave=tone(2))
    entry = ENTRY.model_copy(update={"has_audio": True})
    timeline = small([cut("a", 0, 2)], sources={"a": entry})
    rendered, frames = render(timeline, {"a": tmp_path / "a.mp4"}, tmp_path / "out")
    assert [number_of(f) for f in frames] == [*range(30), *[29] * 30]
    assert any("its last picture is held" in note for note in rendered.notes)


def test_many_clips_of_one_source_are_joined_in_order(tmp_path: Path) -> None:
    """Forty cuts, each of two frames, from the end to the start."""
    write_source(tmp_path / "a.mp4", [numbered(n) for n in range(80)], options={"g": "16"})
    clips = [cut("a", 2 * n / 30, (2 * n + 2) / 30) for n in reversed(range(40))]
    timeline = small(clips, sources={"a": ENTRY})
    _, frames = render(timeline, {"a": tmp_path / "a.mp4"}, tmp_path / "out")
    wanted = [n for pair in reversed(range(40)) for n in (2 * pair, 2 * pair + 1)]
    assert [number_of(f) for f in frames] == wanted
    assert len(read_pictures(tmp_path / "out" / "video.mp4")) == 80
