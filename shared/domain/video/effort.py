"""How long an analysis will take, from what a header says of a video."""

from shared.domain.video.inspect import VideoFacts

# Processor time of the whole analysis with contact sheet, measured on a 2-core x86 machine over
# eight H.264 encodings of the sample ad: 426x240 to 3840x2160, 25 and 30 fps, 0.3 to 121 Mbit/s.
# Least squares of the relative error leave every one of them within 17 %.
START_SECONDS = 0.75
SECONDS_PER_FRAME = 0.0021
SECONDS_PER_MEGAPIXEL = 0.00105
SECONDS_PER_MEGABYTE = 0.072
ALLOWANCE = 2.0
"""A processor in the cloud is half a core, and codecs younger than H.264 cost more to decode."""
UNKNOWN_FPS = 60.0


def analysis_seconds(facts: VideoFacts) -> float:
    """An upper estimate of the seconds that one analysis takes, from a header's claims.

    0.75 + 0.0021 frames + 0.00105 megapixels decoded + 0.072 megabytes, twice.
    """
    frames = facts.claimed_seconds * (facts.claimed_fps or UNKNOWN_FPS)
    megapixels = frames * facts.width * facts.height / 1e6
    measured = (
        START_SECONDS
        + SECONDS_PER_FRAME * frames
        + SECONDS_PER_MEGAPIXEL * megapixels
        + SECONDS_PER_MEGABYTE * facts.size_bytes / 1e6
    )
    return ALLOWANCE * measured
