"""stages.yaml, the folders, the functions and the event classes tell one story."""

import typing
from pathlib import Path

import pytest

from scripts.stages import ROOT, chain_from, read_stages
from shared.events import Event, UploadFinalized
from shared.handler import first_annotation
from tests.support.stages import work_of

STAGES = read_stages()


def emitted_topics(annotation: object) -> set[str]:
    """The topics in a return annotation: one event, several, or none."""
    if isinstance(annotation, type) and issubclass(annotation, Event):
        return {annotation.topic()}
    return {topic for part in typing.get_args(annotation) for topic in emitted_topics(part)}


def test_every_folder_is_a_stage_and_every_stage_a_folder() -> None:
    """Nothing is deployed that is not on the page, and nothing is on the page that is not there."""
    folders = {path.parent.name for path in (ROOT / "functions").glob("*/main.py")}
    assert folders == set(STAGES)


@pytest.mark.parametrize("name", STAGES)
def test_the_signature_is_the_contract(name: str) -> None:
    """First annotation = the topic taken, return annotation = the topics emitted."""
    work = work_of(name)
    assert first_annotation(work).topic() == STAGES[name].takes
    assert emitted_topics(typing.get_type_hints(work)["return"]) == set(STAGES[name].emits)


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_folder_holds_nothing_but_its_main(name: str) -> None:
    """What is worth a file of its own belongs to shared/."""
    inside = {path.name for path in (ROOT / "functions" / name).iterdir()}
    assert inside - {"__pycache__"} == {"main.py"}


@pytest.mark.parametrize("name", STAGES)
def test_the_requirements_are_there_and_hashed(name: str) -> None:
    """Every line that names a package pins it and is followed by hashes."""
    text = (ROOT / "requirements" / f"{STAGES[name].requirements}.txt").read_text()
    packages = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert packages
    assert all("==" in line and line.endswith("\\") for line in packages)
    assert text.count("--hash=sha256:") >= len(packages)


def test_a_topic_is_spelled_by_its_event_class() -> None:
    """A stage can only take and emit what the vocabulary knows."""
    known = {event.topic() for event in Event.__subclasses__()}
    used = {stage.takes for stage in STAGES.values()}
    used |= {topic for stage in STAGES.values() for topic in stage.emits}
    assert used <= known


def test_an_upload_goes_through_ingest_and_analyze() -> None:
    """The chain that people see follows from the page alone."""
    assert chain_from(STAGES, UploadFinalized.topic()) == ["ingest", "analyze"]


def test_an_unknown_key_is_refused(tmp_path: Path) -> None:
    """A misspelt setting of a stage must not be ignored in silence."""
    text = (ROOT / "functions" / "stages.yaml").read_text().replace("memory_mib", "memory_mb", 1)
    (tmp_path / "stages.yaml").write_text(text)
    with pytest.raises(ValueError, match="memory_mb"):
        read_stages(tmp_path / "stages.yaml")
