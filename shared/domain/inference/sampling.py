"""What the networks look at, taken from one decode in the child: pictures, edges and sound."""

import time
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from shared.domain.inference.gate import GATE_SIDE, WHOLE, Edges, Region, TextGate, contrast_of
from shared.domain.inference.listening import Listener
from shared.domain.video.ahead import run_ahead
from shared.domain.video.colours import colour_picture
from shared.domain.video.media import (
    check_length,
    check_side,
    claimed_seconds,
    decode_packet,
    display_rotation,
    no_frame,
    open_media,
    packets_of,
    shown_at,
    skip_frames,
    timeline_of,
    video_stream,
)
from shared.domain.video.pictures import ROTATE_CODES, Look, Picture, fit, look_at
from shared.models import Limits

Say = Callable[[dict[str, Any]], None]

# Nobody reads what stands for less than two samples.
SAMPLE_SECONDS = 0.125
TEXT_SIDE = 1280
# Writing that moves, or is as faint as nature, is found by looking at the whole picture, soon
# after a shot has begun and then now and again.
PEEK_AFTER_SECONDS = 0.3
PEEK_SECONDS = 4.0
# Flicker and noise must not cost more than this.
MAX_READS_A_SECOND = 3.0
BURST_READS = 6.0
MAX_READS = 900
EDGES_A_PART = 64
FRAME_SIDE = 640
FACE_SIDE = 64
FACE_MARGIN = 0.15
JPEG_QUALITY = 92
PROGRESS_SECONDS = 0.1
FRAMES_AHEAD_PIXELS = 4 * 1920 * 1088


def sample_video(
    task: dict[str, Any], limits: Limits, on_progress: Callable[[float, str], None], say: Say
) -> dict[str, Any]:
    """Hands over parts of the video that `task` names, and in the end the quality of its sound.

    Parts, by `kind`: `text` (a JPEG of a region to read), `edges` (a run of edge pictures),
    `frame` (a JPEG of a shot), `face` (64x64 grey), `sound` (16 kHz mono, 16 bit).
    """
    cv2.setNumThreads(1)
    watchers: list[Any] = []
    if "text" in task["wants"]:
        watchers.append(TextWatcher(task["shots"], say))
    if "frames" in task["wants"]:
        watchers.append(FrameWatcher(task["shots"], say))
    if "faces" in task["wants"]:
        watchers.append(FaceWatcher(task["faces"], say))
    listener = Listener(say if "sound" in task["wants"] else None)
    reading = SampleReading(Path(task["path"]), task["demuxer"], limits)
    began = time.perf_counter()
    frames = reading.read(watchers, listener, on_progress)
    spent = {watcher.name: round(watcher.seconds, 4) for watcher in watchers}
    return {
        "frames": frames,
        "seconds": {
            **spent,
            "sound": round(listener.seconds, 4),
            "reading": round(
                time.perf_counter() - began - sum(spent.values()) - listener.seconds, 4
            ),
        },
        "skipped_reads": sum(getattr(watcher, "skipped", 0) for watcher in watchers),
        "sound": listener.heard(),
        "sound_problem": listener.problem,
    }


class SampleReading:
    """One decode of what other frames need; frames that nothing refers to are left out."""

    def __init__(self, path: Path, demuxer: str, limits: Limits) -> None:
        self._path, self._demuxer, self._limits = path, demuxer, limits

    def read(
        self,
        watchers: list[Any],
        listener: Listener,
        on_progress: Callable[[float, str], None],
    ) -> int:
        """Shows each frame to each watcher; returns how many there were. Raises a refusal."""
        last_said = float("-inf")
        with open_media(self._path, self._demuxer, self._limits) as container:
            stream = video_stream(container, self._limits)
            skip_frames(container, stream)
            length = claimed_seconds(container) or self._limits.max_seconds
            timeline = timeline_of(stream)
            decoded = self._decode(container, stream)
            for item in run_ahead(decoded, _frames_ahead(stream)):
                if not isinstance(item, av.VideoFrame):
                    listener.hear(item)
                    continue
                check_side(item.width, item.height, self._limits)
                at = timeline.add(shown_at(container, item))
                check_length(at - timeline.at[0], self._limits)
                self._show(item, at, len(timeline.at) - 1, watchers)
                if time.monotonic() - last_said >= PROGRESS_SECONDS:
                    last_said = time.monotonic()
                    on_progress(min(1.0, at / length), "sampling")
        if not timeline.at:
            raise no_frame()
        for watcher in watchers:
            watcher.close()
        listener.close()
        return len(timeline.at)

    def _decode(self, container: Any, stream: Any) -> Iterator[Any]:
        audio = next((s for s in container.streams.audio if s.codec_context is not None), None)
        for packet in packets_of(container, [stream, *([audio] if audio is not None else [])]):
            if packet.stream is stream:
                yield from decode_packet(packet)
            else:
                yield packet

    def _show(self, frame: Any, at: float, index: int, watchers: list[Any]) -> None:
        look: Look | None = None
        for watcher in watchers:
            if watcher.wants(at):
                look = look or look_at(frame, index, display_rotation(frame))
                began = time.thread_time()
                watcher.see(look, at)
                watcher.seconds += time.thread_time() - began


def _frames_ahead(stream: Any) -> int:
    pixels = max(1, stream.codec_context.width * stream.codec_context.height)
    return int(max(1, min(8, FRAMES_AHEAD_PIXELS // pixels)))


@dataclass
class Sample:
    """The edges of one sampled frame, and when it is shown."""

    at: float
    edges: Edges


class TextWatcher:
    """Follows the edges of sampled frames and hands over the regions that want reading."""

    name = "text"

    def __init__(self, shots: list[list[float]], say: Say) -> None:
        self.seconds = 0.0
        self.skipped = 0
        self._peeks = deque(start + PEEK_AFTER_SECONDS for start, _ in shots)
        self._say = say
        self._gate = TextGate()
        self._samples = 0
        self._waiting: deque[Sample] = deque()
        self._next = float("-inf")
        self._peeked = float("-inf")
        self._reads = 0
        self._allowance, self._allowed_at = BURST_READS, 0.0

    def wants(self, at: float) -> bool:
        """Whether a frame shown at `at` is sampled."""
        return at >= self._next

    def see(self, frame: Look, at: float) -> None:
        """Takes one sampled frame."""
        self._next = at + SAMPLE_SECONDS - 1e-6
        regions, edges = self._gate.changed(contrast_of(gate_picture(frame)))
        self._keep(Sample(at, edges))
        kind = "standing"
        if not regions and self._gate.doubtful and self._peek_due(at):
            regions, kind = [WHOLE], "peek"
        if not regions or not self._may_read(at):
            return
        if regions == [WHOLE]:
            self._gate.all_read()
            self._peeked = at
        picture = colour_picture(frame, TEXT_SIDE)
        for region in regions:
            self._hand_over(picture, region, at, kind)

    def _peek_due(self, at: float) -> bool:
        """Whether a shot has just begun, or the last look at the whole picture is long ago."""
        begun = bool(self._peeks) and at >= self._peeks[0]
        while self._peeks and at >= self._peeks[0]:
            self._peeks.popleft()
        return begun or at >= self._peeked + PEEK_SECONDS

    def _may_read(self, at: float) -> bool:
        """A bucket that fills with time: bursts pass, steady flicker does not."""
        gained = (at - self._allowed_at) * MAX_READS_A_SECOND
        self._allowance = min(BURST_READS, self._allowance + max(0.0, gained))
        self._allowed_at = at
        if self._allowance < 1 or self._reads >= MAX_READS:
            self.skipped += 1
            return False
        self._allowance -= 1
        self._reads += 1
        return True

    def _hand_over(self, picture: Picture, region: Region, at: float, kind: str) -> None:
        height, width = picture.shape[:2]
        left, top = int(region.left * width), int(region.top * height)
        right, bottom = int(np.ceil(region.right * width)), int(np.ceil(region.bottom * height))
        self._say(
            {
                "kind": "text",
                "how": kind,
                "at": at,
                "sample": self._samples - 1,
                "place": [left, top, width, height],
                "jpeg": jpeg_of(picture[top:bottom, left:right]),
            }
        )

    def _keep(self, sample: Sample) -> None:
        self._waiting.append(sample)
        self._samples += 1
        if len(self._waiting) >= EDGES_A_PART or self._turned(sample):
            self._hand_over_edges()

    def _turned(self, sample: Sample) -> bool:
        """Whether the picture changed its size, which a part's edges share."""
        return self._waiting[0].edges.shape != sample.edges.shape

    def _hand_over_edges(self) -> None:
        shape = self._waiting[0].edges.shape
        same = [sample for sample in self._waiting if sample.edges.shape == shape]
        if same:
            packed = np.packbits(np.stack([sample.edges for sample in same]), axis=2)
            self._say(
                {
                    "kind": "edges",
                    "shape": list(shape),
                    "at": [sample.at for sample in same],
                    "packed": b64encode(packed.tobytes()).decode(),
                }
            )
        self._waiting = deque(s for s in self._waiting if s.edges.shape != shape)

    def close(self) -> None:
        """Hands over what is left."""
        while self._waiting:
            self._hand_over_edges()


def gate_picture(frame: Look) -> Picture:
    """Brightness at 384 pixels a side, as displayed."""
    width, height = fit(frame.width, frame.height, GATE_SIDE)
    small = cv2.resize(frame.middle, (width, height), interpolation=cv2.INTER_AREA)
    if frame.rotation:
        small = cv2.rotate(small, ROTATE_CODES[frame.rotation])
    return np.asarray(small, np.uint8)


class FrameWatcher:
    """Hands over one frame from the middle of each shot."""

    name = "frames"

    def __init__(self, shots: list[list[float]], say: Say) -> None:
        self.seconds = 0.0
        self._say = say
        self._wanted = deque((index, (a + b) / 2) for index, (a, b) in enumerate(shots))

    def wants(self, at: float) -> bool:
        """Whether the middle of the next shot is reached."""
        return bool(self._wanted) and at >= self._wanted[0][1] - 1e-6

    def see(self, frame: Look, at: float) -> None:
        """Takes the frame for every shot whose middle it has reached."""
        jpeg = jpeg_of(colour_picture(frame, FRAME_SIDE))
        while self.wants(at):
            shot, _ = self._wanted.popleft()
            self._say({"kind": "frame", "shot": shot, "at": at, "jpeg": jpeg})

    def close(self) -> None:
        """Nothing is held back."""


class FaceWatcher:
    """Hands over the faces that the analysis found, as small grey pictures."""

    name = "faces"

    def __init__(self, samples: list[dict[str, Any]], say: Say) -> None:
        self.seconds = 0.0
        self._say = say
        self._wanted = deque(samples)

    def wants(self, at: float) -> bool:
        """Whether the next sample with a face is reached."""
        return bool(self._wanted) and at >= self._wanted[0]["at"] - 1e-6

    def see(self, frame: Look, at: float) -> None:
        """Cuts out the faces of the newest sample that is reached."""
        sample = self._wanted.popleft()
        while self.wants(at):
            sample = self._wanted.popleft()
        picture = displayed_middle(frame)
        for index, box in enumerate(sample["boxes"]):
            face = cut_square(picture, box)
            if face is not None:
                grey = b64encode(face.tobytes()).decode()
                self._say({"kind": "face", "at": sample["at"], "box": index, "grey": grey})

    def close(self) -> None:
        """Nothing is held back."""


def displayed_middle(frame: Look) -> Picture:
    """Brightness at about 640 pixels a side, as displayed."""
    if not frame.rotation:
        return frame.middle
    return np.asarray(cv2.rotate(frame.middle, ROTATE_CODES[frame.rotation]), np.uint8)


def cut_square(picture: Picture, box: list[float]) -> Picture | None:
    """The 64x64 picture of a face with a margin; None when nothing of it is in the picture.

    `box` is left, top, width, height in fractions of the picture.
    """
    height, width = picture.shape
    middle = ((box[0] + box[2] / 2) * width, (box[1] + box[3] / 2) * height)
    half = (0.5 + FACE_MARGIN) * max(box[2] * width, box[3] * height)
    left, top = max(0, int(middle[0] - half)), max(0, int(middle[1] - half))
    part = picture[top : int(middle[1] + half), left : int(middle[0] + half)]
    if not part.size:
        return None
    return np.asarray(cv2.resize(part, (FACE_SIDE, FACE_SIDE), interpolation=cv2.INTER_AREA))


def jpeg_of(picture: Picture) -> str:
    """A JPEG of a BGR picture, in base64."""
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return b64encode(data.tobytes()).decode()
