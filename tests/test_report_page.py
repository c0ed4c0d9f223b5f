"""docs/report.md tells of every field of a report, and of no other."""

import re
from collections.abc import Iterator
from types import UnionType
from typing import Any, Union, get_args, get_origin

import pytest
from pydantic import BaseModel

from scripts.stages import ROOT
from shared.domain.video.hook import GOOD_SCORE, NO_HOOK_SCORE, TYPES, WEIGHTS
from shared.domain.video.motion import FACE_WEIGHT, WINDOW_FRAMES
from shared.domain.video.sync import TOLERANCE_SECONDS
from shared.models import Analysis

PAGE = (ROOT / "docs" / "report.md").read_text()
COLUMNS = 4


def fields_of(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """The path of each value: `a.b`, `[]` for an entry of a list, `{}` for one of a mapping."""
    for name, field in model.model_fields.items():
        yield from paths_of(field.annotation, f"{prefix}{name}")


def paths_of(kind: Any, path: str) -> Iterator[str]:
    """The paths at and below a value of this type."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield from fields_of(kind, f"{path}.")
    elif get_origin(kind) in (Union, UnionType):
        yield from paths_of(get_args(kind)[0], path)
    elif get_origin(kind) is tuple and path == "pattern.motion_moments":
        # The same windows again: the page tells of them once.
        yield f"{path}[]"
    elif get_origin(kind) is tuple:
        yield from paths_of(get_args(kind)[0], f"{path}[]")
    elif get_origin(kind) is dict:
        yield f"{path}{{}}"
    else:
        yield path


def rows() -> list[list[str]]:
    """The cells of every row that tells of a field."""
    lines = re.findall(r"^\| (`.+) \|$", PAGE, re.MULTILINE)
    cells = [[cell.strip() for cell in line.split(" | ")] for line in lines]
    return [row for row in cells if row[0].strip("`") not in WEIGHTS]


def test_the_page_tells_of_every_field_once_and_in_order() -> None:
    assert [row[0].strip("`") for row in rows()] == [*fields_of(Analysis)]


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
