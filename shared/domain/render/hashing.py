"""What a render is known by, to repeat and to audit it: its coded pictures, and its frames.

Decoding H.264 is exact, so the same coded pictures are the same frames everywhere; they are hashed
in milliseconds. `hash_frames` decodes any copy of a file: the sha256 of the frames' murmur3 hashes
as hexadecimal lines, in order, the last column of
`ffmpeg -i video.mp4 -map 0:v -f framehash -hash murmur3 -`.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from shared.domain.render.process import Allowance, run_ffmpeg

HASHES = "frames.txt"
FORMAT = ("-f", "framehash", "-hash", "murmur3", HASHES)


def hash_pictures(video: Path) -> tuple[str, int]:
    """The sha256 of the coded pictures of a video of ours, in the file's order, and how many."""
    import av

    digest, count = hashlib.sha256(), 0
    with av.open(str(video)) as container:
        for packet in container.demux(video=0):
            if packet.size:
                digest.update(bytes(packet))
                count += 1
    return digest.hexdigest(), count


def hash_frames(
    name: str, folder: Path, allowance: Allowance, more: Sequence[str] = ()
) -> tuple[str, int]:
    """The hash and the number of decoded frames of a video in `folder`.

    `more` is another output of the same decoding.
    """
    words = ["-i", f"file:{name}", "-map", "0:v:0", *FORMAT, *more]
    run_ffmpeg(words, folder, allowance)
    lines = (folder / HASHES).read_text().splitlines()
    hashes = [line.rsplit(",", 1)[1].strip() for line in lines if not line.startswith("#")]
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest(), len(hashes)
