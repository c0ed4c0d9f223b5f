"""docs/report.md tells of every field of a report, and of no other."""

import re
from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import pytest
from pydantic import BaseModel

from scripts.stages import ROOT
from shared.clip_models import Clip
from shared.council_models import SceneAccount, Suggestion, Verdict
from shared.domain.council import consensus
from shared.domain.patterns import clips
from shared.domain.scoring import cold_start, psychology, scores
from shared.domain.video.hook import GOOD_SCORE, NO_HOOK_SCORE, TYPES, WEIGHTS
from shared.domain.video.motion import FACE_WEIGHT, WINDOW_FRAMES
from shared.domain.video.sync import TOLERANCE_SECONDS
from shared.inference_models import Inference
from shared.models import Analysis, Box, MotionMoment
from shared.score_models import Prediction, Scores

FOUND = ("video_id", "analysers", "embeddings.whole", "embeddings.shots[].vector")
"""What the report does not take from the record of the inference, or has already."""
TOLD_ONCE: dict[str, tuple[type[BaseModel], ...]] = {
    "pattern.motion_moments": (MotionMoment,),
    "text": (Box,),
    "objects": (Box,),
    "emotions": (Box,),
    "verdict.testimonies": (Suggestion, SceneAccount),
}
"""Records of which the page has told before, by where they come again."""
PARTS_OF_A_SCORE = ("contributions{}", "unknown[]", "evidence{}")

PAGE = (ROOT / "docs" / "report.md").read_text()
COLUMNS = 4


def fields_of(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """The path of each value: `a.b`, `[]` for an entry of a list, `{}` for one of a mapping."""
    for name, field in model.model_fields.items():
        yield from paths_of(field.annotation, f"{prefix}{name}")


def paths_of(kind: Any, path: str) -> Iterator[str]:
    """The paths at and below a value of this type."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        told = any(path.startswith(place) and kind in TOLD_ONCE[place] for place in TOLD_ONCE)
        yield from [path] if told else fields_of(kind, f"{path}.")
    elif get_origin(kind) in (Union, UnionType) or get_origin(kind) is Annotated:
        yield from paths_of(get_args(kind)[0], path)
    elif get_origin(kind) is tuple:
        yield from paths_of(get_args(kind)[0], f"{path}[]")
    elif get_origin(kind) is dict:
        yield from paths_of(get_args(kind)[1], f"{path}{{}}")
    else:
        yield path


def all_fields() -> Iterator[str]:
    """Every field of a report, in the order of the page."""
    yield from fields_of(Analysis)
    yield "analysers[].provider"
    yield from (path for path in fields_of(Inference) if not path.startswith(FOUND))
    scores = [*fields_of(Scores, "scores.")]
    last = scores.index("scores.language")
    yield from (path for path in scores[:last] if not path.endswith(PARTS_OF_A_SCORE))
    yield from (f"scores.*.{part}" for part in PARTS_OF_A_SCORE)
    yield from scores[last:]
    yield from fields_of(Prediction, "prediction.")
    yield from fields_of(Verdict, "verdict.")
    yield from fields_of(Clip, "clips[].")


def rows() -> list[list[str]]:
    """The cells of every row that tells of a field."""
    lines = re.findall(r"^\| (`.+) \|$", PAGE, re.MULTILINE)
    cells = [[cell.strip() for cell in line.split(" | ")] for line in lines]
    return [row for row in cells if row[0].strip("`") not in WEIGHTS]


def test_the_page_tells_of_every_field_once_and_in_order() -> None:
    assert [row[0].strip("`") for row in rows()] == [*all_fields()]


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_meaning_unit_and_source_are_told(row: list[str]) -> None:
    assert len(row) == COLUMNS
    assert all(row)


def test_the_weights_of_the_hook_are_those_of_the_code() -> None:
    told = re.findall(r"^\| `(\w+)` \| (0\.\d\d) \|", PAGE, re.MULTILINE)
    assert {name: float(weight) for name, weight in told} == WEIGHTS


def test_the_numbers_on_the_page_are_those_of_the_code() -> None:
    assert f"windows have {WINDOW_FRAMES} frames" in PAGE
    assert f"{FACE_WEIGHT} with a face" in PAGE
    assert f"below {GOOD_SCORE} the opening needs work" in PAGE
    assert f"`none` below {NO_HOOK_SCORE}" in PAGE
    assert f"within {TOLERANCE_SECONDS * 1000:.0f} ms" in PAGE
    assert all(f"`{kind}`" in PAGE for kind in TYPES.values())


@pytest.mark.parametrize(
    "weights",
    [
        *psychology.WEIGHTS.values(),
        *(scores.TECHNICAL, scores.EMOTION, scores.OBJECTS, scores.FIT, scores.OVERALL),
        clips.WEIGHTS,
    ],
    ids=str,
)
def test_the_weights_of_the_scores_are_those_of_the_code(weights: dict[str, float]) -> None:
    assert ", ".join(f"{name} {weight:g}" for name, weight in weights.items()) in PAGE


def test_the_numbers_of_prediction_and_verdict_are_those_of_the_code() -> None:
    points = cold_start.POINTS
    assert f"`{cold_start.VERSION}`" in PAGE
    assert f"rank score / {cold_start.BASE}" in PAGE
    assert f"else {cold_start.ASSUMED_CTR} and only good" in PAGE
    assert f"value / {cold_start.RATIO:g} |" in PAGE
    assert f"under {cold_start.LOW_BAR} x the usual, `high` from {cold_start.HIGH_BAR} x" in PAGE
    assert f"below {cold_start.FULL_CONFIDENCE}." in PAGE
    assert points["urgent_words"] == points["clear_call_to_action"] == 0.1
    assert points["lasts_15_seconds"] == points["fast_pacing"] == -points["lasts_60_seconds"]
    assert f"0.1 each, 15 s and fast pacing {points['fast_pacing']} each, 60 s -0.05" in PAGE
    assert f"0 at {consensus.FULL_DISAGREEMENT_POINTS:.0f} points" in PAGE
    assert f"lie {consensus.DISAGREEMENT_POINTS:.0f} points apart" in PAGE
