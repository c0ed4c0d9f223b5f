"""What a platform would find in the file, from one decode in the child process."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import cv2

from shared.domain.compliance.boxes import file_type, index_place
from shared.domain.compliance.pictures import BarsDetector, OpeningDetector
from shared.domain.inference.text_watcher import TextWatcher
from shared.domain.video.detector import AnalyserUnavailable
from shared.domain.video.media import open_media, packets_of, video_stream
from shared.domain.video.reading import Reading
from shared.domain.video.sound import SoundTap
from shared.domain.video.true_peak import TruePeakMeter
from shared.models import Limits

Say = Callable[[dict[str, Any]], None]


def measure_file(
    task: dict[str, Any], limits: Limits, on_progress: Callable[[float, str], None], say: Say
) -> dict[str, Any]:
    """The values of the file that `task` names; regions with text are handed over with `say`.

    `values` are by the name of their rule, without those that this file cannot have.
    """
    cv2.setNumThreads(1)
    path = Path(task["path"])
    text = TextWatcher(say)
    reading = Reading(
        {"opening": OpeningDetector, "bars": BarsDetector, "text": lambda: text},
        limits,
        preview=True,
    )
    reading.sound = SoundTap(limits.max_seconds, TruePeakMeter())
    reading.read(path, task["demuxer"], on_progress)
    values = picture_values(reading)
    text.result()
    values |= file_values(path, task["demuxer"], reading, limits)
    heard, speech = sound_values(reading)
    values |= heard
    return {
        "values": {name: value for name, value in values.items() if value is not None},
        "skipped_reads": text.skipped,
        "width": reading.media.width,
        "height": reading.media.height,
        "start_seconds": reading.timeline.at[0],
        "length_seconds": reading.media.duration_seconds,
        "has_sound": reading.sound.start_seconds is not None,
        **speech,
    }


def picture_values(reading: Reading) -> dict[str, Any]:
    """What the decoded pictures say."""
    opening, _ = reading.result("opening", {})
    bars, _ = reading.result("bars", {})
    media = reading.media
    return {
        "video_codec": media.codec,
        "size": min(media.width, media.height),
        "long_side": max(media.width, media.height),
        "length": media.duration_seconds,
        "frame_rate": media.fps,
        "steady_rate": "changing" if media.variable_rate else "steady",
        "hdr": "hdr" if media.hdr else "sdr",
        "rotation": f"turned by {media.rotation} degrees" if media.rotation else "upright",
        "black_start": opening["black"],
        "frozen_start": opening["frozen"],
        "letterbox": max(bars["rows"], bars["columns"]),
    }


def sound_values(reading: Reading) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is heard, and where somebody speaks: `speech`, or `speech_problem` why not."""
    sound = reading.sound
    sound.close()
    start = sound.start_seconds
    heard: dict[str, Any] = {
        "sound": "none" if start is None else "present",
        "loudness": sound.meter.result(),
        "true_peak": sound.peak.result() if sound.peak else None,
    }
    if start is None:
        return heard, {"speech": []}
    if heard["loudness"] is None:
        # Silence needs next to no bits: how many it has says nothing.
        heard |= {"sound": "silent", "audio_bit_rate": None}
    try:
        spoken = sound.speech.segments()
    except AnalyserUnavailable as problem:
        return heard, {"speech": None, "speech_problem": str(problem)}
    return heard, {"speech": [[start + one[0], start + one[1]] for one in spoken]}


def file_values(path: Path, demuxer: str, reading: Reading, limits: Limits) -> dict[str, Any]:
    """What the container and its packets say; bit rates are counted, not claimed."""
    seconds = max(0.04, reading.media.duration_seconds)
    with open_media(path, demuxer, limits) as container:
        video = video_stream(container, limits)
        audio = next((s for s in container.streams.audio if s.codec_context is not None), None)
        streams: list[Any] = [video, *([audio] if audio is not None else [])]
        taken = dict.fromkeys((stream.index for stream in streams), 0)
        for packet in packets_of(container, streams):
            taken[packet.stream.index] += packet.size
        shape = video.sample_aspect_ratio
        return {
            "container": file_type(path, demuxer),
            "file_size": path.stat().st_size,
            "faststart": index_place(path),
            "pixel_format": video.codec_context.pix_fmt,
            **_shape(reading, float(shape or 1)),
            "video_bit_rate": taken[video.index] * 8 / seconds / 1000,
            "audio_bit_rate": taken[audio.index] * 8 / seconds / 1000 if audio else None,
            "audio_codec": _audio_codec(audio) if audio else None,
            "sample_rate": str(audio.codec_context.sample_rate) if audio else None,
        }


def _shape(reading: Reading, pixel: float) -> dict[str, Any]:
    """The shape as displayed, when a pixel as stored is `pixel` times as wide as high."""
    media = reading.media
    shown = 1 / pixel if media.rotation in (90, 270) else pixel
    return {
        "ratio": media.width * shown / media.height,
        "square_pixels": "square" if pixel == 1 else f"{pixel:.3g} times as wide as high",
    }


def _audio_codec(stream: av.AudioStream) -> str:
    name: str = stream.codec_context.codec.canonical_name
    return name
