"""Starts Google's Pub/Sub and Firestore emulators when they are installed."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PLATFORMS = (
    Path("/usr/lib/google-cloud-sdk/platform"),
    Path("/usr/share/google-cloud-sdk/platform"),
    Path.home() / "google-cloud-sdk" / "platform",
)
JARS = {
    "pubsub": ("pubsub-emulator", "cloud-pubsub-emulator-*-all.jar"),
    "firestore": ("cloud-firestore-emulator", "cloud-firestore-emulator*.jar"),
}
MAIN_CLASSES = {
    "pubsub": "com.google.cloud.pubsub.testing.v1.Main",
    "firestore": "com.google.cloud.datastore.emulator.firestore.CloudFirestore",
}


class EmulatorMissing(Exception):
    """Java or the emulator's jar is not on this machine."""


def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def find_jar(name: str) -> Path:
    """The emulator's jar; raises EmulatorMissing saying what to install."""
    folder, pattern = JARS[name]
    for platform in PLATFORMS:
        for jar in sorted((platform / folder).rglob(pattern)):
            return jar
    raise EmulatorMissing(f"install google-cloud-cli-{name}-emulator to run this")


@contextmanager
def running_emulator(name: str) -> Iterator[str]:
    """`host:port` of a fresh emulator that is stopped at the end of the context."""
    if shutil.which("java") is None:
        raise EmulatorMissing(f"install Java 17 or newer to run the {name} emulator")
    jar, port = find_jar(name), free_port()
    command = ["java", "-Xmx512m", "-Duser.language=en", "-cp", str(jar), MAIN_CLASSES[name]]
    command += ["--host=127.0.0.1", f"--port={port}"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for_port(port, process)
        yield f"127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def wait_for_port(port: int, process: "subprocess.Popen[bytes]", seconds: float = 30.0) -> None:
    """Return when somebody listens on the port; raises TimeoutError or EmulatorMissing."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise EmulatorMissing(f"the emulator stopped with status {process.returncode}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens on port {port} after {seconds} s")
