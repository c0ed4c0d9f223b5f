"""Runs ffmpeg as a child with limits, follows its progress, and ends it when nobody wants it."""

import os
import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.domain.render.ffmpeg import ffmpeg_path
from shared.domain.render.refusals import RenderFailed, RenderTooSlow, SourceUnreadable

GUARD = Path(__file__).with_name("guard.py")
READ_BYTES = 1 << 16
KEPT_BYTES = 16_000
LAST_WORDS = 400
QUIET = ("-hide_banner", "-nostdin", "-nostats", "-y")
LOUD = ("-v", "info")
ERRORS_ONLY = ("-v", "error")
SOURCE_SIGNS = ("Error opening input", "matches no streams", "Could not open encoder before EOF")
MEMORY_SIGNS = ("Cannot allocate memory", "No space left")


@dataclass(frozen=True)
class Allowance:
    """What one ffmpeg may take: wall seconds, and bytes of address space."""

    seconds: float = 120.0
    memory_bytes: int = 12_000_000_000


def run_ffmpeg(
    arguments: Sequence[str | Path],
    folder: Path,
    allowance: Allowance,
    *,
    on_frame: Callable[[int], None] | None = None,
    verbose: bool = False,
) -> str:
    """The end of what ffmpeg said, run in `folder`; `on_frame` gets the number of frames done.

    Whatever stops the waiting (an exception of `on_frame` too) kills the child first.
    Raises RenderTooSlow, RenderFailed with ffmpeg's last words.
    """
    deadline = time.monotonic() + allowance.seconds
    words = [*QUIET, *(LOUD if verbose else ERRORS_ONLY), "-progress", "pipe:1", *arguments]
    with _start(words, folder, allowance) as process:
        try:
            said = _listen(process, deadline, on_frame)
            status = process.wait(max(0.1, deadline - time.monotonic()))
        except (TimeoutError, subprocess.TimeoutExpired):
            raise RenderTooSlow(
                f"ffmpeg did not end within {allowance.seconds:.0f} s; "
                "render on a faster machine, or a shorter or smaller timeline"
            ) from None
        finally:
            process.kill()
    if status:
        raise _failure(status, said)
    return said


def _failure(status: int, said: str) -> RenderFailed | SourceUnreadable:
    """Whose fault it is: a file that cannot be opened will not open the next time either."""
    words = last_words(said)
    if any(sign in said for sign in SOURCE_SIGNS) and not any(s in said for s in MEMORY_SIGNS):
        return SourceUnreadable(f"a source cannot be decoded: {words}; export it again")
    return RenderFailed(f"ffmpeg ended with status {status}: {words}")


def _start(
    words: Sequence[str | Path], folder: Path, allowance: Allowance
) -> subprocess.Popen[bytes]:
    cpu_seconds = int(allowance.seconds * (os.cpu_count() or 1)) + 1
    limits = [str(os.getpid()), str(allowance.memory_bytes), str(cpu_seconds)]
    return subprocess.Popen(  # noqa: S603 - our own interpreter and ffmpeg, no shell
        [sys.executable, "-I", "-S", GUARD, *limits, ffmpeg_path(), *words],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={
            "FONTCONFIG_FILE": str(folder / "fonts.conf"),
            "HOME": str(folder),
            "LANG": "C.UTF-8",
        },
        start_new_session=True,
    )


def _listen(
    process: subprocess.Popen[bytes], deadline: float, on_frame: Callable[[int], None] | None
) -> str:
    """Reads both pipes to their ends; only the last words of standard error are kept."""
    said, waiting = b"", b""
    with selectors.DefaultSelector() as pipes:
        pipes.register(process.stdout, selectors.EVENT_READ)  # type: ignore[arg-type]
        pipes.register(process.stderr, selectors.EVENT_READ)  # type: ignore[arg-type]
        while pipes.get_map():
            remaining = deadline - time.monotonic()
            ready = pipes.select(remaining) if remaining > 0 else []
            if not ready:
                raise TimeoutError
            for key, _ in ready:
                part = os.read(key.fd, READ_BYTES)
                if not part:
                    pipes.unregister(key.fileobj)
                elif key.fileobj is process.stderr:
                    said = (said + part)[-KEPT_BYTES:]
                else:
                    *lines, waiting = (waiting + part).split(b"\n")
                    _report(lines, on_frame)
    return said.decode(errors="replace")


def _report(lines: Sequence[bytes], on_frame: Callable[[int], None] | None) -> None:
    frames = [line[6:] for line in lines if line.startswith(b"frame=")]
    if frames and on_frame is not None:
        on_frame(int(frames[-1]))


def last_words(said: str) -> str:
    """The end of what ffmpeg said, on one line."""
    return " | ".join(said.split("\n"))[-LAST_WORDS:].strip(" |") or "it said nothing"
