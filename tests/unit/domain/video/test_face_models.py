"""Networks that find faces: recognised by their outputs, refused with a reason, never guessed."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.video.analyze import analyze_video
from shared.domain.video.detector import AnalyserUnavailable
from shared.domain.video.face_finders import Found, choose_finder, load_network
from shared.domain.video.face_networks import keep_best
from shared.domain.video.pictures import Look
from shared.models import Analysis, Limits
from tests.unit.domain.video.clips import write_clip
from tests.unit.domain.video.test_analyze import NOON

MODELS = Path(__file__).parent / "models"
DETECTORS = {
    "tiny_yunet.onnx": "yunet",
    "tiny_yolo_face.onnx": "yolov8-face",
    "tiny_yolo_face_rows.onnx": "yolov8-face",
}


def frame(left: int | None = 32, top: int = 16) -> Look:
    """A dark square of 64 pixels with one bright cell of 16, in studio range."""
    luma = np.full((64, 64), 60, np.uint8)
    if left is not None:
        luma[top : top + 16, left : left + 16] = 235
    return Look(index=0, width=64, height=64, rotation=0, planes=(luma,), shift_bits=0)


@pytest.mark.parametrize(("file", "kind"), DETECTORS.items())
def test_the_kind_is_recognised_and_the_box_lies_where_it_was_drawn(file: str, kind: str) -> None:
    """A face of 32 pixels around the cell's centre; the face picture is 400 pixels wide."""
    finder = load_network(MODELS / file)
    assert finder.name == kind
    (face,) = finder.find(frame())
    scale = 400 / 64
    drawn = (24 * scale, 8 * scale, 32 * scale, 32 * scale)
    assert (face.left, face.top, face.width, face.height) == pytest.approx(drawn, abs=1)
    assert face.sure
    assert finder.find(frame(left=None)) == []


def test_a_wide_picture_is_not_squeezed() -> None:
    """YOLO's square input leaves a margin; boxes stay in proportion."""
    luma = np.full((36, 64), 60, np.uint8)
    luma[16:32, 48:64] = 235
    wide = Look(index=0, width=64, height=36, rotation=0, planes=(luma,), shift_bits=0)
    for file in ("tiny_yunet.onnx", "tiny_yolo_face.onnx"):
        (face,) = load_network(MODELS / file).find(wide)
        assert face.width == pytest.approx(face.height, rel=0.05)
        assert face.left + face.width / 2 == pytest.approx(56 * 400 / 64, abs=8)


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("absent.onnx", "is not a file"),
        ("no_detector.onnx", "has the outputs logits"),
        ("wrong_yunet.onnx", "expected those of YuNet"),
        ("make_models.py", "cannot be used"),
    ],
)
def test_what_cannot_be_used_is_unavailable_with_the_reason(file: str, reason: str) -> None:
    with pytest.raises(AnalyserUnavailable, match=reason):
        load_network(MODELS / file)


def test_a_file_that_breaks_off_is_unavailable(tmp_path: Path) -> None:
    whole = (MODELS / "tiny_yunet.onnx").read_bytes()
    for size in (0, 100, len(whole) // 2, len(whole) - 3):
        broken = tmp_path / f"{size}.onnx"
        broken.write_bytes(whole[:size])
        with pytest.raises(AnalyserUnavailable):
            load_network(broken)


def test_without_a_model_the_cascade_is_taken() -> None:
    assert choose_finder("").name == "haar"


def analyze(video: Path, model: str) -> Analysis:
    """The whole analysis with a configured model."""
    return analyze_video(
        video,
        video_id="v1",
        limits=Limits(face_model=model),
        extracted_at=NOON,
        on_progress=lambda _share, _step: None,
    )


def test_the_report_says_which_detector_found_the_faces_or_why_none_could(tmp_path: Path) -> None:
    picture = np.full((64, 64, 3), 60, np.uint8)
    picture[16:32, 32:48] = 255
    video = write_clip(tmp_path / "ad.mp4", [picture] * 30)
    found = analyze(video, str(MODELS / "tiny_yunet.onnx"))
    assert found.faces.detector == "yunet"
    assert found.faces.share == 1
    missing = analyze(video, str(tmp_path / "nowhere.onnx"))
    (faces,) = (part for part in missing.analysers if part.name == "faces")
    assert faces.status == "unavailable"
    assert "nowhere.onnx" in faces.reason
    assert missing.faces.share is None
    assert "faces" not in missing.hook.contributions


row = st.tuples(*(st.floats(0, 64) for _ in range(4)), st.floats(0, 1))


@given(st.lists(row, max_size=30))
def test_what_is_kept_is_sure_enough_and_does_not_overlap(rows: list[tuple[float, ...]]) -> None:
    kept = keep_best(np.array(rows, np.float32).reshape(-1, 5), 1.0)
    good = [r for r in rows if np.float32(r[4]) >= np.float32(0.7)]
    assert bool(kept) == bool(good)
    assert len(kept) <= len(good)
    for i, one in enumerate(kept):
        assert all(one.overlap(two) < 0.3 for two in kept[:i])


def test_rows_that_are_no_numbers_are_left_out() -> None:
    rows = np.array([[np.nan, 1, 2, 2, 0.9], [np.inf, 1, 2, 2, 0.9], [8, 8, 4, 4, 0.9]], np.float32)
    assert keep_best(rows, 2.0) == [Found(12.0, 12.0, 8.0, 8.0, True)]
