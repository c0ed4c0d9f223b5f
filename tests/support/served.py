"""Installs and serves an unpacked bundle as the platform does: plain pip, functions-framework."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.support.emulators import EmulatorMissing, free_port, wait_for_port

COMPLETE = "complete"


def installed(requirements: Path, cache: Path) -> Path:
    """The bin folder of a venv with exactly these requirements, made once for each content."""
    content = requirements.read_bytes() + sys.version.encode()
    venv = cache / f"bundle-{hashlib.sha256(content).hexdigest()[:16]}"
    if not (venv / COMPLETE).is_file():
        shutil.rmtree(venv, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        pip = [str(venv / "bin" / "pip"), "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", "--requirement", str(requirements)], check=True)
        (venv / COMPLETE).touch()
    return venv / "bin"


def plain_environment(settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a function finds around it: nothing of ours but its settings."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1", **(settings or {})}


@contextmanager
def served(bundle: Path, stage: str, programs: Path, settings: Mapping[str, str]) -> Iterator[str]:
    """The address of a stage that functions-framework serves from its unpacked bundle."""
    port = free_port()
    command = [str(programs / "functions-framework"), "--target", stage, "--source", "main.py"]
    command += ["--signature-type", "http", "--host", "127.0.0.1", "--port", str(port)]
    said = bundle.parent / f"{stage}.log"
    with said.open("wb") as log:
        process = subprocess.Popen(
            command, cwd=bundle, env=plain_environment(settings), stdout=log, stderr=log
        )
    try:
        wait_for_port(port, process)
        yield f"http://127.0.0.1:{port}"
    except (AssertionError, EmulatorMissing) as problem:
        raise AssertionError(f"{problem}\n{stage} said:\n{said.read_text()}") from problem
    finally:
        process.terminate()
        process.wait(20)
