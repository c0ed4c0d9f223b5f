"""Faces found by a network in an ONNX file: YuNet through OpenCV, YOLOv8-face by onnxruntime."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as runtime_errors

from shared.domain.video.colours import colour_picture
from shared.domain.video.detector import AnalyserUnavailable
from shared.domain.video.face_finders import FaceFinder, Found
from shared.domain.video.pictures import Look, Picture

MIN_CONFIDENCE = 0.7
SURE_CONFIDENCE = 0.85
SAME_FACE_IOU = 0.3
MOST_FACES = 100
YUNET_SIDE = 320
YUNET_STRIDES = (8, 16, 32)
YUNET_CHANNELS = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}
# Centre, size and score of a box; the same with five points of two or three numbers each.
YOLO_CHANNELS = (5, 15, 20)
YOLO_SIDE = 640
YOLO_GREY = 114
# What onnxruntime raises for a file that is no network, or one that it cannot run.
UNUSABLE = (
    runtime_errors.Fail,
    runtime_errors.InvalidArgument,
    runtime_errors.InvalidGraph,
    runtime_errors.InvalidProtobuf,
    runtime_errors.NoModel,
    runtime_errors.NoSuchFile,
    runtime_errors.NotImplemented,
    runtime_errors.RuntimeException,
    cv2.error,
)


def open_network(file: Path) -> FaceFinder:
    """The finder for an ONNX file; raises AnalyserUnavailable when it cannot be used."""
    try:
        session = _session(file)
        outputs = session.get_outputs()
        finder: FaceFinder
        if _is_yunet(outputs):
            finder = YuNetFinder(file)
        elif len(outputs) == 1 and _yolo_axis(outputs[0].shape) is not None:
            finder = YoloFinder(session)
        else:
            raise AnalyserUnavailable(_other_kind(file, outputs))
        finder.find(_blank())
    except UNUSABLE as problem:
        reason = str(problem).strip().splitlines()[0][:200]
        raise AnalyserUnavailable(
            f"the face model {file.name!r} cannot be used: {reason}"
        ) from problem
    return finder


def _is_yunet(outputs: list[Any]) -> bool:
    """Whether all twelve outputs are there, each with rows of its number of channels."""
    shapes = {output.name: output.shape for output in outputs}
    return all(
        len(shape := shapes.get(f"{kind}_{stride}", ())) == 3 and shape[2] == channels
        for kind, channels in YUNET_CHANNELS.items()
        for stride in YUNET_STRIDES
    )


def _other_kind(file: Path, outputs: list[Any]) -> str:
    have = ", ".join(f"{output.name}{output.shape}" for output in outputs)[:200]
    return (
        f"the face model {file.name!r} has the outputs {have}; expected those of YuNet "
        "(cls_8 ... kps_32) or of YOLOv8-face (one of 5, 15 or 20 channels)"
    )


def _session(file: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])


def _blank() -> Look:
    """A grey frame to try a network on before it is trusted."""
    grey = np.full((180, 320), 128, np.uint8)
    return Look(index=0, width=320, height=180, rotation=0, planes=(grey,), shift_bits=0)


class YuNetFinder:
    """YuNet (Wu, Peng and Yu 2023), run and decoded by OpenCV's FaceDetectorYN."""

    name = "yunet"
    cheap = True

    def __init__(self, file: Path) -> None:
        self._network = cv2.FaceDetectorYN.create(
            str(file), "", (YUNET_SIDE, YUNET_SIDE), MIN_CONFIDENCE, SAME_FACE_IOU, MOST_FACES
        )

    def find(self, frame: Look) -> list[Found]:
        """The faces on a frame."""
        picture = colour_picture(frame, YUNET_SIDE)
        height, width = picture.shape[:2]
        self._network.setInputSize((width, height))
        rows = self._network.detect(picture)[1]
        scale = frame.face_picture.shape[1] / width
        return [_as_found(row, scale, float(row[14])) for row in ([] if rows is None else rows)]

    def find_near(self, picture: Picture, old: Found) -> Found | None:
        """Nothing beyond what `find` saw: it looks at the whole picture each time."""
        return None


class YoloFinder:
    """A YOLOv8 network trained on faces, as ultralytics exports it: one output."""

    name = "yolov8-face"
    cheap = True

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self._session = session
        self._input = session.get_inputs()[0]
        axis = _yolo_axis(session.get_outputs()[0].shape)
        self._channels_first = axis == 1
        sides = [n for n in self._input.shape[2:] if isinstance(n, int) and n > 0]
        self._height, self._width = sides if len(sides) == 2 else (YOLO_SIDE, YOLO_SIDE)

    def find(self, frame: Look) -> list[Found]:
        """The faces on a frame."""
        picture = colour_picture(frame, max(self._height, self._width))
        scale, canvas = self._letterbox(picture)
        feed = canvas[..., ::-1].transpose(2, 0, 1)[None].astype(np.float32) / 255
        (output,) = self._session.run(None, {self._input.name: np.ascontiguousarray(feed)})
        rows = output[0].T if self._channels_first else output[0]
        return keep_best(rows, frame.face_picture.shape[1] / (picture.shape[1] * scale))

    def _letterbox(self, picture: Picture) -> tuple[float, Picture]:
        """The picture in the upper left of the network's input, and how much it was scaled."""
        height, width = picture.shape[:2]
        scale = min(self._width / width, self._height / height)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        canvas = np.full((self._height, self._width, 3), YOLO_GREY, np.uint8)
        canvas[: size[1], : size[0]] = cv2.resize(picture, size)
        return scale, canvas

    def find_near(self, picture: Picture, old: Found) -> Found | None:
        """Nothing beyond what `find` saw: it looks at the whole picture each time."""
        return None


def _yolo_axis(shape: list[Any]) -> int | None:
    """Which axis of YOLO's output holds the channels; None when none does."""
    if len(shape) != 3:
        return None
    return next((axis for axis in (1, 2) if shape[axis] in YOLO_CHANNELS), None)


def keep_best(rows: NDArray[np.float32], scale: float) -> list[Found]:
    """The confident ones of (n, channels) rows, one a face (non-maximum suppression).

    A row begins with centre x, y, width, height and score; `scale` brings it to face pictures.
    """
    rows = rows[np.isfinite(rows[:, :5]).all(axis=1)]
    rows = rows[rows[:, 4] >= MIN_CONFIDENCE]
    rows = rows[np.argsort(-rows[:, 4], kind="stable")][: 20 * MOST_FACES]
    kept: list[Found] = []
    for row in rows:
        corner = np.concatenate([row[:2] - row[2:4] / 2, row[2:4]])
        face = _as_found(corner, scale, float(row[4]))
        if all(face.overlap(other) < SAME_FACE_IOU for other in kept):
            kept.append(face)
    return kept[:MOST_FACES]


def _as_found(box: NDArray[np.float32], scale: float, score: float) -> Found:
    """A box of left, top, width and height in the network's pixels."""
    left, top, width, height = (scale * float(n) for n in box[:4])
    return Found(left, top, width, height, score >= SURE_CONFIDENCE)
