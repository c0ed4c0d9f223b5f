"""Text on screen: read when it changes, timed by its edges, boxed as displayed."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from shared.domain.inference.engines import open_text_reader
from shared.domain.inference.gate import TextGate, contrast_of
from shared.domain.inference.infer import infer_video
from shared.domain.inference.text import Sighting, as_written, coverage_of, merge
from shared.domain.inference.text_watcher import TextWatcher
from shared.domain.video.pictures import Look, Picture
from shared.inference_models import Inference, TextLine
from shared.models import Box, InferenceTools, Limits
from tests.unit.domain.video.clips import write_clip
from tests.unit.domain.video.reports import report_of

WIDTH, HEIGHT, FPS = 640, 360, 30
CAPTION = (60, 300)
TITLE = (150, 90)


def meadow(index: int) -> Picture:
    """Soft blobs that drift: a background that moves all the time."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    wave = 90 + 50 * np.sin((x + 5 * index) / 31) * np.cos((y - 3 * index) / 23)
    return np.repeat(wave[..., None], 3, axis=2).astype(np.uint8)


def write_text(picture: Picture, text: str, at: tuple[int, int], size: float = 1.2) -> Picture:
    """White letters with a black rim, as captions are."""
    for colour, width in (((0, 0, 0), 8), ((255, 255, 255), 3)):
        cv2.putText(picture, text, at, cv2.FONT_HERSHEY_DUPLEX, size, colour, width, cv2.LINE_AA)
    return picture


def drawn(
    seconds: float, texts: dict[tuple[float, float], tuple[str, tuple[int, int]]]
) -> list[Picture]:
    """Pictures with each text from its first to its last second."""
    pictures = []
    for index in range(round(seconds * FPS)):
        picture = meadow(index)
        for (start, end), (text, at) in texts.items():
            if start <= index / FPS < end:
                write_text(picture, text, at)
        pictures.append(picture)
    return pictures


def inferred(path: Path, shots: int = 1, shot_frames: int = 120) -> Inference:
    report = report_of(shots, shot_frames)
    tools = InferenceTools(models=str(path.parent / "models"))
    return infer_video(path, report, limits=Limits(), tools=tools)


def test_captions_are_read_with_their_times_and_places(tmp_path: Path) -> None:
    """Two captions in one place, one after the other, over a moving background."""
    texts = {
        (0.5, 1.9): ("Stop scrolling now", CAPTION),
        (1.9, 3.4): ("Only three left", CAPTION),
    }
    found = inferred(write_clip(tmp_path / "ad.mp4", drawn(4, texts), fps=FPS))
    assert found.text is not None
    assert [line.text for line in found.text] == ["Stop scrolling now", "Only three left"]
    for line, (start, end) in zip(found.text, texts, strict=True):
        assert line.start_seconds == pytest.approx(start, abs=0.2)
        assert line.end_seconds == pytest.approx(end, abs=0.2)
        assert line.box.left == pytest.approx(CAPTION[0] / WIDTH, abs=0.03)
        assert line.box.top + line.box.height == pytest.approx(CAPTION[1] / HEIGHT, abs=0.06)
        assert line.confidence > 0.9


def test_a_caption_typed_on_word_by_word_is_one_line_from_its_first_word(tmp_path: Path) -> None:
    """Its longest state is what it says."""
    texts = {
        (0.5, 1.0): ("Free", CAPTION),
        (1.0, 1.5): ("Free shipping", CAPTION),
        (1.5, 3.0): ("Free shipping today", CAPTION),
    }
    found = inferred(write_clip(tmp_path / "ad.mp4", drawn(4, texts), fps=FPS))
    assert found.text is not None
    (line,) = found.text
    assert line.text == "Free shipping today"
    assert line.start_seconds == pytest.approx(0.5, abs=0.2)
    assert line.end_seconds == pytest.approx(3.0, abs=0.2)


def test_a_standing_logo_is_one_line_while_captions_come_and_go(tmp_path: Path) -> None:
    """It lasts the whole video and is not read again with each caption."""
    texts = {
        (0.0, 4.0): ("ACME SHOES", TITLE),
        (1.0, 2.0): ("Walk on clouds", CAPTION),
        (2.5, 3.5): ("Try it today", CAPTION),
    }
    found = inferred(write_clip(tmp_path / "ad.mp4", drawn(4, texts), fps=FPS))
    assert found.text is not None
    assert sorted(line.text for line in found.text) == [
        "ACME SHOES",
        "Try it today",
        "Walk on clouds",
    ]
    logo = found.text[0]
    assert logo.end_seconds - logo.start_seconds > 3.6
    assert found.text_coverage is not None
    assert found.text_coverage.time == pytest.approx(1, abs=0.05)
    assert 0.02 < found.text_coverage.mean < found.text_coverage.most < 0.4


def test_a_video_without_text_has_none_and_says_that_it_looked(tmp_path: Path) -> None:
    """An empty list is a finding; it costs next to nothing."""
    found = inferred(write_clip(tmp_path / "ad.mp4", drawn(4, {}), fps=FPS))
    assert found.text == ()
    assert [a.status for a in found.analysers if a.name == "text"] == ["ran"]


def test_the_gate_asks_once_for_what_stands_still() -> None:
    """Nothing for the background, once for a text that comes, nothing while it stays."""
    gate = TextGate()
    asked = []
    for index in range(0, 60, 4):
        picture = meadow(index)
        if index >= 20:
            write_text(picture, "Stop scrolling now", CAPTION)
        grey = cv2.resize(picture[..., 0], (384, 216), interpolation=cv2.INTER_AREA)
        asked.append(len(gate.changed(contrast_of(np.asarray(grey, np.uint8)))[0]))
    assert asked[:7] == [0] * 6 + [1]
    assert sum(asked[7:]) <= 1


def test_the_gate_asks_again_for_what_it_was_told_to_forget() -> None:
    """There was no time to read it, but it still stands."""
    gate = TextGate()
    picture = write_text(meadow(0), "Stop scrolling now", CAPTION)
    grey = cv2.resize(picture[..., 0], (384, 216), interpolation=cv2.INTER_AREA)
    contrast = contrast_of(np.asarray(grey, np.uint8))
    gate.changed(contrast)
    (region,), _ = gate.changed(contrast)
    assert gate.changed(contrast)[0] == []
    gate.forget([region])
    assert gate.changed(contrast)[0] == [region]


def test_a_busy_street_is_looked_at_less_and_less() -> None:
    """Something stands everywhere and changes all the time, in the same shot."""
    parts: list[dict[str, Any]] = []
    watcher = TextWatcher(parts.append)
    half = np.full((180, 320), 128, np.uint8)
    random = np.random.default_rng(1)
    for index in range(10 * FPS):
        if index % 15 == 0:
            blocks = random.integers(60, 190, (90, 160)).astype(np.uint8)
            luma = np.asarray(np.kron(blocks, np.ones((4, 4))), np.uint8)
        watcher.see(Look(index, 640, 360, 0, (luma, half, half), 0), index / FPS)
    watcher.result()
    looks = [part["at"] for part in parts if part["kind"] == "text"]
    assert 3 <= len(looks) <= 8
    gaps = np.diff(looks)
    assert gaps[-1] > 2 * gaps[0]
    assert watcher.skipped > 0


def title(lines: tuple[str, ...]) -> tuple[Picture, NDArray[np.float32]]:
    """Fat letters in lines that touch, and the corners of the whole."""
    picture = np.full((240, 420, 3), 40, np.uint8)
    for row, line in enumerate(lines):
        at = (10, 80 + 78 * row)
        cv2.putText(picture, line, at, cv2.FONT_HERSHEY_DUPLEX, 3, (240,) * 3, 9, cv2.LINE_AA)
    bottom = 90 + 78 * (len(lines) - 1)
    corners = [[0, 8], [400, 8], [400, bottom], [0, bottom]]
    return np.asarray(picture, np.uint8), np.array(corners, np.float32)


@pytest.mark.parametrize("lines", [("HELLO", "WORLD"), ("HELLO",)])
def test_a_title_whose_lines_touch_is_read_line_by_line(
    lines: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the detector it is one island; a line is no block because it is fat."""
    reader = open_text_reader("ppocr", Path("none"))
    picture, corners = title(lines)
    monkeypatch.setattr(reader, "find", lambda *_: [corners])
    read = reader.read(picture, 640)
    assert tuple(line.text for line in read) == lines
    assert [line.place[1] for line in read] == sorted(line.place[1] for line in read)


@pytest.mark.parametrize(
    ("read", "written"),
    [
        ("WHY YOUR 1O WEEK OLD", "WHY YOUR 10 WEEK OLD"),
        ("lO% OFF", "lO% OFF"),
        ("l0 DAYS", "10 DAYS"),
        ("HELLO World", "HELLO World"),
        ("OIL I", "OIL I"),
    ],
)
def test_digits_taken_for_letters_are_put_right(read: str, written: str) -> None:
    """Only in words that have a digit and no other letters."""
    assert as_written(read) == written


def sighting(text: str, first: int, last: int, left: float = 0.1) -> Sighting:
    return Sighting(first, (left, 0.8, left + 0.3, 0.9), text, 0.95, first, last)


def test_pieces_of_a_line_disappear_in_it() -> None:
    """A region cut through the line gave its end; the whole line starts when its piece did."""
    at = [0.125 * n for n in range(40)]
    (line,) = merge([sighting("to do", 3, 9), sighting("possible to do", 4, 20)], at)
    assert (line.text, line.first, line.last) == ("possible to do", 3, 20)


def test_the_same_words_much_later_are_another_line() -> None:
    """A caption that comes again was gone in between."""
    at = [0.125 * n for n in range(80)]
    assert len(merge([sighting("buy now", 0, 8), sighting("buy now", 60, 70)], at)) == 2


def test_other_words_in_the_same_place_are_other_lines() -> None:
    """Even when they touch in time."""
    at = [0.125 * n for n in range(40)]
    lines = merge([sighting("free today", 0, 8), sighting("never again", 8, 20)], at)
    assert [line.text for line in lines] == ["free today", "never again"]


TIMES = st.tuples(st.floats(0, 10), st.floats(0, 10)).map(sorted)
PARTS = st.floats(0, 0.5)


@given(st.lists(st.tuples(TIMES, PARTS, PARTS, PARTS, PARTS), max_size=8))
def test_coverage_stays_a_share(parts: list[Any]) -> None:
    """Whatever overlaps: between 0 and 1, the most at least the mean."""
    lines = tuple(
        TextLine(
            start_seconds=start,
            end_seconds=end,
            text="x",
            confidence=1,
            box=Box(left=left, top=top, width=width, height=height),
        )
        for (start, end), left, top, width, height in parts
    )
    found = coverage_of(lines, 0.0, 10.0)
    assert 0 <= found.mean <= found.most + 1e-4
    assert found.most <= 1
    assert 0 <= found.time <= 1
