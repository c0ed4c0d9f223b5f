"""The one ffmpeg that renders: where it is, what it is, and whether it reaches a GPU's encoder."""

import importlib.util
import subprocess
from functools import cache
from pathlib import Path

from shared.domain.render.refusals import FfmpegMissing

PROBE_SECONDS = 20
NVIDIA_DEVICE = Path("/dev/nvidiactl")


@cache
def ffmpeg_path() -> Path:
    """The program that imageio-ffmpeg carries; raises FfmpegMissing.

    Found by its place in the package: the package's own search starts the program to see.
    """
    package = importlib.util.find_spec("imageio_ffmpeg")
    folders = package.submodule_search_locations if package else None
    for folder in folders or ():
        for program in sorted(Path(folder).glob("binaries/ffmpeg-*")):
            return program
    raise FfmpegMissing(
        "the package imageio-ffmpeg with its program is not installed: "
        "install requirements/render.txt"
    )


@cache
def ffmpeg_version() -> str:
    """The build, such as `n9.0.2-17-g2a571b6068-20260930`."""
    words = _ask("-version").split()
    return words[words.index("version") + 1] if "version" in words else "unknown"


@cache
def has_nvenc() -> bool:
    """Whether two frames can be encoded by an NVIDIA GPU; asked once a process.

    A driver, a card and an encoder on it are three things: data centre cards may have none.
    """
    if not NVIDIA_DEVICE.exists():
        return False
    picture = ("-f", "lavfi", "-i", "color=s=256x256:r=10:d=0.2")
    encode = ("-c:v", "h264_nvenc", "-f", "null", "-")
    try:
        _ask("-nostdin", "-v", "error", *picture, *encode)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return False
    return True


def _ask(*words: str) -> str:
    done = subprocess.run(  # noqa: S603 - our own program, no shell
        [ffmpeg_path(), *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PROBE_SECONDS,
        check=True,
    )
    return done.stdout.decode(errors="replace")
