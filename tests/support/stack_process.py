"""A local stack in a process of its own, for tests that kill it."""

import signal

from scripts.local.stack import running_stack
from shared.config import read_settings

if __name__ == "__main__":
    with running_stack(read_settings()):
        signal.pause()
