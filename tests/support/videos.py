"""Tiny videos whose content is known because it is drawn here."""

from pathlib import Path

import av
import numpy as np

RATE = 25
SOUND_RATE = 44_100


def make_video(path: Path, *, seconds: float = 2.0, seed: int = 0, sound: bool = True) -> Path:
    """A 160x90 clip at 25 frames a second: a bar that moves, one hard cut in the middle, clicks.

    Another seed is another video.
    """
    with av.open(str(path), "w", format="mp4") as container:
        picture = container.add_stream("libx264", rate=RATE, options={"preset": "ultrafast"})
        picture.width, picture.height, picture.pix_fmt = 160, 90, "yuv420p"
        tone = container.add_stream("aac", rate=SOUND_RATE, layout="mono") if sound else None
        for index in range(int(seconds * RATE)):
            frame = av.VideoFrame.from_ndarray(draw(index, seconds, seed), format="rgb24")
            container.mux(picture.encode(frame))
        container.mux(picture.encode(None))
        if tone is not None:
            wave = av.AudioFrame.from_ndarray(clicks(seconds)[None, :], "fltp", "mono")
            wave.sample_rate = SOUND_RATE
            container.mux(tone.encode(wave))
            container.mux(tone.encode(None))
    return path


def draw(index: int, seconds: float, seed: int) -> np.ndarray:
    """One frame, 90x160 RGB."""
    rng = np.random.default_rng(seed)
    first, second = rng.integers(0, 255, (2, 3), dtype=np.uint8)
    picture = np.empty((90, 160, 3), np.uint8)
    picture[:] = first if index < seconds * RATE / 2 else second
    left = (seed * 7 + index * 3) % 140
    picture[30:60, left : left + 20] = 255 - picture[0, 0]
    return picture


def clicks(seconds: float) -> np.ndarray:
    """A click every half second: 120 beats a minute."""
    wave = np.zeros(int(seconds * SOUND_RATE), np.float32)
    burst = np.sin(np.arange(800) * 2 * np.pi * 1000 / SOUND_RATE) * np.linspace(1, 0, 800)
    for start in range(0, len(wave) - 800, SOUND_RATE // 2):
        wave[start : start + 800] = burst
    return wave
