"""Council: one verdict a video and run, stored once, whatever the judges say the second time."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from shared.app import App
from shared.council_models import Verdict
from shared.events import VideoJudged, VideoScored
from shared.metering import TOTALS
from shared.ports import Merge
from tests.support.apps import Clock, local_app
from tests.support.cases import analysis
from tests.support.stages import work_of
from tests.support.vendors import KEY, WIRES, VendorState, opinion, running_vendor

VIDEO_ID = "a" * 32
CLAUDE = next(wire for wire in WIRES if wire.scheme == "claude")


def scored(app: App, **scores: object) -> VideoScored:
    """A video as the stages before leave it."""
    event = VideoScored(
        video_id=VIDEO_ID,
        path=f"videos/{VIDEO_ID}/source",
        report_path=f"analysis/{VIDEO_ID}/1.json",
        inference_path=f"inference/{VIDEO_ID}/1.json",
        scores_path=f"scores/{VIDEO_ID}/1.json",
    )
    text = [{"start_seconds": 17.0, "end_seconds": 20.0, "text": "BUY NOW", "confidence": 0.9}]
    app.files.write(event.path, b"the video")
    app.files.write(event.report_path, analysis().model_dump_json().encode())
    app.files.write(f"analysis/{VIDEO_ID}/1.contact.jpg", b"\xff\xd8sheet")
    app.files.write(event.inference_path, json.dumps({"text": text}).encode())
    app.files.write(event.scores_path, json.dumps(scores).encode())
    app.documents.commit([Merge("assets", VIDEO_ID, {"name": "../../etc/passwd.mp4"})])
    return event


def council(event: VideoScored, app: App) -> VideoJudged:
    """The stage's own work."""
    result: VideoJudged = work_of("council")(event, app)
    return result


def verdict_of(event: VideoJudged, app: App) -> Verdict:
    """What was stored."""
    return Verdict.model_validate_json(app.files.read(event.verdict_path))


@pytest.fixture
def claude() -> Iterator[tuple[VendorState, str]]:
    """A vendor's server."""
    with running_vendor(CLAUDE) as running:
        yield running


@pytest.fixture
def asking(tmp_path: Path, claude: tuple[VendorState, str]) -> App:
    """An App whose council asks one model, at a price that holds on the day of its clock."""
    prices = tmp_path / "prices.json"
    price = {"judge": "claude://model-1", "input": "3", "output": "15", "read": "2026-01-01"}
    table = {"version": "test", "currency": "USD", "note": "", "prices": [{**price, "source": "t"}]}
    prices.write_text(json.dumps(table))
    url = f"heuristic://, claude://model-1?endpoint={claude[1]}"
    app = local_app(tmp_path, Clock(), council=url, council_prices=str(prices))
    app.secrets.put("claude-api-key", KEY)
    return app


def test_without_keys_the_heuristic_judge_uses_what_the_stages_before_found(app: App) -> None:
    done = council(scored(app, psychology={"urgency": 0.9}), app)
    verdict = verdict_of(done, app)
    assert verdict.heuristic_only
    assert verdict.testimonies[0].opinion is not None
    assert verdict.testimonies[0].opinion.scores.call_to_action is not None
    assert done.report_path == f"analysis/{VIDEO_ID}/1.json"
    asset = app.documents.get("assets", VIDEO_ID)
    assert asset is not None
    assert asset.data["verdict"]["overall"] == verdict.overall
    assert asset.data["verdict_path"] == done.verdict_path


def test_a_model_is_asked_once_with_facts_texts_and_pictures(
    asking: App, claude: tuple[VendorState, str]
) -> None:
    verdict = verdict_of(council(scored(asking), asking), asking)
    ((_, body),) = claude[0].requests
    sent = json.dumps(body)
    assert "BUY NOW" in sent
    assert "image/jpeg" in sent
    assert KEY not in verdict.model_dump_json()
    assert [one.left_out for one in verdict.testimonies] == ["", ""]
    assert verdict.cost_micro_usd == 1_234 * 3 + 56 * 15


def test_a_repeat_returns_the_first_verdict_and_asks_nobody(
    asking: App, claude: tuple[VendorState, str]
) -> None:
    event = scored(asking)
    first = council(event, asking)
    content = asking.files.read(first.verdict_path)
    claude[0].text = json.dumps(opinion(5.0))
    assert council(event, asking) == first
    assert asking.files.read(first.verdict_path) == content
    assert len(claude[0].requests) == 1
    fresh = council(event.model_copy(update={"run": 2}), asking)
    assert fresh.verdict_path != first.verdict_path
    assert len(claude[0].requests) == 2


def test_two_at_once_store_one_verdict(asking: App, claude: tuple[VendorState, str]) -> None:
    event = scored(asking)
    claude[0].texts = [json.dumps(opinion(20.0)), json.dumps(opinion(80.0))]
    with ThreadPoolExecutor(2) as threads:
        one, other = threads.map(lambda app: council(event, app), (asking, replace(asking)))
    assert one == other
    asset = asking.documents.get("assets", VIDEO_ID)
    assert asset is not None
    assert asset.data["verdict"]["overall"] == verdict_of(one, asking).overall


def test_what_was_spent_is_counted_for_the_day_and_the_video(asking: App) -> None:
    verdict = verdict_of(council(scored(asking), asking), asking)
    for total in ("day:2026-01-02", f"subject:{VIDEO_ID}"):
        stored = asking.documents.get(TOTALS, total)
        assert stored is not None
        assert stored.data["micro_usd"] == verdict.cost_micro_usd


def test_a_cap_stops_a_call_before_it_is_made(asking: App, claude: tuple[VendorState, str]) -> None:
    rules = asking.council_rules.model_copy(update={"video_cap_micro_usd": 1_000})
    poor = replace(asking, council_rules=rules)
    verdict = verdict_of(council(scored(poor), poor), poor)
    assert verdict.testimonies[1].left_out == "over_budget"
    assert "cap of $0.0010 a video" in verdict.testimonies[1].reason
    assert claude[0].requests == []
    assert verdict.heuristic_only


def test_a_missing_key_leaves_the_judge_out_and_says_how_to_set_it(
    asking: App, claude: tuple[VendorState, str]
) -> None:
    other = asking.for_tenant("other")
    verdict = verdict_of(council(scored(other), other), other)
    assert verdict.testimonies[1].left_out == "secret_missing"
    assert "claude-api-key" in verdict.testimonies[1].reason
    assert verdict.cost_micro_usd == 0
    assert claude[0].requests == []


def test_a_judge_that_is_out_of_order_does_not_stop_the_chain(
    asking: App, claude: tuple[VendorState, str]
) -> None:
    claude[0].mode, claude[0].status = "status", 529
    verdict = verdict_of(council(scored(asking), asking), asking)
    assert verdict.testimonies[1].left_out == "judge_unavailable"
    assert verdict.heuristic_only
