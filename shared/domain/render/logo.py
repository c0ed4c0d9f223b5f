"""Draws the logo once, small: a broken or enormous picture is found before any video is made."""

from pathlib import Path

from shared.domain.render.process import Allowance, run_ffmpeg
from shared.domain.render.refusals import LogoUnreadable, RenderFailed, SourceUnreadable
from shared.domain.render.sniffing import sniff_logo
from shared.timeline_models import Logo, Timeline

DRAWN = "logo.png"
MAX_PIXELS = 50_000_000
SECONDS = 30.0


def draw_logo(path: Path, timeline: Timeline, work: Path) -> None:
    """Writes the logo at its width into the work folder; raises LogoUnreadable."""
    assert timeline.logo is not None
    demuxer = sniff_logo(path)
    (work / "logo").symlink_to(path.resolve())
    width = logo_width(timeline.logo, timeline.width)
    # As high as the picture at most: a strip of one pixel's width would grow without end.
    scale = f"format=rgba,scale={width}:{timeline.height}:force_original_aspect_ratio=decrease"
    words = [
        *("-max_pixels", str(MAX_PIXELS), "-protocol_whitelist", "file,pipe", "-f", demuxer),
        *("-i", "file:logo", "-vf", f"{scale}:flags=bicubic", "-frames:v", "1", "-update", "1"),
        *("-c:v", "png", "-f", "image2", DRAWN),
    ]
    try:
        run_ffmpeg(words, work, Allowance(SECONDS))
        problem = "" if (work / DRAWN).is_file() else "it has no picture"
    except (RenderFailed, SourceUnreadable) as failed:
        problem = str(failed)
    if problem:
        raise LogoUnreadable(
            f"the logo cannot be drawn: {problem}; give it as a PNG of at most "
            f"{MAX_PIXELS // 1_000_000} megapixels"
        )


def logo_width(logo: Logo, width: int) -> int:
    """Its width in pixels on a picture of that width, as far as there is room."""
    return max(2, round(min(logo.width, 1 - logo.left) * width))
