"""What both sides are asked: texts in several languages, pictures of ads, and sound."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from scripts.stages import ROOT

KNOWLEDGE = ROOT / "shared" / "knowledge"
TOPICS = ("hooks", "headlines", "calls_to_action")
RATE = 16_000
PICTURES_A_SECOND = 1.0
# Other scripts, signs, nothing, one letter, and far more than 256 tokens.
ODD = (
    "",
    " ",
    "\n\t",
    "a",
    "?!",
    "50 % OFF",
    "1234567890" * 12,
    "\U0001f525\U0001f525 sale \U0001f6cd\ufe0f",
    "caf\u00e9 na\u00efve \u00fcber \u00df \u0153uvre",
    "\u041a\u0443\u043f\u0438 \u0441\u0435\u0439\u0447\u0430\u0441",
    "\u4eca\u3059\u3050\u8cfc\u5165",
    "\u7acb\u5373\u8d2d\u4e70\uff0c\u9650\u65f6\u4f18\u60e0",
    "\uc9c0\uae08 \uad6c\ub9e4\ud558\uc138\uc694",
    "\u0627\u0634\u062a\u0631 \u0627\u0644\u0622\u0646",
    "\u05e7\u05e0\u05d4 \u05e2\u05db\u05e9\u05d9\u05d5",
    "\u0905\u092d\u0940 \u0916\u0930\u0940\u0926\u0947\u0902",
    "<b>bold</b> & [CLS] [SEP] [MASK] [PAD]",
    "\u0000\u0007 control \u200b zero width",
    "https://example.com/a?b=c&d=%20",
    "DON'T MISS OUT don't miss out Don't Miss Out",
)
LONG_REPEATS = (40, 130, 255, 256, 257, 600)


def texts() -> list[str]:
    """The templates of the knowledge in their languages, odd texts, and long ones: over 200."""
    found: list[str] = []
    for topic in TOPICS:
        entries = json.loads((KNOWLEDGE / f"{topic}.json").read_text())["entries"]
        found += [text for entry in entries for text in entry["texts"].values()]
    plain = [re.sub(r"[{}]", "", text).replace("_", " ") for text in found]
    joined = [" ".join(plain[first : first + 9]) for first in range(0, len(plain), 5)]
    return [*found, *joined, *ODD, *("shoes " * n for n in LONG_REPEATS)]


def pictures(files: Sequence[Path]) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """One picture a second of each video, BGR as decoded, with its name."""
    for number, file in enumerate(files):
        with av.open(str(file)) as container:
            due = 0.0
            for frame in container.decode(video=0):
                at = float(frame.time or 0.0)
                if at < due:
                    continue
                due += 1 / PICTURES_A_SECOND
                yield f"{number}-{at:07.3f}", np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)


def sound_of(file: Any) -> NDArray[np.float32]:
    """The sound of a file as 16 kHz mono in -1 to 1."""
    with av.open(str(file)) as container:
        resampler = av.AudioResampler("flt", "mono", RATE)
        frames = [r for f in container.decode(audio=0) for r in resampler.resample(f)]
    return np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames]).astype(np.float32)
