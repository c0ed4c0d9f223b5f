"""`gv score` and `POST /score/storyboard`: one plan, one answer, one prediction kept."""

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client

from scripts.cli.__main__ import gv
from scripts.cli.score import EXAMPLE
from scripts.local.doors import score_door
from scripts.local.server import OnlyThisMachine
from scripts.stages import ROOT
from shared import bootstrap
from shared.app import App
from shared.config import read_settings
from shared.domain.scoring.storyboard import (
    MAX_BYTES,
    StoryboardInvalid,
    read_storyboard,
    storyboard_id,
)
from shared.score_models import AdFacts, Storyboard
from tests.support.apps import Clock, local_app

HERE = "http://127.0.0.1:8787"
BAD_PLANS = {
    '{"scenes": [{"seconds": 2}': "expected one JSON object",
    "[" * 100_000: "expected one JSON object",
    "\\ud800": "expected one JSON object",
    '{"scenes": [{"seconds": 1, "text": "\\ud800"}]}': "scenes.0.text",
    "[]": "the whole: Input should be",
    '{"scenes": []}': "scenes: Tuple should have at least 1 item",
    '{"scenes": [{"seconds": 0}]}': "scenes.0.seconds: Input should be greater than 0",
    '{"scenes": [{"seconds": Infinity}]}': "scenes.0.seconds: Input should be less than",
    '{"scenes": [{"seconds": NaN}]}': "scenes.0.seconds: Input should be",
    '{"scenes": [{"seconds": 2, "txt": "Hi"}]}': "scenes.0.txt: Extra inputs",
    '{"scenes": [{"seconds": 2, "picture": "dog"}]}': "'person', 'product'",
    '{"scenes": [{"seconds": 2}], "ad": {"expected_ctr": 2}}': "ad.expected_ctr",
    json.dumps({"scenes": [{"seconds": -1}] * 10}): " more)",
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which the user stands, with a plan in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plan.json").write_text(EXAMPLE.model_dump_json())
    return tmp_path


def call(*words: str) -> Result:
    return CliRunner().invoke(gv, ["score", *words])


def rows_of(app: App, subject_id: str) -> list[Any]:
    """What the table of predictions holds of a storyboard."""
    asked = {"subject_kind": "storyboard", "subject_id": subject_id, "row_limit": 9}
    return [*app.tables.query("predictions_of_subject", asked)]


def test_a_plan_is_scored_and_its_prediction_kept_once(home: Path) -> None:
    answers = [json.loads(call("plan.json", "--json").output) for _ in range(2)]
    first = answers[0]
    assert first["scores"]["hook"]["kind"] == "question"
    assert first["scores"] == answers[1]["scores"]
    (row,) = rows_of(bootstrap.build_app(read_settings()), first["storyboard_id"])
    assert row["value"] == first["prediction"]["value"]
    assert row["features"]["scene_count"] == 3


def test_people_read_scores_reasons_and_what_is_unknown(home: Path) -> None:
    shown = call("plan.json")
    assert shown.exit_code == 0, shown.output
    for word in (
        *("plan.json", "3 scenes, 15.0 s", 'question, confidence 0.93: "Tired of dry skin?"'),
        *("urgency", "2.62% expected", "cold-start-1", "technical, emotion, objects, novelty"),
        "without analysis: no feature of movement, cuts, faces or sound",
    ):
        assert word in shown.output


def test_the_example_is_a_plan(home: Path) -> None:
    (home / "mine.json").write_text(call("--example").output)
    assert call("mine.json").exit_code == 0
    assert call().exit_code == 2


def test_the_plan_of_the_docs_is_the_example() -> None:
    text = (ROOT / "docs" / "storyboards.md").read_text()
    shown = re.search(r"```json\n(.*?)```", text, re.DOTALL)
    assert shown is not None
    assert Storyboard.model_validate_json(shown[1]) == EXAMPLE
    named = set(re.findall(r"`(\w+)`", text))
    assert set(AdFacts.model_fields) <= named


@pytest.mark.parametrize(("content", "told"), BAD_PLANS.items(), ids=range(len(BAD_PLANS)))
def test_what_is_no_plan_is_one_error_that_names_the_place(
    content: str, told: str, home: Path
) -> None:
    (home / "bad.json").write_text(content)
    refused = call("bad.json", "--json")
    assert refused.exit_code == 1
    error = json.loads(refused.output)["error"]
    assert error["code"] == "storyboard_invalid"
    assert error["message"].startswith("bad.json: ")
    assert told in error["message"]
    assert len(error["message"]) < 1000


def test_a_file_that_is_missing_too_large_or_no_text_is_refused(home: Path) -> None:
    (home / "large.json").write_bytes(b" " * (MAX_BYTES + 1))
    (home / "picture.json").write_bytes(b"\xff\xd8\xff")
    for name, told in (("none.json", "No such"), ("large.json", "at most"), ("picture.json", "")):
        refused = call(name)
        assert refused.exit_code == 1
        assert told in refused.output
        assert "Traceback" not in refused.output


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_any_bytes_are_a_plan_or_refused(content: bytes) -> None:
    with suppress(StoryboardInvalid):
        assert read_storyboard(content, "x").scenes


def test_another_plan_or_tenant_is_another_storyboard() -> None:
    longer = EXAMPLE.model_copy(update={"scenes": EXAMPLE.scenes[:1]})
    ids = {storyboard_id(EXAMPLE, "a"), storyboard_id(EXAMPLE, "b"), storyboard_id(longer, "a")}
    assert len(ids) == 3
    assert all(re.fullmatch(r"[0-9a-f]{32}", one) for one in ids)


@pytest.fixture
def app(tmp_path: Path) -> App:
    """This test's App."""
    return local_app(tmp_path, Clock())


@pytest.fixture
def door(app: App) -> Client:
    """The stack's server without a network."""
    nowhere = Client(lambda environ, start: []).application
    return Client(OnlyThisMachine(DispatcherMiddleware(nowhere, {"/score": score_door(app)})))


def test_the_door_answers_what_the_verb_answers(app: App, door: Client) -> None:
    answer = door.post("/score/storyboard", data=EXAMPLE.model_dump_json(), base_url=HERE)
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    card = answer.get_json()
    assert card["scores"]["hook"]["kind"] == "question"
    assert len(rows_of(app, card["storyboard_id"])) == 1


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/score/storyboard", b"{}", 400),
        ("POST", "/score/storyboard", b" " * (MAX_BYTES + 1), 413),
        ("GET", "/score/storyboard", b"", 405),
        ("POST", "/score/other", b"{}", 404),
    ],
)
def test_the_door_refuses_with_a_reason(
    method: str, path: str, body: bytes, status: int, door: Client
) -> None:
    answer = door.open(path, method=method, data=body, base_url=HERE)
    assert answer.status_code == status
    assert answer.get_json()["error"]["message"]


def test_a_web_page_cannot_have_plans_scored(door: Client) -> None:
    foreign = {"Origin": "http://evil.example"}
    body = EXAMPLE.model_dump_json()
    answer = door.post("/score/storyboard", data=body, base_url=HERE, headers=foreign)
    assert answer.status_code == 403
