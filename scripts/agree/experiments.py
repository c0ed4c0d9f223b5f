"""Each comparison: both sides on the same inputs, as rows beside what is asked of them."""

import json
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from scripts.agree.compare import Line, compare_lines, edit_distance, vector_difference
from scripts.agree.inputs import pictures, sound_of, texts
from scripts.agree.packages import Packages
from scripts.bench.compose import SAMPLE, compose_clips
from scripts.bench.processes import Clock, Unavailable
from shared.domain.inference.engines import open_sentences, open_text_reader
from shared.domain.inference.moonshine import open_moonshine
from shared.domain.inference.reading import DETECTION_SIDE
from shared.domain.inference.sentences import DIMENSIONS
from shared.domain.video.detector import AnalyserUnavailable

PACKAGED = Path("packaged")
# What the sample's voice reads from the book.
SPOKEN = "He was not an ill-disposed young man"
START_SECONDS = 5.0


@dataclass(frozen=True)
class Row:
    """One measured agreement; without a value `reason` says why there is none."""

    what: str
    value: float | None
    goal: float
    lower_is_better: bool
    measured_on: str
    reason: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None without a value."""
        if self.value is None:
            return None
        return self.value <= self.goal if self.lower_is_better else self.value >= self.goal


class Lab:
    """What the comparisons need: the other packages, a clock, and whom to tell."""

    def __init__(self, packages: Packages, clock: Clock, say: Callable[[str], None]) -> None:
        self.packages, self.clock, self.say = packages, clock, say

    def rows(self) -> Iterator[Row]:
        """Every row, one comparison after the other; one that cannot run says so in its rows."""
        for what, work in WORK.items():
            self.say(f"comparing {what}")
            with tempfile.TemporaryDirectory() as folder:
                try:
                    yield from work(self, Path(folder))
                except (Unavailable, AnalyserUnavailable) as problem:
                    yield Row(what, None, 0.0, True, "", str(problem))


def compare_text(lab: Lab, folder: Path) -> Iterator[Row]:
    """PP-OCR's networks run directly, against PaddleOCR over the same files."""
    clips = [SAMPLE, *(clip.path for clip in compose_clips(lab.clock, lab.say))]
    reader = open_text_reader("ppocr", PACKAGED)
    (folder / "side").write_text(str(DETECTION_SIDE))
    ours: dict[str, list[Line]] = {}
    for name, picture in pictures(clips):
        cv2.imwrite(str(folder / f"{name}.png"), picture)
        ours[name] = [Line(r.place, r.text) for r in reader.read(picture, DETECTION_SIDE)]
    answer = lab.packages.ask("text", folder)
    theirs = {
        name: [Line(tuple(place), text) for place, text, _ in lines]
        for name, lines in answer["lines"].items()
    }
    found = compare_lines([ours[n] for n in ours], [theirs[n] for n in ours])
    lines = found.pairs + found.only_ours + found.only_theirs
    on = f"{lines} lines on {len(ours)} pictures of 3 ads, {answer['version']}"
    yield Row("text: lines with equal text", found.equal_share, 0.9, False, on)
    yield Row("text: character error rate between both", found.error_rate, 0.05, True, on)
    alone = f"{found.only_ours} only ours, {found.only_theirs} only theirs of {lines}"
    share = (found.only_ours + found.only_theirs) / max(1, lines)
    yield Row("text: lines that one side alone reads", share, 0.1, True, alone)
    yield Row("text: mean overlap of boxes (IoU)", found.mean_iou, 0.8, False, on)


def compare_sentences(lab: Lab, folder: Path) -> Iterator[Row]:
    """MiniLM in numpy, against sentence-transformers over the same weights."""
    asked = texts()
    (folder / "texts.json").write_text(json.dumps(asked))
    ours = open_sentences("numpy", PACKAGED).embed(asked)
    answer = lab.packages.ask("sentences", folder)
    if answer["of_nothing"] != [0, DIMENSIONS]:
        raise Unavailable(f"no texts gave vectors of the shape {answer['of_nothing']}")
    element, cosine = vector_difference(ours, np.load(folder / "theirs.npy"))
    on = f"{len(asked)} texts, {answer['version']}"
    yield Row("sentences: largest difference of an element", element, 1e-5, True, on)
    yield Row("sentences: largest difference of a cosine", cosine, 1e-5, True, on)


def compare_speech(lab: Lab, folder: Path) -> Iterator[Row]:
    """Moonshine's networks run directly, against its own library."""
    sound = sound_of(SAMPLE)
    np.save(folder / "sample.npy", sound)
    own = spoken_words(open_moonshine(PACKAGED).transcribe(sound, 0).text)
    answer = lab.packages.ask("speech", folder)
    other = spoken_words(answer["heard"]["sample"])
    true = spoken_words(SPOKEN)
    on = f"{len(true)} words read aloud behind music in the sample ad, {answer['version']}"
    said = f"{on}; theirs: {edit_distance(other, true)} wrong"
    yield Row("speech: words that differ between both", edit_distance(own, other), 2, True, on)
    yield Row("speech: our wrong words", edit_distance(own, true), 2, True, said)


def run_whisper(lab: Lab, folder: Path) -> Iterator[Row]:
    """The adapter of faster-whisper has run; with random weights that is all there is to say."""
    np.save(folder / "sample.npy", sound_of(SAMPLE))
    answer = lab.packages.ask("whisper", folder)
    wrong = sum(flaws(said) for said in answer["transcripts"].values())
    words = len(answer["transcripts"]["sample"]["words"])
    on = f"made model with random weights: {words} words, no accuracy; {answer['version']}"
    yield Row("whisper: transcripts that break the interface", wrong, 0, True, on)


def flaws(said: dict[str, Any]) -> int:
    """1 when a transcript's words are not in order of time, or begin before the sound."""
    starts = [START_SECONDS, *(word["start_seconds"] for word in said["words"])]
    right = all(a <= b for a, b in pairwise(starts))
    return int(not right or any(w["end_seconds"] < w["start_seconds"] for w in said["words"]))


def spoken_words(text: str) -> list[str]:
    """Words without signs, as one hears them."""
    return re.findall(r"[a-z']+", text.lower())


WORK: dict[str, Callable[[Lab, Path], Iterator[Row]]] = {
    "text": compare_text,
    "sentences": compare_sentences,
    "speech": compare_speech,
    "whisper": run_whisper,
}


def table(rows: Sequence[Row]) -> str:
    """A Markdown table, as docs/agreement.md has it."""
    lines = ["| agreement | value | goal | | measured on |", "| --- | --- | --- | --- | --- |"]
    for row in rows:
        sign = "<=" if row.lower_is_better else ">="
        value = "unavailable" if row.value is None else f"{row.value:.3g}"
        goal = "" if row.value is None else f"{sign} {row.goal:g}"
        verdict = {True: "met", False: "missed", None: "-"}[row.met]
        cells = (row.what, value, goal, verdict, row.reason or row.measured_on)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
