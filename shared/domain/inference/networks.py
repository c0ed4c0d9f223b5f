"""Networks in ONNX files: opened once per process, on the graphics card when there is one."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as runtime_errors

from shared.domain.video.detector import AnalyserUnavailable

CUDA = "CUDAExecutionProvider"
CPU = "CPUExecutionProvider"
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
)


@dataclass(frozen=True)
class Network:
    """A network that takes one array, or some by name, and gives some."""

    name: str
    session: Any
    provider: Literal["cpu", "gpu"]

    @property
    def input_shape(self) -> list[Any]:
        """The declared shape; dimensions that may vary are no integers."""
        return list(self.session.get_inputs()[0].shape)

    @property
    def input_shapes(self) -> dict[str, list[Any]]:
        """The declared shapes of all inputs by their names."""
        return {taken.name: list(taken.shape) for taken in self.session.get_inputs()}

    @property
    def output_shapes(self) -> list[list[Any]]:
        """The declared shapes of all outputs."""
        return [list(output.shape) for output in self.session.get_outputs()]

    @property
    def metadata(self) -> dict[str, str]:
        """What the exporter wrote into the file."""
        return dict(self.session.get_modelmeta().custom_metadata_map)

    def run(self, feed: NDArray[Any]) -> list[NDArray[Any]]:
        """All outputs for one input; raises AnalyserUnavailable when they do not fit."""
        return self.run_named({self.session.get_inputs()[0].name: feed})

    def run_named(self, feeds: dict[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """All outputs for several inputs; raises AnalyserUnavailable when they do not fit."""
        given = {name: np.ascontiguousarray(feed) for name, feed in feeds.items()}
        try:
            outputs: list[NDArray[Any]] = self.session.run(None, given)
        except UNUSABLE as problem:
            raise AnalyserUnavailable(_reason(self.name, problem)) from problem
        return outputs


@lru_cache(maxsize=16)
def open_network(file: Path) -> Network:
    """The network in `file`, kept for the life of the process.

    Raises AnalyserUnavailable when onnxruntime cannot use it.
    """
    options = onnxruntime.SessionOptions()
    # A second thread on a busy machine costs more than it wins; a card does not need one.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    # An arena pays for many runs of one size; ours change, and it would keep the largest.
    options.enable_cpu_mem_arena = options.enable_mem_pattern = False
    there = onnxruntime.get_available_providers()
    wanted = [provider for provider in (CUDA, CPU) if provider in there]
    try:
        session = onnxruntime.InferenceSession(str(file), options, providers=wanted)
    except UNUSABLE as problem:
        raise AnalyserUnavailable(_reason(file.name, problem)) from problem
    on_card = session.get_providers()[0] == CUDA
    return Network(file.name, session, "gpu" if on_card else "cpu")


def expect(network: Network, fits: bool, expected: str) -> None:
    """Raises AnalyserUnavailable, naming the shapes, unless a network `fits`."""
    if not fits:
        shapes = f"{network.input_shape} -> {network.output_shapes}"
        raise AnalyserUnavailable(f"{network.name} maps {shapes[:200]}; expected {expected}")


def softmax(scores: NDArray[Any]) -> NDArray[np.float32]:
    """Shares that sum to 1 over the last axis."""
    shifted = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True), np.float32)


def _reason(name: str, problem: Exception) -> str:
    lines = str(problem).strip().splitlines() or ["no reason given"]
    return f"the network {name!r} cannot be used: {lines[0][:200]}"
