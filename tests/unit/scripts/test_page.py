"""The status page: what it tells, to whom, and that nothing from outside becomes markup."""

from pathlib import Path

import pytest
from werkzeug.test import Client

from scripts.local.page import PAGE, StatusPage
from scripts.local.server import OnlyThisMachine
from scripts.stages import read_stages
from shared import ledger
from shared.app import App
from shared.errors import Rejected
from shared.events import UploadFinalized
from shared.ports import Merge
from tests.support.apps import Clock, local_app

UPLOAD = UploadFinalized(path="uploads/<img src=x>.mp4", generation="1", size_bytes=3)
HERE = "http://127.0.0.1:8787"


@pytest.fixture
def app(tmp_path: Path) -> App:
    """This test's App."""
    return local_app(tmp_path, Clock())


@pytest.fixture
def page(app: App) -> Client:
    """A browser without a network."""
    return Client(OnlyThisMachine(StatusPage(app, read_stages())))


def test_every_upload_is_listed_with_its_reason(app: App, page: Client) -> None:
    """The list is data; the page makes text of it."""
    claim = ledger.claim(app, "ingest", UPLOAD, {})
    assert claim is not None
    app.documents.commit([Merge("uploads", UPLOAD.upload_id, {"name": UPLOAD.name})])
    ledger.reject(app, claim, Rejected("no video in it"))
    (listed,) = page.get("/status.json", base_url=HERE).get_json()
    assert listed["name"] == "<img src=x>.mp4"
    first, *others = [stage["state"] for stage in listed["stages"]]
    assert first == "rejected"
    assert set(others) == {"not_reached"}


def test_a_report_is_served_as_it_is_stored(app: App, page: Client) -> None:
    """Only when there is one."""
    video_id = "a" * 32
    assert page.get(f"/report/{video_id}.json", base_url=HERE).status_code == 404
    app.files.write("analysis/a/1.json", b'{"video_id": "a"}')
    app.documents.commit([Merge("assets", video_id, {"report_path": "analysis/a/1.json"})])
    assert page.get(f"/report/{video_id}.json", base_url=HERE).data == b'{"video_id": "a"}'


def test_the_pictures_of_a_report_are_served(app: App, page: Client) -> None:
    """From beside the report, as pictures that cannot run anything."""
    video_id = "a" * 32
    app.files.write("analysis/a/1.timeline.svg", b"<svg/>")
    app.documents.commit([Merge("assets", video_id, {"report_path": "analysis/a/1.json"})])
    timeline = page.get(f"/report/{video_id}.timeline.svg", base_url=HERE)
    assert (timeline.data, timeline.mimetype) == (b"<svg/>", "image/svg+xml")
    assert "default-src 'none'" in timeline.headers["Content-Security-Policy"]
    assert page.get(f"/report/{video_id}.contact.jpg", base_url=HERE).status_code == 404
    assert page.get(f"/report/{video_id}.secrets", base_url=HERE).status_code == 404


@pytest.mark.parametrize(
    "path", ["/report/../secrets", "/report/%2e%2e", "/report/", "/x", f"/report/{'a' * 300}.json"]
)
def test_other_paths_lead_nowhere(page: Client, path: str) -> None:
    """An id is looked up, never opened."""
    assert page.get(path, base_url=HERE).status_code == 404


@pytest.mark.parametrize("host", ["http://evil.example:8787", "http://127.0.0.1.evil.example"])
def test_another_site_that_resolves_to_this_machine_reads_nothing(page: Client, host: str) -> None:
    """A browser names the site it believes to talk to."""
    assert page.get("/status.json", base_url=host).status_code == 403


def test_a_web_page_cannot_push_messages(page: Client) -> None:
    """A browser would send them without asking anybody."""
    forged = page.post("/push/ingest/", base_url=HERE, headers={"Origin": "http://evil.example"})
    assert forged.status_code == 403


def test_the_page_allows_no_foreign_content_and_makes_no_markup(page: Client) -> None:
    """The policy forbids it, and the script has no way to do it."""
    answer = page.get("/", base_url=HERE)
    assert answer.status_code == 200
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "innerHTML" not in PAGE.read_text()
