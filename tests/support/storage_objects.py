"""What the Cloud Storage of the tests holds: objects with generations, and faults to come."""

import base64
import hashlib
import itertools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any, Literal

import google_crc32c
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

Resource = dict[str, Any]
CHUNK_BYTES = 1 << 20


class Refused(Exception):
    """A request that gets an error as its answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class Fault:
    """What goes wrong with the next `left` requests of a method.

    `refuse` answers `status`, `drop` closes without reading, `lose` does the work and closes
    without an answer, `cut` closes in the middle of a download.
    """

    kind: Literal["refuse", "drop", "lose", "cut"]
    left: int = 1
    method: str = ""
    status: int = 503


@dataclass
class Stored:
    """An object: what the API says of it, and where its bytes are."""

    resource: Resource
    file: Path

    @property
    def generation(self) -> str:
        """The number of this content."""
        return str(self.resource["generation"])


@dataclass
class Session:
    """A resumable upload under way."""

    bucket: str
    name: str
    content_type: str
    query: Mapping[str, str]
    file: Path
    size: int = 0
    finished: Resource | None = None


@dataclass
class StorageServer:
    """The objects of some buckets, and what a test may do to them."""

    folder: Path
    on_finalize: Callable[[Resource], None] = lambda resource: None
    public_key: RSAPublicKey | None = None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    url: str = ""
    faults: list[Fault] = field(default_factory=list)
    requests: list[tuple[str, str, int]] = field(default_factory=list)
    """Method, path and body size of every request."""
    buckets: dict[str, dict[str, Stored]] = field(default_factory=dict)
    rewrite_steps: int = 1
    """How many calls a rewrite takes."""

    def __post_init__(self) -> None:
        self._lock = Lock()
        self._generation = 0
        self._numbers = itertools.count()
        self.sessions: dict[str, Session] = {}

    def corrupt(self, bucket: str, name: str) -> None:
        """Change a byte of a stored object, and not its checksums."""
        stored = self.buckets[bucket][name]
        content = bytearray(stored.file.read_bytes())
        content[len(content) // 2] ^= 1
        # A copy may share the file.
        stored.file = self.new_file()
        stored.file.write_bytes(content)

    def fault_for(self, method: str) -> Fault | None:
        """The fault that meets a request."""
        with self._lock:
            for fault in self.faults:
                if fault.left and fault.method in ("", method):
                    fault.left -= 1
                    return fault
        return None

    def new_file(self) -> Path:
        """A path for bytes on their way."""
        return self.folder / str(next(self._numbers))

    def objects(self, bucket: str) -> dict[str, Stored]:
        """What a bucket holds; refuses when there is no such bucket."""
        if bucket not in self.buckets:
            raise Refused(404, "The specified bucket does not exist.")
        return self.buckets[bucket]

    def find(self, bucket: str, name: str, query: Mapping[str, str]) -> Stored:
        """An object, at the generation and under the conditions of a query."""
        stored = self.objects(bucket).get(name)
        if stored is None or query.get("generation", stored.generation) != stored.generation:
            raise Refused(404, f"No such object: {bucket}/{name}")
        self.check(stored, query)
        return stored

    def check(self, stored: Stored | None, query: Mapping[str, str], prefix: str = "if") -> None:
        """Refuse unless the generation is the one that a query demands; 0 is none."""
        generation = "0" if stored is None else stored.generation
        wanted = query.get(f"{prefix}GenerationMatch", generation)
        unwanted = query.get(f"{prefix}GenerationNotMatch")
        if wanted != generation or unwanted == generation:
            raise Refused(412, "At least one of the pre-conditions you specified did not hold.")

    def commit(
        self, bucket: str, name: str, file: Path, content_type: str, query: Mapping[str, str]
    ) -> Resource:
        """Make a file an object and tell whoever wants to know."""
        sums = checksums(file)
        with self._lock:
            objects = self.objects(bucket)
            self.check(objects.get(name), query)
            self._generation = max(self._generation + 1, time.time_ns() // 1000)
            made = describe(bucket, name, self._generation, self.url)
            made |= {**sums, "size": str(file.stat().st_size), "contentType": content_type}
            objects[name] = Stored(made, file)
        self.on_finalize(dict(made))
        return made

    def delete(self, bucket: str, name: str, query: Mapping[str, str]) -> None:
        """Remove an object."""
        with self._lock:
            self.find(bucket, name, query)
            del self.objects(bucket)[name]


def describe(bucket: str, name: str, generation: int, url: str) -> Resource:
    """The parts of a resource that do not depend on the bytes."""
    stamp = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "kind": "storage#object",
        "id": f"{bucket}/{name}/{generation}",
        "selfLink": f"{url}/storage/v1/b/{bucket}/o/{name}",
        "name": name,
        "bucket": bucket,
        "generation": str(generation),
        "metageneration": "1",
        "storageClass": "STANDARD",
        "timeCreated": stamp,
        "updated": stamp,
        "etag": base64.b64encode(str(generation).encode()).decode(),
    }


def checksums(file: Path) -> dict[str, str]:
    """CRC32C and MD5 as a resource names them."""
    crc: Any = google_crc32c.Checksum()  # type: ignore[no-untyped-call]
    md5 = hashlib.md5()
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            crc.update(chunk)
            md5.update(chunk)
    return {
        "crc32c": base64.b64encode(crc.digest()).decode(),
        "md5Hash": base64.b64encode(md5.digest()).decode(),
    }
