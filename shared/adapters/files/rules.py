"""What every store of files agrees on: paths, where a tenant's files lie, types and checksums."""

import base64
import hashlib
import hmac
import io
import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from mimetypes import MimeTypes
from pathlib import Path
from typing import Any, BinaryIO

from shared.errors import ConfigError, FileMissing, Rejected, RetryLater
from shared.file_paths import check_path
from shared.ports import FileInfo

CHUNK_BYTES = 1 << 20
MAX_SIGNED_SECONDS = 7 * 24 * 3600
"""The longest that Cloud Storage lets a signed URL live."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
UNKNOWN_TYPE = "application/octet-stream"

_TENANT = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_AREA = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_CONTENT_TYPE = re.compile(r"[\w.+-]{1,100}/[\w.+-]{1,100}( ?;[ -~]{0,200})?", re.ASCII)
# The interpreter's own table: what a system adds to it differs from machine to machine.
_TYPES = MimeTypes().types_map[True] | {".mkv": "video/x-matroska", ".m4v": "video/mp4"}


class FileInvalid(Rejected):
    """A path, prefix, content type or expiry that no store takes."""


class FileCorrupt(RetryLater):
    """The bytes that arrived are not the bytes that were stored."""


class NameTaken(Rejected):
    """A folder where a file should be, or a file where a folder should be."""


class SignatureRefused(Rejected):
    """A URL that was not signed here, not for this, or no longer."""


def check_tenant(tenant_id: str) -> str:
    """Return a tenant id unchanged; raises ConfigError when it is not one."""
    if not _TENANT.fullmatch(tenant_id):
        raise ConfigError(
            f"tenant {tenant_id!r}: expected 1 to 63 of a-z, 0-9 and hyphens, no hyphen first"
        )
    return tenant_id


def is_area(name: str) -> bool:
    """Whether a name can be the first part of a path; a hidden folder's name cannot."""
    return _AREA.fullmatch(name) is not None


def stored_name(tenant_id: str, path: str) -> str:
    """Where a tenant's `area/rest` lies: `area/<tenant>/rest`; raises FileInvalid.

    The area comes first so that notifications and lifecycle rules work by the prefix `uploads/`.
    """
    try:
        area, _, rest = check_path(path).partition("/")
    except ValueError as problem:
        raise FileInvalid(str(problem)) from problem
    if not is_area(area):
        raise FileInvalid(
            f"{path!r}: its first part must be 1-63 of a-z, A-Z, 0-9 and ._- and no dot first"
        )
    return f"{area}/{tenant_id}/{rest}"


def split_name(name: str) -> tuple[str, str]:
    """The tenant and the path of a stored name; raises FileInvalid when it is not one."""
    area, _, rest = name.partition("/")
    tenant_id, _, rest = rest.partition("/")
    path = f"{area}/{rest}"
    if not _TENANT.fullmatch(tenant_id) or stored_name(tenant_id, path) != name:
        raise FileInvalid(f"{name!r} is not area/<tenant>/<name>")
    return tenant_id, path


def is_path(path: str) -> bool:
    """Whether the port can name a file so; a store may hold others that strangers put there."""
    try:
        check_path(path)
    except ValueError:
        return False
    return is_area(path.partition("/")[0])


def check_prefix(prefix: str) -> str:
    """Return the beginning of paths unchanged; raises FileInvalid when no path begins so."""
    folders = prefix.split("/")[:-1]
    characters = any(ord(c) < 32 or 0xD800 <= ord(c) <= 0xDFFF or c == "\x7f" for c in prefix)
    if characters or any(folder in ("", ".", "..") for folder in folders):
        raise FileInvalid(f"{prefix!r}: no path begins so; expected such as uploads/")
    return prefix


def check_expiry(expires_seconds: int) -> int:
    """Return the life of a signed URL unchanged; raises FileInvalid outside 1 s to 7 days."""
    if not 1 <= expires_seconds <= MAX_SIGNED_SECONDS:
        raise FileInvalid(
            f"expires_seconds={expires_seconds}: expected 1 to {MAX_SIGNED_SECONDS} (7 days)"
        )
    return expires_seconds


def content_type_of(path: str, given: str) -> str:
    """The content type given, or else what the path's suffix says; raises FileInvalid."""
    if given and not _CONTENT_TYPE.fullmatch(given):
        raise FileInvalid(f"content type {given!r:.80}: expected one such as video/mp4")
    name = path.rpartition("/")[2]
    stem, dot, suffix = name.rpartition(".")
    return given or _TYPES.get(f"{dot}{suffix}".lower() if stem else "", UNKNOWN_TYPE)


def signature_of(key: bytes, method: str, name: str, expires: str) -> str:
    """HMAC-SHA256 over method, stored name and expiry (seconds since 1970), hexadecimal."""
    return hmac.new(key, f"{method}\n{name}\n{expires}".encode(), hashlib.sha256).hexdigest()


def signed_path(
    key: bytes, method: str, name: str, query: Mapping[str, str], now: datetime
) -> tuple[str, str]:
    """The tenant and path that a signed request opens; raises SignatureRefused, FileInvalid."""
    expires = query.get("expires", "")
    expected = signature_of(key, method, name, expires)
    given = query.get("signature", "").encode("utf-8", "replace")
    if not hmac.compare_digest(expected.encode(), given) or query.get("method") != method:
        raise SignatureRefused(f"this URL is not signed for {method} of {name!r}")
    if int(expires) <= now.timestamp():
        raise SignatureRefused("this URL has expired; ask for a new one")
    return split_name(name)


def looks_of(state: os.stat_result) -> tuple[int, int, int]:
    """What changes when somebody changes a file: size in bytes, modification time, inode."""
    return state.st_size, state.st_mtime_ns, state.st_ino


def regular_file(path: Path) -> os.stat_result | None:
    """The state of a file; None for folders, links and what is not there."""
    try:
        state = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return state if stat.S_ISREG(state.st_mode) else None


def sync_folder(folder: Path) -> None:
    """Make a rename outlive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@dataclass(frozen=True)
class Record:
    """What is known of one content; it holds as long as the file looks the same."""

    name: str
    size_bytes: int
    mtime_ns: int
    inode: int
    generation: int
    crc32c: str
    content_type: str

    def describes(self, state: os.stat_result) -> bool:
        """Whether a file still is the one that was recorded."""
        return (self.size_bytes, self.mtime_ns, self.inode) == looks_of(state)

    def restored(self, state: os.stat_result, crc32c: str) -> bool:
        """Whether a file is the recorded one on another inode, as a backup brings it back."""
        recorded = (self.size_bytes, self.mtime_ns, self.crc32c)
        return recorded == (state.st_size, state.st_mtime_ns, crc32c)

    def info(self, path: str) -> FileInfo:
        """The same for whoever asked for the file by its path."""
        return FileInfo(
            path=path,
            size_bytes=self.size_bytes,
            generation=str(self.generation),
            crc32c=self.crc32c,
            content_type=self.content_type,
            updated_at=EPOCH + timedelta(microseconds=self.mtime_ns // 1000),
        )


class Crc32c:
    """A CRC32C that grows with what is written to it; `text` is big-endian base64."""

    def __init__(self, target: BinaryIO | None = None) -> None:
        import google_crc32c

        self._sum: Any = google_crc32c.Checksum()  # type: ignore[no-untyped-call]
        self._target = target
        self.size_bytes = 0

    def write(self, chunk: bytes) -> int:
        """Count a chunk, and hand it on to the target."""
        self._sum.update(chunk)
        self.size_bytes += len(chunk)
        return len(chunk) if self._target is None else self._target.write(chunk)

    @property
    def text(self) -> str:
        """The checksum of all so far, as Cloud Storage writes it."""
        return base64.b64encode(self._sum.digest()).decode()


def chunks_of(stream: BinaryIO) -> Iterator[bytes]:
    """A stream in pieces of at most 1 MiB."""
    while chunk := stream.read(CHUNK_BYTES):
        yield chunk


def check_bytes(path: str, arrived: str, stored: str) -> None:
    """Raise FileCorrupt when the checksum of what arrived is not the stored one."""
    if arrived != stored:
        raise FileCorrupt(f"{path!r}: CRC32C {stored} is stored, the bytes have {arrived}")


def checksum_of(content: bytes | Path) -> str:
    """The CRC32C of bytes or of a local file."""
    checksum = Crc32c()
    with opened(content) as stream:
        for chunk in chunks_of(stream):
            checksum.write(chunk)
    return checksum.text


def checked_chunks(path: str, stream: BinaryIO, crc32c: str) -> Iterator[bytes]:
    """A stored file in pieces; raises FileCorrupt at its end when it is not what was stored."""
    checksum = Crc32c()
    for chunk in chunks_of(stream):
        checksum.write(chunk)
        yield chunk
    check_bytes(path, checksum.text, crc32c)


@contextmanager
def opened(content: bytes | Path) -> Iterator[BinaryIO]:
    """Bytes or a local file as a stream; raises FileMissing when there is no such file."""
    if isinstance(content, bytes):
        yield io.BytesIO(content)
        return
    try:
        stream = content.open("rb")
    except (FileNotFoundError, IsADirectoryError) as problem:
        raise FileMissing(f"{str(content)!r}: there is no such local file") from problem
    with stream:
        yield stream
