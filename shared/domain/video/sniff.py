"""What a file is by its first bytes; its name and suffix are never believed."""

from pathlib import Path

from shared.domain.video.refusals import (
    EmptyFile,
    NotVideo,
    NoVideoStream,
    PlaylistRefused,
    TooLarge,
)
from shared.models import Limits

HEAD_BYTES = 1024
TS_PACKET_BYTES = 188
M2TS_PACKET_BYTES = 192

MAGIC_DEMUXERS: tuple[tuple[bytes, str], ...] = (
    (b"\x1a\x45\xdf\xa3", "matroska"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"FLV\x01", "flv"),
    (b"OggS", "ogg"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),
    (b"\x00\x00\x01\xba", "mpeg"),
    (b"\x00\x00\x01\xb3", "mpegvideo"),
    (b"\x06\x0e\x2b\x34\x02\x05\x01\x01", "mxf"),
)
MOV_BOXES = frozenset(
    (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"styp", b"moof", b"sidx")
)
STILL_BRANDS = frozenset((b"avif", b"mif1", b"heic", b"heix", b"jxl "))
PICTURES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"BM", "BMP"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"8BPS", "Photoshop"),
    (b"\x00\x00\x00\x0cJXL ", "JPEG XL"),
)
SOUNDS: tuple[tuple[bytes, str], ...] = (
    (b"ID3", "MP3"),
    (b"\xff\xfb", "MP3"),
    (b"\xff\xf3", "MP3"),
    (b"fLaC", "FLAC"),
    (b"FORM", "AIFF"),
    (b"#!AMR", "AMR"),
)
PLAYLISTS: tuple[tuple[bytes, str], ...] = (
    (b"#extm3u", "an HLS playlist"),
    (b"ffconcat", "an ffmpeg concat list"),
    (b"<mpd", "a DASH manifest"),
    (b"<smoothstreamingmedia", "a Smooth Streaming manifest"),
    (b"v=0", "an SDP description"),
    (b"[playlist]", "a playlist"),
    (b"<svg", "an SVG drawing"),
    (b"[reference]", "a reference list"),
)


def sniff_container(path: Path, limits: Limits) -> str:
    """The ffmpeg demuxer for the file at `path`, judged by its first kilobyte.

    Raises EmptyFile, TooLarge, PlaylistRefused, NoVideoStream (a sound file) or NotVideo.
    """
    size_bytes = path.stat().st_size
    if size_bytes == 0:
        raise EmptyFile("the file is empty; upload it again")
    if size_bytes > limits.max_bytes:
        raise TooLarge(f"the file has {size_bytes} bytes; at most {limits.max_bytes} are taken")
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    demuxer = demuxer_of(head)
    if demuxer is None:
        raise refusal_of(head)
    return demuxer


def demuxer_of(head: bytes) -> str | None:
    """The demuxer that the first bytes of a file ask for, None when it is no video container."""
    for magic, demuxer in MAGIC_DEMUXERS:
        if head.startswith(magic):
            return demuxer
    if head[4:8] in MOV_BOXES:
        still = head[4:8] == b"ftyp" and head[8:12] in STILL_BRANDS
        return None if still else "mov"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "avi"
    return "mpegts" if _is_transport_stream(head) else None


def refusal_of(head: bytes) -> NotVideo | NoVideoStream:
    """The error that says what the first bytes are instead of a video."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for start, name in PLAYLISTS:
        if text.startswith(start) or (text.startswith((b"<?xml", b"<!doctype")) and start in text):
            return PlaylistRefused(f"this is {name}, not a video; upload the video itself")
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return NoVideoStream("this is a WAVE sound file, without pictures; upload a video")
    for start, name in SOUNDS:
        if head.startswith(start):
            return NoVideoStream(f"this is an {name} sound file, without pictures; upload a video")
    if any(head.startswith(start) for start, _ in PICTURES) or head[8:12] in (
        STILL_BRANDS | {b"WEBP"}
    ):
        return NotVideo("this is a still picture, not a video; upload a video")
    if head.startswith((b"PK\x03\x04", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!")):
        return NotVideo("this is a packed archive, not a video; unpack it and upload the video")
    return NotVideo(
        "the first bytes are of no video container that we read "
        "(MP4, MOV, 3GP, MKV, WebM, AVI, GIF, MPEG, TS, FLV, Ogg, ASF, MXF)"
    )


def _is_transport_stream(head: bytes) -> bool:
    def synchronous(first: int, packet_bytes: int) -> bool:
        places = range(first, first + 4 * packet_bytes, packet_bytes)
        return all(head[at : at + 1] == b"\x47" for at in places)

    return synchronous(0, TS_PACKET_BYTES) or synchronous(4, M2TS_PACKET_BYTES)
