"""The contact sheet: one picture a shot, the right one, whatever the shape of the video."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.video.album import Album, Kept, as_jpeg
from shared.domain.video.analyze import analyze_video
from shared.domain.video.colours import colour_picture
from shared.domain.video.contact_sheet import (
    MOST_SHOTS,
    SHEET_WIDTH,
    choose_columns,
    choose_pictures,
    choose_shots,
    clock_of,
    draw_contact_sheet,
)
from shared.domain.video.pictures import Look, Picture
from shared.models import Limits, Shot
from tests.unit.domain.video.clips import write_clip
from tests.unit.domain.video.reports import FPS, NOON, report_of

RED, GREEN, BLUE = (200, 30, 30), (30, 180, 30), (30, 30, 200)


def look(luma: int, u: int, v: int, *, size: tuple[int, int] = (180, 320), index: int = 0) -> Look:
    """A frame of one colour, its colour planes half as large."""
    height, width = size
    half = (height // 2, width // 2)
    planes = (np.full(size, luma, np.uint8), np.full(half, u, np.uint8), np.full(half, v, np.uint8))
    return Look(index, width, height, 0, planes, 0)


def opened(sheet: bytes) -> Picture:
    picture = cv2.imdecode(np.frombuffer(sheet, np.uint8), cv2.IMREAD_COLOR)
    return np.asarray(picture, np.uint8)


def sheet_of(path: Path) -> Picture:
    sheets: list[bytes] = []
    analyze_video(
        path,
        video_id="v1",
        limits=Limits(),
        extracted_at=NOON,
        on_progress=lambda _share, _step: None,
        on_contact_sheet=sheets.append,
    )
    (sheet,) = sheets
    return opened(sheet)


def painted(colour: tuple[int, int, int], width: int = 320, height: int = 180) -> Picture:
    return np.full((height, width, 3), colour, np.uint8)


def test_each_shot_is_shown_in_its_colours_and_order(tmp_path: Path) -> None:
    pictures = [painted(c) for c in (RED, GREEN, BLUE) for _ in range(40)]
    sheet = sheet_of(write_clip(tmp_path / "ad.mp4", pictures))
    centres = [sheet[79 + 177 * row, 132 + 252 * column] for row in (0, 1) for column in (0, 1, 2)]
    for centre, colour in zip(centres, (RED, RED, GREEN, GREEN, BLUE, BLUE), strict=True):
        assert centre.tolist() == pytest.approx(colour[::-1], abs=12)


@pytest.mark.parametrize(("width", "height"), [(180, 320), (240, 240), (320, 180), (64, 400)])
def test_pictures_keep_the_shape_of_the_video(tmp_path: Path, width: int, height: int) -> None:
    """A coloured frame on dark paper: its outline is as wide and high as the video is."""
    sheet = sheet_of(write_clip(tmp_path / "ad.mp4", [painted(RED, width, height)] * 3))
    red = (sheet[..., 2] > 120) & (sheet[..., 1] < 90)
    ys = np.nonzero(red)[0]
    # One short shot: the pictures may stand side by side, the first reaches to the first gap.
    columns = np.flatnonzero(red[ys.min() + 2])
    first = columns[: 1 + int(np.argmax(np.append(np.diff(columns) > 1, True)))]
    shape = (first[-1] - first[0] + 1) / (ys.max() - ys.min() + 1)
    assert shape == pytest.approx(width / height, rel=0.06)


def test_colours_come_back_as_they_were() -> None:
    """Studio-range white, black and grey, and red of both standards."""
    for luma, grey in ((235, 255), (16, 0), (126, 128)):
        assert colour_picture(look(luma, 128, 128), 40).reshape(-1, 3).mean() == pytest.approx(
            grey, abs=1
        )
    small_red = colour_picture(look(81, 90, 240), 40)[0, 0]
    large_red = colour_picture(look(63, 102, 240, size=(720, 1280)), 40)[0, 0]
    for red in (small_red, large_red):
        assert red.tolist() == pytest.approx([0, 0, 255], abs=3)


def test_a_turned_video_is_shown_upright() -> None:
    frame = look(100, 128, 128)
    upright = colour_picture(Look(0, 320, 180, 90, frame.planes, 0), 160)
    assert upright.shape == (160, 90, 3)


def test_ten_bit_and_grey_pictures_have_colours_too() -> None:
    deep = tuple(np.full((90, 160), level << 2, np.uint16) for level in (126, 128, 128))
    assert colour_picture(Look(0, 160, 90, 0, deep, 2), 40).mean() == pytest.approx(128, abs=1)
    grey = (np.full((90, 160), 126, np.uint8),)
    assert colour_picture(Look(0, 160, 90, 0, grey, 0), 40).mean() == pytest.approx(128, abs=1)


def test_the_album_keeps_two_a_second_and_what_changed() -> None:
    still, busy = Album(), Album()
    for index in range(60):
        still.see(look(100, 128, 128, index=index), index / FPS)
        busy.see(look(20 + 100 * (index % 2), 128, 128, index=index), index / FPS)
    assert [kept.frame for kept in still.result()] == [0, 15, 30, 45]
    assert 15 <= len(busy.result()) <= 20


def test_a_short_shot_has_its_own_picture() -> None:
    album = Album()
    for index in range(60):
        album.see(look(200 if 20 <= index < 24 else 50, 128, 128, index=index), index / FPS)
    assert any(20 <= kept.frame < 24 for kept in album.result())


def shot(start: int, end: int) -> Shot:
    return Shot(start_frame=start, end_frame=end, start_seconds=start / FPS, end_seconds=end / FPS)


@given(
    st.sets(st.integers(0, 300), max_size=40),
    st.integers(0, 200),
    st.integers(1, 100),
    st.integers(1, 6),
)
def test_pictures_come_from_their_own_shot_and_are_not_repeated(
    frames: set[int], start: int, length: int, parts: int
) -> None:
    kept = [Kept(frame, frame / FPS, b"") for frame in sorted(frames)]
    chosen = choose_pictures(kept, shot(start, start + length), parts)
    inside = [k for k in kept if start <= k.frame < start + length]
    assert len(chosen) <= min(parts, len(inside))
    assert bool(chosen) == bool(inside)
    assert all(k in inside for k in chosen)
    assert [k.frame for k in chosen] == sorted({k.frame for k in chosen})


@given(st.integers(1, 2000))
def test_no_sheet_grows_without_end_and_first_and_last_are_on_it(count: int) -> None:
    shown = choose_shots([shot(i, i + 1) for i in range(count)])
    assert len(shown) == min(count, MOST_SHOTS)
    assert (shown[0], shown[-1]) == (0, count - 1)
    assert shown == sorted({*shown})


@given(st.integers(1, 66), st.integers(130, 260), st.integers(100, 300))
def test_the_columns_fit_the_page(count: int, width: int, height: int) -> None:
    columns = choose_columns(count, width, height)
    assert 1 <= columns <= count
    assert columns == 1 or columns * width <= SHEET_WIDTH


def test_a_shot_without_a_picture_leaves_its_place_empty() -> None:
    white = as_jpeg(np.full((135, 240, 3), 255, np.uint8))
    report = report_of(shots=7)
    kept = [Kept(s.start_frame, s.start_seconds, white) for s in report.shots[:6]]
    sheet = opened(draw_contact_sheet(kept, report))
    whites = int((sheet.min(axis=2) > 245).sum())
    assert whites == pytest.approx(6 * 135 * 240, rel=0.03)


def test_many_shots_say_how_many_are_left_out() -> None:
    report = report_of(shots=200, shot_frames=10)
    small = as_jpeg(np.full((135, 240, 3), 90, np.uint8))
    kept = [Kept(s.start_frame, s.start_seconds, small) for s in report.shots]
    sheet = draw_contact_sheet(kept, report)
    assert opened(sheet).shape[1] <= SHEET_WIDTH + 20
    assert len(sheet) < 1_000_000


def test_the_clock_counts_minutes() -> None:
    assert [clock_of(s) for s in (0, 7.44, 59.96, 61.25, -1)] == [
        "0:00.0",
        "0:07.4",
        "1:00.0",
        "1:01.2",
        "0:00.0",
    ]


def test_no_picture_is_made_that_nobody_wants(tmp_path: Path) -> None:
    """And the report is the same with and without."""
    path = write_clip(tmp_path / "ad.mp4", [painted(RED)] * 10)
    without, drawn = (
        analyze_video(
            path,
            video_id="v1",
            limits=Limits(),
            extracted_at=NOON,
            on_progress=lambda _share, _step: None,
            on_contact_sheet=wanted,
        )
        for wanted in (None, lambda _sheet: None)
    )
    assert [part.name for part in without.analysers] == [part.name for part in drawn.analysers]
    times_apart = {"analysers": ()}
    assert without.model_copy(update=times_apart) == drawn.model_copy(update=times_apart)
