"""Why a timeline could not be rendered; each reason is an error with its own code."""

from shared.errors import ConfigError, Rejected, RetryLater


class SourceMissing(Rejected):
    """The timeline names a file that was not handed over, or that is another one."""


class SourceUnreadable(Rejected):
    """A source, or the range that the timeline takes of it, cannot be decoded."""


class LogoUnreadable(Rejected):
    """The logo is no picture that can be laid over a video."""


class TimelineUnfit(Rejected):
    """An edit that nothing can be made of, such as one shorter than a frame."""


class RenderFailed(RetryLater):
    """ffmpeg ended with an error that is not known to be a source's fault."""


class RenderTooSlow(RetryLater):
    """The render took longer than its length allows."""


class RenderBusy(RetryLater):
    """Another render is writing to the same folder."""


class FfmpegMissing(ConfigError):
    """There is no ffmpeg on this machine."""
