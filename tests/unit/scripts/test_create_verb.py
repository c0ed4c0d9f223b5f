"""`gv create`, and the door of the local stack: the same plan, and errors that help."""

import json
from pathlib import Path
from typing import Any, cast

import av
import pytest
from click.testing import CliRunner, Result
from werkzeug.test import Client

from scripts.cli.__main__ import gv
from scripts.local.doors import variations_door
from scripts.stages import ROOT
from shared.adapters.bus.sqlite import SqliteBus
from shared.app import App
from shared.events import VariationsPlanned
from shared.timeline_models import Timeline
from tests.support.apps import Clock, local_app
from tests.support.videos import make_video
from tests.unit.domain.creative.concepts import SERUM, concept_of

FIELDS = {
    *("id", "concept_id", "variation_number", "strategy", "variations_applied", "hook", "headline"),
    *("cta", "color_scheme", "pacing", "duration", "created_at", "predicted_performance"),
    *("predicted_score", "variation_hash", "render_priority", "why"),
}


def create(folder: Path, concept: Any, *options: str) -> Result:
    """The verb on a concept, run in a folder of its own."""
    (folder / "concept.json").write_text(json.dumps(concept))
    return CliRunner().invoke(gv, ["--from", str(folder), "create", "concept.json", *options])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_fifty_records_and_the_ids_of_those_picked(folder: Path) -> None:
    told = json.loads(create(folder, SERUM, "--json").output)
    assert len(told["variations"]) == 50
    assert all(set(one) >= FIELDS for one in told["variations"])
    assert told["selected"] == [one["id"] for one in told["variations"][:10]]
    again = json.loads(create(folder, SERUM, "--json").output)
    assert again == told


def test_the_sample_concept_is_a_good_one() -> None:
    assert concept_of(**json.loads((ROOT / "scripts" / "sample" / "concept.json").read_text()))


def test_people_get_a_table(folder: Path) -> None:
    result = create(folder, {**SERUM, "product": "[bold]Glow[/bold]"})
    assert result.exit_code == 0, result.output
    assert "[bold]Glow[/bold]: 50 variations" in result.output
    assert "general patterns" in result.output


@pytest.mark.parametrize(
    ("concept", "code", "words"),
    [
        ({"product": "x"}, "concept_invalid", "benefit: Field required; add it"),
        ({**SERUM, "language": "it"}, "language_unknown", "templates in de, en, es, fr, pt"),
        ({**SERUM, "headline": "h" * 60}, "text_too_long", "headline is 60 characters wide"),
        ([], "concept_invalid", "write one JSON object with product"),
    ],
)
def test_a_bad_concept_names_field_and_way_out(
    folder: Path, concept: Any, code: str, words: str
) -> None:
    result = create(folder, concept, "--json")
    error = json.loads(result.output)["error"]
    assert (result.exit_code, error["code"]) == (1, code)
    assert words in error["message"]
    assert words in create(folder, concept).output


def test_a_file_that_is_not_there_is_named(folder: Path) -> None:
    result = CliRunner().invoke(gv, ["--from", str(folder), "create", "no.json", "--json"])
    assert json.loads(result.output)["error"]["code"] == "file_missing"


def test_footage_makes_a_plan_of_its_own(folder: Path) -> None:
    make_video(folder / "ad.mp4", seconds=1)
    plain = json.loads(create(folder, SERUM, "--json").output)
    told = json.loads(create(folder, SERUM, "--video", "ad.mp4", "--json").output)
    assert told["concept_id"] == plain["concept_id"]
    assert len([*(folder / ".local" / "files" / "plans").rglob("2.json")]) == 1


@pytest.fixture
def door(tmp_path: Path) -> Client:
    """The door of a stack of its own."""
    return Client(variations_door(stack(tmp_path)))


def stack(folder: Path) -> App:
    """The stores behind the door."""
    return local_app(folder / "local", Clock())


def test_the_door_answers_as_the_verb_does(door: Client) -> None:
    answer = door.post("/", json=SERUM)
    assert answer.status_code == 200
    assert answer.json is not None
    assert set(answer.json) >= {"concept_id", "variations", "selected"}
    assert len(answer.json["variations"]) == 50
    assert door.post("/", json=SERUM).json == answer.json


def test_the_door_refuses_what_is_no_concept(door: Client) -> None:
    wrong = door.post("/", json={"product": "x"})
    assert (wrong.status_code, wrong.get_json()["error"]["code"]) == (400, "concept_invalid")
    assert door.get("/").status_code == 405
    assert door.post("/other", json=SERUM).status_code == 404
    assert door.post("/", json={**SERUM, "offer": "x" * 200_000}).status_code == 413


def test_the_door_lets_the_selected_ones_be_rendered(door: Client, tmp_path: Path) -> None:
    """What it publishes is what the stage would have."""
    bus = cast(SqliteBus, stack(tmp_path).bus)
    bus.subscribe("watcher", VariationsPlanned.topic())
    door.post("/", json=SERUM)
    assert bus.pull("watcher") == []
    answer = door.post(f"/?render=true&video_id={'a' * 32}", json=SERUM)
    assert answer.json is not None
    (delivery,) = bus.pull("watcher")
    event = VariationsPlanned.from_message(delivery.message)
    numbers = {one["id"]: one["variation_number"] for one in answer.json["variations"]}
    assert event.selected == tuple(numbers[id] for id in answer.json["selected"])
    assert (event.concept_id, event.run) == (answer.json["concept_id"], 2)


def test_the_door_takes_no_path_for_footage(door: Client) -> None:
    wrong = door.post("/?video_id=../../etc/passwd", json=SERUM)
    assert (wrong.status_code, wrong.get_json()["error"]["code"]) == (400, "video_id_invalid")


@pytest.mark.timeout(180)
def test_the_best_becomes_files_and_a_page(folder: Path) -> None:
    """Playable beside the page; what the concept says cannot become markup of it."""
    evil = "</script><img src=x onerror=alert(1)>"
    concept = {**SERUM, "brand": {"name": evil}, "platforms": ["meta"], "duration": 15}
    result = create(folder, concept, "--render", "1", "--out", "out", "--json")
    assert result.exit_code == 0, result.output
    (made,) = json.loads(result.stdout)["renditions"]
    assert made["compliance"].keys() == {"meta:reels", "meta:stories", "meta:feed"}
    assert probe(Path(made["video"])) == (1080, 1920)
    assert Path(made["thumbnail"]).read_bytes().startswith(b"\xff\xd8")
    timeline = Timeline.model_validate_json(Path(made["timeline"]).read_bytes())
    assert timeline.end_card is not None
    assert timeline.end_card.brand == evil
    page = (folder / "out" / "index.html").read_text()
    assert evil not in page
    data = page.split('id="data">')[1].split("</script>")[0]
    (card,) = json.loads(data)["renditions"]
    assert (folder / "out" / card["video"]) == Path(made["video"])


def probe(video: Path) -> tuple[int, int]:
    """The size of a film that decodes to its end."""
    with av.open(str(video)) as film:
        assert sum(1 for _ in film.decode(video=0)) > 100
        return film.streams.video[0].width, film.streams.video[0].height
