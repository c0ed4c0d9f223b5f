"""One local stack a folder: a lock that dies with its process and tells where the stack answers."""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HOME = Path(".local")


class AlreadyRunning(Exception):
    """Another stack holds the folder; `url` is its status page."""

    def __init__(self, url: str) -> None:
        super().__init__(f"a local stack is running already: {url}")
        self.url = url


@contextmanager
def only_one(folder: Path) -> Iterator[Path]:
    """Hold the folder's lock; raises AlreadyRunning. Yields the file for `announce`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "stack.lock"
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(_announced(path)) from None
        # What a killed stack had written there is not where we answer.
        file.truncate(0)
        try:
            yield path
        finally:
            file.truncate(0)


def is_running(folder: Path) -> bool:
    """Whether a stack holds the folder now."""
    try:
        with (folder / "stack.lock").open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def announce(path: Path, url: str) -> None:
    """Write down where the holder of the lock answers."""
    path.write_text(json.dumps({"url": url}))


def _announced(path: Path) -> str:
    text = path.read_text()
    return str(json.loads(text)["url"]) if text else "starting"
