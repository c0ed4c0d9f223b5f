"""The colour scheme of a timeline as filters on YUV, without a way through RGB."""

from shared.timeline_models import Grade

# BT.709: luma's share of red, green and blue, and the reach of the two chroma axes.
RED, GREEN, BLUE = 0.2126, 0.7152, 0.0722
CB_REACH, CR_REACH = 2 * (1 - BLUE), 2 * (1 - RED)
# A full tint moves chroma by this share of the colour's own chroma: more looks like paint.
TINT = 0.6
LUMA_MIDDLE = 125.5


def grade_picture(grade: Grade) -> str:
    """Filters, each followed by a comma; empty where the grade changes nothing."""
    filters = ""
    if grade.contrast != 1.0:
        curve = f"clip((val-{LUMA_MIDDLE})*{grade.contrast:.4f}+{LUMA_MIDDLE},16,235)"
        filters += f"lutyuv=y='{curve}',"
    tinted = grade.strength > 0 and (grade.shadows or grade.lights)
    if tinted or grade.saturation != 1.0:
        low, high = (_chroma(c, grade.strength) for c in (grade.shadows, grade.lights))
        # colorcorrect tints before it saturates; the tint itself is meant as it is.
        give_back = 1 / max(grade.saturation, 0.05)
        spots = ((n, v * give_back) for n, v in zip(("bl", "rl", "bh", "rh"), low + high))
        tints = ":".join(f"{name}={max(-1, min(1, value)):.5f}" for name, value in spots)
        filters += f"colorcorrect={tints}:saturation={grade.saturation:.4f},"
    return filters


def _chroma(colour: str | None, strength: float) -> tuple[float, float]:
    """How far a tint moves Cb and Cr, in -0.5 to 0.5."""
    if colour is None or strength <= 0:
        return 0.0, 0.0
    red, green, blue = rgb_of(colour)
    luma = RED * red + GREEN * green + BLUE * blue
    scale = TINT * strength
    return scale * (blue - luma) / CB_REACH, scale * (red - luma) / CR_REACH


def rgb_of(colour: str) -> tuple[float, float, float]:
    """`#RRGGBB` as red, green, blue in 0 to 1."""
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


def luma_of(colour: str) -> float:
    """How light a colour is, 0 to 1."""
    red, green, blue = rgb_of(colour)
    return RED * red + GREEN * green + BLUE * blue
