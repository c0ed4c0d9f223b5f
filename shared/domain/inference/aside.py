"""Reads text in a thread of its own, so that the child that decodes never waits for a network."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import BoundedSemaphore
from types import TracebackType
from typing import TYPE_CHECKING, Any

from shared.domain.video.detector import AnalyserUnavailable

if TYPE_CHECKING:
    from shared.domain.inference.text import TextTrack

# Pictures that wait to be read: so much memory, and then the child waits after all.
MAX_WAITING = 48


class TextAside:
    """Opens a track of text and reads parts of the child, all in one thread, in their order.

    After `finish`, `track` has what was read, or `problem` says why nothing could be; `seconds` is
    the processor time of it. Leaving the `with` gives up what still waits.
    """

    def __init__(
        self, open_track: "Callable[[], TextTrack]", warm: Callable[[], object] | None = None
    ) -> None:
        """`warm` is run after the track is opened, while there is nothing to read yet."""
        self.track: TextTrack | None = None
        self.problem = ""
        self.provider = ""
        self.seconds = 0.0
        self._room = BoundedSemaphore(MAX_WAITING)
        self._threads = ThreadPoolExecutor(1)
        self._work: list[Future[None]] = [self._threads.submit(self._open, open_track)]
        if warm is not None:
            self._work.append(self._threads.submit(self._warm, warm))

    def __enter__(self) -> "TextAside":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._threads.shutdown(cancel_futures=True)

    def take(self, part: dict[str, Any]) -> None:
        """A `text` or `edges` part; waits only when very many are unread."""
        self._room.acquire()
        self._work.append(self._threads.submit(self._read, part))

    def finish(self) -> None:
        """Waits until all is read."""
        for work in self._work:
            work.result()
        self._work.clear()

    def _open(self, open_track: "Callable[[], TextTrack]") -> None:
        began = time.thread_time()
        try:
            self.track = open_track()
            self.provider = self.track.reader.provider
        except AnalyserUnavailable as problem:
            self.problem = str(problem)
        self.seconds += time.thread_time() - began

    def _warm(self, warm: Callable[[], object]) -> None:
        try:
            warm()
        except AnalyserUnavailable:
            # Who needs it hears the reason when it is opened again.
            return

    def _read(self, part: dict[str, Any]) -> None:
        began = time.thread_time()
        try:
            if self.track is not None and part["kind"] == "text":
                self.track.read(part)
            elif self.track is not None:
                self.track.remember(part)
        except AnalyserUnavailable as problem:
            self.track, self.problem = None, str(problem)
        finally:
            self._room.release()
            self.seconds += time.thread_time() - began
