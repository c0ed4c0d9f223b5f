"""A small stateful Cloud Storage: enough of the JSON API and of V4 signed URLs for the real client.

Objects lie in files, so that a large one costs no memory here. What it leaves out: access control,
versioning, compose, metadata updates, and the difference between regions.
"""

import hashlib
import json
import re
import socket
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from tests.support.storage_objects import (
    CHUNK_BYTES,
    Refused,
    Resource,
    Session,
    StorageServer,
    Stored,
    checksums,
)

PAGE_ITEMS = 1000


class Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    storage: StorageServer

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Every method is served alike."""
        self.serve()

    do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815 - the names that http.server calls

    def serve(self) -> None:
        """Answer one request, or do what the fault says that meets it."""
        parts = urlsplit(self.path)
        self.raw_query = parts.query
        self.query = dict(parse_qsl(parts.query, keep_blank_values=True))
        self.names = [unquote(part) for part in parts.path.split("/")[1:]]
        self.left = int(self.headers.get("Content-Length", 0))
        self.storage.requests.append((self.command, parts.path, self.left))
        self.fault = self.storage.fault_for(self.command)
        if self.fault and self.fault.kind == "drop":
            self.hang_up()
            return
        try:
            if self.fault and self.fault.kind == "refuse":
                raise Refused(self.fault.status, "injected by the test")
            self.route(parts.path)
        except Refused as refusal:
            problem = {"code": refusal.status, "message": str(refusal)}
            self.answer(refusal.status, {"error": problem})

    def route(self, path: str) -> None:
        """Find what a request is about."""
        match self.command, self.names:
            case "POST", ["storage", "v1", "b"]:
                name = json.loads(self.body())["name"]
                self.storage.buckets.setdefault(name, {})
                self.answer(200, {"kind": "storage#bucket", "id": name, "name": name})
            case "GET", ["storage", "v1", "b", bucket]:
                self.storage.objects(bucket)
                self.answer(200, {"kind": "storage#bucket", "id": bucket, "name": bucket})
            case "GET", ["storage", "v1", "b", bucket, "o"]:
                self.answer(200, self.listing(self.storage.objects(bucket)))
            case "GET", [*_, "storage", "v1", "b", bucket, "o", name]:
                stored = self.storage.find(bucket, name, self.query)
                if self.query.get("alt") == "media":
                    self.send_media(stored)
                else:
                    self.answer(200, stored.resource)
            case "DELETE", ["storage", "v1", "b", bucket, "o", name]:
                self.storage.delete(bucket, name, self.query)
                self.answer(204)
            case "POST", ["storage", "v1", "b", b, "o", o, "rewriteTo", "b", bucket, "o", name]:
                self.rewrite(b, o, bucket, name)
            case "POST" | "PUT", ["upload", "storage", "v1", "b", bucket, "o"]:
                self.upload(bucket)
            case "GET" | "PUT", [bucket, *rest] if "X-Goog-Signature" in self.query:
                self.signed(path, bucket, "/".join(rest))
            case _:
                raise Refused(501, f"{self.command} {path} is not served here")

    def listing(self, objects: Mapping[str, Stored]) -> Resource:
        """One page of a listing, in order of the names' bytes."""
        prefix, delimiter = self.query.get("prefix", ""), self.query.get("delimiter")
        after = self.query.get("pageToken", "")
        most = int(self.query.get("maxResults", PAGE_ITEMS))
        names = sorted(name for name in objects if name.startswith(prefix))
        shown: list[Resource] = []
        folders: set[str] = set()
        for name in (name for name in names if name > after):
            if len(shown) == most:
                last = str(shown[-1]["name"])
                return {"items": shown, "prefixes": sorted(folders), "nextPageToken": last}
            head, found, _ = name[len(prefix) :].partition(delimiter or "\0")
            if found:
                folders.add(f"{prefix}{head}{delimiter}")
            else:
                shown.append(objects[name].resource)
        return {"kind": "storage#objects", "items": shown, "prefixes": sorted(folders)}

    def rewrite(self, source_bucket: str, source_name: str, bucket: str, name: str) -> None:
        """Copy an object in as many calls as the test asked for."""
        wanted = {"generation": g} if (g := self.query.get("sourceGeneration")) else {}
        self.body()
        source = self.storage.find(source_bucket, source_name, wanted)
        self.storage.check(source, self.query, "ifSource")
        self.storage.check(self.storage.objects(bucket).get(name), self.query)
        step, size = int(self.query.get("rewriteToken", "0")) + 1, source.resource["size"]
        said = {"kind": "storage#rewriteResponse", "objectSize": size}
        if step < self.storage.rewrite_steps:
            done = {"done": False, "rewriteToken": str(step), "totalBytesRewritten": "0"}
            self.answer(200, said | done)
            return
        content_type = source.resource["contentType"]
        made = self.storage.commit(bucket, name, source.file, content_type, self.query)
        self.answer(200, said | {"done": True, "totalBytesRewritten": size, "resource": made})

    def upload(self, bucket: str) -> None:
        """Media, multipart, and resumable uploads."""
        self.storage.objects(bucket)
        if self.command == "PUT":
            self.take_chunk()
        elif self.query.get("uploadType") == "resumable":
            self.start_session(bucket)
        elif self.query.get("uploadType") == "multipart":
            self.take_multipart(bucket)
        else:
            content_type = self.headers.get("Content-Type", "")
            self.keep(bucket, self.query["name"], self.body(), content_type)

    def keep(self, bucket: str, name: str, content: bytes, content_type: str) -> None:
        """Store what came in one request."""
        file = self.storage.new_file()
        file.write_bytes(content)
        self.answer(200, self.storage.commit(bucket, name, file, content_type, self.query))

    def take_multipart(self, bucket: str) -> None:
        """Metadata and bytes in one body (RFC 2387)."""
        boundary = re.search(r'boundary="?([^";]+)', self.headers["Content-Type"])
        assert boundary
        _, told, media, _ = self.body().split(b"--" + boundary[1].encode(), 3)
        resource = json.loads(told.split(b"\r\n\r\n", 1)[1])
        head, content = media.split(b"\r\n\r\n", 1)
        content = content[:-2]
        told_type = re.search(rb"(?i)content-type: *([^\r\n]+)", head)
        file = self.storage.new_file()
        file.write_bytes(content)
        sums = checksums(file)
        if any(resource.get(key, value) != value for key, value in sums.items()):
            raise Refused(400, "The checksum does not match the content.")
        content_type = told_type[1].decode() if told_type else "application/octet-stream"
        name = resource["name"]
        self.answer(200, self.storage.commit(bucket, name, file, content_type, self.query))

    def start_session(self, bucket: str) -> None:
        """The first request of a resumable upload."""
        resource = json.loads(self.body() or b"{}")
        name = resource.get("name") or self.query["name"]
        self.storage.check(self.storage.objects(bucket).get(name), self.query)
        content_type = self.headers.get("X-Upload-Content-Type", "application/octet-stream")
        file = self.storage.new_file()
        file.touch()
        session = Session(bucket, name, content_type, self.query, file)
        self.storage.sessions[file.name] = session
        place = f"{self.storage.url}/upload/storage/v1/b/{bucket}/o"
        place += f"?uploadType=resumable&upload_id={file.name}"
        self.answer(200, {}, {"Location": place, "X-GUploader-UploadID": file.name})

    def take_chunk(self) -> None:
        """The next chunk of a resumable upload; what came before is not taken twice."""
        session = self.storage.sessions[self.query["upload_id"]]
        given = self.headers.get("Content-Range", f"bytes 0-{self.left - 1}/{self.left}")
        match = re.fullmatch(r"bytes (?:\*|([0-9]+)-[0-9]+)/(\*|[0-9]+)", given)
        assert match, given
        if session.finished is None and match[1] is not None and int(match[1]) <= session.size:
            with session.file.open("r+b") as file:
                file.seek(int(match[1]))
                self.body_into(file)
                session.size = max(session.size, file.tell())
        self.body()
        if session.finished is None and match[2] == str(session.size):
            self.complete(session)
        if session.finished is not None:
            self.answer(200, session.finished)
        else:
            arrived = {"Range": f"bytes=0-{session.size - 1}"} if session.size else {}
            self.answer(308, None, arrived)

    def complete(self, session: Session) -> None:
        """Make a completely arrived upload an object."""
        crc32c = checksums(session.file)["crc32c"]
        if self.headers.get("X-Goog-Hash", f"crc32c={crc32c}") != f"crc32c={crc32c}":
            raise Refused(400, "The checksum does not match the content.")
        session.finished = self.storage.commit(
            session.bucket, session.name, session.file, session.content_type, session.query
        )

    def signed(self, path: str, bucket: str, name: str) -> None:
        """A request that shows a V4 signature instead of a token."""
        self.verify(path)
        if self.command == "GET":
            self.send_media(self.storage.find(bucket, name, {}))
        else:
            kind = self.headers.get("Content-Type", "application/octet-stream")
            self.keep(bucket, name, self.body(), kind)

    def verify(self, path: str) -> None:
        """Refuse what is not signed, not for this, or not any more.

        https://cloud.google.com/storage/docs/authentication/canonical-requests
        """
        query = self.query
        start = datetime.strptime(query["X-Goog-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        pairs = [p for p in self.raw_query.split("&") if not p.startswith("X-Goog-Signature=")]
        signed_headers = query["X-Goog-SignedHeaders"]
        headers = [f"{name}:{self.headers.get(name, '')}\n" for name in signed_headers.split(";")]
        request = [self.command, path, "&".join(sorted(pairs)), "".join(headers), signed_headers]
        digest = hashlib.sha256("\n".join([*request, "UNSIGNED-PAYLOAD"]).encode()).hexdigest()
        scope = query["X-Goog-Credential"].split("/", 1)[1]
        text = "\n".join(["GOOG4-RSA-SHA256", query["X-Goog-Date"], scope, digest])
        try:
            assert self.storage.public_key, "give the server a public key"
            signature = bytes.fromhex(query["X-Goog-Signature"])
            self.storage.public_key.verify(
                signature, text.encode(), padding.PKCS1v15(), hashes.SHA256()
            )
        except (InvalidSignature, ValueError) as problem:
            raise Refused(403, "SignatureDoesNotMatch") from problem
        if self.storage.now() >= start + timedelta(seconds=int(query["X-Goog-Expires"])):
            raise Refused(400, "ExpiredToken")

    def send_media(self, stored: Stored) -> None:
        """The bytes of an object, or a range of them."""
        size = int(stored.resource["size"])
        match = re.fullmatch(r"bytes=([0-9]+)-([0-9]*)", self.headers.get("Range", ""))
        first = int(match[1]) if match else 0
        last = min(int(match[2]) if match and match[2] else size - 1, size - 1)
        if match and first >= size:
            raise Refused(416, "The requested range cannot be satisfied.")
        self.send_response(206 if match else 200)
        if match:
            self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        self.send_header("Content-Length", str(last - first + 1))
        self.send_header("Content-Type", stored.resource["contentType"])
        self.send_header("X-Goog-Generation", stored.generation)
        self.send_header("X-Goog-Stored-Content-Length", str(size))
        sums = f"crc32c={stored.resource['crc32c']},md5={stored.resource['md5Hash']}"
        self.send_header("X-Goog-Hash", sums)
        self.end_headers()
        with stored.file.open("rb") as file:
            file.seek(first)
            left = last - first + 1
            if self.fault and self.fault.kind == "cut":
                self.wfile.write(file.read(left // 2))
                self.hang_up()
                return
            while left and (chunk := file.read(min(CHUNK_BYTES, left))):
                left -= len(chunk)
                self.wfile.write(chunk)

    def body(self) -> bytes:
        """The rest of what the client sends."""
        content = self.rfile.read(self.left)
        self.left = 0
        return content

    def body_into(self, file: Any) -> None:
        """Write the rest of what the client sends, a piece at a time."""
        while self.left and (chunk := self.rfile.read(min(CHUNK_BYTES, self.left))):
            self.left -= len(chunk)
            file.write(chunk)

    def answer(
        self, status: int, said: Resource | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        """Send JSON, after the whole request has been read."""
        self.body()
        if self.fault and self.fault.kind == "lose":
            self.hang_up()
            return
        content = b"" if said is None else json.dumps(said).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json; charset=UTF-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def hang_up(self) -> None:
        """Close the connection as a broken network does."""
        self.close_connection = True
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def running_storage(
    *,
    on_finalize: Callable[[Resource], None] = lambda resource: None,
    public_key: RSAPublicKey | None = None,
    buckets: Sequence[str] = (),
) -> Iterator[StorageServer]:
    """A fresh server on a free port, with empty buckets; `on_finalize` gets each new resource.

    `on_finalize` runs before the client has its answer, in the server's thread.
    """
    with tempfile.TemporaryDirectory() as folder:
        storage = StorageServer(Path(folder), on_finalize, public_key)
        storage.buckets = {name: {} for name in buckets}
        handler = type("BoundHandler", (Handler,), {"storage": storage})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        storage.url = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield storage
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


@contextmanager
def running_storage_server(
    *,
    on_finalize: Callable[[Resource], None] = lambda resource: None,
    buckets: Sequence[str] = ("uploads-test",),
) -> Iterator[str]:
    """The address of a fresh server, for STORAGE_EMULATOR_HOST or `gs://BUCKET?endpoint=`."""
    with running_storage(on_finalize=on_finalize, buckets=buckets) as storage:
        yield storage.url
