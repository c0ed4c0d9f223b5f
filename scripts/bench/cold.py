"""The analysis worker alone, without the command line around it: `cold.py TASK PATHS`.

TASK is JSON, PATHS where Python finds packages. Started without site packages, so that what is
measured is the worker; the worker is started as shared/domain/video/child.py does it.
"""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORKER = "shared.domain.video.worker"


def main() -> None:
    """Hands the task over and prints the worker's last line: its result or its error."""
    with subprocess.Popen(  # noqa: S603 - our own interpreter and module, no shell
        [sys.executable, "-P", "-S", "-m", WORKER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={
            "PYTHONPATH": f"{ROOT}:{sys.argv[2]}",
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "PYDANTIC_DISABLE_PLUGINS": "true",
        },
    ) as worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        # Standard input stays open: its end tells the worker that nobody waits any more.
        worker.stdin.write(sys.argv[1].encode() + b"\n")
        worker.stdin.flush()
        answer = b""
        for answer in worker.stdout:
            if "progress" not in json.loads(answer):
                break
        print(answer.decode().strip())
        sys.exit("result" not in json.loads(answer or b"{}"))


if __name__ == "__main__":
    main()
