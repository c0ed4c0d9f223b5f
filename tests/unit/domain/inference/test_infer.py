"""The whole inference: every analyser runs or says why not, whatever is missing."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from shared.domain.inference import models
from shared.domain.inference.captions import parse_captions
from shared.domain.inference.infer import infer_video
from shared.domain.video.refusals import NotVideo
from shared.inference_models import Inference, Transcript
from shared.models import Analysis, InferenceTools, Limits
from tests.unit.domain.inference import tiny_networks
from tests.unit.domain.inference.test_text import CAPTION, drawn
from tests.unit.domain.video.clips import SOUND_RATE, write_clip
from tests.unit.domain.video.reports import report_of

NAMES = {
    *("sampling", "text", "objects", "visual_pattern", "transcript", "face_emotions"),
    *("speech_emotions", "audio_quality", "embeddings"),
}
# Which analyser cannot do without which model.
NEEDS = {
    "text-detection": "text",
    "text-recognition": "text",
    "sentence-weights": "embeddings",
    "sentence-tokenizer": "embeddings",
    "yolox": "objects",
    "visual-pattern": "visual_pattern",
    "face-emotion": "face_emotions",
    "speech-emotion": "speech_emotions",
    "english-speech-encoder": "transcript",
    "english-speech-decoder": "transcript",
    "english-speech-tokens": "transcript",
}
SPOKEN = b"00:00:00,500 --> 00:00:01,500\nwalk on clouds"


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds with a caption and sound."""
    at = np.arange(4 * SOUND_RATE) / SOUND_RATE
    sound = (0.3 * np.sin(2 * np.pi * 300 * at) * (at % 1 < 0.6)).astype(np.float32)
    pictures = drawn(4, {(0.5, 3.0): ("Walk on clouds", CAPTION)})
    path = tmp_path_factory.mktemp("infer") / "ad.mp4"
    return write_clip(path, pictures, fps=30, sound=sound)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with tiny networks in the place of all that do not come with packages."""
    made = tmp_path / "models"
    size = float(np.log(160 / 16))
    rows = [(6400 + 10 * 40 + 20, [0.0, 0.0, size, size], 0, 0.9)]
    files = [
        tiny_networks.yolox(made / "yolox_s.onnx", rows),
        tiny_networks.ferplus(made / "emotion-ferplus-8.onnx"),
        tiny_networks.resnet(made / "resnet50-v1-7.onnx"),
        tiny_networks.speech_emotion(made / "speech_emotion.onnx"),
    ]
    for file in files:
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        file.with_name(f"{file.name}.sha256").write_text(digest)
    ours = tuple(
        model if model.package else model.model_copy(update={"sha256": ""})
        for model in models.manifest()
    )
    monkeypatch.setattr(models, "manifest", lambda: ours)
    return made


def run(
    video: Path,
    folder: Path,
    report: Analysis | None = None,
    transcript: Transcript | None = None,
) -> Inference:
    return infer_video(
        video,
        report or report_of(2, 60),
        limits=Limits(),
        tools=InferenceTools(models=str(folder)),
        transcript=transcript,
    )


def states(found: Inference) -> dict[str, str]:
    """Each analyser once, with its status."""
    assert len({part.name for part in found.analysers}) == len(found.analysers)
    return {part.name: part.status for part in found.analysers}


def test_with_all_networks_everything_runs_but_the_recogniser(video: Path, folder: Path) -> None:
    """Its package is not installed here; the words can be given instead."""
    found = run(video, folder, transcript=parse_captions(SPOKEN, "ad.srt"))
    assert states(found) == dict.fromkeys(NAMES, "ran")
    assert found.text is not None
    assert [line.text for line in found.text] == ["Walk on clouds"]
    assert found.objects is not None
    assert {(seen.shot, seen.label) for seen in found.objects} == {(0, "person"), (1, "person")}
    assert found.persons is not None
    assert found.persons.share == 1
    assert found.emotions.faces
    assert found.emotions.speech
    assert found.visual_pattern is not None
    assert [shot.shot for shot in found.visual_pattern.shots] == [0, 1]
    assert found.audio_quality is not None
    assert found.audio_quality.clipped_share < 0.01
    assert found.embeddings is not None
    assert found.embeddings.text == "Walk on clouds walk on clouds"
    assert {part.provider for part in found.analysers} == {"", "cpu"}
    assert found == Inference.model_validate(json.loads(found.model_dump_json()))


@pytest.mark.parametrize("missing", NEEDS)
def test_without_one_model_the_report_is_complete_and_says_so(
    video: Path, folder: Path, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each model file in turn: its analyser is unavailable, no other one is."""
    real = models.locate

    def locate(model: models.ModelFile, where: Path) -> Path:
        return folder / "gone" if model.name == missing else real(model, where)

    monkeypatch.setattr(models, "locate", locate)
    clear_caches()
    found = run(video, folder)
    status = states(found)
    assert set(status) == NAMES
    lacking = {name for name, state in status.items() if state == "unavailable"}
    assert lacking == {NEEDS[missing]}
    assert found.lacking()
    assert all(part.reason for part in found.analysers if part.status != "ran")
    part_of = {
        "text": found.text,
        "objects": found.objects,
        "visual_pattern": found.visual_pattern,
        "face_emotions": found.emotions.faces,
        "speech_emotions": found.emotions.speech,
        "embeddings": found.embeddings,
        "transcript": found.transcript,
    }
    assert {name for name, part in part_of.items() if part is None} >= lacking


def clear_caches() -> None:
    """What a process keeps once it is loaded would hide that a file is gone."""
    from shared.domain.inference import engines, recognition, sentences

    for cached in (
        engines.open_text_reader,
        sentences.open_embedder,
        recognition.open_recogniser,
    ):
        cached.cache_clear()


def test_without_any_model_there_is_still_a_report(video: Path, tmp_path: Path) -> None:
    """What is measured on samples runs; a face nobody can judge is no guess."""
    found = run(video, tmp_path / "empty")
    status = states(found)
    assert {status[n] for n in ("audio_quality", "text", "transcript")} == {"ran"}
    assert {status[name] for name in ("objects", "face_emotions")} == {"unavailable"}
    assert found.objects is None
    assert found.emotions.faces is None


def test_a_mute_video_skips_what_is_heard(tmp_path: Path) -> None:
    """Skipped, not unavailable: there is nothing to hear."""
    path = write_clip(tmp_path / "mute.mp4", drawn(2, {}), fps=30)
    report = report_of(1, 60)
    media = report.media.model_copy(update={"has_audio": False})
    found = run(path, tmp_path / "models", report.model_copy(update={"media": media}))
    status = states(found)
    assert {status[n] for n in ("transcript", "speech_emotions", "audio_quality")} == {"skipped"}


def test_what_is_no_video_is_refused_as_by_the_analysis(tmp_path: Path) -> None:
    """The same child, the same refusals."""
    path = tmp_path / "no.mp4"
    path.write_bytes(b"plain words, no video at all" * 100)
    with pytest.raises(NotVideo):
        run(path, tmp_path / "models")


def test_the_same_video_gives_the_same_record(video: Path, folder: Path) -> None:
    """All but the seconds that it took."""
    first, second = (
        run(video, folder).model_dump(exclude={"analysers": {"__all__": {"seconds"}}})
        for _ in range(2)
    )
    assert first == second
