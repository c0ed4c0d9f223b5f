"""Each job's image holds what runs: its folder is made from the Dockerfile's lines and started."""

import hashlib
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
from tests.support.web import web_of

JOBS = read_jobs()


def build_stages(name: str) -> list[str]:
    """A Dockerfile by its build stages; the last one is the image."""
    text = (ROOT / "containers" / name / "Dockerfile").read_text()
    return re.split(r"^(?=FROM )", text, flags=re.MULTILINE)[1:]


def image_of(name: str, folder: Path, build_stage: int = -1) -> Path:
    """The working folder of an image, by the COPY lines of its Dockerfile."""
    text = build_stages(name)[build_stage]
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


NETWORK = b"weights of a network"


def entry(name: str, url: str, sha256: str, package: str = "") -> dict[str, str]:
    """What the manifest has of a network, as far as it takes to fetch it."""
    file = f"{name}/model.bin"
    return {"name": name, "file": file, "url": url, "sha256": sha256, "package": package}


def build_models(folder: Path, entries: list[dict[str, str]]) -> "subprocess.CompletedProcess[str]":
    """Run the step that fetches networks as infer's Dockerfile says it, over another manifest.

    They come into `folder`/models; nothing of ours is there but what the Dockerfile copies.
    """
    build = image_of("infer", folder / "build", build_stage=0)
    (build / "shared/domain/inference/models.json").write_text(json.dumps(entries))
    (step,) = re.findall(r"^RUN (python .*) /models$", build_stages("infer")[0], re.MULTILINE)
    command = [sys.executable, "-I", "-c", "import runpy, sys; sys.path.insert(0, '.'); "]
    module, *arguments = step.removeprefix("python -m ").split()
    command[-1] += f"runpy.run_module({module!r}, run_name='__main__')"
    return subprocess.run(
        [*command, *arguments, str(folder / "models")],
        cwd=build,
        env=plain_environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_image_for_inference_holds_every_pinned_network(tmp_path: Path) -> None:
    (tmp_path / "network").write_bytes(NETWORK)
    with web_of(tmp_path) as address:
        pinned = entry("pinned", f"{address}/network", hashlib.sha256(NETWORK).hexdigest())
        unpinned = entry("unpinned", f"{address}/network", "")
        packaged = entry("packaged", "", "0" * 64, package="rapidocr")
        done = build_models(tmp_path, [pinned, unpinned, entry("nowhere", "", ""), packaged])
    assert done.returncode == 0, done.stderr
    held = [path for path in (tmp_path / "models").rglob("*") if path.is_file()]
    assert held == [tmp_path / "models" / "pinned" / "model.bin"]
    assert held[0].read_bytes() == NETWORK
    assert held[0].stat().st_mode & 0o444 == 0o444
    assert done.stdout.splitlines() == [
        "pinned: 20 bytes, the sha256 is right",
        "unpinned: left out, the manifest has no checksum of it",
        "nowhere: left out, the manifest has no address of it",
    ]


@pytest.mark.parametrize(("file", "told"), [("network", "expected 0000"), ("gone", "404")])
def test_a_network_that_is_not_the_manifests_fails_the_build(
    file: str, told: str, tmp_path: Path
) -> None:
    (tmp_path / "network").write_bytes(NETWORK)
    with web_of(tmp_path) as address:
        done = build_models(tmp_path, [entry("changed", f"{address}/{file}", "0" * 64)])
    assert done.returncode == 1
    assert told in done.stderr
    assert not [path for path in (tmp_path / "models").rglob("*") if path.is_file()]


def test_the_networks_are_fetched_where_the_job_looks_for_them() -> None:
    models, image = build_stages("infer")
    assert re.search(r"^FROM \S+ AS models$", models, re.MULTILINE)
    assert "scripts.fetching shared/domain/inference/models.json /models\n" in models
    assert "\nCOPY --from=models /models /models\n" in image
    assert re.search(r"^ENV .*\bGEMINIVIDEO_MODELS=/models\b", image, re.MULTILINE)


def test_an_image_that_renders_holds_the_fonts_with_their_licence(tmp_path: Path) -> None:
    fonts = image_of("render", tmp_path) / "shared" / "domain" / "render" / "typefaces"
    assert list(fonts.rglob("*.ttf"))
    assert (fonts / "LICENSE").is_file()
