"""Starts a program that dies with its parent and at its limits.

Called as a script without site packages: `guard.py PARENT MEMORY_BYTES CPU_SECONDS PROGRAM ...`.
Limits are set here and not between fork and exec of the parent, which may have threads.
"""

import ctypes
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Becomes the program; ends at once when the parent is already gone."""
    parent, memory_bytes, cpu_seconds = (int(word) for word in sys.argv[1:4])
    if sys.platform == "linux":
        # The signal outlives exec; elsewhere the end of the progress pipe has to do.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if os.getppid() != parent:
        sys.exit(1)
    os.execv(sys.argv[4], sys.argv[4:])  # noqa: S606 - our own ffmpeg, no shell


if __name__ == "__main__":
    main()
