"""Runs a command as its only child and writes what it took: `timed.py RESULT COMMAND...`.

A process of its own, because Linux counts the memory of whoever starts a program as the program's
peak, and because the processor time of all descendants is told only to the one who waits.
"""

import json
import os
import sys
import time


def main() -> None:
    """Writes cpu_seconds and peak_mb (largest process) of the whole tree, and wall_seconds."""
    result, *command = sys.argv[1:]
    began = time.monotonic()
    pid = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(pid, 0)
    kilobytes = usage.ru_maxrss / 1024 if sys.platform == "darwin" else usage.ru_maxrss
    took = {
        "wall_seconds": time.monotonic() - began,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_mb": kilobytes * 1024 / 1e6,
    }
    with open(result, "w", encoding="utf-8") as file:
        json.dump(took, file)
    sys.exit(os.waitstatus_to_exitcode(status) and 1)


if __name__ == "__main__":
    main()
