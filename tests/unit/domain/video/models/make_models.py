"""Makes the tiny networks beside it: `python make_models.py` with the package onnx installed.

They have the tensor names and shapes of YuNet and YOLOv8-face and see a face in each bright cell
of 16 by 16 pixels.
"""

from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save

HERE = Path(__file__).parent
OPSET, IR_VERSION = 12, 7
CELL, SIDE = 16, 64
BRIGHT, STEEP = 200.0, 0.5
FACE_PIXELS = 32.0


def tensor(name: str, values: Any) -> Any:
    return numpy_helper.from_array(np.asarray(values, np.float32), name)


def value(name: str, shape: list[int | str]) -> Any:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def write(
    name: str, nodes: list[Any], inputs: list[Any], outputs: list[Any], constants: list[Any]
) -> None:
    graph = helper.make_graph(nodes, name, inputs, outputs, constants)
    opset = [helper.make_opsetid("", OPSET)]
    save(helper.make_model(graph, opset_imports=opset, ir_version=IR_VERSION), HERE / name)


def yunet(name: str) -> None:
    """Twelve outputs, (1, cells, channels) at strides 8, 16 and 32; only 16 ever sees a face."""
    nodes, outputs = [], []
    constants = [numpy_helper.from_array(np.array([1, -1, 1], np.int64), "shape_1")]
    for channels in (4, 10):
        target = np.array([1, -1, channels], np.int64)
        constants.append(numpy_helper.from_array(target, f"shape_{channels}"))
    for stride in (8, 16, 32):
        pool: dict[str, Any] = {"kernel_shape": [stride] * 2, "strides": [stride] * 2}
        nodes.append(helper.make_node("AveragePool", ["input"], [f"pool_{stride}"], **pool))
        size = float(np.log(FACE_PIXELS / stride))
        never = 0.0 if stride == CELL else -1e4
        for kind, channels, weight, bias in (
            ("cls", 1, STEEP / 3, [-STEEP * BRIGHT + never]),
            ("obj", 1, STEEP / 3, [-STEEP * BRIGHT + never]),
            ("bbox", 4, 0.0, [0.5, 0.5, size, size]),
            ("kps", 10, 0.0, [0.0] * 10),
        ):
            key = f"{kind}_{stride}"
            constants.append(tensor(f"{key}_w", np.full((channels, 3, 1, 1), weight)))
            constants.append(tensor(f"{key}_b", bias))
            conv = [f"pool_{stride}", f"{key}_w", f"{key}_b"]
            nodes.append(helper.make_node("Conv", conv, [f"{key}_conv"]))
            last = f"{key}_conv"
            if channels == 1:
                nodes.append(helper.make_node("Sigmoid", [last], [f"{key}_sure"]))
                last = f"{key}_sure"
            order: dict[str, Any] = {"perm": [0, 2, 3, 1]}
            nodes.append(helper.make_node("Transpose", [last], [f"{key}_rows"], **order))
            nodes.append(helper.make_node("Reshape", [f"{key}_rows", f"shape_{channels}"], [key]))
            outputs.append(value(key, [1, f"cells_{stride}", channels]))
    write(name, nodes, [value("input", [1, 3, "height", "width"])], outputs, constants)


def yolo(name: str, *, channels_first: bool) -> None:
    """One output of five channels for each of the 16 cells of a picture of 64 by 64."""
    rows, columns = np.mgrid[0 : SIDE // CELL, 0 : SIDE // CELL].reshape(2, 1, -1)
    centres = np.stack([columns, rows], axis=1) * CELL + CELL / 2
    cells = centres.shape[-1]
    pool: dict[str, Any] = {"kernel_shape": [CELL] * 2, "strides": [CELL] * 2}
    boxes = np.concatenate([centres, np.full((1, 2, cells), FACE_PIXELS)], axis=1)
    constants = [
        tensor("boxes", boxes),
        tensor("weight", np.full((1, 3, 1, 1), 255 * STEEP / 3)),
        tensor("bias", [-STEEP * BRIGHT]),
        numpy_helper.from_array(np.array([1, 1, cells], np.int64), "line"),
    ]
    nodes = [
        helper.make_node("AveragePool", ["images"], ["pooled"], **pool),
        helper.make_node("Conv", ["pooled", "weight", "bias"], ["bright"]),
        helper.make_node("Sigmoid", ["bright"], ["sure"]),
        helper.make_node("Reshape", ["sure", "line"], ["scores"]),
        helper.make_node("Concat", ["boxes", "scores"], ["found"], axis=1),
        helper.make_node(
            "Transpose", ["found"], ["output0"], perm=[0, 1, 2] if channels_first else [0, 2, 1]
        ),
    ]
    shape: list[int | str] = [1, 5, cells] if channels_first else [1, cells, 5]
    write(name, nodes, [value("images", [1, 3, SIDE, SIDE])], [value("output0", shape)], constants)


def other(name: str) -> None:
    """A network that is no detector."""
    nodes = [helper.make_node("GlobalAveragePool", ["images"], ["logits"])]
    write(name, nodes, [value("images", [1, 3, 8, 8])], [value("logits", [1, 3, 1, 1])], [])


def wrong_yunet(name: str) -> None:
    """YuNet's names on outputs that are not its."""
    kinds = [f"{k}_{s}" for k in ("cls", "obj", "bbox", "kps") for s in (8, 16, 32)]
    nodes = [helper.make_node("Identity", ["input"], [kind]) for kind in kinds]
    outputs = [value(kind, [1, 3, "height", "width"]) for kind in kinds]
    write(name, nodes, [value("input", [1, 3, "height", "width"])], outputs, [])


if __name__ == "__main__":
    yunet("tiny_yunet.onnx")
    yolo("tiny_yolo_face.onnx", channels_first=True)
    yolo("tiny_yolo_face_rows.onnx", channels_first=False)
    other("no_detector.onnx")
    wrong_yunet("wrong_yunet.onnx")
