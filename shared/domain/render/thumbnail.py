"""Chooses a picture of the hook moment: sharp, neither black nor white, nor in a transition."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shared.domain.render.refusals import RenderFailed

HOOK_SECONDS = 3.0
PICTURES_A_SECOND = 3
PATTERN = "hook%02d.jpg"
SMALL_WIDTH = 180
DARK, BRIGHT = 0.12, 0.92


def candidates_chain(label: str, fps: int, total: int) -> str:
    """A chain that keeps some frames of the first seconds, at full size, as `[hooks]`."""
    end = min(total, round(HOOK_SECONDS * fps))
    every = max(1, round(fps / PICTURES_A_SECOND))
    # The middle of each stretch: the first frame of a video is often black.
    first = min(every // 2, end - 1)
    return f"[{label}]trim=end_frame={end},select='not(mod(n-{first},{every}))'[hooks]"


def candidate_words() -> list[str]:
    """The output that writes the candidates."""
    codec = ("-c:v", "mjpeg", "-q:v", "3", "-pix_fmt", "yuvj420p", "-flags:v", "+bitexact")
    return ["-map", "[hooks]", *codec, "-fps_mode", "passthrough", "-f", "image2", PATTERN]


def choose_thumbnail(work: Path, thumbnail: Path) -> None:
    """Renames the best candidate; the first of equals. Raises RenderFailed without one."""
    import cv2

    best: tuple[float, Path] | None = None
    for path in sorted(work.glob(PATTERN.replace("%02d", "*"))):
        picture = cv2.imread(str(path), cv2.IMREAD_REDUCED_GRAYSCALE_4)
        if picture is None:
            continue
        height = max(1, round(picture.shape[0] * SMALL_WIDTH / picture.shape[1]))
        small = np.asarray(cv2.resize(picture, (SMALL_WIDTH, height)), np.uint8)
        found = goodness(small)
        if best is None or found > best[0]:
            best = (found, path)
    if best is None:
        raise RenderFailed("no frame of the first seconds could be kept as a thumbnail")
    best[1].replace(thumbnail)


def goodness(grey: NDArray[np.uint8]) -> float:
    """How good an 8-bit grey picture is as a thumbnail: contrast and sharpness, well exposed."""
    import cv2

    light = float(grey.mean()) / 255
    exposed = 1.0 if DARK < light < BRIGHT else 0.1
    sharpness = float(cv2.Laplacian(grey, cv2.CV_64F).var()) ** 0.5
    contrast = float(grey.std())
    return float(exposed * (sharpness + contrast + 0.01))
