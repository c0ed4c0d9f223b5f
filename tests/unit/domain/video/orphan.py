"""A worker that guards itself as the real one does, says its number, and waits to be orphaned."""

import json
import os
import sys
import time

from shared.domain.video.worker import guard_this_process
from shared.models import Limits

guard_this_process(Limits.model_validate(json.loads(sys.stdin.buffer.readline())["limits"]))
print(json.dumps({"progress": 0.0, "step": str(os.getpid())}), flush=True)
time.sleep(60)
