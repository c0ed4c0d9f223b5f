"""From a concept to files: planned, rendered by jobs, checked, kept, and shown on one board."""

import json
import os
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import av
import pytest

from scripts.local.stack import running_stack
from shared import bootstrap, ledger
from shared.adapters.bus.sqlite import SqliteBus
from shared.app import App
from shared.boards import read_board
from shared.creation import keep_concept
from shared.creative_models import Concept
from shared.events import VariationRendered
from shared.rendition_models import StoredRendition
from tests.support.apps import local_settings
from tests.support.waiting import wait_until

CONCEPT = Concept(
    product="Oat Bar",
    benefit="energy until noon",
    pain_point="Hungry at ten?",
    target_audience="people who commute",
    industry="food",
    platforms=("meta",),
    duration=15,
)


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[App]:
    """The whole local stack, which renders the best two; its jobs are processes of their own."""
    waits = {"retry_min_seconds": 0, "retry_max_seconds": 1, "creative_most_selected": 2}
    with running_stack(local_settings(tmp_path, local_port=0, **waits), tmp_path) as running:
        yield running.app
    bootstrap.use(None)


def render_records(app: App) -> list[Mapping[str, Any]]:
    """The ledger's records of the job render."""
    found = [document.data for document in app.documents.query(ledger.KIND).documents]
    return [record for record in found if record["stage"] == "job_render"]


def kill_one_at_work(app: App, folder: Path) -> str:
    """SIGKILL an attempt that has claimed its variation; returns its execution."""
    killed: list[str] = []

    def try_to_kill() -> bool:
        for record in render_records(app):
            if record["state"] == "running" and record["execution"]:
                status = json.loads(
                    (folder / "jobs" / record["execution"] / "status.json").read_text()
                )
                if status["pid"]:
                    os.kill(status["pid"], signal.SIGKILL)
                    killed.append(record["execution"])
                    return True
        return False

    wait_until(try_to_kill)
    return killed[0]


@pytest.mark.timeout(240)
def test_a_concept_becomes_checked_files_also_when_a_render_is_killed(
    stack: App, tmp_path: Path
) -> None:
    """Each is published once, whole, playable, with its timeline; the board shows all of it."""
    bus = cast(SqliteBus, stack.bus)
    bus.subscribe("watcher", VariationRendered.topic())
    wanted = keep_concept(CONCEPT, stack)
    stack.bus.publish([wanted.to_message({})])
    execution = kill_one_at_work(stack, tmp_path)
    wait_until(lambda: len(render_records(stack)) == 2, 60)
    wait_until(lambda: all(r["state"] == "done" for r in render_records(stack)), 180)
    assert stack.jobs.state(execution).attempt == 2
    events = [VariationRendered.from_message(one.message) for one in bus.pull("watcher", limit=9)]
    assert len({event.identity for event in events}) == len(events) == 2
    for event in events:
        check_files(stack, event)
    check_board(stack, wanted.concept_id)


def check_files(app: App, event: VariationRendered) -> None:
    """Everything that the rendition names is there, and the film is what its timeline says."""
    stored = StoredRendition.model_validate_json(app.files.read(event.rendition_path))
    timeline = stored.rendition.timeline
    with app.files.local_copy(stored.video_path) as file, av.open(str(file)) as film:
        picture = film.streams.video[0]
        assert (picture.width, picture.height) == (timeline.width, timeline.height)
        assert sum(1 for _ in film.decode(picture)) == stored.rendition.rendered.frames
    assert timeline == type(timeline).model_validate_json(app.files.read(stored.timeline_path))
    assert app.files.read(stored.thumbnail_path).startswith(b"\xff\xd8")
    checked = {one.placement for one in stored.rendition.compliance}
    assert checked == {"meta:reels", "meta:stories", "meta:feed"}
    assert stored.rendition.publishable


def check_board(app: App, concept_id: str) -> None:
    """Both cards in the order of their places, with films that can be played."""
    board = read_board(app, concept_id)
    assert board is not None
    assert len(board["variations"]) == 50
    cards = board["renditions"]
    assert [card["variation"]["render_priority"] for card in cards] == [1, 2]
    assert all(card["state"] == "done" and card["video"] and card["compliance"] for card in cards)
