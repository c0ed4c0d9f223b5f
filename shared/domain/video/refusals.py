"""Why a video is refused: each reason is an error with its own code.

They stand together because they are raised in the child that reads the file and again, by their
code, in the process that asked.
"""

from shared.errors import PipelineError, Rejected, RetryLater


class EmptyFile(Rejected):
    """The file has no bytes."""


class NotVideo(Rejected):
    """The bytes are no video container that we read."""


class PlaylistRefused(NotVideo):
    """A text that names other files, dressed up as a video."""


class NoVideoStream(Rejected):
    """A readable container without moving pictures."""


class UnsupportedCodec(Rejected):
    """The pictures are coded in a way that we do not decode."""


class NoDecodableFrame(Rejected):
    """There is a video stream, and not one picture can be decoded."""


class TooLarge(Rejected):
    """More bytes than the limit."""


class TooLong(Rejected):
    """More seconds than the limit, in the header or in truth."""


class TooManyStreams(Rejected):
    """More streams in one file than the limit."""


class TooManyPixels(Rejected):
    """A picture wider or higher than the limit."""


class FrameRateTooHigh(Rejected):
    """More frames a second than the limit."""


class ReadingTooSlow(Rejected):
    """The file was not read to its end within the deadline."""


class OutOfMemory(Rejected):
    """Reading the file takes more memory than is allowed."""


class DecoderCrashed(Rejected):
    """The process that read the file died of it."""


class ReaderFailed(RetryLater):
    """Our own reading code failed: a bug, not the file's fault."""


class ReaderStopped(RetryLater):
    """The reading process was stopped from outside before it had ended."""


REFUSALS: dict[str, type[PipelineError]] = {
    kind(kind.__name__).code: kind
    for kind in (
        EmptyFile,
        NotVideo,
        PlaylistRefused,
        NoVideoStream,
        UnsupportedCodec,
        NoDecodableFrame,
        TooLarge,
        TooLong,
        TooManyStreams,
        TooManyPixels,
        FrameRateTooHigh,
        ReadingTooSlow,
        OutOfMemory,
        DecoderCrashed,
    )
}
