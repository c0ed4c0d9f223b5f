"""What music and logos are by their first bytes; only these demuxers ever open them."""

from pathlib import Path

from shared.domain.render.refusals import LogoUnreadable, SourceUnreadable
from shared.domain.video.sniff import HEAD_BYTES, demuxer_of

SOUNDS: tuple[tuple[bytes, str], ...] = (
    (b"ID3", "mp3"),
    (b"\xff\xfb", "mp3"),
    (b"\xff\xf3", "mp3"),
    (b"\xff\xf2", "mp3"),
    (b"\xff\xf1", "aac"),
    (b"\xff\xf9", "aac"),
    (b"fLaC", "flac"),
    (b"FORM", "aiff"),
)
LOGOS: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "png_pipe"),
    (b"\xff\xd8\xff", "jpeg_pipe"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
)


def sniff_sound(name: str, path: Path) -> str:
    """The demuxer of a file whose sound is wanted; raises SourceUnreadable."""
    head = _head(path)
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "wav"
    for start, demuxer in SOUNDS:
        if head.startswith(start):
            return demuxer
    found = demuxer_of(head)
    if found is None:
        raise SourceUnreadable(
            f"source {name!r} is no sound or video file that we read; give the music as "
            "MP3, M4A, WAV, FLAC or Ogg"
        )
    return found


def sniff_logo(path: Path) -> str:
    """The demuxer of a logo; raises LogoUnreadable for anything but a picture of pixels."""
    head = _head(path)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp_pipe"
    for start, demuxer in LOGOS:
        if head.startswith(start):
            return demuxer
    raise LogoUnreadable(f"the logo {path.name!r} is no PNG, JPEG, WebP or GIF; give it as PNG")


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)
