"""`gv models agree`: differences are counted as said, and what cannot run is said."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from scripts.agree import experiments, packages
from scripts.agree.compare import (
    Line,
    compare_lines,
    edit_distance,
    overlap,
    vector_difference,
)
from scripts.agree.experiments import Lab, Row, compare_sentences, flaws, run_whisper, table
from scripts.agree.inputs import texts
from scripts.agree.packages import Packages
from scripts.bench.processes import Clock, Unavailable
from scripts.cli import models_agree
from scripts.cli.models import models
from scripts.stages import ROOT
from shared.domain.inference.engines import open_sentences

WORDS = st.text("abc", max_size=8)
BOX = (0.0, 0.0, 10.0, 10.0)


def line(text: str, left: float = 0.0) -> Line:
    """A line of ten by ten pixels."""
    return Line((left, 0.0, left + 10, 10.0), text)


@given(WORDS, WORDS, WORDS)
def test_edits_are_a_distance(a: str, b: str, c: str) -> None:
    assert edit_distance(a, b) == edit_distance(b, a) <= max(len(a), len(b))
    assert (edit_distance(a, b) == 0) == (a == b)
    assert edit_distance(a, c) <= edit_distance(a, b) + edit_distance(b, c)


def test_edits_are_counted_as_in_the_textbook() -> None:
    assert edit_distance("kitten", "sitting") == 3
    assert edit_distance(["he", "was"], ["it", "was", "so"]) == 2


def test_boxes_share_what_they_share() -> None:
    assert overlap(BOX, BOX) == 1
    assert overlap(BOX, (5.0, 0.0, 15.0, 10.0)) == pytest.approx(1 / 3)
    assert overlap(BOX, (10.0, 0.0, 20.0, 10.0)) == 0


def test_lines_are_compared_where_they_stand() -> None:
    """One equal, one misread, one that we alone read, two that they alone read."""
    ours = [[line("SALE"), line("now!", 20)], [line("ghost")]]
    theirs = [[line("now", 21), line("SALE"), line("left", 50)], [line("far", 50)]]
    found = compare_lines(ours, theirs)
    assert (found.pairs, found.same, found.only_ours, found.only_theirs) == (2, 1, 1, 2)
    assert found.edits == 1 + len("ghost") + len("left") + len("far")
    assert found.error_rate == pytest.approx(found.edits / len("nowSALEleftfar"))
    assert found.equal_share == pytest.approx(1 / 5)
    assert found.mean_iou == pytest.approx((1 + 9 / 11) / 2)


def test_of_no_lines_there_is_no_difference() -> None:
    assert compare_lines([[]], [[]]).error_rate == 0


def test_vectors_differ_by_elements_and_by_angles() -> None:
    ours = np.eye(2, dtype=np.float32)
    theirs = np.array([[1, 0], [0.6, 0.8]], np.float32)
    assert vector_difference(ours, theirs) == pytest.approx((0.6, 0.6))
    assert vector_difference(ours, ours) == (0, 0)


def test_over_two_hundred_texts_are_compared() -> None:
    """Nothing, blanks and texts beyond 256 tokens among them."""
    asked = texts()
    assert len(asked) >= 200
    assert {"", " "} <= set(asked)
    assert max(len(text.split()) for text in asked) > 256


class Answers(Packages):
    """Packages that answer as a test says."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers = answers

    def ask(self, what: str, folder: Path) -> dict[str, Any]:
        """What was prepared for the question; vectors are those of our own engine."""
        if what == "sentences":
            asked = json.loads((folder / "texts.json").read_text())
            np.save(folder / "theirs.npy", open_sentences("numpy", folder).embed(asked) + 0.001)
        answer: dict[str, Any] = self.answers[what]
        return answer


def lab(**answers: dict[str, Any]) -> Lab:
    return Lab(Answers(answers), Clock(60), lambda what: None)


def test_a_difference_of_vectors_is_missed_and_shown(tmp_path: Path) -> None:
    found = lab(sentences={"of_nothing": [0, 384], "version": "them 1"})
    element, _ = compare_sentences(found, tmp_path)
    assert element.value == pytest.approx(0.001, rel=1e-3)
    assert element.met is False
    assert "| missed |" in table([element])


def word(start: float, end: float) -> dict[str, Any]:
    return {"word": "w", "start_seconds": start, "end_seconds": end, "confidence": 1}


def test_words_out_of_order_or_before_the_sound_are_flaws() -> None:
    assert flaws({"words": [word(5, 6), word(6, 7)]}) == 0
    assert flaws({"words": []}) == 0
    assert flaws({"words": [word(6, 7), word(5, 6)]}) == 1
    assert flaws({"words": [word(1, 2)]}) == 1
    assert flaws({"words": [word(6, 5.5)]}) == 1


def test_a_run_of_whisper_says_that_it_proves_no_accuracy(tmp_path: Path) -> None:
    transcripts = {"sample": {"words": [word(5, 6)]}, "silence": {"words": []}}
    (row,) = run_whisper(lab(whisper={"version": "w 1", "transcripts": transcripts}), tmp_path)
    assert (row.value, row.met) == (0, True)
    assert "no accuracy" in row.measured_on


def test_without_an_index_every_row_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a hash pip refuses at once, and asks no index."""
    wanted = tmp_path / "agree.txt"
    wanted.write_text("no-such-package-of-ours==1\n")
    monkeypatch.setattr(packages, "REQUIREMENTS", wanted)
    found = Packages(Clock(60), lambda what: None, tmp_path / "venv")
    with pytest.raises(Unavailable, match="could not be installed"):
        found.ask("text", tmp_path)


def test_without_pytorch_only_what_needs_it_is_unavailable(tmp_path: Path) -> None:
    found = Packages.__new__(Packages)
    found.reason, found.without_torch = "", "PyTorch could not be installed"
    found._python, found._clock = Path("/bin/true"), Clock(10)
    (tmp_path / "text.json").write_text('{"lines": {}}')
    (tmp_path / "speech.json").write_text('{"unavailable": "no module"}')
    assert found.ask("text", tmp_path) == {"lines": {}}
    with pytest.raises(Unavailable, match="no module"):
        found.ask("speech", tmp_path)
    for what in packages.NEED_TORCH:
        with pytest.raises(Unavailable, match="PyTorch"):
            found.ask(what, tmp_path)


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Row]:
    """The verb with these rows, and a page of its own."""
    found = [Row("met", 0.5, 1, True, "here"), Row("text", None, 0, True, "", "no index")]

    def said(lab: Lab, folder: Path) -> Iterator[Row]:
        yield from found

    monkeypatch.setattr(experiments, "WORK", {"all": said})
    monkeypatch.setattr(packages, "Packages", lambda clock, say: None)
    page = ROOT / "docs" / "agreement.md"
    monkeypatch.setattr(models_agree, "ROOT", tmp_path)
    monkeypatch.setattr(models_agree, "PAGE", tmp_path / "agreement.md")
    (tmp_path / "agreement.md").write_text(page.read_text())
    return found


def test_the_verb_writes_the_page_and_ends_well(rows: list[Row], tmp_path: Path) -> None:
    """What could not be compared is no miss, and no success either."""
    done = CliRunner().invoke(models, ["agree", "--json", "--write"], catch_exceptions=False)
    printed = json.loads(done.stdout)["rows"]
    assert [row["met"] for row in printed] == [True, None]
    assert done.exit_code == 0
    assert "| met | 0.5 | <= 1 | met | here |" in (tmp_path / "agreement.md").read_text()
    assert "| text | unavailable |  | - | no index |" in (tmp_path / "agreement.md").read_text()


def test_a_missed_agreement_ends_with_status_one(rows: list[Row]) -> None:
    rows.append(Row("missed", 2, 1, True, "here"))
    assert CliRunner().invoke(models, ["agree"]).exit_code == 1
