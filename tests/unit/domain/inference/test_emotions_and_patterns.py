"""FER+, speech emotion and ResNet-50: fed as they were trained, named as they were labelled."""

from pathlib import Path

import numpy as np
import pytest

from shared.domain.inference.emotions import (
    FaceEmotions,
    FacePicture,
    SpeechEmotions,
    pieces,
)
from shared.domain.inference.networks import open_network
from shared.domain.inference.objects import ShotPicture
from shared.domain.inference.patterns import PatternNetwork
from shared.domain.video.detector import AnalyserUnavailable
from shared.models import Box, Speech
from tests.unit.domain.inference import tiny_networks

BOX = Box(left=0.1, top=0.1, width=0.2, height=0.2)


def test_each_face_gets_its_emotion(tmp_path: Path) -> None:
    """A batch of a bright and a dark face; the eight shares of each sum to 1."""
    network = FaceEmotions(open_network(tiny_networks.ferplus(tmp_path / "f.onnx")))
    faces = [
        FacePicture(at, BOX, np.full((64, 64), grey, np.uint8))
        for at, grey in ((1.0, 250), (2.0, 5))
    ]
    happy, sad = network.see(faces)
    assert (happy.emotion, happy.at_seconds, sad.emotion) == ("happiness", 1.0, "sadness")
    assert sum(happy.scores.values()) == pytest.approx(1, abs=1e-3)
    assert len(happy.scores) == 8


def test_speech_is_judged_in_pieces_and_only_where_somebody_speaks(tmp_path: Path) -> None:
    """A pure tone has a larger mean size than noise of the same deviation."""
    network = SpeechEmotions(open_network(tiny_networks.speech_emotion(tmp_path / "s.onnx")))
    at = np.arange(16_000 * 4) / 16_000
    tone = np.sin(2 * np.pi * 200 * at).astype(np.float32)
    spikes = np.zeros(16_000 * 4, np.float32)
    spikes[::100] = 1
    sound = np.concatenate([tone, spikes])
    speech = [Speech(start_seconds=10.5, end_seconds=13), Speech(start_seconds=14, end_seconds=18)]
    calm, angry = network.hear(sound, 10.0, speech)
    assert (calm.emotion, angry.emotion) == ("calm", "angry")
    assert (angry.start_seconds, angry.end_seconds) == (14, 18)


def test_a_speech_network_without_labels_is_refused(tmp_path: Path) -> None:
    """Numbers without names say nothing."""
    network = open_network(tiny_networks.speech_emotion(tmp_path / "s.onnx", labels=""))
    with pytest.raises(AnalyserUnavailable, match="metadata as `labels`"):
        SpeechEmotions(network)


def test_long_speech_is_cut_into_equal_pieces() -> None:
    """None is longer than eight seconds, none is left over."""
    first, second, third = pieces(0.0, 20.0)
    assert first == pytest.approx((0, 20 / 3))
    assert second == pytest.approx((20 / 3, 40 / 3))
    assert third[1] == 20


def test_a_shot_is_named_by_its_likeliest_classes(tmp_path: Path) -> None:
    """Red, then blue: two shots that differ."""
    network = PatternNetwork(open_network(tiny_networks.resnet(tmp_path / "r.onnx")))
    red, blue = (np.zeros((90, 160, 3), np.uint8) for _ in range(2))
    red[..., 2] = blue[..., 0] = 255
    pattern = network.see([ShotPicture(0, 0.5, red), ShotPicture(1, 1.5, blue)])
    assert [shot.labels[0] for shot in pattern.shots] == ["imagenet-0", "imagenet-2"]
    assert all(len(shot.scores) == 5 for shot in pattern.shots)
    assert pattern.variety is not None
    assert pattern.variety > 0.9


def test_alike_shots_have_no_variety_and_one_shot_none_to_tell(tmp_path: Path) -> None:
    """The same picture twice, and once."""
    network = PatternNetwork(open_network(tiny_networks.resnet(tmp_path / "r.onnx")))
    one = ShotPicture(0, 0.5, np.full((90, 160, 3), 128, np.uint8))
    assert network.see([one, one]).variety == pytest.approx(0, abs=1e-4)
    assert network.see([one]).variety is None


@pytest.mark.parametrize("kind", [FaceEmotions, SpeechEmotions, PatternNetwork])
def test_a_file_of_another_network_is_refused(tmp_path: Path, kind: type) -> None:
    """Each looks at the shapes before it trusts a file."""
    other = open_network(tiny_networks.yolov8(tmp_path / "8.onnx", []))
    with pytest.raises(AnalyserUnavailable):
        kind(other)


def test_a_file_that_is_no_network_is_unavailable(tmp_path: Path) -> None:
    """The reason names the file."""
    (tmp_path / "no.onnx").write_bytes(b"not a network")
    with pytest.raises(AnalyserUnavailable, match=r"no\.onnx"):
        open_network(tmp_path / "no.onnx")
