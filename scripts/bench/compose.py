"""The bench's clips as files: composed once from the sample ad, kept under their recipe's hash."""

import hashlib
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from scripts.bench.edit import EDITS, Edit
from scripts.bench.frames import draw_frames, read_footage
from scripts.bench.processes import Clock, Command, run_together
from scripts.bench.sound import RATE, Samples, draw_sound
from scripts.stages import ROOT

SAMPLE = ROOT / "scripts" / "sample" / "sample_ad.mp4"
CACHE = ROOT / ".local" / "cache" / "bench"
RECIPE = [ROOT / "scripts" / "bench" / f"{part}.py" for part in ("edit", "frames", "sound")]
# What upload guides ask for at this size: footage that was scaled up decodes too easily otherwise.
BITS_PER_SECOND = 8_000_000
STILL_SIZE = (96, 54)
STILL_FPS = 5


@dataclass(frozen=True)
class Clip:
    """One ad: its edit, the file, and a file with its sound behind a still picture."""

    edit: Edit
    path: Path
    sound: Path


def compose_clips(clock: Clock, say: Callable[[str], None], folder: Path = CACHE) -> list[Clip]:
    """The ads, made where they are missing, each by a process of its own; raises Unavailable."""
    clips = [clip_of(edit, folder) for edit in EDITS]
    missing = [clip for clip in clips if not (clip.path.is_file() and clip.sound.is_file())]
    if missing:
        say(f"composing {' and '.join(clip.edit.name for clip in missing)} (once)")
        commands: list[Command] = [
            [sys.executable, "-m", "scripts.bench.compose", folder, clip.edit.name]
            for clip in missing
        ]
        run_together(commands, clock)
    return clips


def clip_of(edit: Edit, folder: Path) -> Clip:
    """Where the files of an ad lie, made or not."""
    name = f"{edit.name.replace(' ', '_')}-{recipe_hash()}"
    return Clip(edit, folder / f"{name}.mp4", folder / f"{name}-sound.mp4")


def compose_clip(clip: Clip) -> None:
    """Draw and encode one ad; nobody ever sees half of a file."""
    wave = draw_sound(SAMPLE, clip.edit.frames / clip.edit.fps)
    encode(clip.sound, still(clip.edit.frames // clip.edit.fps), wave, fps=STILL_FPS)
    frames = draw_frames(clip.edit, read_footage(SAMPLE))
    encode(clip.path, frames, wave, fps=clip.edit.fps)


def tiny_clip(folder: Path = CACHE) -> Path:
    """One second of grey without sound: what an analysis costs before it has anything to do."""
    path = folder / f"tiny-{recipe_hash()}.mp4"
    if not path.is_file():
        encode(path, still(1), None, fps=STILL_FPS)
    return path


def recipe_hash() -> str:
    """Changes with the sample and with every line that draws."""
    whole = hashlib.sha256()
    for part in (SAMPLE, Path(__file__), *RECIPE):
        whole.update(part.read_bytes())
    return whole.hexdigest()[:12]


def still(seconds: int) -> list[NDArray[np.uint8]]:
    """Grey frames as PyAV takes them."""
    width, height = STILL_SIZE
    return [np.full((height * 3 // 2, width), 128, np.uint8)] * (seconds * STILL_FPS)


def encode(
    path: Path, frames: Iterable[NDArray[np.uint8]], wave: Samples | None, *, fps: int
) -> None:
    """Write an H.264 and AAC file; `wave` is mono at 48 kHz in -1 to 1, None for no sound."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".part")
    # A fixed number of threads makes the same file on every machine.
    options = {"preset": "superfast", "threads": "2"}
    with av.open(str(half), "w", format="mp4") as container:
        picture = container.add_stream("libx264", rate=fps, options=options)
        picture.bit_rate, picture.pix_fmt = BITS_PER_SECOND, "yuv420p"
        tone = None if wave is None else container.add_stream("aac", rate=RATE, layout="mono")
        for index, planes in enumerate(frames):
            if not index:
                picture.height, picture.width = planes.shape[0] * 2 // 3, planes.shape[1]
            frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, fps)
            container.mux(picture.encode(frame))
        container.mux(picture.encode(None))
        if tone is not None and wave is not None:
            heard = av.AudioFrame.from_ndarray(wave[None, :], "fltp", "mono")
            heard.sample_rate = RATE
            container.mux(tone.encode(heard))
            container.mux(tone.encode(None))
    half.rename(path)


if __name__ == "__main__":
    compose_clip(next(clip_of(e, Path(sys.argv[1])) for e in EDITS if e.name == sys.argv[2]))
