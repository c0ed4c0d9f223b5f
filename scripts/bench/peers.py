"""The tools that the analysis is compared with, in a venv of their own beside the product's."""

import filecmp
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from scripts.bench.compose import SAMPLE
from scripts.bench.processes import Clock, Command, Unavailable, run_one
from scripts.stages import ROOT

VENV = ROOT / ".local" / "cache" / "bench-venv"
REQUIREMENTS = ROOT / "requirements" / "bench.txt"
TOOLS = ROOT / "scripts" / "bench" / "tools.py"
PIP_INSTALL = ("install", "--quiet", "--disable-pip-version-check", "--require-hashes")
SETUP_SECONDS = 150


class Peers:
    """Other people's tools; without them `reason` says why they cannot be installed."""

    def __init__(self, clock: Clock, say: Callable[[str], None], venv: Path = VENV) -> None:
        self._clock = clock
        self._python = venv / "bin" / "python"
        self.reason = ""
        try:
            self._make(venv, say)
        except Unavailable as problem:
            self.reason = f"the tools to compare with could not be installed: {problem}"

    def tool(self, name: str, video: Path) -> Command:
        """The command that runs one of scripts/bench/tools.py; raises Unavailable."""
        if self.reason:
            raise Unavailable(self.reason)
        return [self._python, TOOLS, name, video]

    def ffmpeg(self) -> Path:
        """imageio-ffmpeg's program, from the peers' venv or from ours; raises Unavailable."""
        ask = "import imageio_ffmpeg as f; print(f.get_ffmpeg_exe())"
        python = sys.executable if self.reason else self._python
        try:
            return Path(run_one([python, "-c", ask], self._clock).output.strip())
        except Unavailable as problem:
            raise Unavailable(self.reason or str(problem)) from None

    def _make(self, venv: Path, say: Callable[[str], None]) -> None:
        """Install requirements/bench.txt, once for each content of it; raises Unavailable."""
        installed = venv / "installed.txt"
        if installed.is_file() and filecmp.cmp(REQUIREMENTS, installed, shallow=False):
            return
        say("installing the tools to compare with (once, about a minute)")
        clock = Clock(min(SETUP_SECONDS, self._clock.left))
        run_one([sys.executable, "-m", "venv", "--clear", venv], clock)
        run_one([self._python, "-m", "pip", *PIP_INSTALL, "-r", REQUIREMENTS], clock)
        # librosa compiles at its first start and keeps the result; nobody waits for that later.
        run_one([self._python, TOOLS, "sound", SAMPLE], clock)
        shutil.copyfile(REQUIREMENTS, installed)
