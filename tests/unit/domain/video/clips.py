"""Small clips whose truth is known because the tests draw them."""

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Sound = NDArray[np.float32]

WIDTH, HEIGHT, FPS = 320, 180, 30
SOUND_RATE = 16_000


def scene(seed: int, width: int = WIDTH, height: int = HEIGHT) -> Picture:
    """A picture of coloured blocks; another seed is another shot."""
    random = np.random.default_rng(seed)
    blocks = random.integers(30, 226, (6, 9, 3)).astype(np.uint8)
    rows = np.arange(height) * 6 // height
    columns = np.arange(width) * 9 // width
    return np.asarray(blocks[rows][:, columns])


def mix(first: Picture, second: Picture, share: float) -> Picture:
    """The straight blend of two pictures; share 0 is the first."""
    return np.asarray(np.rint((1 - share) * first + share * second), np.uint8)


def black(width: int = WIDTH, height: int = HEIGHT) -> Picture:
    return np.full((height, width, 3), 16, np.uint8)


def write_clip(
    path: Path,
    pictures: Iterable[Picture],
    *,
    fps: int = FPS,
    sound: Sound | None = None,
    times: Sequence[float] | None = None,
    container: str = "mp4",
    options: dict[str, str] | None = None,
) -> Path:
    """Pictures (height, width, 3) RGB, and mono sound of 16,000 samples a second, as a video.

    `options` are x264's, beside its quality and speed.
    """
    has_sound = sound is not None
    with av.open(str(path), "w", format=container) as output:
        coding = {"crf": "20", "preset": "veryfast", **(options or {})}
        stream = output.add_stream("libx264", rate=fps, options=coding)
        stream.pix_fmt = "yuv420p"
        tick = Fraction(1, 1000) if times else Fraction(1, fps)
        stream.codec_context.time_base = tick
        audio = output.add_stream("aac", rate=SOUND_RATE, layout="mono") if has_sound else None
        drawn_pictures = list(pictures)
        stream.height, stream.width = drawn_pictures[0].shape[:2]
        for index, picture in enumerate(drawn_pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.time_base = tick
            frame.pts = round(1000 * times[index]) if times else index
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
        if audio is not None and sound is not None:
            _write_sound(output, audio, sound)
    return path


def _write_sound(output: av.container.OutputContainer, audio: av.AudioStream, sound: Sound) -> None:
    for first in range(0, len(sound), 1024):
        part = np.ascontiguousarray(sound[first : first + 1024].reshape(1, -1), np.float32)
        frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
        frame.sample_rate = SOUND_RATE
        frame.pts = first
        frame.time_base = Fraction(1, SOUND_RATE)
        output.mux(audio.encode(frame))
    output.mux(audio.encode(None))


def clicks(tempo_bpm: float, seconds: float, first: float = 0.0) -> Sound:
    """Short decaying noises, one a beat."""
    return bursts(
        [first + i * 60 / tempo_bpm for i in range(int(seconds * tempo_bpm / 60))], seconds
    )


def bursts(at: Sequence[float], seconds: float) -> Sound:
    """Decaying tones of 30 ms at the given seconds over silence."""
    sound = np.zeros(int(seconds * SOUND_RATE), np.float32)
    length = int(0.03 * SOUND_RATE)
    time = np.arange(length) / SOUND_RATE
    tone = 0.7 * np.exp(-time * 80) * np.sin(2 * np.pi * 1500 * time)
    for begin in at:
        start = int(begin * SOUND_RATE)
        part = sound[start : start + length]
        part += tone[: len(part)].astype(np.float32)
    return sound


def tone(seconds: float, amplitude: float = 0.3) -> Sound:
    time = np.arange(int(seconds * SOUND_RATE)) / SOUND_RATE
    return np.asarray(amplitude * np.sin(2 * np.pi * 440 * time), np.float32)


def drawn(count: int, draw: Callable[[int], Picture]) -> list[Picture]:
    """`count` pictures, each drawn from its number."""
    return [draw(i) for i in range(count)]
