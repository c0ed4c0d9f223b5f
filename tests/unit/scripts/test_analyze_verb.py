"""`gv analyze`: a report for machines or people, or a reason, never a traceback."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from scripts.cli.__main__ import gv
from scripts.cli.report import mark_line
from tests.support.videos import make_video


def analyze(folder: Path, *words: str) -> Result:
    """The verb as a user in that folder calls it."""
    return CliRunner().invoke(gv, ["--from", str(folder), "analyze", *words])


def test_json_has_every_key_of_the_report(tmp_path: Path) -> None:
    """The keys that the documents promise, in one object."""
    make_video(tmp_path / "ad.mp4")
    done = analyze(tmp_path, "ad.mp4", "--json")
    assert done.exit_code == 0
    assert [*json.loads(done.output)] == [
        "video_id",
        "media",
        "cuts",
        "shots",
        "transitions",
        "motion_moments",
        "faces",
        "hook",
        "audio",
        "pattern",
        "analysers",
    ]


def test_people_get_facts_and_a_timeline(tmp_path: Path) -> None:
    """Readable without knowing the JSON."""
    done = analyze(tmp_path, str(make_video(tmp_path / "ad.mp4", sound=False)))
    assert done.exit_code == 0
    for word in ("ad.mp4", "160x90", "hook", "1 cuts", "no sound", "skipped"):
        assert word in done.output


def test_pictures_are_drawn_into_a_folder(tmp_path: Path) -> None:
    """Beside the report for people, and without a word in the report for machines."""
    make_video(tmp_path / "ad.mp4")
    done = analyze(tmp_path, "ad.mp4", "--json", "--pictures", "out/pictures")
    assert done.exit_code == 0
    assert json.loads(done.output)["media"]["frames"] == 50
    folder = tmp_path / "out" / "pictures"
    assert {path.name for path in folder.iterdir()} == {"ad.contact.jpg", "ad.timeline.svg"}
    assert "ad.mp4" in (folder / "ad.timeline.svg").read_text()


@pytest.mark.parametrize("name", ["missing.mp4", "folder", "junk.mp4"])
def test_what_cannot_be_analysed_is_one_json_error(tmp_path: Path, name: str) -> None:
    """Code and message, status 1."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "junk.mp4").write_bytes(os.urandom(5000))
    done = analyze(tmp_path, name, "--json")
    assert done.exit_code == 1
    error = json.loads(done.output)["error"]
    assert {*error} == {"code", "message"}
    assert error["code"] in ("file_missing", "not_video")


def test_marks_stand_in_their_columns() -> None:
    """The timeline is as wide as it says."""
    line = mark_line([0, 5, 29], "x", 30)
    assert (len(line), line[0], line[5], line[-1], line.count("x")) == (30, "x", "x", "x", 3)


@pytest.mark.parametrize("columns", [40, 60, 80, 200])
def test_the_timeline_fits_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    """Every row of it is one line, so that what happens together stands together."""
    monkeypatch.setenv("COLUMNS", str(columns))
    done = analyze(tmp_path, str(make_video(tmp_path / "ad.mp4")))
    rows = [line for line in done.output.splitlines() if "┃" in line]
    assert len(rows) == 1
    assert len(rows[0].rstrip()) <= columns


def test_pictures_are_drawn_and_a_file_name_is_no_markup(tmp_path: Path) -> None:
    """A sheet that opens, and a timeline that is well-formed whatever the video is called."""
    from xml.etree import ElementTree

    import cv2

    name = "<script>alert(1)</script> & co.mp4".replace("/", "_")
    make_video(tmp_path / "ad.mp4").rename(tmp_path / name)
    done = analyze(tmp_path, name, "--pictures", "pictures")
    assert done.exit_code == 0
    (sheet,) = (tmp_path / "pictures").glob("*.contact.jpg")
    (timeline,) = (tmp_path / "pictures").glob("*.timeline.svg")
    picture = cv2.imread(str(sheet))
    assert picture is not None
    assert picture.size
    tags = {element.tag for element in ElementTree.parse(timeline).iter()}
    assert not any("script" in tag for tag in tags)
    assert "alert(1)" in "".join(ElementTree.parse(timeline).getroot().itertext())


def test_a_configured_face_model_that_is_missing_makes_faces_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the reason, and never a guess in its place."""
    make_video(tmp_path / "ad.mp4")
    monkeypatch.setenv("GEMINIVIDEO_FACE_MODEL", str(tmp_path / "missing.onnx"))
    report = json.loads(analyze(tmp_path, "ad.mp4", "--json").output)
    (faces,) = (part for part in report["analysers"] if part["name"] == "faces")
    assert faces["status"] == "unavailable"
    assert "missing.onnx" in faces["reason"]
    assert report["faces"]["share"] is None


def test_full_adds_what_the_networks_find(tmp_path: Path) -> None:
    """Text, words and sentence texts in one report, without the vectors themselves."""
    make_video(tmp_path / "ad.mp4")
    (tmp_path / "ad.srt").write_text("00:00:00,000 --> 00:00:01,500\nwalk on clouds")
    done = analyze(tmp_path, "ad.mp4", "--full", "--transcript", "ad.srt", "--json")
    assert done.exit_code == 0
    report = json.loads(done.output)
    assert report["text"] == []
    assert [word["word"] for word in report["transcript"]["words"]] == ["walk", "on", "clouds"]
    assert report["embeddings"]["text"] == "walk on clouds"
    assert "whole" not in report["embeddings"]
    assert {part["name"] for part in report["analysers"]} >= {"scenes", "text", "embeddings"}


def test_captions_that_cannot_be_understood_are_refused(tmp_path: Path) -> None:
    """The reason and status 1, before any network is loaded."""
    make_video(tmp_path / "ad.mp4")
    (tmp_path / "ad.srt").write_text("no times here")
    done = analyze(tmp_path, "ad.mp4", "--transcript", "ad.srt", "--json")
    assert done.exit_code == 1
    assert json.loads(done.output)["error"]["code"] == "captions_invalid"
