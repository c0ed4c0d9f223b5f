"""Secrets as files that only their owner can read."""

import os
import secrets
import shlex
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from shared.adapters.secrets.rules import check_name, check_tenant, decode_value, encode_value
from shared.errors import ConfigError, RetryLater, SecretMissing
from shared.events import LOCAL_TENANT
from shared.ports import Options

FILE_MODE = 0o600
FOLDER_MODE = 0o700


def connect(url: str, options: Options) -> "FileSecrets":
    """Secrets of the tenant `local`; `file://FOLDER` relative, `file:///FOLDER` absolute."""
    folder = url.removeprefix("file://")
    if not url.startswith("file://") or not folder:
        raise ConfigError(f"{url!r}: expected file://FOLDER, such as file://.local/secrets")
    return FileSecrets(Path(folder).absolute(), LOCAL_TENANT)


class FileSecrets:
    """One folder per tenant (0700), one file per name (0600), replaced as a whole."""

    def __init__(self, root: Path, tenant_id: str) -> None:
        self._root = root
        self._tenant_id = check_tenant(tenant_id)

    def __repr__(self) -> str:
        return f"FileSecrets({str(self._root)!r}, {self._tenant_id!r})"

    def for_tenant(self, tenant_id: str) -> Self:
        """The same folder, seen by one tenant."""
        return type(self)(self._root, tenant_id)

    def get(self, name: str) -> str:
        """The value; raises SecretMissing, or ConfigError when others can reach the file."""
        path = self._path(name)
        with _disk_errors(path):
            try:
                # A pipe without a writer would otherwise block the reader for ever.
                descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            except FileNotFoundError:
                raise self._missing(name, path) from None
            with open(descriptor, "rb") as file:
                for folder in (self._root, path.parent):
                    _check_folder(folder)
                _check_file(path, os.fstat(descriptor))
                return decode_value(name, file.read())

    def put(self, name: str, value: str) -> None:
        """Store a value; whoever reads meanwhile gets the old one or the new one."""
        path, content = self._path(name), encode_value(name, value)
        with _disk_errors(path):
            for folder in (self._root, path.parent):
                _make_folder(folder)
            _replace(path, content)

    def delete(self, name: str) -> None:
        """Forget the value; nothing happens when there is none."""
        path = self._path(name)
        with _disk_errors(path), suppress(FileNotFoundError):
            path.unlink()
            _sync_folder(path.parent)

    def _path(self, name: str) -> Path:
        return self._root / self._tenant_id / check_name(name)

    def _missing(self, name: str, path: Path) -> SecretMissing:
        folder, file = shlex.quote(str(path.parent)), shlex.quote(str(path))
        command = (
            f'(umask 077 && mkdir -p {folder} && read -rs value && printf %s "$value" > {file})'
        )
        return SecretMissing(
            f"tenant {self._tenant_id!r} has no secret {name!r}; run this and type it in: {command}"
        )


def _make_folder(folder: Path) -> None:
    """Make a folder that is missing; one that is there is checked and never changed."""
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        _check_folder(folder)
    else:
        folder.chmod(FOLDER_MODE)


def _check_folder(folder: Path) -> None:
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o022:
        raise ConfigError(
            f"secrets in {folder}: its mode {mode:04o} lets others replace them, expected 0700;"
            f" choose another folder or run: chmod 700 {shlex.quote(str(folder))}"
        )


def _check_file(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise ConfigError(f"secret {path}: expected a file; remove what is there")
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o077:
        raise ConfigError(
            f"secret {path}: its mode {mode:04o} lets others reach it, expected 0600; run:"
            f" chmod 600 {shlex.quote(str(path))} and replace the secret if others had access"
        )


def _replace(path: Path, content: bytes) -> None:
    # A dot is in no secret's name, so no half-written file can be read as one.
    new = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
    try:
        with open(descriptor, "wb") as file:
            # The umask may have taken bits away from the owner too.
            os.fchmod(descriptor, FILE_MODE)
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        new.replace(path)
    except OSError:
        new.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make a rename outlive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _disk_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (PermissionError, NotADirectoryError, IsADirectoryError, FileExistsError) as problem:
        raise ConfigError(
            f"secret {path}: {problem.strerror}; expected a file (0600) in a folder (0700)"
            " of this user"
        ) from problem
    except OSError as problem:
        raise RetryLater(f"secret {path}: {problem.strerror}; mend the disk") from problem
