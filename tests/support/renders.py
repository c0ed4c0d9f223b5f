"""Sources whose every frame is known, and the frames and sound of what was rendered from them."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from shared.domain.render.ffmpeg import ffmpeg_path
from shared.domain.render.render import render_timeline
from shared.timeline_models import Encoding, Rendered, Source, Timeline, TimelineClip

RATE = 30
BITS = 7
QUICK = Encoding(preset="ultrafast", crf=12)
Picture = NDArray[np.uint8]


def numbered(index: int, size: tuple[int, int] = (128, 96)) -> Picture:
    """A grey picture (height, width, 3) whose columns are the bits of its number."""
    width, height = size
    picture = np.full((height, width, 3), 60, np.uint8)
    column = width // BITS
    for bit in range(BITS):
        picture[:, bit * column : (bit + 1) * column] = 200 if index >> bit & 1 else 60
    return picture


def number_of(picture: Picture) -> int:
    """The number in a picture that `numbered` drew, at any size."""
    column = picture.shape[1] / BITS
    middles = [int((bit + 0.5) * column) for bit in range(BITS)]
    row = picture[picture.shape[0] // 2].mean(axis=1)
    return sum(int(row[at] > 130) << bit for bit, at in enumerate(middles))


def ramp(size: tuple[int, int]) -> Picture:
    """Red grows from left to right, green from top to bottom."""
    width, height = size
    picture = np.full((height, width, 3), 90, np.uint8)
    picture[..., 0] = np.linspace(20, 235, width)[None, :]
    picture[..., 1] = np.linspace(20, 235, height)[:, None]
    return picture


def write_source(
    path: Path,
    pictures: Sequence[Picture],
    *,
    at: Sequence[float] | None = None,
    rate: int = RATE,
    wave: NDArray[np.float32] | None = None,
    layout: str = "stereo",
    options: Mapping[str, str] | None = None,
) -> Source:
    """A nearly lossless H.264 file and its entry in a timeline; `wave` is (channels, n) at 48 kHz.

    `at` are seconds, one a picture, else the rate counts.
    """
    height, width = pictures[0].shape[:2]
    with av.open(str(path), "w") as container:
        settings = {"preset": "ultrafast", "crf": "8", **(options or {})}
        stream = container.add_stream("libx264", rate=rate, options=settings)
        odd = width % 2 or height % 2
        stream.width, stream.height = width, height
        stream.pix_fmt = "yuv444p" if odd else "yuv420p"
        clock = Fraction(1, 90_000)
        stream.codec_context.time_base = clock
        sound = (
            container.add_stream("aac", rate=48_000, layout=layout) if wave is not None else None
        )
        for index, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            moment = at[index] if at else index / rate
            frame.pts, frame.time_base = round(moment * 90_000), clock
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if sound is not None and wave is not None:
            heard = av.AudioFrame.from_ndarray(wave.astype(np.float32), "fltp", layout)
            heard.sample_rate = 48_000
            container.mux(sound.encode(heard))
            container.mux(sound.encode(None))
    return Source(
        path=path.name,
        width=width,
        height=height,
        fps=rate,
        duration_seconds=len(pictures) / rate,
        has_audio=wave is not None,
    )


def tone(seconds: float, *, level: float = 0.1, hertz: float = 440.0) -> NDArray[np.float32]:
    """A sine in stereo, (2, n)."""
    wave = level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * 48_000)) / 48_000)
    return np.stack([wave, wave]).astype(np.float32)


def cut(source: str, start: float, end: float, **more: Any) -> TimelineClip:
    """A range of a source."""
    return TimelineClip(source=source, start_seconds=start, end_seconds=end, **more)


def small(clips: Sequence[TimelineClip], **more: Any) -> Timeline:
    """A timeline of 128x96 at 30 frames a second, coded quickly and well."""
    settings = {"width": 128, "height": 96, "encoding": QUICK, **more}
    return Timeline.model_validate({"clips": tuple(clips), **settings})


def colour_clip(seconds: float, color: str = "#404040") -> TimelineClip:
    """A plain colour for a while."""
    return TimelineClip(color=color, end_seconds=seconds)


def render(
    timeline: Timeline, files: dict[str, Path], folder: Path, **more: Any
) -> tuple[Rendered, list[Picture]]:
    """What was rendered, without a preview, and its frames in RGB."""
    more = {"preview": False, **more}
    rendered = render_timeline(timeline, files, folder, **more)
    return rendered, read_pictures(folder / rendered.video)


def read_pictures(path: Path) -> list[Picture]:
    """Every frame as (height, width, 3) RGB, by the matrix of BT.709."""
    with av.open(str(path)) as container:
        return [
            np.asarray(f.to_ndarray(format="rgb24", src_colorspace="ITU709"), np.uint8)
            for f in container.decode(video=0)
        ]


def read_wave(path: Path) -> NDArray[np.float32]:
    """The sound as (channels, n)."""
    with av.open(str(path)) as container:
        parts = [frame.to_ndarray() for frame in container.decode(audio=0)]
    return np.concatenate(parts, axis=1).astype(np.float32)


def ffmpeg(*words: str | Path) -> str:
    """Runs ffmpeg for a test and returns what it said."""
    done = subprocess.run(
        [ffmpeg_path(), "-nostdin", "-hide_banner", "-y", *words], capture_output=True, check=True
    )
    return done.stderr.decode(errors="replace")


def media_facts(path: Path) -> dict[str, Any]:
    """What a player reads of a file."""
    with av.open(str(path)) as container:
        picture, sounds = container.streams.video[0], container.streams.audio
        context = picture.codec_context
        frames = list(container.decode(picture))
        facts = {
            "codec": context.name,
            "pixels": context.pix_fmt,
            "size": (context.width, context.height),
            "fps": float(picture.average_rate or 0),
            "colours": [int(v) for v in (context.color_primaries, context.color_trc)],
            "matrix": int(context.colorspace),
            "range": int(context.color_range),
            "frames": len(frames),
            "keys": [i for i, f in enumerate(frames) if f.key_frame],
            "seconds": float((picture.duration or 0) * (picture.time_base or 0)),
            "sound": [(s.codec_context.name, s.rate, s.layout.name) for s in sounds],
        }
    head = path.read_bytes()
    facts["fast_start"] = head.index(b"moov") < head.index(b"mdat")
    # Tuples become lists, as in what the tests expect.
    plain: dict[str, Any] = json.loads(json.dumps(facts))
    return plain
