"""The tools that the analysis is compared with, in a venv of their own beside the product's."""

import filecmp
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from scripts.bench.processes import Clock, Command, Unavailable, run_one
from scripts.stages import ROOT

VENV = ROOT / ".local" / "cache" / "bench-venv"
REQUIREMENTS = ROOT / "requirements" / "bench.txt"
TOOLS = ROOT / "scripts" / "bench" / "tools.py"
SETUP_SECONDS = 120


class Peers:
    """Other people's tools; `python` is None with a `reason` where they cannot be installed."""

    def __init__(self, say: Callable[[str], None], venv: Path = VENV) -> None:
        self.reason = ""
        self._python: Path | None = venv / "bin" / "python"
        try:
            make_venv(venv, say)
        except Unavailable as problem:
            self._python, self.reason = None, str(problem)

    def tool(self, name: str, video: Path) -> Command:
        """The command that runs one of scripts/bench/tools.py; raises Unavailable."""
        if self._python is None:
            raise Unavailable(self.reason)
        return [self._python, TOOLS, name, video]

    def ffmpeg(self, clock: Clock) -> Path:
        """imageio-ffmpeg's program, from the peers' venv or from ours; raises Unavailable."""
        ask = "import imageio_ffmpeg as f; print(f.get_ffmpeg_exe())"
        for python in (self._python, Path(sys.executable)):
            try:
                if python is not None:
                    return Path(run_one([python, "-c", ask], clock).output.strip())
            except Unavailable:
                continue
        raise Unavailable(f"there is no ffmpeg: {self.reason or 'imageio-ffmpeg has none'}")


def make_venv(venv: Path, say: Callable[[str], None]) -> None:
    """Install requirements/bench.txt, once for each content of it; raises Unavailable."""
    installed = venv / "installed.txt"
    if installed.is_file() and filecmp.cmp(REQUIREMENTS, installed, shallow=False):
        return
    say("installing the tools to compare with (once, about a minute)")
    pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    _run([sys.executable, "-m", "venv", "--clear", venv])
    _run([venv / "bin" / "python", *pip, "-r", REQUIREMENTS])
    shutil.copyfile(REQUIREMENTS, installed)


def _run(command: Command) -> None:
    what = "the tools to compare with could not be installed"
    try:
        subprocess.run(  # noqa: S603 - our own commands, no shell
            [*command], check=True, capture_output=True, timeout=SETUP_SECONDS, text=True
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{what} within {SETUP_SECONDS} s") from None
    except subprocess.CalledProcessError as problem:
        errors = [line for line in problem.stderr.splitlines() if line.startswith("ERROR")]
        raise Unavailable(f"{what}: {(errors or ['pip failed'])[-1]}") from problem
    except OSError as problem:
        raise Unavailable(f"{what}: {problem}") from problem
