"""One hash of all decoded frames of a render, to repeat and to audit it.

The sha256 of the frames' murmur3 hashes as hexadecimal lines, in order; from any copy of the
file: `ffmpeg -i video.mp4 -map 0:v -f framehash -hash murmur3 -`, the last column.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from shared.domain.render.process import Allowance, run_ffmpeg

HASHES = "frames.txt"
# What the encoder writes is decoded again in the same process: no second reading of the file.
LOOPBACK = ("-dec", "0:0", "-filter_complex", "[dec:0]null[decoded]", "-map", "[decoded]")
FORMAT = ("-f", "framehash", "-hash", "murmur3", HASHES)


def loopback_words() -> list[str]:
    """An output, after that of the video, that writes the hashes of its decoded frames."""
    return [*LOOPBACK, *FORMAT]


def hash_video(
    name: str, folder: Path, allowance: Allowance, more: Sequence[str] = ()
) -> tuple[str, int]:
    """The hash and the number of frames of a video in `folder`, by decoding it.

    `more` is another output of the same decoding.
    """
    words = ["-i", f"file:{name}", "-map", "0:v:0", *FORMAT, *more]
    run_ffmpeg(words, folder, allowance)
    return read_hashes(folder)


def read_hashes(folder: Path) -> tuple[str, int]:
    """The hash and the number of frames from the list that ffmpeg wrote."""
    lines = (folder / HASHES).read_text().splitlines()
    hashes = [line.rsplit(",", 1)[1].strip() for line in lines if not line.startswith("#")]
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest(), len(hashes)
