"""Each job's image holds what runs: its folder is made from the Dockerfile's lines and started."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.stages import ROOT, read_jobs
from shared.events import Event, Message
from shared.handler import first_annotation
from tests.support.apps import local_app, local_settings
from tests.support.served import plain_environment
from tests.support.stages import load_main

JOBS = read_jobs()


def image_of(name: str, folder: Path) -> Path:
    """The working folder of an image, by the COPY lines of its Dockerfile."""
    text = (ROOT / "containers" / name / "Dockerfile").read_text()
    copies = re.findall(r"^COPY (\S+) (\S+)$", text, re.MULTILINE)
    assert copies
    for source, target in copies:
        if (ROOT / source).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / source, folder / target, ignore=ignored)
        else:
            (folder / target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / source, folder / target)
    return folder


def start(image: Path, settings: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    """The container's one process, with nothing of ours around it but the settings."""
    return subprocess.run(
        [sys.executable, "main.py"],
        cwd=image,
        env=plain_environment(settings),
        capture_output=True,
        text=True,
        timeout=60,
    )


def settings_of(folder: Path) -> dict[str, str]:
    """The environment of a job over the stores of a folder."""
    environment = local_settings(folder).environment
    return {key: text for key, text in environment.items() if key.startswith("GEMINIVIDEO_")}


def called_with(name: str, event: type[Event]) -> dict[str, str]:
    """The call of a job with an event that lacks everything: it must be kept, not tried again."""
    message = Message(event.topic(), b'{"tenant_id": "local"}', {})
    call = {"topic": message.topic, "data": message.data.decode(), "attributes": {}}
    return {"GEMINIVIDEO_JOB_MESSAGE": json.dumps(call), "CLOUD_RUN_EXECUTION": f"{name}-abc12"}


@pytest.mark.parametrize("name", JOBS)
def test_an_image_starts_reads_its_call_and_reaches_its_stores(name: str, tmp_path: Path) -> None:
    app = local_app(tmp_path / "local")
    image = image_of(name, tmp_path / "image")
    takes = first_annotation(getattr(load_main(name, "containers"), name))
    call = called_with(name, takes)
    done = start(image, {**settings_of(tmp_path / "local"), **call})
    assert done.returncode == 0, done.stderr
    (kept,) = app.documents.query("quarantine").documents
    assert kept.data["stage"] == f"job_{name}"


@pytest.mark.parametrize("name", JOBS)
def test_an_image_that_nobody_called_says_what_is_missing(name: str, tmp_path: Path) -> None:
    done = start(image_of(name, tmp_path / "image"), settings_of(tmp_path / "local"))
    assert done.returncode == 1
    assert "GEMINIVIDEO_JOB_MESSAGE" in done.stderr
