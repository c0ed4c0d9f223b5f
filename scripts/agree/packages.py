"""The packages that the own implementations are compared with, in a venv of their own."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scripts.bench.processes import Clock, Unavailable, run_one
from scripts.stages import ROOT

VENV = ROOT / ".local" / "cache" / "agree-venv"
REQUIREMENTS = ROOT / "requirements" / "agree.txt"
TORCH = ROOT / "requirements" / "agree-torch.txt"
# The files are complete; --no-deps keeps out what requirements/agree-overrides.txt leaves out.
PIP_INSTALL = ("install", "-qq", "--disable-pip-version-check", "--no-deps", "--require-hashes")


class Packages:
    """A venv with requirements/agree.txt, and PyTorch where it can be had.

    `reason` says why there is no venv; `without_torch` why what needs PyTorch cannot run.
    """

    def __init__(self, clock: Clock, say: Callable[[str], None], venv: Path = VENV) -> None:
        self._clock, self._venv = clock, venv
        self._python = venv / "bin" / "python"
        self.reason = self.without_torch = ""
        try:
            self._make(say)
        except Unavailable as problem:
            self.reason = f"the packages to compare with could not be installed: {problem}"
            return
        try:
            self._install(TORCH)
        except Unavailable as problem:
            self.without_torch = (
                f"PyTorch could not be installed ({problem}); its build for the processor is not "
                "on PyPI: name PyTorch's index of such builds in PIP_EXTRA_INDEX_URL"
            )

    def ask(self, what: str, folder: Path) -> dict[str, Any]:
        """What scripts/agree/theirs.py answers about the inputs in `folder`; raises Unavailable."""
        lacking = self.reason or (self.without_torch if what in NEED_TORCH else "")
        if lacking:
            raise Unavailable(lacking)
        run_one([self._python, "-m", "scripts.agree.theirs", what, folder], self._clock)
        answer: dict[str, Any] = json.loads((folder / f"{what}.json").read_text())
        if "unavailable" in answer:
            raise Unavailable(answer["unavailable"])
        return answer

    def _make(self, say: Callable[[str], None]) -> None:
        if self._has(REQUIREMENTS):
            return
        say("installing the packages to compare with (once, some minutes)")
        run_one([sys.executable, "-m", "venv", "--clear", self._venv], self._clock)
        self._install(REQUIREMENTS)

    def _install(self, file: Path) -> None:
        """Install a file once for each content of it; raises Unavailable."""
        if not self._has(file):
            run_one([self._python, "-m", "pip", *PIP_INSTALL, "-r", file], self._clock)
            shutil.copyfile(file, self._venv / file.name)

    def _has(self, file: Path) -> bool:
        kept = self._venv / file.name
        return kept.is_file() and kept.read_bytes() == file.read_bytes()


NEED_TORCH = ("sentences", "whisper")
