"""Signed URLs over HTTP: what a bucket does in the cloud, for files on this machine's disk."""

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from werkzeug.wrappers import Request, Response

from shared.adapters.files.disk import DiskFiles, SignatureInvalid
from shared.errors import FileMissing

CHUNK_BYTES = 1 << 20


class SignedFiles:
    """A WSGI app: GET and PUT of what `DiskFiles.sign` has signed, at most `max_bytes` a file."""

    def __init__(self, files: DiskFiles, max_bytes: int) -> None:
        self._files, self._max_bytes = files, max_bytes

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer one request."""
        return self._answer(Request(environ))(environ, start_response)

    def _answer(self, request: Request) -> Response:
        try:
            tenant_id, path = self._files.verified(request.method, request.path, request.args)
            files = self._files.for_tenant(tenant_id)
            return self._take(files, path, request) if request.method == "PUT" else self._give(
                files, path, request
            )
        except SignatureInvalid as problem:
            return Response(str(problem), 403)
        except FileMissing as problem:
            return Response(str(problem), 404)

    def _give(self, files: DiskFiles, path: str, request: Request) -> Response:
        known = files.info(path)
        if known is None:
            raise FileMissing(f"{path!r} does not exist")
        held = files.local_copy(path)
        response = Response(_chunks(held.__enter__()), 200, mimetype=known.content_type)
        response.call_on_close(lambda: held.__exit__(None, None, None))
        response.content_length = known.size_bytes
        return response.make_conditional(
            request, accept_ranges=True, complete_length=known.size_bytes
        )

    def _take(self, files: DiskFiles, path: str, request: Request) -> Response:
        length = request.content_length
        if length is None:
            return Response("the length must be told", 411)
        if length > self._max_bytes:
            return Response(f"{length} bytes; at most {self._max_bytes} are taken", 413)
        with TemporaryDirectory(prefix="gv-put-") as folder:
            fresh = Path(folder) / "content"
            with fresh.open("wb") as file:
                shutil.copyfileobj(request.stream, file, CHUNK_BYTES)
            if fresh.stat().st_size != length:
                return Response(f"{fresh.stat().st_size} of {length} bytes arrived", 400)
            files.write(path, fresh, content_type=request.content_type or "")
        return Response(status=200)


def _chunks(path: Path) -> Iterable[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
