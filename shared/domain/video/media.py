"""Opens a video of a known container and hands out its frames with real timestamps."""

import errno
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, Literal

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from shared.domain.video.refusals import (
    FrameRateTooHigh,
    NoDecodableFrame,
    NotVideo,
    NoVideoStream,
    TooLong,
    TooManyPixels,
    TooManyStreams,
    UnsupportedCodec,
)
from shared.models import Limits, Media

# The decoders of ffmpeg that are old, fuzzed and met in ads and their sources; the hundreds of
# others (game formats, VVC's young decoder) are only a way in for an attacker.
VIDEO_CODECS = frozenset(
    (
        *("h264", "hevc", "vp8", "vp9", "av1", "libdav1d", "mpeg4", "mpeg1video", "mpeg2video"),
        *("h263", "h263p", "flv", "flv1", "mjpeg", "prores", "dnxhd", "cinepak", "gif", "theora"),
        *("wmv1", "wmv2", "wmv3", "vc1", "msmpeg4v1", "msmpeg4v2", "msmpeg4", "msmpeg4v3"),
        *("ffv1", "huffyuv", "ffvhuff", "utvideo", "rawvideo", "png", "dvvideo", "svq1", "svq3"),
        *("libvpx", "libvpx-vp9", "qtrle", "vp6", "vp6f"),
    )
)
HDR_TRANSFERS = frozenset((16, 18))  # SMPTE ST 2084 (PQ) and ARIB STD-B67 (HLG), as in H.273
# Above this a picture and its reference frames are so large that decoding frames side by side
# would not fit the memory.
FRAME_THREADS_MAX_PIXELS = 3840 * 2176
# Without the in-loop filter decoding is a fifth cheaper; on large pictures that are shrunk
# anyway nobody sees the difference.
LOOP_FILTER_MIN_PIXELS = 1280 * 720
FIRST_FRAMES = 3
FIRST_PACKETS = 600
MAX_ATTEMPTED_STREAMS = 200
RATE_SLACK = 1.05
RATE_CHECK_FRAMES = 240


@dataclass
class Timeline:
    """When each decoded frame is shown, in seconds, and what follows from that."""

    ticks_seconds: float = 0.001
    nominal_seconds: float = 1 / 25
    at: list[float] = field(default_factory=list)

    def add(self, at: float | None) -> float:
        """The time of the next frame; a frame without one, or from before, follows the last."""
        last = self.at[-1] if self.at else None
        if at is None or (last is not None and at <= last):
            at = 0.0 if last is None else last + self.nominal_seconds
        self.at.append(at)
        return at

    @property
    def interval_seconds(self) -> float:
        """The median time between frames; the header's for a single frame."""
        gaps = sorted(b - a for a, b in pairwise(self.at))
        return gaps[len(gaps) // 2] if gaps else self.nominal_seconds

    @property
    def duration_seconds(self) -> float:
        """From the first frame to the end of the last, which lasts as long as the median."""
        return self.at[-1] - self.at[0] + self.interval_seconds if self.at else 0.0

    @property
    def fps(self) -> float:
        """Frames a second, averaged over the real timestamps."""
        return len(self.at) / self.duration_seconds if self.at else 0.0

    @property
    def variable(self) -> bool:
        """Whether some gap differs from the median by over a tenth and the clock's rounding."""
        usual = self.interval_seconds
        slack = max(0.1 * usual, 1.5 * self.ticks_seconds)
        return any(abs(b - a - usual) > slack for a, b in pairwise(self.at))


def timeline_of(stream: VideoStream) -> Timeline:
    """An empty timeline with the clock of `stream`."""
    rate = float(stream.average_rate or 0)
    ticks = float(stream.time_base or 0)
    return Timeline(ticks_seconds=ticks, nominal_seconds=1 / rate if rate > 0 else 1 / 25)


def open_media(path: Path, demuxer: str, limits: Limits) -> InputContainer:
    """The file opened with `demuxer` and no other; nothing it names is ever opened.

    Raises NotVideo when it is not what its first bytes say, TooManyStreams.
    """
    options = {
        "protocol_whitelist": "file",
        "max_streams": str(MAX_ATTEMPTED_STREAMS),
        "max_pixels": str(limits.max_side_pixels**2),
    }
    try:
        # "file:" keeps ffmpeg from reading a name with a colon as the address of a protocol.
        container = av.open(
            f"file:{path}", format=demuxer, options=options, metadata_errors="replace"
        )
    except av.FFmpegError as problem:
        raise _translate(problem, f"the {demuxer} container cannot be read") from problem
    if len(container.streams) > limits.max_streams:
        raise TooManyStreams(
            f"the file has {len(container.streams)} streams; at most {limits.max_streams} are taken"
        )
    return container


def _translate(problem: av.FFmpegError, what: str) -> Exception:
    if problem.errno == errno.ENOMEM:
        return MemoryError(what)
    return NotVideo(f"{what} ({problem.strerror}); encode the video again")


def video_stream(container: InputContainer, limits: Limits) -> VideoStream:
    """The stream that a player would show, checked against the limits by its header.

    Raises NoVideoStream, UnsupportedCodec, TooManyPixels, FrameRateTooHigh or TooLong.
    """
    streams = [s for s in container.streams.video if not _is_cover(s)]
    if not streams:
        raise NoVideoStream("the file has no video stream; upload a video, not only its sound")
    stream = streams[0]
    context: Any = stream.codec_context
    if context is None or context.name not in VIDEO_CODECS:
        name = context.name if context is not None else "unknown"
        raise UnsupportedCodec(f"the video codec {name!r} is not taken; encode it as H.264")
    check_side(context.width, context.height, limits)
    claimed_fps = float(stream.average_rate or 0)
    if claimed_fps > limits.max_fps * RATE_SLACK:
        raise FrameRateTooHigh(
            f"{claimed_fps:g} frames a second; at most {limits.max_fps:g} are taken"
        )
    check_length(claimed_seconds(container), limits)
    _configure(context)
    return stream


def _is_cover(stream: VideoStream) -> bool:
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _configure(context: Any) -> None:
    pixels = context.width * context.height
    context.thread_type = "AUTO" if pixels <= FRAME_THREADS_MAX_PIXELS else "SLICE"
    if pixels >= LOOP_FILTER_MIN_PIXELS:
        context.options = {**context.options, "skip_loop_filter": "all"}


def check_side(width: int, height: int, limits: Limits) -> None:
    """Raises TooManyPixels for a picture beyond the limit, by header or by frame."""
    if max(width, height) > limits.max_side_pixels:
        raise TooManyPixels(
            f"the picture is {width}x{height}; at most {limits.max_side_pixels} pixels a side "
            "are taken: scale it down"
        )


def check_length(seconds: float, limits: Limits) -> None:
    """Raises TooLong beyond the limit, by header or by real timestamps."""
    if seconds > limits.max_seconds:
        raise TooLong(
            f"the video lasts {seconds:.0f} s; at most {limits.max_seconds:g} s are taken: cut it"
        )


def check_rate(timeline: Timeline, limits: Limits) -> None:
    """Raises FrameRateTooHigh when the real timestamps are denser than the limit."""
    if len(timeline.at) > RATE_CHECK_FRAMES and timeline.fps > limits.max_fps * RATE_SLACK:
        raise FrameRateTooHigh(
            f"{timeline.fps:.0f} frames a second; at most {limits.max_fps:g} are taken"
        )


def claimed_seconds(container: InputContainer) -> float:
    """The duration that the header claims, 0 when it claims none."""
    return max(0.0, (container.duration or 0) / av.time_base)


def display_rotation(frame: Any) -> Literal[0, 90, 180, 270]:
    """Clockwise degrees from the stored to the displayed picture."""
    # ffmpeg counts counter-clockwise; whatever is not a right angle is shown as stored.
    clockwise = round(-frame.rotation) % 360
    rotations: dict[int, Literal[0, 90, 180, 270]] = {90: 90, 180: 180, 270: 270}
    return rotations.get(clockwise, 0)


def shown_at(container: InputContainer, frame: Any) -> float | None:
    """When a frame is shown, in seconds, None when the file does not say.

    AVI has no presentation times; those that ffmpeg invents run backwards with B-frames, while
    frames come out of the decoder in order, one a tick.
    """
    if container.format.name == "avi":
        return None if frame.dts is None else float(frame.dts * frame.time_base)
    return None if frame.time is None else float(frame.time)


def skip_frames(container: InputContainer, stream: VideoStream) -> bool:
    """Lets the decoder leave out what no other frame needs; False where nothing would be won.

    AVI does not say when the frames that were left out are shown.
    """
    if container.format.name == "avi":
        return False
    context: Any = stream.codec_context
    context.skip_frame = "NONREF"
    return True


def packet_shown_at(packet: Any) -> float | None:
    """When the frame in `packet` is shown, in seconds; None when it is not, or is not said."""
    if packet.pts is None or packet.is_discard:
        return None
    return float(packet.pts * packet.time_base)


def is_hdr(frame: Any) -> bool:
    """Whether the picture is coded with the PQ or HLG transfer."""
    return int(frame.color_trc) in HDR_TRANSFERS


def no_frame() -> NoDecodableFrame:
    """The refusal of a video without one decodable picture."""
    return NoDecodableFrame(
        "not one picture could be decoded: the file is cut off, encrypted or broken; "
        "export the video again"
    )


def media_facts(
    container: InputContainer, stream: VideoStream, frame: Any, timeline: Timeline
) -> Media:
    """The Media record from a decoded frame and the real timeline."""
    rotation = display_rotation(frame)
    width, height = frame.width, frame.height
    if rotation in (90, 270):
        width, height = height, width
    return Media(
        container=container.format.name,
        codec=codec_name(stream),
        width=width,
        height=height,
        rotation=rotation,
        fps=round(timeline.fps, 4),
        variable_rate=timeline.variable,
        frames=len(timeline.at),
        duration_seconds=round(timeline.duration_seconds, 4),
        has_audio=bool(container.streams.audio),
        hdr=is_hdr(frame),
    )


def codec_name(stream: VideoStream) -> str:
    """The codec as the field calls it, whichever library decodes it."""
    name: str = stream.codec_context.codec.canonical_name
    return name


def packets_of(container: InputContainer, streams: list[Any]) -> Iterator[Any]:
    """The packets of `streams`; a file that breaks off ends there, it is no error."""
    packets = container.demux(streams)
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError as problem:
            _raise_if_memory(problem)
            return
        if packet is None:
            return
        yield packet


def decode_packet(packet: Any) -> list[Any]:
    """The frames that come out with `packet`; none of a damaged one."""
    try:
        return list(packet.decode())
    except av.FFmpegError as problem:
        _raise_if_memory(problem)
        return []


def _raise_if_memory(problem: av.FFmpegError) -> None:
    if problem.errno == errno.ENOMEM:
        raise MemoryError("decoding") from problem


def inspect_media(path: Path, demuxer: str, limits: Limits) -> dict[str, Any]:
    """What ingest wants to know: the header's claims, checked, and the first frames decoded."""
    with open_media(path, demuxer, limits) as container:
        stream = video_stream(container, limits)
        timeline = timeline_of(stream)
        frame = None
        for packet in islice(packets_of(container, [stream]), FIRST_PACKETS):
            for frame in decode_packet(packet):
                check_side(frame.width, frame.height, limits)
                timeline.add(shown_at(container, frame))
            if len(timeline.at) >= FIRST_FRAMES:
                break
        if frame is None:
            raise no_frame()
        media = media_facts(container, stream, frame, timeline)
        return {
            "claimed_fps": float(stream.average_rate or 0),
            "claimed_seconds": claimed_seconds(container),
            **media.model_dump(
                include={"container", "codec", "width", "height", "rotation", "has_audio", "hdr"}
            ),
        }
