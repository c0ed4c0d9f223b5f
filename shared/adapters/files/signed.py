"""Serves the URLs that disk files sign: GET with ranges and PUT, both streamed, nothing else."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO, Protocol
from urllib.parse import parse_qsl

from shared.adapters.files.rules import CHUNK_BYTES, FileInvalid, content_type_of
from shared.errors import FileMissing, Rejected, RetryLater
from shared.ports import FileInfo

Environ = dict[str, Any]
Answer = tuple[str, list[tuple[str, str]], Iterable[bytes]]
WsgiApp = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

# What a stranger uploaded must not act in the name of the page that is served beside it.
HARMLESS = [
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "sandbox; default-src 'none'; media-src 'self'"),
    ("Cache-Control", "private, no-store"),
]


class Refused(Exception):
    """A request that gets an error status as its answer."""

    def __init__(self, status: str, reason: str, *headers: tuple[str, str]) -> None:
        super().__init__(reason)
        self.status, self.headers = status, headers


class SignedStore(Protocol):
    """What a store must offer to be served here."""

    def verify(self, method: str, name: str, query: dict[str, str]) -> tuple[str, str]:
        """The tenant and path that a signature opens; raises Rejected."""

    def open_stored(self, tenant_id: str, path: str) -> tuple[BinaryIO, FileInfo]:
        """A stored file; raises FileMissing."""

    def receive(
        self, tenant_id: str, path: str, chunks: Iterable[bytes], *, content_type: str
    ) -> FileInfo:
        """Store a stream as a whole, or nothing of it when it raises."""


class Body:
    """A part of a file as a WSGI body; the server closes it, read or not."""

    def __init__(self, stream: BinaryIO, size_bytes: int) -> None:
        self._stream, self._left = stream, size_bytes

    def __iter__(self) -> Iterator[bytes]:
        while self._left and (chunk := self._stream.read(min(CHUNK_BYTES, self._left))):
            self._left -= len(chunk)
            yield chunk

    def close(self) -> None:
        """Let the file go."""
        self._stream.close()


def signed_files_app(files: SignedStore, *, max_bytes: int) -> WsgiApp:
    """A WSGI app to be mounted where the signed URLs point; takes at most `max_bytes` a PUT."""

    def app(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        try:
            status, headers, body = _answer(files, environ, max_bytes)
        except Refused as refusal:
            body = [str(refusal).encode()]
            status, headers = refusal.status, [*refusal.headers, *_text_headers(body[0])]
        start_response(status, [*headers, *HARMLESS])
        return body

    return app


def _text_headers(text: bytes) -> list[tuple[str, str]]:
    return [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(text)))]


def _answer(files: SignedStore, environ: Environ, max_bytes: int) -> Answer:
    method = environ["REQUEST_METHOD"]
    if method not in ("GET", "PUT"):
        raise Refused("405 Method Not Allowed", "expected GET or PUT", ("Allow", "GET, PUT"))
    try:
        tenant_id, path = files.verify(method, _name(environ), _query(environ))
    except Rejected as problem:
        raise Refused("403 Forbidden", f"{problem.code}: {problem}") from problem
    try:
        if method == "GET":
            return _get(*files.open_stored(tenant_id, path), environ.get("HTTP_RANGE", ""))
        chunks = _received(environ, max_bytes)
        content_type = _content_type(path, environ.get("CONTENT_TYPE", ""))
        stored = files.receive(tenant_id, path, chunks, content_type=content_type)
        return "200 OK", [("ETag", f'"{stored.generation}"'), *_text_headers(b"")], []
    except FileMissing as problem:
        raise Refused("404 Not Found", f"{problem.code}: {problem}") from problem
    except Rejected as problem:
        raise Refused("400 Bad Request", f"{problem.code}: {problem}") from problem
    except RetryLater as problem:
        raise Refused("503 Service Unavailable", f"{problem.code}: {problem}") from problem


def _name(environ: Environ) -> str:
    """The path as it was signed: WSGI hands its bytes over as Latin-1."""
    try:
        return str(environ.get("PATH_INFO", "")).encode("latin-1").decode().removeprefix("/")
    except UnicodeError as problem:
        raise Refused("403 Forbidden", "the path is not UTF-8") from problem


def _query(environ: Environ) -> dict[str, str]:
    pairs = parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    query = dict(pairs)
    if len(query) != len(pairs):
        raise Refused("403 Forbidden", "the query says something twice")
    return query


def _content_type(path: str, given: str) -> str:
    """A sender may call its file what it likes; what is not a content type is ignored."""
    try:
        return content_type_of(path, given)
    except FileInvalid:
        return content_type_of(path, "")


def _get(stream: BinaryIO, info: FileInfo, wanted: str) -> Answer:
    headers = [("Content-Type", info.content_type), ("ETag", f'"{info.generation}"')]
    headers.append(("Accept-Ranges", "bytes"))
    try:
        part = _range(wanted, info.size_bytes)
    except Refused:
        stream.close()
        raise
    if part is None:
        headers.append(("Content-Length", str(info.size_bytes)))
        return "200 OK", headers, Body(stream, info.size_bytes)
    first, last = part
    stream.seek(first)
    headers.append(("Content-Length", str(last - first + 1)))
    headers.append(("Content-Range", f"bytes {first}-{last}/{info.size_bytes}"))
    return "206 Partial Content", headers, Body(stream, last - first + 1)


def _range(wanted: str, size_bytes: int) -> tuple[int, int] | None:
    """First and last byte asked for; None for the whole, as RFC 9110 (14.2) lets a server."""
    match = re.fullmatch(r"bytes=([0-9]{0,18})-([0-9]{0,18})", wanted)
    start, end = match.groups() if match else ("", "")
    if (not start and not end) or (start and end and int(end) < int(start)):
        return None
    if start:
        first, last = int(start), min(int(end or size_bytes), size_bytes - 1)
    else:
        first, last = max(size_bytes - int(end), 0), size_bytes - 1
    if first > last or (end == "0" and not start):
        everything = ("Content-Range", f"bytes */{size_bytes}")
        raise Refused("416 Range Not Satisfiable", f"{size_bytes} bytes are stored", everything)
    return first, last


def _received(environ: Environ, max_bytes: int) -> Iterator[bytes]:
    """The body in chunks; raises Refused before the first byte when it is too long or unknown."""
    length = str(environ.get("CONTENT_LENGTH") or "")
    if not length.isdecimal() and not environ.get("wsgi.input_terminated"):
        raise Refused("411 Length Required", "say the Content-Length")
    expected = int(length) if length.isdecimal() else None
    _check_size(expected or 0, max_bytes)
    return _chunks(environ["wsgi.input"], expected, max_bytes)


def _chunks(stream: Any, expected: int | None, max_bytes: int) -> Iterator[bytes]:
    size_bytes = 0
    while expected is None or size_bytes < expected:
        most = CHUNK_BYTES if expected is None else min(CHUNK_BYTES, expected - size_bytes)
        chunk = stream.read(most)
        if not chunk:
            break
        size_bytes += len(chunk)
        _check_size(size_bytes, max_bytes)
        yield chunk
    if expected is not None and size_bytes < expected:
        raise Refused("400 Bad Request", f"{size_bytes} of {expected} bytes arrived")


def _check_size(size_bytes: int, max_bytes: int) -> None:
    if size_bytes > max_bytes:
        raise Refused("413 Content Too Large", f"at most {max_bytes} bytes are taken")
