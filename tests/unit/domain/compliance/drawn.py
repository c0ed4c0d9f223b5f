"""Tiny ads whose faults are known because they are drawn here."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from shared.domain.compliance.facts import Measured
from shared.domain.compliance.measure import measure_ad
from shared.models import InferenceTools, Limits

Picture = np.ndarray
RATE = 48_000


def moving(index: int, width: int = 180, height: int = 320) -> Picture:
    """Soft waves that drift, RGB."""
    y, x = np.mgrid[:height, :width]
    wave = 120 + 60 * np.sin((x + 7 * index) / 23) * np.cos((y - 5 * index) / 31)
    return np.repeat(wave[..., None], 3, axis=2).astype(np.uint8)


def write(picture: Picture, text: str, top: float, size: float = 1.0) -> Picture:
    """White words with a rim, in the middle, their foot at `top` of the height."""
    font, thick = cv2.FONT_HERSHEY_DUPLEX, max(1, round(2 * size))
    picture = np.ascontiguousarray(picture)
    wide = cv2.getTextSize(text, font, size, thick)[0][0]
    place = ((picture.shape[1] - wide) // 2, round(top * picture.shape[0]))
    for colour, width in (((0, 0, 0), 4 * thick), ((255, 255, 255), thick)):
        cv2.putText(picture, text, place, font, size, colour, width, cv2.LINE_AA)
    return picture


def tone(seconds: float, amplitude: float) -> np.ndarray:
    """A tone of 1 kHz in both channels; -23 LUFS at 0.0707 each."""
    time = np.arange(round(seconds * RATE)) / RATE
    swell = np.minimum(1, 50 * np.minimum(time, time[::-1]))
    return np.tile(amplitude * swell * np.sin(2 * np.pi * 1000 * time), (2, 1)).astype(np.float32)


def make_ad(
    path: Path,
    draw: Callable[[int], Picture] = moving,
    *,
    seconds: float = 1.0,
    fps: int = 30,
    sound: np.ndarray | None = None,
    times: Sequence[float] | None = None,
    **how: Any,
) -> Path:
    """A video of drawn pictures; `how`: container, codec, pix_fmt, options."""
    options = {"movflags": "+faststart"} if how.get("faststart", True) else {}
    with av.open(
        str(path), "w", format=how.get("container", "mp4"), container_options=options
    ) as file:
        stream = file.add_stream(how.get("codec", "libx264"), rate=fps)
        stream.options = how.get("options", {"crf": "20", "preset": "ultrafast"})
        stream.pix_fmt = how.get("pix_fmt", "yuv420p")
        tick = Fraction(1, 1000) if times else Fraction(1, fps)
        stream.codec_context.time_base = tick
        audio = file.add_stream("aac", rate=RATE, layout="stereo") if sound is not None else None
        count = len(times) if times else round(seconds * fps)
        stream.height, stream.width = draw(0).shape[:2]
        for index in range(count):
            frame = av.VideoFrame.from_ndarray(draw(index), format="rgb24")
            frame.time_base = tick
            frame.pts = round(1000 * times[index]) if times else index
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
        if audio is not None and sound is not None:
            for first in range(0, sound.shape[1], 1024):
                part = np.ascontiguousarray(sound[:, first : first + 1024])
                heard = av.AudioFrame.from_ndarray(part, format="fltp", layout="stereo")
                heard.sample_rate, heard.pts = RATE, first
                heard.time_base = Fraction(1, RATE)
                file.mux(audio.encode(heard))
            file.mux(audio.encode(None))
    return path


def measure(path: Path) -> Measured:
    """What is found in a file, with the networks that a fresh machine has."""
    tools = InferenceTools(models=str(path.parent / "models"))
    return measure_ad(path, limits=Limits(), tools=tools)
