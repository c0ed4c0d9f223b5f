"""A worker that does what a broken decoder may do; `python -m` runs it in place of the real one."""

import json
import os
import signal
import sys
import time


def main() -> None:
    task = json.loads(sys.stdin.readline())
    deed = task["do"]
    if deed == "hang":
        print(json.dumps({"progress": 0.1, "step": str(os.getpid())}), flush=True)
        time.sleep(60)
    if deed == "hang deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.close(1)
        time.sleep(60)
    if deed == "signal":
        os.kill(os.getpid(), task["signal"])
    if deed == "bug":
        raise RuntimeError("we made a mistake")
    if deed == "memory":
        raise MemoryError
    if deed == "noise":
        print("[h264 @ 0x1] error while decoding", file=sys.stderr)
        print(json.dumps({"result": {"fine": True}}), flush=True)
    if deed == "refuse":
        error = {"code": task["code"], "message": "no good"}
        print(json.dumps({"error": error}), flush=True)


main()
