"""The timeline picture: well-formed, true to the report, and words from outside stay words."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.video.timeline import (
    LEFT,
    MAX_NAME,
    MOST_AXIS_MARKS,
    RIGHT,
    axis_step,
    draw_timeline,
    face_runs,
)
from shared.models import Analyser, Analysis, Box, FaceSample, Transition
from tests.unit.domain.video.reports import report_of

SVG = "{http://www.w3.org/2000/svg}"


def drawn(report: Analysis, name: str = "ad.mp4") -> ET.Element:
    return ET.fromstring(draw_timeline(report, name))


def words(report: Analysis, name: str = "ad.mp4") -> list[str]:
    return [text.text or "" for text in drawn(report, name).iter(f"{SVG}text")]


def places(root: ET.Element) -> Iterator[float]:
    """Where everything between the margins stands."""
    for circle in root.iter(f"{SVG}circle"):
        yield float(circle.attrib["cx"])
    for box in root.iter(f"{SVG}rect"):
        yield float(box.attrib["x"]) + float(box.attrib["width"])


def test_rows_axis_and_legend_are_named() -> None:
    said = words(report_of())
    for word in ("shots", "motion", "faces", "speech", "beats", "hook", "0 s", "6 s", "cut"):
        assert word in said
    assert "ad.mp4" in said
    assert "6.0 s · 1920×1080 · 3 shots · 2 cuts · 0 gradual transitions · hook 0.50 of 1" in said


def test_cuts_and_shots_stand_at_their_times() -> None:
    text = draw_timeline(report_of(shots=2), "ad.mp4")
    middle = (LEFT + RIGHT) / 2
    assert f'd="M{middle:g} 88V130"' in text
    assert text.count("var(--shot)") == 1
    assert text.count("var(--shot2)") == 1


def test_a_late_first_frame_stands_at_the_left() -> None:
    """Times of files count from anywhere; the picture begins with the first frame."""
    assert draw_timeline(report_of(first=100.0), "a") == draw_timeline(report_of(), "a")


@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script>.mp4",
        '"/><image href="http://evil.example/x"/>.mp4',
        "&amp;]]><!--.mp4",
        "tab\tand\x00null\x1b[31m\ud800.mp4",
    ],
)
def test_a_file_name_is_only_ever_text(name: str) -> None:
    """Nothing but the drawing's own elements, and the name as it would be read."""
    root = drawn(report_of(), name)
    plain = drawn(report_of(), "ad.mp4")
    assert [node.tag for node in root.iter()] == [node.tag for node in plain.iter()]
    shown = "".join(c for c in name if c.isprintable())
    assert shown in [text.text for text in root.iter(f"{SVG}text")]


@given(st.text(max_size=300))
def test_any_name_gives_a_well_formed_picture(name: str) -> None:
    title = words(report_of(shots=1), name)[0]
    assert len(title) <= MAX_NAME


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 400), st.integers(1, 90), st.floats(0, 1000))
def test_nothing_is_drawn_beyond_the_margins(shots: int, frames: int, first: float) -> None:
    root = drawn(report_of(shots, frames, first=first))
    assert all(place <= 1200 for place in places(root))


def test_a_long_video_with_many_shots_stays_small() -> None:
    """Ten minutes, six hundred shots."""
    assert len(draw_timeline(report_of(600, 30), "ad.mp4")) < 600_000


@given(st.floats(0.01, 600))
def test_the_axis_has_some_marks_and_not_too_many(seconds: float) -> None:
    marks = seconds / axis_step(seconds)
    assert marks <= MOST_AXIS_MARKS
    assert marks >= 2 or seconds < 0.3


def test_what_was_not_measured_says_so() -> None:
    report = report_of()
    silent = report.model_copy(
        update={
            "audio": report.audio.model_copy(update={"speech": (), "beats_seconds": ()}),
            "faces": report.faces.model_copy(update={"share": None, "samples": ()}),
            "analysers": (Analyser(name="speech", status="skipped", reason="no audio track"),),
        }
    )
    said = words(silent)
    assert "skipped: no audio track" in said
    assert "no steady beat" in said
    assert "not measured" in said


def test_a_gradual_transition_is_a_stretch_with_its_name() -> None:
    report = report_of(shots=2)
    dissolve = Transition(kind="dissolve", start_frame=50, end_frame=70)
    root = drawn(report.model_copy(update={"transitions": (dissolve,)}))
    (group,) = root.iter(f"{SVG}g")
    assert group[0].text == "dissolve"
    share = 20 / 120
    assert float(group[1].attrib["width"]) == pytest.approx(share * (RIGHT - LEFT), abs=0.1)


def test_faces_that_were_only_followed_are_a_run_of_their_own() -> None:
    seen = Box(left=0, top=0, width=1, height=1)
    followed = seen.model_copy(update={"tracked": True})
    boxes = [(seen,), (seen,), (followed,), (), (seen, followed)]
    samples = [FaceSample(frame=i, at_seconds=i / 2, boxes=boxes[i]) for i in range(len(boxes))]
    assert face_runs(samples, 2.5) == [
        (0.0, 1.0, False),
        (1.0, 1.5, True),
        (2.0, 2.5, False),
    ]
