"""The boxes of an MP4 file at its top level: which brand it is, and whether its index is first."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

MAX_BOXES = 2_000
HEADER_BYTES, LARGE_HEADER_BYTES = 8, 16
FIRST_BYTES = 4_096


class Box(NamedTuple):
    """One box: its type, and the first bytes of what it holds."""

    kind: bytes
    start: bytes


def top_boxes(file: BinaryIO, size_bytes: int) -> Iterator[Box]:
    """The boxes in the order of the file; ends where one is broken, and never reads their data."""
    at = 0
    for _ in range(MAX_BOXES):
        if at + HEADER_BYTES > size_bytes:
            return
        file.seek(at)
        head = file.read(LARGE_HEADER_BYTES)
        length, kind = int.from_bytes(head[:4], "big"), head[4:8]
        begin = HEADER_BYTES
        if length == 1:
            length, begin = int.from_bytes(head[8:16], "big"), LARGE_HEADER_BYTES
        if length == 0:
            length = size_bytes - at
        if length < begin:
            return
        yield Box(kind, head[begin : begin + HEADER_BYTES])
        at += length


def index_place(path: Path) -> Literal["first", "last"] | None:
    """Whether an MP4's index (`moov`) stands before its pictures (`mdat`); None without both."""
    with path.open("rb") as file:
        kinds = [box.kind for box in top_boxes(file, path.stat().st_size)]
    if b"moov" not in kinds or b"mdat" not in kinds:
        return None
    return "first" if kinds.index(b"moov") < kinds.index(b"mdat") else "last"


def file_type(path: Path, demuxer: str) -> str:
    """What platforms call the file's type: mp4, mov, 3gp, webm, matroska, avi, ..."""
    with path.open("rb") as file:
        head = file.read(FIRST_BYTES)
    if demuxer == "mov":
        brand = head[8:12] if head[4:8] == b"ftyp" else b"qt  "
        return "mov" if brand == b"qt  " else "3gp" if brand.startswith(b"3g") else "mp4"
    if demuxer == "matroska":
        return "webm" if b"\x42\x82\x84webm" in head else "matroska"
    return "mpeg" if demuxer.startswith("mpeg") else demuxer
