"""Fetches networks and checks them: for `gv models fetch`, and alone when an image is built.

As a program it takes the manifest and a folder, and needs nothing but Python and shared/errors.py.
"""

import hashlib
import http.client
import json
import os
import re
import ssl
import sys
import tempfile
import urllib.request
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from shared.errors import ConfigError, PipelineError, RetryLater

CHUNK_BYTES = 1 << 20
MAX_BYTES = 4_000_000_000
TIMEOUT_SECONDS = 30.0
SCHEMES = ("https://", "http://")
SHA256 = re.compile(r"[0-9a-f]{64}")


class ModelNotFetched(ConfigError):
    """A network that cannot be fetched as asked; the message says what to do instead."""


class ModelHostFailed(RetryLater):
    """The other side did not give the file."""


def download(url: str, target: Path, sha256: str) -> None:
    """The bytes at `url` as `target`, if they have that checksum; else nothing is left.

    Raises ModelNotFetched for another checksum, ModelHostFailed when they do not come whole.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            found = _receive(url, file)
        if found != sha256:
            raise ModelNotFetched(
                f"{url} gave a file with the sha256 {found}, expected {sha256}; nothing was kept"
            )
        part.chmod(0o644)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def fetch_pinned(manifest: Path, folder: Path) -> list[str]:
    """Put every network of a manifest whose address and checksum are known into the folder.

    Returns what is told of each; of those that come with a package, nothing.
    Raises ModelNotFetched or ModelHostFailed at the first that does not come as it should.
    """
    told = []
    for model in json.loads(manifest.read_text(encoding="utf-8")):
        name, file, url, sha256 = (model[key] for key in ("name", "file", "url", "sha256"))
        if model["package"]:
            continue
        if not url or not SHA256.fullmatch(sha256):
            lacks = "checksum" if url else "address"
            told.append(f"{name}: left out, the manifest has no {lacks} of it")
            continue
        download(url, folder / file, sha256)
        told.append(f"{name}: {(folder / file).stat().st_size:,} bytes, the sha256 is right")
    return told


def _receive(url: str, file: IO[bytes]) -> str:
    """Writes what `url` gives into `file` and returns its checksum."""
    if not url.startswith(SCHEMES):
        raise ModelNotFetched(f"{url!r} is no address of the web; expected https://...")
    digest, taken = hashlib.sha256(), 0
    try:
        with urllib.request.urlopen(  # noqa: S310 - only the schemes above come here
            url, timeout=TIMEOUT_SECONDS, context=_trusted()
        ) as answer:
            length = answer.headers.get("Content-Length")
            while chunk := answer.read(CHUNK_BYTES):
                taken += len(chunk)
                if taken > MAX_BYTES:
                    raise ModelNotFetched(f"{url} gives more than {MAX_BYTES:,} bytes")
                digest.update(chunk)
                file.write(chunk)
        if length is not None and length != str(taken):
            raise ConnectionError(f"it ended after {taken:,} of {length} bytes")
    except (OSError, http.client.HTTPException) as problem:
        raise ModelHostFailed(
            f"{url} cannot be fetched ({problem}); put the file into the folder yourself, "
            "`scripts/gv models list` names it"
        ) from problem
    return digest.hexdigest()


def _trusted() -> ssl.SSLContext:
    """Whom to trust: the machine's authorities, and certifi's where Python knows of none."""
    context = ssl.create_default_context()
    if find_spec("certifi"):
        import certifi

        context.load_verify_locations(certifi.where())
    return context


def main(arguments: Sequence[str] | None = None) -> int:
    """Fetch what MANIFEST pins into FOLDER; 1 when something of it did not come as it should."""
    given = sys.argv[1:] if arguments is None else arguments
    if len(given) != 2:
        print("usage: python -m scripts.fetching MANIFEST FOLDER", file=sys.stderr)
        return 2
    try:
        print("\n".join(fetch_pinned(Path(given[0]), Path(given[1]))))
    except PipelineError as problem:
        print(f"fetching: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
