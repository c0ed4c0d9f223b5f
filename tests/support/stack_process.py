"""A local stack that runs until it is told to stop, for tests that kill it."""

import signal

from scripts.local.stack import running_stack
from shared.config import read_settings


def main() -> None:
    """Run until SIGTERM."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with running_stack(read_settings()):
        try:
            signal.pause()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
