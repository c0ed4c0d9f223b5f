"""Files in a folder: whole or not at all, with generations and checksums, signed URLs of our own.

A tenant's `area/rest` is `<root>/area/<tenant>/rest`, so that people can put files there by hand.
`<root>/.state` holds what a file system does not keep: drafts, records, the key, the generation.
"""

import errno
import fcntl
import hashlib
import json
import os
import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO, Literal, Self
from urllib.parse import quote, urlencode

from shared.adapters.files import rules
from shared.adapters.files.rules import NameTaken, Record, looks_of, regular_file, sync_folder
from shared.errors import ConfigError, FileMissing, RetryLater
from shared.events import LOCAL_TENANT
from shared.ports import FileInfo, Options

MAX_PART_BYTES = 255
"""The longest name that ext4, xfs, btrfs and APFS take."""
TRIES = 5
STALE_SECONDS = 2 * 3600
"""No stage runs this long: a draft of this age belongs to a process that died."""
NO_LINKS = (errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EXDEV, errno.ENOENT)


def connect(url: str, options: Options) -> "DiskFiles":
    """Files of the tenant `local`; `file://FOLDER` relative, `file:///FOLDER` absolute."""
    folder = url.removeprefix("file://")
    if not url.startswith("file://") or not folder:
        raise ConfigError(f"{url!r}: expected file://FOLDER, such as file://.local/files")
    files = DiskFiles(Path(folder).absolute(), LOCAL_TENANT, options)
    files.remove_stale_drafts()
    return files


class DiskFiles:
    """Drafts become files by one rename or link, under one lock for the whole store.

    Under that lock a counter on disk hands out generations: each is larger than every one before,
    in any path, and at least the time in nanoseconds. So they grow when the clock stands still or
    goes back, and after a delete. What we write carries its generation as its modification time;
    what people put or change by hand gets a new one when it is first looked at, because its size,
    modification time or inode is not the recorded one.
    """

    def __init__(self, root: Path, tenant_id: str, options: Options) -> None:
        self.root = root
        self._state = root / ".state"
        self._tenant_id = rules.check_tenant(tenant_id)
        self._options = options

    def for_tenant(self, tenant_id: str) -> Self:
        """The same folder, seen by one tenant."""
        return type(self)(self.root, tenant_id, self._options)

    def info(self, path: str) -> FileInfo | None:
        """What is known of a file; None when there is none."""
        name = self._name(path)
        with _disk_errors(name):
            record = self._look(name)
        return None if record is None else record.info(path)

    def read(self, path: str) -> bytes:
        """The whole content; raises FileMissing, or FileCorrupt when it is not what was stored."""
        stream, info = self.open_stored(self._tenant_id, path)
        with stream, _disk_errors(path):
            content = stream.read()
        rules.check_bytes(path, rules.checksum_of(content), info.crc32c)
        return content

    def write(
        self, path: str, content: bytes | Path, *, content_type: str = "", once: bool = False
    ) -> FileInfo:
        """Store bytes, or a local file without holding it in memory."""
        content_type = rules.content_type_of(path, content_type)
        stored = self.info(path) if once else None
        if stored is not None:
            return stored
        with rules.opened(content) as stream:
            return self._store(path, rules.chunks_of(stream), content_type, once=once)

    def receive(
        self, tenant_id: str, path: str, chunks: Iterable[bytes], *, content_type: str
    ) -> FileInfo:
        """Store what comes in; whatever the chunks raise, nothing of them stays."""
        return self.for_tenant(tenant_id)._store(path, chunks, content_type, once=False)

    def copy(self, source: str, target: str, *, generation: str | None = None) -> FileInfo:
        """Copy inside the store, once; raises FileMissing when `source` is not at `generation`.

        The bytes are copied: a link would let who changes the source by hand change the target.
        """
        stream, info = self._open(source, generation)
        with stream:
            stored = self.info(target)
            if stored is not None:
                return stored
            chunks = rules.checked_chunks(source, stream, info.crc32c)
            return self._store(target, chunks, info.content_type, once=True)

    @contextmanager
    def local_copy(self, path: str, *, generation: str | None = None) -> Iterator[Path]:
        """The stored bytes under a name of their own, so that replacing the file does not matter.

        Raises FileMissing, or FileCorrupt when the bytes are not those that were stored.
        """
        with self._draft() as draft:
            stream, info = self._open(path, generation)
            with stream, _disk_errors(path):
                if not _linked(stream, self.root / self._name(path), draft):
                    with draft.open("wb") as copy:
                        copy.writelines(rules.chunks_of(stream))
            with _disk_errors(path):
                rules.check_bytes(path, rules.checksum_of(draft), info.crc32c)
            yield draft

    def list(self, prefix: str) -> Iterator[FileInfo]:
        """Every file whose path starts with `prefix`, in order of path."""
        rules.check_prefix(prefix)
        with _disk_errors(prefix):
            paths = sorted(self._paths(prefix))
        yield from filter(None, map(self.info, paths))

    def delete(self, path: str) -> None:
        """Remove a file and the folders that it leaves empty."""
        name = self._name(path)
        target = self.root / name
        with _disk_errors(name):
            if regular_file(target) is None:
                return
            with self._locked():
                target.unlink(missing_ok=True)
                self._record_path(name).unlink(missing_ok=True)
                # The folders of an area and a tenant stay: people put their files there.
                _remove_empty([*target.parents][: name.count("/") - 2])

    def sign(self, path: str, method: Literal["GET", "PUT"], *, expires_seconds: int = 3600) -> str:
        """A URL of the local stack, good for one method and path until it expires."""
        name = self._name(path)
        expires = int(self._options.now().timestamp()) + rules.check_expiry(expires_seconds)
        signature = rules.signature_of(self._key(), method, name, str(expires))
        query = urlencode({"method": method, "expires": expires, "signature": signature})
        return f"{self._options.local_url}/files/{quote(name)}?{query}"

    def verify(self, method: str, name: str, query: dict[str, str]) -> tuple[str, str]:
        """The tenant and path that a signed request opens; raises SignatureRefused, FileInvalid.

        `name` is `area/<tenant>/<rest>`, decoded; `query` what follows the question mark.
        """
        return rules.signed_path(self._key(), method, name, query, self._options.now())

    def open_stored(self, tenant_id: str, path: str) -> tuple[BinaryIO, FileInfo]:
        """A stored file open for reading, not yet checked; raises FileMissing."""
        return self.for_tenant(tenant_id)._open(path, None)

    def remove_stale_drafts(self) -> None:
        """Remove what processes that died have left behind."""
        for draft in (self._state / "drafts").glob("*"):
            with suppress(FileNotFoundError):
                if time.time() - draft.stat().st_ctime > STALE_SECONDS:
                    draft.unlink()

    def _name(self, path: str) -> str:
        name = rules.stored_name(self._tenant_id, path)
        longest = max(name.split("/"), key=lambda part: len(part.encode()))
        if (size := len(longest.encode())) > MAX_PART_BYTES:
            raise rules.FileInvalid(
                f"{path[:60]!r}...: its part {longest[:40]!r}... has {size} bytes, a disk takes "
                f"{MAX_PART_BYTES}; use a shorter name or gs://BUCKET"
            )
        return name

    def _open(self, path: str, generation: str | None) -> tuple[BinaryIO, FileInfo]:
        name = self._name(path)
        for _ in range(TRIES):
            # Looking first records what was changed by hand; under the lock only hands change it.
            if self.info(path) is not None:
                with _disk_errors(name), self._locked(), suppress(FileNotFoundError):
                    stream = (self.root / name).open("rb")
                    record = self._record(name)
                    if record is None or not record.describes(os.fstat(stream.fileno())):
                        stream.close()
                        continue
                    if generation in (None, str(record.generation)):
                        return stream, record.info(path)
                    stream.close()
            meant = "" if generation is None else f" at generation {generation}"
            raise FileMissing(f"{path!r} of tenant {self._tenant_id!r} is not there{meant}")
        raise RetryLater(f"{path!r} changes faster than it can be read")

    def _store(
        self, path: str, chunks: Iterable[bytes], content_type: str, *, once: bool
    ) -> FileInfo:
        name = self._name(path)
        with self._draft() as draft, _disk_errors(name):
            with draft.open("xb") as file:
                checksum = rules.Crc32c(file)
                for chunk in chunks:
                    checksum.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            record = self._publish(name, draft, (checksum.text, content_type), once)
            sync_folder((self.root / name).parent)
        stored = self.info(path) if record is None else record.info(path)
        if stored is None:
            raise RetryLater(f"{path!r} was deleted while it was written")
        return stored

    def _publish(self, name: str, draft: Path, what: tuple[str, str], once: bool) -> Record | None:
        """Make a draft the file; None when `once` and another is there."""
        target = self.root / name
        with self._locked() as counter:
            now = (self._options.now() - rules.EPOCH) // timedelta(microseconds=1) * 1000
            generation = _next_generation(counter, now)
            os.utime(draft, ns=(generation, generation))
            target.parent.mkdir(parents=True, exist_ok=True)
            if not once:
                draft.replace(target)
            elif not _put_once(draft, target):
                return None
            return self._keep(Record(name, *looks_of(target.lstat()), generation, *what))

    def wrote(self, name: str) -> bool:
        """Whether a stored name still holds what was recorded for it: then it is whole."""
        state, record = regular_file(self.root / name), self._record(name)
        return state is not None and record is not None and record.describes(state)

    def _look(self, name: str) -> Record | None:
        return self._record(name) if self.wrote(name) else self._adopt(name)

    def _adopt(self, name: str) -> Record | None:
        """Record what somebody put or changed by hand."""
        target = self.root / name
        for _ in range(TRIES):
            before = regular_file(target)
            if before is None:
                return None
            try:
                crc32c = rules.checksum_of(target)
            except FileMissing:
                return None
            with self._locked() as counter:
                state, record = regular_file(target), self._record(name)
                if record and state and record.describes(state):
                    return record
                if state is None or looks_of(state) != looks_of(before):
                    continue
                if record and record.restored(state, crc32c):
                    return self._keep(replace(record, inode=state.st_ino))
                generation = _next_generation(counter, state.st_mtime_ns)
                content_type = rules.content_type_of(name, "")
                return self._keep(Record(name, *looks_of(state), generation, crc32c, content_type))
        raise RetryLater(f"{name!r} is being written; it can be read when it is complete")

    def _record_path(self, name: str) -> Path:
        digest = hashlib.sha256(name.encode()).hexdigest()
        return self._state / "records" / digest[:2] / f"{digest}.json"

    def _record(self, name: str) -> Record | None:
        try:
            return Record(**json.loads(self._record_path(name).read_bytes()))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError):
            # Torn by a power cut: the file is looked at anew, as if put there by hand.
            return None

    def _keep(self, record: Record) -> Record:
        path = self._record_path(record.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._draft() as draft:
            draft.write_text(json.dumps(asdict(record)))
            draft.replace(path)
        return record

    def _key(self) -> bytes:
        """What signs URLs: made once, readable by its owner only."""
        path = self._state / "key"
        with _disk_errors(str(path)):
            if not path.exists():
                with self._draft() as draft, self._locked():
                    if not path.exists():
                        draft.touch(0o600)
                        draft.write_bytes(secrets.token_bytes(32))
                        draft.replace(path)
            return path.read_bytes()

    @contextmanager
    def _draft(self) -> Iterator[Path]:
        """A path where nothing is yet, on the file system of the store; empty again at the end."""
        path = self._state / "drafts" / secrets.token_hex(16)
        with _disk_errors(str(path)):
            self._state.mkdir(0o700, parents=True, exist_ok=True)
            path.parent.mkdir(exist_ok=True)
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """The file of the last generation, held by this thread alone."""
        self._state.mkdir(0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(self._state / "generation", flags, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor
        finally:
            os.close(descriptor)

    def _paths(self, prefix: str) -> Iterator[str]:
        area, slash, rest = prefix.partition("/")
        areas = [area] if slash else [one.name for one in self.root.glob(f"{area}*")]
        for area in filter(rules.is_area, areas):
            top = self.root / area / self._tenant_id
            for folder, _, names in os.walk(top / rest.rpartition("/")[0], onerror=_unless_absent):
                for name in names:
                    path = f"{area}/{(Path(folder) / name).relative_to(top).as_posix()}"
                    if path.startswith(prefix) and rules.is_path(path):
                        yield path


def _next_generation(counter: int, at_least: int) -> int:
    last = os.pread(counter, 20, 0)
    generation = max(at_least, int(last) + 1 if last.isdigit() else 1)
    os.pwrite(counter, f"{generation:020d}".encode(), 0)
    return generation


def _put_once(draft: Path, target: Path) -> bool:
    """Whether the draft became the file; a link never replaces what somebody put there by hand."""
    try:
        os.link(draft, target)
    except FileExistsError:
        if target.is_dir():
            raise
        return False
    except OSError as problem:
        if problem.errno not in NO_LINKS:
            raise
        if target.exists():
            return False
        draft.rename(target)
    return True


def _linked(stream: BinaryIO, source: Path, target: Path) -> bool:
    """Whether `target` is now another name of the open file."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as problem:
        if problem.errno not in NO_LINKS:
            raise
        return False
    if os.path.samestat(target.stat(), os.fstat(stream.fileno())):
        return True
    target.unlink()
    return False


def _remove_empty(folders: Iterable[Path]) -> None:
    for folder in folders:
        try:
            folder.rmdir()
        except OSError as problem:
            if problem.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT):
                return
            raise


def _unless_absent(problem: OSError) -> None:
    if problem.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG):
        raise problem


@contextmanager
def _disk_errors(name: str) -> Iterator[None]:
    try:
        yield
    except (FileExistsError, IsADirectoryError, NotADirectoryError) as problem:
        raise NameTaken(
            f"{name!r}: a file and a folder cannot have one name on a disk; take another"
        ) from problem
    except OSError as problem:
        if problem.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.EXDEV):
            raise ConfigError(
                f"{name!r}: {problem.strerror}; expected a folder of this user, on one file system"
            ) from problem
        raise RetryLater(f"{name!r}: {problem.strerror or problem}; mend the disk") from problem
