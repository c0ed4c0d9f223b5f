"""A render as a command: `rendering.py VIDEO preview|plain FOLDER`; prints what it took.

Fifteen seconds of 1080x1920 in three clips out of the bench's portrait ad, with a hook, captions
and the sound mastered. The clips follow one another in the ad, so that the plainest encode of the
same range codes the same pictures.
"""

import json
import sys
import time
from pathlib import Path

from scripts.bench.edit import PORTRAIT
from shared.domain.render.render import render_timeline
from shared.timeline_models import (
    Captions,
    CaptionWord,
    Encoding,
    Source,
    TextOverlay,
    Timeline,
    TimelineClip,
)

SECONDS = 15
CLIPS = 3
BEGIN_SECONDS = 10
WORD_SECONDS = 0.35
SAID = "The walls have been grey for years and today they are not any more so come and see them"


def bench_timeline() -> Timeline:
    """Three clips of five seconds, each sought for by itself, with text all along."""
    length = SECONDS / CLIPS
    starts = [BEGIN_SECONDS + n * length for n in range(CLIPS)]
    words = (SAID.split() * 3)[: int(SECONDS / WORD_SECONDS)]
    return Timeline(
        width=PORTRAIT.width,
        height=PORTRAIT.height,
        fps=PORTRAIT.fps,
        sources={
            "ad": Source(
                path="ad.mp4",
                width=PORTRAIT.width,
                height=PORTRAIT.height,
                fps=PORTRAIT.fps,
                duration_seconds=PORTRAIT.frames / PORTRAIT.fps,
                has_audio=True,
            )
        },
        clips=tuple(
            TimelineClip(source="ad", start_seconds=start, end_seconds=start + length)
            for start in starts
        ),
        overlays=(
            TextOverlay(text="Grey walls again?", role="hook", start_seconds=0, end_seconds=3),
        ),
        captions=Captions(
            words=tuple(
                CaptionWord(
                    text=word,
                    start_seconds=n * WORD_SECONDS,
                    end_seconds=(n + 1) * WORD_SECONDS,
                )
                for n, word in enumerate(words)
            )
        ),
    )


def plain_words(video: Path, out: Path) -> list[str | Path]:
    """The plainest encode of as much of the ad: what ffmpeg's manual shows, at our settings."""
    encoding = Encoding()
    return [
        *("-nostdin", "-v", "error", "-y", "-ss", str(BEGIN_SECONDS), "-i", video),
        *(
            "-t",
            str(SECONDS),
            "-c:v",
            encoding.video,
            "-preset",
            encoding.preset,
            "-crf",
            str(encoding.crf),
        ),
        *("-threads", str(encoding.threads), "-c:a", "aac", "-b:a", f"{encoding.audio_kbps}k"),
        *("-movflags", "+faststart", out),
    ]


def main() -> None:
    """Renders once and prints seconds as JSON."""
    video, how, folder = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    began, preview_at = time.monotonic(), 0.0

    def tell(_share: float, step: str) -> None:
        nonlocal preview_at
        if step == "video" and not preview_at:
            preview_at = time.monotonic() - began

    timeline = bench_timeline()
    made = render_timeline(
        timeline, {"ad": video}, folder, on_progress=tell, preview=how == "preview"
    )
    took = time.monotonic() - began
    print(json.dumps({"seconds": took, "preview_seconds": preview_at, "output": made.seconds}))


if __name__ == "__main__":
    main()
