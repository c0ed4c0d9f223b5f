"""Objects: the output of both networks is decoded to boxes on the picture, one an object."""

from pathlib import Path

import numpy as np
import pytest

from shared.domain.inference.networks import open_network
from shared.domain.inference.objects import (
    LABELS,
    ObjectDetector,
    ShotPicture,
    persons_among,
)
from shared.domain.video.detector import AnalyserUnavailable
from shared.models import Shot
from tests.unit.domain.inference import tiny_networks

# A wide picture fills the upper half of the square that the networks see.
WIDE = ShotPicture(2, 1.5, np.full((320, 640, 3), 90, np.uint8))
PERSON, DOG = LABELS.index("person"), LABELS.index("dog")


def test_the_80_classes_are_those_of_coco() -> None:
    """As many as the networks tell apart, each once."""
    assert len(set(LABELS)) == 80


def test_yolox_rows_become_boxes_in_fractions(tmp_path: Path) -> None:
    """Row 6400 + 10 x 40 + 20 is stride 16's cell 20, 10: its centre is pixel 320, 160."""
    size = float(np.log(160 / 16))
    rows = [(6400 + 10 * 40 + 20, [0.0, 0.0, size, size], PERSON, 0.9)]
    network = open_network(tiny_networks.yolox(tmp_path / "x.onnx", rows))
    (seen,) = ObjectDetector(network, "yolox").see([WIDE])
    assert (seen.shot, seen.at_seconds, seen.label, seen.confidence) == (2, 1.5, "person", 0.9)
    box = seen.box
    assert (box.left, box.top, box.width, box.height) == pytest.approx((0.375, 0.25, 0.25, 0.5))


def test_yolov8_rows_become_the_same_boxes(tmp_path: Path) -> None:
    """Its boxes are in pixels and its channels come first."""
    rows = [(7, [320.0, 160.0, 160.0, 160.0], DOG, 0.8)]
    network = open_network(tiny_networks.yolov8(tmp_path / "8.onnx", rows))
    (seen,) = ObjectDetector(network, "yolov8").see([WIDE])
    assert seen.label == "dog"
    assert (seen.box.left, seen.box.height) == pytest.approx((0.375, 0.5))


def test_of_overlapping_boxes_of_a_class_the_surest_stays(tmp_path: Path) -> None:
    """Another class at the same place is another object; a faint one is none."""
    box = [320.0, 160.0, 160.0, 160.0]
    rows = [
        (1, box, PERSON, 0.7),
        (2, [330.0, 160.0, 160.0, 160.0], PERSON, 0.9),
        (3, box, DOG, 0.6),
        (4, [80.0, 80.0, 60.0, 60.0], DOG, 0.1),
    ]
    network = open_network(tiny_networks.yolov8(tmp_path / "8.onnx", rows))
    seen = ObjectDetector(network, "yolov8").see([WIDE])
    assert [(one.label, one.confidence) for one in seen] == [("person", 0.9), ("dog", 0.6)]


def test_nonsense_from_a_network_is_no_object(tmp_path: Path) -> None:
    """Not a number, infinite and empty boxes are left out."""
    rows = [
        (1, [float("nan"), 160.0, 160.0, 160.0], PERSON, 0.9),
        (2, [320.0, 160.0, float("inf"), 160.0], PERSON, 0.9),
        (3, [320.0, 160.0, 0.0, 160.0], PERSON, 0.9),
        (4, [9000.0, 160.0, 10.0, 10.0], PERSON, 0.9),
    ]
    network = open_network(tiny_networks.yolov8(tmp_path / "8.onnx", rows))
    assert ObjectDetector(network, "yolov8").see([WIDE]) == ()


def test_a_network_of_another_kind_is_refused_by_its_shapes(tmp_path: Path) -> None:
    """YOLOv8 in the place of YOLOX would be read as nonsense."""
    network = open_network(tiny_networks.yolov8(tmp_path / "8.onnx", []))
    with pytest.raises(AnalyserUnavailable, match=r"84, 8400.*expected \(n, rows, 85\)"):
        ObjectDetector(network, "yolox")


def test_persons_are_counted_by_the_time_of_their_shots(tmp_path: Path) -> None:
    """One shot of three seconds in four shows two persons."""
    rows = [
        (1, [100.0, 100.0, 80.0, 80.0], PERSON, 0.9),
        (2, [400.0, 100.0, 80.0, 80.0], PERSON, 0.9),
    ]
    network = open_network(tiny_networks.yolov8(tmp_path / "8.onnx", rows))
    seen = ObjectDetector(network, "yolov8").see([ShotPicture(1, 2.0, WIDE.picture)])
    shots = [
        Shot(start_frame=0, end_frame=25, start_seconds=0, end_seconds=1),
        Shot(start_frame=25, end_frame=100, start_seconds=1, end_seconds=4),
    ]
    persons = persons_among(seen, shots)
    assert (persons.share, persons.max_count) == (0.75, 2)
