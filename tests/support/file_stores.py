"""Every store of files behind one door for tests, with a clock to turn and bytes to break."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from threading import Thread
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import make_server
from werkzeug.wrappers import Response

from shared.adapters.files import disk, gcs
from shared.adapters.files.signed import signed_files_app
from shared.ports import Files, Options
from tests.support.storage_server import running_storage

BUCKET = "contract-test"
MAX_PUT_BYTES = 100_000


@dataclass
class TurnedClock:
    """The real time, and what a test adds to it."""

    added: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        """The time now."""
        return datetime.now(UTC) + self.added


@dataclass
class FileStore:
    """A store on one technology."""

    files: Files
    url: str
    """What `connect` takes to come here again, in another process too."""
    corrupt: Callable[[str], None]
    """Changes the stored bytes of a path of the tenant `local`."""
    clock: TurnedClock


@contextmanager
def disk_store(folder: Path) -> Iterator[FileStore]:
    """Files in a folder, and the server that their signed URLs point to."""
    clock = TurnedClock()
    mounts = DispatcherMiddleware(Response("nothing here", status=404))
    server = make_server("127.0.0.1", 0, mounts, threaded=True)
    address = f"http://127.0.0.1:{server.server_port}"
    files = disk.connect(f"file://{folder}", Options(now=clock, local_url=address))
    mounts.mounts["/files"] = signed_files_app(files, max_bytes=MAX_PUT_BYTES)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()

    def corrupt(path: str) -> None:
        area, _, rest = path.partition("/")
        flip_byte(folder / area / "local" / rest)

    try:
        yield FileStore(files, f"file://{folder}", corrupt, clock)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def flip_byte(file: Path) -> None:
    """Change one byte as a dying disk does: nothing else tells of it."""
    state = file.stat()
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))


@contextmanager
def gcs_store(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FileStore]:
    """A bucket of our own server, and a service account that signs."""
    clock = TurnedClock()
    with running_storage(public_key=private_key().public_key(), buckets=[BUCKET]) as storage:
        storage.now = clock
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", storage.url)
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(service_account(folder)))
        files = gcs.connect(f"gs://{BUCKET}", Options(now=clock))

        def corrupt(path: str) -> None:
            area, _, rest = path.partition("/")
            storage.corrupt(BUCKET, f"{area}/local/{rest}")

        yield FileStore(files, f"gs://{BUCKET}", corrupt, clock)


@cache
def private_key() -> rsa.RSAPrivateKey:
    """The key of the service account of all tests."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def service_account(folder: Path) -> Path:
    """A key file such as Google hands out."""
    pem = private_key().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    account = {
        "type": "service_account",
        "client_email": "files@test.iam.gserviceaccount.com",
        "private_key_id": "1",
        "private_key": pem.decode(),
        "token_uri": "http://127.0.0.1:1/no-token-is-needed",
    }
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "account.json"
    file.write_text(json.dumps(account))
    return file


def request(
    method: str, url: str, body: bytes | None = None, **headers: str
) -> tuple[int, bytes, dict[str, str]]:
    """Status, body and headers of one HTTP request without any token."""
    names = {name.replace("_", "-").title(): value for name, value in headers.items()}
    try:
        with urlopen(Request(url, data=body, method=method, headers=names), timeout=10) as answer:
            return answer.status, answer.read(), dict(answer.headers)
    except HTTPError as problem:
        with problem:
            return problem.code, problem.read(), dict(problem.headers)


TRANSFER = """
import json, sys, time
from importlib import import_module
from pathlib import Path
from shared.ports import Options

def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

module, url, source = sys.argv[1:]
files = import_module(f"shared.adapters.files.{module}").connect(url, Options())
files.write("uploads/small", b"warm")
before, size, start = peak(), Path(source).stat().st_size, time.monotonic()
stored = files.write("uploads/large", Path(source))
written = time.monotonic()
with files.local_copy("uploads/large", generation=stored.generation) as copy:
    assert copy.stat().st_size == stored.size_bytes == size
read = time.monotonic()
print(json.dumps({"grown": peak() - before, "peak": peak(), "write": written - start,
                  "read": read - written}))
"""


def grown_bytes(store: FileStore, folder: Path, *, size_bytes: int) -> int:
    """How much a process of its own grew when it wrote and read a file of this size."""
    if not Path("/proc/self/status").exists():
        pytest.skip("this system does not tell the peak memory of one process")
    large = folder / "large"
    with large.open("wb") as file:
        block = os.urandom(1_000_000)
        for _ in range(size_bytes // len(block)):
            file.write(block)
    module = "disk" if store.url.startswith("file") else "gcs"
    command = [sys.executable, "-c", TRANSFER, module, store.url, str(large)]
    said = subprocess.run(command, check=True, capture_output=True, cwd=Path.cwd()).stdout
    print(module, size_bytes, said.decode())
    return int(json.loads(said)["grown"])
