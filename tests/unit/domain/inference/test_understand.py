"""Analysis and inference from one decode: the same findings as one after the other."""

import struct
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from shared.domain.inference import text_watcher
from shared.domain.inference.gate import WHOLE, Region
from shared.domain.inference.infer import infer_video
from shared.domain.inference.understand import understand_video
from shared.domain.video.analyze import Wanted, analyze_video
from shared.domain.video.pictures import Look, Picture
from shared.domain.video.refusals import NotVideo
from shared.inference_models import Inference
from shared.models import Analysis, InferenceTools, Limits
from tests.unit.domain.inference.test_infer import folder
from tests.unit.domain.inference.test_text import CAPTION, HEIGHT, WIDTH, drawn, write_text
from tests.unit.domain.video.clips import bursts, scene, write_clip
from tests.unit.domain.video.reports import NOON

__all__ = ["folder"]

LIMITS = Limits()
CAPTIONS = {(0.5, 1.8): ("Walk on clouds", CAPTION), (2.2, 3.4): ("Only three left", CAPTION)}
# From one sample to the next, where those of reference frames are others.
SAMPLE = 0.26


def pictures(seconds: float = 4) -> list[Picture]:
    """A meadow, from second 2 on a wall, with captions."""
    found = drawn(seconds, {})
    found[60:] = [scene(3, WIDTH, HEIGHT) for _ in found[60:]]
    for (start, end), (text, at) in CAPTIONS.items():
        for index in range(round(start * 30), round(end * 30)):
            found[index] = write_text(found[index].copy(), text, at)
    return found


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("understand") / "ad.mp4"
    return write_clip(path, pictures(), sound=bursts([0.5, 1.5, 2.5, 3.5], 4))


def understood(
    path: Path, models: Path, *, preview: bool = False, limits: Limits = LIMITS
) -> tuple[Analysis, Inference]:
    wanted = Wanted("v1", NOON, preview, None)
    return understand_video(path, wanted, limits=limits, tools=InferenceTools(models=str(models)))


def one_after_the_other(path: Path, models: Path) -> tuple[Analysis, Inference]:
    analysis = analyze_video(
        path,
        video_id="v1",
        limits=LIMITS,
        extracted_at=NOON,
        on_progress=lambda share, step: None,
    )
    tools = InferenceTools(models=str(models))
    return analysis, infer_video(path, analysis, limits=LIMITS, tools=tools)


def findings(record: Analysis | Inference) -> dict[str, object]:
    """All but how long it took."""
    seconds = {"analysers": {"__all__": {"seconds"}}}
    return record.model_dump(exclude=seconds)


def test_one_decode_finds_what_two_find(video: Path, tmp_path: Path) -> None:
    """To the last digit: samples are frames that both ways decode."""
    analysis, inference = understood(video, tmp_path)
    assert inference.text is not None
    assert [line.text for line in inference.text] == ["Walk on clouds", "Only three left"]
    other_analysis, other_inference = one_after_the_other(video, tmp_path)
    assert findings(analysis) == findings(other_analysis)
    assert findings(inference) == findings(other_inference)


def test_networks_for_shots_and_faces_see_the_same_pictures(video: Path, folder: Path) -> None:
    """Which pictures is known after the analysis only; they take a second look."""
    _, inference = understood(video, folder)
    assert inference.objects
    assert inference.visual_pattern is not None
    _, other = one_after_the_other(video, folder)
    assert findings(inference) == findings(other)
    (sampling_ran,) = (a for a in inference.analysers if a.name == "sampling")
    assert sampling_ran.seconds > 0


@pytest.mark.parametrize("options", [{"bf": "0"}, {"bf": "8", "b-adapt": "0"}])
def test_texts_agree_however_frames_refer_to_each_other(
    options: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without B pictures all frames are seen by both; with many, samples are not the same ones."""
    path = write_clip(tmp_path / "ad.mp4", pictures(), options=options)
    _, inference = understood(path, tmp_path)
    _, other = one_after_the_other(path, tmp_path)
    lines, others = inference.text or (), other.text or ()
    assert [line.text for line in lines] == ["Walk on clouds", "Only three left"]
    assert [line.text for line in others] == [line.text for line in lines]
    for one, two in zip(lines, others, strict=True):
        assert one.start_seconds == pytest.approx(two.start_seconds, abs=SAMPLE)
        assert one.end_seconds == pytest.approx(two.end_seconds, abs=SAMPLE)


def test_a_preview_reads_text_as_well(video: Path, tmp_path: Path) -> None:
    """Reference frames are all that text is read from anyway."""
    analysis, inference = understood(video, tmp_path, preview=True)
    assert inference.text is not None
    assert [line.text for line in inference.text] == ["Walk on clouds", "Only three left"]
    assert any("reference frames" in part.reason for part in analysis.analysers)


def test_a_refused_file_leaves_no_thread_waiting(tmp_path: Path) -> None:
    """The refusal of the analysis, whatever the thread that reads text is doing."""
    path = tmp_path / "no.mp4"
    path.write_bytes(b"\0\0\0\x18ftypmp42" + b"nothing of a video" * 50)
    with pytest.raises(NotVideo):
        understood(path, tmp_path)


def test_without_the_network_that_reads_the_analysis_is_whole(
    video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Text is unavailable, with the reason; nothing else suffers."""
    tools = InferenceTools(models=str(tmp_path), text_reader="paddleocr")
    wanted = Wanted("v1", NOON, False, None)
    analysis, inference = understand_video(video, wanted, limits=LIMITS, tools=tools)
    (text,) = (part for part in inference.analysers if part.name == "text")
    assert text.status == "unavailable"
    assert "paddleocr" in text.reason
    assert inference.text is None
    assert len(analysis.shots) == 2


def turned(path: Path, rotation: int) -> Path:
    """The file with a display matrix that turns it clockwise, as telephones write it."""
    data = bytearray(path.read_bytes())
    matrix = {
        90: (0, 1, -1, 0),
        180: (-1, 0, 0, -1),
        270: (0, -1, 1, 0),
    }[rotation]
    a, b, c, d = (n << 16 for n in matrix)
    at = data.index(b"tkhd") + 4 + 40
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path


STORED: dict[int, Callable[[Picture], Picture]] = {
    90: lambda picture: np.asarray(np.rot90(picture), np.uint8),
    180: lambda picture: np.asarray(np.rot90(picture, 2), np.uint8),
    270: lambda picture: np.asarray(np.rot90(picture, 3), np.uint8),
}


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_text_of_a_turned_video_is_read_and_placed_as_displayed(
    rotation: int, tmp_path: Path
) -> None:
    """A telephone stores what it films lying on its side."""
    shown = drawn(2.5, {(0.5, 2.0): ("Walk on clouds", CAPTION)})
    stored = [STORED[rotation](picture) for picture in shown]
    path = turned(write_clip(tmp_path / "ad.mp4", stored), rotation)
    analysis, inference = understood(path, tmp_path)
    assert (analysis.media.width, analysis.media.height) == (WIDTH, HEIGHT)
    assert inference.text is not None
    (line,) = inference.text
    assert line.text == "Walk on clouds"
    assert line.box.left == pytest.approx(CAPTION[0] / WIDTH, abs=0.03)
    assert line.box.top + line.box.height == pytest.approx(CAPTION[1] / HEIGHT, abs=0.06)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("region", [Region(0.1, 0.6, 0.5, 0.9), WHOLE])
def test_a_region_is_cut_out_where_it_is_displayed(rotation: int, region: Region) -> None:
    """The piece is what the same place of the displayed picture shows."""
    noise = np.random.default_rng(1).integers(16, 235, (9, 16)).astype(np.uint8)
    luma = cv2.resize(noise, (640, 360), interpolation=cv2.INTER_CUBIC).clip(16, 235)
    half = np.full((180, 320), 128, np.uint8)
    look = Look(0, 640, 360, rotation, (np.asarray(luma, np.uint8), half, half), 0)
    piece, (left, top, width, height) = text_watcher.cut_out(look, region)
    upright = np.rot90(luma, -rotation // 90)
    assert (height, width) == upright.shape
    there = upright[top : top + piece.shape[0], left : left + piece.shape[1]].astype(float)
    assert there.shape == piece.shape[:2]
    assert np.abs(piece[..., 1] - (there - 16) * 255 / 219).mean() < 2
    assert left == pytest.approx(region.left * width, abs=2)
    assert top == pytest.approx(region.top * height, abs=2)
