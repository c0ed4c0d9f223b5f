"""The one decode of a video: frames go to all detectors, sound to its tap, time is watched."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from shared.domain.video.ahead import run_ahead
from shared.domain.video.detector import AnalyserUnavailable, Detector
from shared.domain.video.media import (
    RATE_CHECK_FRAMES,
    Timeline,
    check_length,
    check_rate,
    check_side,
    claimed_seconds,
    decode_packet,
    display_rotation,
    media_facts,
    no_frame,
    open_media,
    packet_shown_at,
    packets_of,
    shown_at,
    skip_frames,
    timeline_of,
    video_stream,
)
from shared.domain.video.pictures import look_at
from shared.domain.video.preview import Numbering, full_timeline, number_frames
from shared.domain.video.sound import SoundTap
from shared.models import Analyser, Limits, Media

PROGRESS_SECONDS = 0.1
DECODE_SHARE = 0.9
# Pictures that wait between decoder and detectors, so that both are always at work.
MAX_FRAMES_AHEAD, MAX_PIXELS_AHEAD = 8, 8 * 1920 * 1088


class Reading:
    """One pass over a file; afterwards `media`, `timeline`, `sound` and the detectors' results.

    With `preview` only reference frames are decoded; `timeline` still has all frames, and
    `numbering` says which of them the detectors saw. `hear` gets each decoded frame of sound.
    """

    def __init__(
        self,
        detectors: dict[str, Callable[[], Detector]],
        limits: Limits,
        *,
        preview: bool = False,
        hear: Callable[[Any], None] | None = None,
    ) -> None:
        self.numbering: Numbering
        self._also_hear = hear
        self._preview = preview
        self._packets_at: list[float] = []
        self.timeline = Timeline()
        self.sound = SoundTap(limits.max_seconds)
        self.sound_seconds = 0.0
        self.sound_problem = ""
        self.media: Media
        self._limits = limits
        self._detectors: dict[str, Detector] = {}
        self._spent: dict[str, float] = {}
        self._missing: dict[str, str] = {}
        for name, make in detectors.items():
            try:
                self._detectors[name] = make()
                self._spent[name] = 0.0
            except AnalyserUnavailable as problem:
                self._missing[name] = str(problem)

    def read(self, path: Path, demuxer: str, on_progress: Callable[[float, str], None]) -> None:
        """Decodes all of `path` once; raises a refusal when it is over a limit or has no frame."""
        last_said = float("-inf")
        with open_media(path, demuxer, self._limits) as container:
            stream = video_stream(container, self._limits)
            audio = self._open_sound(container)
            self._preview = self._preview and skip_frames(container, stream)
            self.timeline = timeline_of(stream)
            length = claimed_seconds(container) or self._limits.max_seconds
            frame = None
            decoded = self._decode(container, stream, [audio] if audio else [])
            for item in run_ahead(decoded, _frames_ahead(stream)):
                if not isinstance(item, av.VideoFrame):
                    self._hear(item)
                    continue
                frame = item
                self._see(frame, shown_at(container, frame))
                if time.monotonic() - last_said >= PROGRESS_SECONDS:
                    last_said = time.monotonic()
                    on_progress(DECODE_SHARE * min(1.0, self.timeline.at[-1] / length), "decode")
            if frame is None:
                raise no_frame()
            self._close(container, stream, frame)

    def _decode(
        self, container: InputContainer, stream: VideoStream, audio: list[Any]
    ) -> Iterator[Any]:
        """The decoded pictures, and the packets of sound as they are, in the order of the file."""
        for packet in packets_of(container, [stream, *audio]):
            if packet.stream is not stream:
                yield packet
                continue
            if self._preview and (packet_at := packet_shown_at(packet)) is not None:
                self._packets_at.append(packet_at)
            yield from decode_packet(packet)

    def _open_sound(self, container: InputContainer) -> Any:
        stream = next(iter(container.streams.audio), None)
        if stream is not None and stream.codec_context is None:
            self.sound_problem = "the sound is coded in a way that we do not decode"
            return None
        return stream

    def _see(self, frame: Any, shown: float | None) -> None:
        check_side(frame.width, frame.height, self._limits)
        if not self.timeline.at:
            self._rotation = display_rotation(frame)
        at = self.timeline.add(shown)
        check_length(at - self.timeline.at[0], self._limits)
        if len(self.timeline.at) % RATE_CHECK_FRAMES == 0:
            check_rate(self.timeline, self._limits)
        look = look_at(frame, len(self.timeline.at) - 1, self._rotation)
        for name, detector in self._detectors.items():
            began = time.perf_counter()
            detector.see(look, at)
            self._spent[name] += time.perf_counter() - began

    def _hear(self, packet: Any) -> None:
        began = time.perf_counter()
        frames: list[Any] = []
        try:
            for frame in decode_packet(packet):
                shown = frame.pts
                self.sound.hear(frame)
                # Resampling may have taken it away.
                frame.pts = shown
                frames.append(frame)
        except (av.FFmpegError, ValueError) as problem:
            # One damaged packet of sound costs its own moment only.
            self.sound_problem = f"the sound is damaged ({problem})"
        self.sound_seconds += time.perf_counter() - began
        if self._also_hear is not None:
            for frame in frames:
                self._also_hear(frame)

    def _close(self, container: InputContainer, stream: VideoStream, frame: Any) -> None:
        seen_at = self.timeline.at
        if self._preview:
            self.timeline.at = full_timeline(seen_at, self._packets_at)
        self.numbering = number_frames(seen_at, self.timeline.at)
        self.media = media_facts(container, stream, frame, self.timeline)
        check_rate(self.timeline, self._limits)

    def result(self, name: str, otherwise: Any) -> tuple[Any, Analyser]:
        """What detector `name` found and how it ran; `otherwise` when it could not run."""
        if name in self._missing:
            return otherwise, Analyser(name=name, status="unavailable", reason=self._missing[name])
        began = time.perf_counter()
        found = self._detectors[name].result()
        spent = self._spent[name] + time.perf_counter() - began
        return found, Analyser(
            name=name, status="ran", reason=self._left_out, seconds=round(spent, 4)
        )

    @property
    def _left_out(self) -> str:
        if self.numbering.complete:
            return ""
        seen, frames = len(self.numbering.seen), self.numbering.frames
        return f"preview: {seen} reference frames of {frames} frames were looked at"


def _frames_ahead(stream: VideoStream) -> int:
    pixels = max(1, stream.codec_context.width * stream.codec_context.height)
    return max(1, min(MAX_FRAMES_AHEAD, MAX_PIXELS_AHEAD // pixels))
