"""The uploads folder: what is complete there becomes the notification that a bucket sends."""

import fcntl
import logging
import os
import secrets
import time
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event as Flag
from threading import Thread

from shared import logs
from shared.adapters.files.disk import DiskFiles
from shared.app import App
from shared.domain.video.refusals import TooLarge
from shared.errors import PipelineError
from shared.events import UploadFinalized
from shared.file_paths import check_path

log = logging.getLogger("geminivideo.local")

LOOK_EVERY_SECONDS = 0.25
UNFINISHED_SUFFIXES = (".part", ".partial", ".crdownload", ".download", ".tmp", ".swp", "~")
LONGEST_NAME_BYTES = 180


def upload_video(app: App, video: Path) -> UploadFinalized:
    """Put a file of this machine into the uploads folder and return what will be announced.

    Each upload has a path of its own, so that a second file of the same name replaces nothing.
    """
    size_bytes = video.stat().st_size
    if size_bytes > app.limits.max_bytes:
        raise TooLarge(f"{video.name!r}: {size_bytes} bytes; at most {app.limits.max_bytes}")
    stamp = app.now().strftime("%Y%m%d-%H%M%S")
    path = f"uploads/{stamp}-{secrets.token_hex(3)}/{safe_name(video.name)}"
    stored = app.files.write(path, video)
    return UploadFinalized(
        tenant_id=app.tenant_id,
        path=path,
        generation=stored.generation,
        size_bytes=stored.size_bytes,
    )


def safe_name(name: str) -> str:
    """A name that every store takes: NFC, no control characters, at most 180 bytes, suffix kept."""
    text = name.encode("utf-8", "replace").decode()
    text = unicodedata.normalize("NFC", "".join(c if c.isprintable() else "_" for c in text))
    stem, dot, suffix = text.rpartition(".")
    tail = dot + suffix if stem and len(suffix.encode()) <= 16 else ""
    head = text.removesuffix(tail).replace("/", "_")
    room = LONGEST_NAME_BYTES - len(tail.encode())
    head = head.encode()[:room].decode("utf-8", "ignore")
    return (head + tail).strip(". ") or "video"


@dataclass(frozen=True)
class Sighting:
    """What a file looked like, and since when it has looked like that."""

    size_bytes: int
    mtime_ns: int
    since: float


class UploadsWatcher(Thread):
    """Looks at the uploads folder and publishes each file once it is complete."""

    def __init__(self, app: App, files: DiskFiles, quiet_seconds: float, stopping: Flag) -> None:
        super().__init__(name="uploads", daemon=True)
        self._app, self._files, self._quiet, self._stopping = app, files, quiet_seconds, stopping
        self._root = files.root / "uploads"
        self._seen: dict[Path, Sighting] = {}
        self._taken: dict[Path, tuple[int, int]] = {}
        self._troubles: dict[Path, str] = {}

    def run(self) -> None:
        """Look until told to stop."""
        while not self._stopping.is_set():
            self.look()
            self._stopping.wait(LOOK_EVERY_SECONDS)

    def look(self) -> None:
        """One look: publish what is complete and was not taken before."""
        for path in find_files(self._root):
            try:
                self._look_at(path)
            except (PipelineError, OSError) as problem:
                # One bad entry must not keep the others waiting, nor fill the log.
                if self._troubles.get(path) != str(problem):
                    self._troubles[path] = str(problem)
                    log.warning("%r is not taken: %s", path.name, problem)

    def _look_at(self, path: Path) -> None:
        state = path.stat()
        content = (state.st_size, state.st_mtime_ns)
        if self._taken.get(path) != content and self._is_complete(path, *content):
            self._take(path)
            self._taken[path] = content

    def _is_complete(self, path: Path, size_bytes: int, mtime_ns: int) -> bool:
        """Written by the store itself, or unchanged for a while with nobody writing to it."""
        name = os.fsencode(path.relative_to(self._files.root)).decode("utf-8", "replace")
        if self._files.wrote(name):
            return True
        if is_unfinished(path.name):
            return False
        before = self._seen.get(path)
        if before is None or (before.size_bytes, before.mtime_ns) != (size_bytes, mtime_ns):
            self._seen[path] = Sighting(size_bytes, mtime_ns, time.monotonic())
            return False
        return time.monotonic() - before.since >= self._quiet and not has_writer(path)

    def _take(self, path: Path) -> None:
        tenant_id, _, name = path.relative_to(self._root).as_posix().partition("/")
        better = self._better_place(path, name)
        if better is not None:
            better.parent.mkdir(parents=True, exist_ok=True)
            path.rename(better)
            log.info("%r is now %r", path.name, better.name)
            return
        app = self._app.for_tenant(tenant_id)
        stored = app.files.info(f"uploads/{name}")
        if stored is None:
            return
        upload = UploadFinalized(
            tenant_id=tenant_id,
            path=stored.path,
            generation=stored.generation,
            size_bytes=stored.size_bytes,
        )
        known = app.documents.get("uploads", upload.upload_id)
        if known is None or "stages" not in known.data:
            trace = {"traceparent": logs.child_traceparent(None)}
            app.bus.publish([upload.to_message(trace)])

    def _better_place(self, path: Path, name: str) -> Path | None:
        """Where a file must lie to be an upload of somebody; None when it is there already."""
        tenant_id = path.relative_to(self._root).parts[0] if name else self._app.tenant_id
        try:
            check_path(f"uploads/{name}")
        except ValueError:
            return self._root / tenant_id / f"{secrets.token_hex(3)}-{safe_name(path.name)}"
        return None


def find_files(root: Path) -> Iterator[Path]:
    """Every regular file below `root` that is not hidden."""
    if not root.is_dir():
        return
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(folder) / name
            if not name.startswith(".") and path.is_file() and not path.is_symlink():
                yield path


def is_unfinished(name: str) -> bool:
    """Whether browsers and editors call what they have not finished so."""
    return name.lower().endswith(UNFINISHED_SUFFIXES)


def has_writer(path: Path) -> bool:
    """Whether a process has the file open for writing; False where the system cannot tell.

    Linux grants a read lease only on a file that nobody is writing.
    """
    if not hasattr(fcntl, "F_SETLEASE"):
        return False
    with path.open("rb") as file:
        try:
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False
