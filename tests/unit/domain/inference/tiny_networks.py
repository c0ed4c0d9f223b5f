"""Tiny ONNX files with the shapes of the real networks, made when a test asks for them."""

from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save

OPSET, IR_VERSION = 13, 8


def write(
    file: Path,
    nodes: list[Any],
    taken: list[int | str],
    given: list[int | str],
    constants: dict[str, Any],
    metadata: dict[str, str] | None = None,
) -> Path:
    """A network from `x` to `y` with these shapes."""
    graph = helper.make_graph(
        nodes,
        file.stem,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, taken)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, given)],
        [numpy_helper.from_array(np.asarray(v), name) for name, v in constants.items()],
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
    )
    helper.set_model_props(model, metadata or {})
    file.parent.mkdir(parents=True, exist_ok=True)
    save(model, file)
    return file


def constant_network(file: Path, taken: list[int | str], answer: np.ndarray) -> Path:
    """Answers the same to every input of its shape."""
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "nought"], ["none"]),
        helper.make_node("Add", ["answer", "none"], ["y"]),
    ]
    constants = {"nought": np.float32(0), "answer": answer.astype(np.float32)}
    return write(file, nodes, taken, [*answer.shape], constants)


def yolox(file: Path, rows: list[tuple[int, list[float], int, float]]) -> Path:
    """YOLOX's (1, 8400, 85): each of `rows` is index, four raw numbers, class and confidence."""
    answer = np.zeros((1, 8400, 85), np.float32)
    for index, raw, label, confidence in rows:
        answer[0, index, :4], answer[0, index, 4], answer[0, index, 5 + label] = raw, 1, confidence
    return constant_network(file, [1, 3, 640, 640], answer)


def yolov8(file: Path, rows: list[tuple[int, list[float], int, float]]) -> Path:
    """YOLOv8's (1, 84, 8400): each of `rows` is index, centre and size, class and confidence."""
    answer = np.zeros((1, 84, 8400), np.float32)
    for index, box, label, confidence in rows:
        answer[0, :4, index], answer[0, 4 + label, index] = box, confidence
    return constant_network(file, [1, 3, 640, 640], answer)


def ferplus(file: Path) -> Path:
    """FER+'s (n, 1, 64, 64) -> (n, 8): bright faces are happy, dark ones sad."""
    weights = np.zeros((64 * 64, 8), np.float32)
    weights[:, 1], weights[:, 3] = 1e-4, -1e-4
    nodes = [
        helper.make_node("Sub", ["x", "grey"], ["centred"]),
        helper.make_node("Flatten", ["centred"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["y"]),
    ]
    constants = {"grey": np.float32(128), "weights": weights}
    return write(file, nodes, ["n", 1, 64, 64], ["n", 8], constants)


def resnet(file: Path) -> Path:
    """ResNet-50's (n, 3, 224, 224) -> (n, 1000): class 0, 1 or 2 is the strongest colour."""
    weights = np.zeros((3, 1000), np.float32)
    weights[:, :3] = 4 * np.eye(3)
    nodes = [
        helper.make_node("GlobalAveragePool", ["x"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["y"]),
    ]
    return write(file, nodes, ["n", 3, 224, 224], ["n", 1000], {"weights": weights})


def speech_emotion(file: Path, labels: str = "calm,angry") -> Path:
    """(1, samples) -> (1, 2): rough sound, whose mean size is small, is angry."""
    nodes = [
        helper.make_node("Abs", ["x"], ["size"]),
        helper.make_node("ReduceMean", ["size"], ["mean"], axes=[1], keepdims=1),
        helper.make_node("Sub", ["mean", "middle"], ["over"]),
        helper.make_node("MatMul", ["over", "weights"], ["y"]),
    ]
    constants = {"middle": np.float32(0.85), "weights": np.array([[20.0, -20.0]], np.float32)}
    return write(file, nodes, [1, "samples"], [1, 2], constants, {"labels": labels})
