"""What scripts/run and scripts/gv install before they start, once, and only when it is wanted."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from scripts.stages import ROOT

PYTHON = """#!/usr/bin/env bash
case "$*" in *-r*) echo "${@: -1}" >> installs ;; esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The script and the locked files, with a Python that only tells what it should install."""
    (tmp_path / "scripts").mkdir()
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    shutil.copy(ROOT / "scripts" / "env", tmp_path / "scripts")
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    python = tmp_path / ".venv" / "bin" / "python"
    python.write_text(PYTHON)
    python.chmod(0o755)
    return tmp_path


def installed(checkout: Path, call: str, council: str) -> list[str]:
    """What one more start installs."""
    record = checkout / "installs"
    record.write_text("")
    script = f"source {checkout}/scripts/env; {call}"
    environment = {**os.environ, "GEMINIVIDEO_COUNCIL": council}
    subprocess.run(["bash", "-c", script], check=True, capture_output=True, env=environment)
    return record.read_text().split()


@pytest.mark.parametrize("council", ["", "heuristic://"])
def test_a_laptop_without_judges_waits_for_no_vendor(council: str, checkout: Path) -> None:
    assert installed(checkout, "setup_laptop", council) == ["requirements/local.txt"]
    assert installed(checkout, "setup_laptop", council) == []


@pytest.mark.parametrize("scheme", ["gemini", "claude", "openai", "video-intelligence"])
def test_a_setting_that_names_a_judge_brings_its_package(scheme: str, checkout: Path) -> None:
    installed(checkout, "setup_laptop", "")
    judges = f"heuristic://,{scheme}://model"
    assert installed(checkout, "setup_laptop", judges) == ["requirements/llm.txt"]
    assert installed(checkout, "setup_laptop", judges) == []


def test_what_holds_everything_for_development_needs_nothing_more(checkout: Path) -> None:
    assert installed(checkout, "setup dev", "") == ["requirements/dev.txt"]
    assert installed(checkout, "setup_laptop", "claude://model") == []


def test_what_is_locked_anew_is_installed_anew(checkout: Path) -> None:
    installed(checkout, "setup_laptop", "claude://model")
    with (checkout / "requirements" / "llm.txt").open("a") as locked:
        locked.write("# another version\n")
    assert installed(checkout, "setup_laptop", "claude://model") == ["requirements/llm.txt"]


@pytest.mark.parametrize("name", ["run", "gv"])
def test_every_door_of_the_laptop_asks_for_both(name: str) -> None:
    assert "\nsetup_laptop\n" in (ROOT / "scripts" / name).read_text()
