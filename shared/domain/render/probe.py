"""What a source really is: read from its header and first picture, in a child with limits."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

from shared.domain.video.child import read_in_child
from shared.domain.video.sniff import sniff_container
from shared.errors import Rejected
from shared.models import Limits, Record

UNKNOWN, BT709, SMPTE240M, BT2020 = 2, 1, 7, (9, 10)
BT601 = (4, 5, 6)
RGB = 0
FULL_RANGE = 2
MIN_HD_HEIGHT = 720
# Their demuxers find a moment only roughly, or read from the start.
ROUGH_SEEKS = frozenset(("mpegts", "mpeg", "mpegvideo", "gif", "flv", "ogg", "asf"))
ROUGH_LEAD_SECONDS = 5.0
MAX_LEAD_SECONDS = 10.0
WORKERS = 2


class SourceFacts(Record):
    """A file as ffmpeg will see it; width and height are as displayed, in stored pixels."""

    demuxer: str
    codec: str
    pixels: str
    width: int
    height: int
    sample_aspect: float = 1.0
    rotated: bool
    fps: float
    longest_gap_seconds: float
    start_seconds: float
    seconds: float
    matrix: int
    full_range: bool
    hdr: bool
    interlaced: bool
    has_video: bool = True
    audio_stream: int | None
    keyframes_seconds: tuple[float, ...] = ()
    constant_rate: bool = False

    @property
    def lead_seconds(self) -> float:
        """How much earlier to start reading, so that the picture shown at a moment is there."""
        if self.demuxer in ROUGH_SEEKS:
            return ROUGH_LEAD_SECONDS
        return min(MAX_LEAD_SECONDS, self.longest_gap_seconds * 1.5)

    @property
    def matrix_name(self) -> str | None:
        """The colour matrix as ffmpeg's scaler calls it; None for RGB."""
        if self.matrix == RGB or self.pixels.startswith(("rgb", "bgr", "gbr", "pal")):
            return None
        if self.matrix in BT2020:
            return "bt2020"
        if self.matrix == SMPTE240M:
            return "smpte240m"
        if self.matrix in BT601:
            return "bt601"
        hd = min(self.width, self.height) >= MIN_HD_HEIGHT
        return "bt709" if self.matrix == BT709 or hd else "bt601"


def probe_sources(files: dict[str, Path], limits: Limits) -> dict[str, SourceFacts]:
    """The facts of each file by name; each is opened by a child of its own.

    Raises what shared/domain/video/refusals.py names, with the source's name in front.
    """
    with ThreadPoolExecutor(WORKERS) as pool:
        found = pool.map(lambda name: _probe(name, files[name], limits), files)
        return dict(zip(files, found, strict=True))


def _probe(name: str, path: Path, limits: Limits) -> SourceFacts:
    try:
        demuxer = sniff_container(path, limits)
        task = {"do": "probe", "path": str(path.resolve()), "demuxer": demuxer}
        return SourceFacts.model_validate(
            read_in_child({**task, "limits": limits.model_dump()}, limits)
        )
    except Rejected as refusal:
        raise type(refusal)(f"source {name!r}: {refusal}") from refusal


def probe_media(path: Path, demuxer: str, limits: Limits) -> dict[str, Any]:
    """The facts as JSON; runs in the child."""
    from shared.domain.video.media import (
        claimed_seconds,
        decode_packet,
        display_rotation,
        is_hdr,
        no_frame,
        open_media,
        packets_of,
        video_stream,
    )

    with open_media(path, demuxer, limits) as container:
        stream = video_stream(container, limits)
        frames = (f for p in packets_of(container, [stream]) for f in decode_packet(p))
        frame: Any = next(frames, None)
        if frame is None:
            raise no_frame()
        sideways = display_rotation(frame) in (90, 270)
        width, height = (frame.height, frame.width) if sideways else (frame.width, frame.height)
        aspect = float(stream.sample_aspect_ratio or 1) or 1.0
        sounds = container.streams.audio
        return {
            "demuxer": demuxer,
            "codec": stream.codec_context.name,
            "pixels": frame.format.name,
            "width": width,
            "height": height,
            "sample_aspect": 1 / aspect if sideways else aspect,
            "rotated": bool(frame.rotation),
            "fps": float(stream.average_rate or 0),
            "start_seconds": float((stream.start_time or 0) * (stream.time_base or 0)),
            "seconds": _seconds(stream) or claimed_seconds(container),
            "matrix": int(frame.colorspace),
            "full_range": int(frame.color_range) == FULL_RANGE or "yuvj" in frame.format.name,
            "hdr": is_hdr(frame),
            "interlaced": bool(frame.interlaced_frame),
            "audio_stream": sounds[0].index if sounds else None,
            **_index_facts(stream, demuxer),
        }


def _seconds(stream: Any) -> float:
    return float(stream.duration * stream.time_base) if stream.duration else 0.0


def _index_facts(stream: Any, demuxer: str) -> dict[str, Any]:
    """What the table of an MP4 says of every frame; other containers have none to trust."""
    nominal = 1 / float(stream.average_rate or 25)
    entries = list(stream.index_entries) if demuxer == "mov" else []
    at = [float(entry.timestamp * stream.time_base) for entry in entries]
    gaps = [later - sooner for sooner, later in pairwise(at)]
    if not gaps:
        return {"longest_gap_seconds": max(nominal, 1.0)}
    # The table counts in decoding order; a key frame is shown as much later as the first one.
    later = float((stream.start_time or 0) * stream.time_base) - at[0]
    return {
        "longest_gap_seconds": max(gaps),
        "constant_rate": max(gaps) - min(gaps) < nominal / 100,
        "keyframes_seconds": [
            at[index] + later for index, entry in enumerate(entries) if entry.is_keyframe
        ],
    }
