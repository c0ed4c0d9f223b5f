"""What the networks look at, taken from a decode in the child: pictures, edges and sound."""

import time
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from shared.domain.inference.listening import Listener
from shared.domain.inference.text_watcher import Say, TextWatcher, jpeg_of
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
from shared.domain.video.pictures import ROTATE_CODES, Look, Picture, look_at
from shared.models import Limits

FRAME_SIDE = 640
FACE_SIDE = 64
FACE_MARGIN = 0.15
PROGRESS_SECONDS = 0.1
FRAMES_AHEAD_PIXELS = 4 * 1920 * 1088


def sample_video(
    task: dict[str, Any], limits: Limits, on_progress: Callable[[float, str], None], say: Say
) -> dict[str, Any]:
    """Hands over parts of the video that `task` names, and in the end the quality of its sound.

    Parts, by `kind`: `text` (a JPEG of a region to read), `edges` (a run of edge pictures),
    `frame` (a JPEG of a shot), `face` (64x64 grey), `sound` (16 kHz mono, 16 bit).
    `wants` has `text`, `frames`, `faces`, `quality` (of the sound) and `sound` itself.
    """
    cv2.setNumThreads(1)
    wants = task["wants"]
    text = TextWatcher(say) if "text" in wants else None
    watchers: list[Any] = [text] if text else []
    if "frames" in wants:
        watchers.append(FrameWatcher(task["shots"], say))
    if "faces" in wants:
        watchers.append(FaceWatcher(task["faces"], say))
    listener = Listener(say if "sound" in wants else None) if "quality" in wants else None
    reading = SampleReading(Path(task["path"]), task["demuxer"], limits)
    began = time.perf_counter()
    reading.read(watchers, listener, on_progress)
    return sampled(text, listener, time.perf_counter() - began)


def sampled(text: TextWatcher | None, listener: Listener | None, seconds: float) -> dict[str, Any]:
    """What a decode of `seconds` found that is no part, and what it took."""
    spent = {"text": text.seconds if text else 0.0, "sound": listener.seconds if listener else 0.0}
    reading = max(0.0, seconds - sum(spent.values()))
    return {
        "seconds": {**spent, "reading": reading},
        "skipped_reads": text.skipped if text else 0,
        "sound": listener.heard() if listener else None,
        "sound_problem": listener.problem if listener else "",
    }


class SampleReading:
    """One decode of what other frames need; frames that nothing refers to are left out."""

    def __init__(self, path: Path, demuxer: str, limits: Limits) -> None:
        self._path, self._demuxer, self._limits = path, demuxer, limits

    def read(
        self,
        watchers: list[Any],
        listener: Listener | None,
        on_progress: Callable[[float, str], None],
    ) -> None:
        """Shows each frame to each watcher. Raises a refusal."""
        last_said = float("-inf")
        with open_media(self._path, self._demuxer, self._limits) as container:
            stream = video_stream(container, self._limits)
            skip_frames(container, stream)
            length = claimed_seconds(container) or self._limits.max_seconds
            timeline = timeline_of(stream)
            decoded = self._decode(container, stream, listener is not None)
            for item in run_ahead(decoded, _frames_ahead(stream)):
                if not isinstance(item, av.VideoFrame):
                    if listener is not None:
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
            watcher.result()
        if listener is not None:
            listener.close()

    def _decode(self, container: Any, stream: Any, heard: bool) -> Iterator[Any]:
        audio = next((s for s in container.streams.audio if s.codec_context is not None), None)
        both = [stream, audio] if heard and audio is not None else [stream]
        for packet in packets_of(container, both):
            if packet.stream is stream:
                yield from decode_packet(packet)
            else:
                yield packet

    def _show(self, frame: Any, at: float, index: int, watchers: list[Any]) -> None:
        look: Look | None = None
        for watcher in watchers:
            if watcher.wants(at):
                look = look or look_at(frame, index, display_rotation(frame))
                watcher.see(look, at)


def _frames_ahead(stream: Any) -> int:
    pixels = max(1, stream.codec_context.width * stream.codec_context.height)
    return int(max(1, min(8, FRAMES_AHEAD_PIXELS // pixels)))


class FrameWatcher:
    """Hands over one frame from the middle of each shot."""

    def __init__(self, shots: list[list[float]], say: Say) -> None:
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

    def result(self) -> None:
        """Nothing is held back."""


class FaceWatcher:
    """Hands over the faces that the analysis found, as small grey pictures."""

    def __init__(self, samples: list[dict[str, Any]], say: Say) -> None:
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

    def result(self) -> None:
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
