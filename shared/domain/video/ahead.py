"""Runs an iterator in its own thread, a few items ahead of who reads them."""

import queue
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Item = TypeVar("Item")

STOP_CHECK_SECONDS = 0.1
END = object()


def run_ahead(items: Iterator[Item], depth: int) -> Iterator[Item]:
    """The same items, up to `depth` of them made before they are asked for.

    What `items` raises is raised here. When the reader stops early, so does the thread: a decoder
    must not outlive the container that is closed under it.
    """
    made: queue.Queue[Any] = queue.Queue(depth)
    stopped = threading.Event()
    with ThreadPoolExecutor(1) as threads:
        work = threads.submit(_fill, made, items, stopped)
        try:
            while (item := made.get()) is not END:
                yield item
            work.result()
        finally:
            stopped.set()


def _fill(made: "queue.Queue[Any]", items: Iterator[Any], stopped: threading.Event) -> None:
    try:
        for item in items:
            if not _put(made, item, stopped):
                break
    finally:
        _put(made, END, stopped)


def _put(made: "queue.Queue[Any]", item: object, stopped: threading.Event) -> bool:
    """Waits for a place; False when nobody reads any more."""
    while not stopped.is_set():
        try:
            made.put(item, timeout=STOP_CHECK_SECONDS)
        except queue.Full:
            continue
        return True
    return False
