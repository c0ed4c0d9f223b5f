"""The main job: a video goes in, a report comes out, on a laptop and through Google's emulators."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from google.pubsub_v1 import PublisherClient, SubscriberClient

from scripts.cli.run import SAMPLE
from scripts.stages import ROOT, chain_from, read_jobs, read_stages, subscription_of
from shared import bootstrap
from shared.app import App
from shared.config import Settings
from shared.events import Message, UploadFinalized
from shared.report import read_report
from shared.status import upload_status
from tests.support.reports import lasting
from tests.support.storage_server import running_storage_server
from tests.support.waiting import wait_until

PROJECT = "walk"


def run_once(folder: Path, *videos: Path) -> "subprocess.CompletedProcess[str]":
    """`scripts/run --once` as a user calls it, with its state in a folder of its own."""
    command = [sys.executable, "-m", "scripts.cli", "run", "--once", *map(str, videos)]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "GEMINIVIDEO_LOCAL_PORT": "0"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )


@pytest.fixture(scope="module")
def laptop_report(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """The report on the sample ad from the laptop."""
    done = run_once(tmp_path_factory.mktemp("laptop"))
    assert done.returncode == 0, done.stderr
    report: Mapping[str, Any] = json.loads(done.stdout)
    return report


def test_the_laptop_reports_on_the_sample_ad(laptop_report: Mapping[str, Any]) -> None:
    """What a newcomer sees without naming a video: real findings, each analyser accounted for."""
    assert laptop_report["media"]["frames"] > 100
    assert len(laptop_report["cuts"]) >= 2
    assert len(laptop_report["motion_moments"]) >= laptop_report["media"]["duration_seconds"] // 2
    assert laptop_report["faces"]["max_count"] >= 1
    assert 0 < laptop_report["hook"]["hook_score"] <= 1
    status = {part["name"]: part["status"] for part in laptop_report["analysers"]}
    assert status["scenes"] == status["text"] == status["embeddings"] == "ran"
    assert all(p["reason"] for p in laptop_report["analysers"] if p["status"] == "unavailable")
    assert any("Try it today" in line["text"] for line in laptop_report["text"])
    assert 0 < laptop_report["scores"]["overall"]["value"] <= 1
    assert 0 < laptop_report["prediction"]["low"] < laptop_report["prediction"]["high"]
    assert laptop_report["verdict"]["heuristic_only"]
    assert len(laptop_report["clips"]) == len(laptop_report["shots"])


def test_what_is_no_video_ends_with_a_code_and_status_1(tmp_path: Path) -> None:
    """One line of JSON, no traceback."""
    junk = tmp_path / "not a vidéo 🎬.mp4"
    junk.write_bytes(b"just text" * 100)
    done = run_once(tmp_path, junk)
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"]["code"] == "not_video"
    assert "Traceback" not in done.stderr


def test_the_same_video_twice_is_one_asset_with_two_uploads(tmp_path: Path) -> None:
    """The second upload is answered from what is known."""
    first, second = (json.loads(run_once(tmp_path).stdout) for _ in range(2))
    assert first == second
    documents = bootstrap.build_app(
        Settings(documents=f"sqlite://{tmp_path}/.local/documents.db")
    ).documents
    assets = documents.query("assets").documents
    assert [len(asset.data["uploads"]) for asset in assets] == [2]


@pytest.fixture
def cloud_app(
    monkeypatch: pytest.MonkeyPatch,
    pubsub_emulator: str,
    firestore_emulator: str,
    serve: Callable[[App], str],
    tmp_path: Path,
) -> Iterator[App]:
    """The App of production on Google's emulators, every function pushed to by Pub/Sub."""
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub_emulator)
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", firestore_emulator)
    bus = bootstrap.build_app(Settings(bus=f"pubsub://{PROJECT}")).bus

    def notify(resource: Mapping[str, Any]) -> None:
        if resource["name"].startswith("uploads/"):
            data, attributes = json.dumps(resource).encode(), {"eventType": "OBJECT_FINALIZE"}
            bus.publish([Message(UploadFinalized.topic(), data, attributes)])

    with running_storage_server(on_finalize=notify, buckets=["bucket"]) as storage_url:
        app = bootstrap.build_app(
            Settings(
                files=f"gs://bucket?endpoint={storage_url}",
                bus=f"pubsub://{PROJECT}",
                documents=f"firestore://{PROJECT}",
                # Jobs and tables have no emulators; their contracts hold both kinds to one story.
                jobs=f"process://{tmp_path}/jobs",
                tables=f"duckdb://{tmp_path}/tables",
            )
        )
        make_subscriptions(serve(app))
        yield app


def make_subscriptions(url: str) -> None:
    """What Terraform makes: every topic, and a push subscription for every stage."""
    publisher, subscriber = PublisherClient(), SubscriberClient()
    stages = read_stages()
    topics = {s.takes for s in stages.values()} | {t for s in stages.values() for t in s.emits}
    topics |= {t for job in read_jobs().values() for t in job.emits}
    for topic in topics:
        publisher.create_topic({"name": f"projects/{PROJECT}/topics/{topic}"})
    for name, stage in stages.items():
        wanted = {
            "name": f"projects/{PROJECT}/subscriptions/{subscription_of(name)}",
            "topic": f"projects/{PROJECT}/topics/{stage.takes}",
            "push_config": {"push_endpoint": f"{url}/push/{name}/"},
            "ack_deadline_seconds": 60,
        }
        subscriber.create_subscription(wanted)


def test_the_cloud_path_gives_the_same_report(
    cloud_app: App, laptop_report: Mapping[str, Any]
) -> None:
    """Cloud Storage's notification, Pub/Sub's push, Firestore's documents: nothing differs."""
    path = "uploads/walk/sample_ad.mp4"
    stored = cloud_app.files.write(path, SAMPLE)
    upload = UploadFinalized(path=path, generation=stored.generation, size_bytes=stored.size_bytes)
    chain = chain_from(read_stages(), UploadFinalized.topic())

    def finished() -> bool:
        status = upload_status(cloud_app, upload.upload_id, chain)
        return status is not None and status.finished

    wait_until(finished)
    status = upload_status(cloud_app, upload.upload_id, chain)
    assert status is not None
    assert status.problem is None
    report = read_report(cloud_app, status.video_id)
    assert report is not None
    assert lasting(report) == lasting(laptop_report)


def test_a_missing_file_is_a_json_error_too(tmp_path: Path) -> None:
    """Whoever reads the output can rely on its shape."""
    done = run_once(tmp_path, tmp_path / "missing.mp4")
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"]["code"] == "file_missing"
