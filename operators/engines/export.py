"""A network as ONNX bytes: dynamic batch, constant convolution weights, strongly typed, no trace of this machine."""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from types import MappingProxyType
from typing import Any

import onnx
import torch
from torch import nn

from operators.engines.contract import Network
from operators.engines.eager import DTYPES
from operators.engines.errors import EngineError
from operators.engines.memory import translated
from operators.engines.options import Precision

INPUT = "faces"
OUTPUT = "restored"
_BATCH = "batch"
_LARGEST = 2**31 - 1
"""Bytes that one protobuf message can hold."""
_EXPORTER = "operators.engines.export/1"
_OPSETS: Mapping[Precision, int] = MappingProxyType({"fp32": 20, "bf16": 22, "fp16": 20})
"""ONNX has bf16 convolutions from opset 22 on; the others stay lower, where more engines read them."""
_CONVOLUTIONS = {"Conv": 1, "ConvTranspose": 1}
"""Operator types with the position of their weight among the inputs."""


class _Typed(nn.Module):
    """A module of one precision between float32 in and float32 out."""

    def __init__(self, module: nn.Module, dtype: torch.dtype) -> None:
        super().__init__()
        self.module = module
        self.dtype = dtype

    def forward(self, faces: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.module(faces.to(self.dtype)).to(torch.float32)
        return result


def exporter_version() -> str:
    """What beside the network decides the ONNX bytes: this module's version and those of the libraries it calls."""
    libraries = " ".join(f"{name} {version(name)}" for name in ("torch", "onnxscript", "onnx-ir"))
    return f"{_EXPORTER} {libraries}"


def to_onnx(network: Network, precision: Precision) -> bytes:
    """Export a network; the same network gives the same bytes.

    Every tensor between the first cast and the last has the type that its operators ask for, so that an engine that
    follows types (TensorRT's strongly typed networks) computes in `precision`, except where the module itself widens.

    Args:
        network: what to export; its module stays as it is.
        precision: type of weights and activations; input `faces` and output `restored` are float32 in any case.

    Returns:
        A whole ONNX model, weights inside; the first dimension of input and output is the symbol `batch`.

    Raises:
        EngineMemoryError: not enough memory.
        EngineError: torch cannot export it, a convolution's weight is computed, the batch is not dynamic, or the model
            exceeds the 2 GiB of one ONNX file.
    """
    with translated("ONNX export"):
        module = _Typed(copy.deepcopy(network.module).to(DTYPES[precision]), DTYPES[precision]).eval()
        sample = torch.zeros(2, *network.input_shape)  # two: torch takes a size of one for a constant
        with _quiet(), torch.inference_mode(False), torch.no_grad():
            program = torch.onnx.export(
                module,
                (sample,),
                dynamo=True,
                dynamic_shapes=({0: torch.export.Dim(_BATCH)},),
                input_names=[INPUT],
                output_names=[OUTPUT],
                opset_version=_OPSETS[precision],
                optimize=True,
                verbose=False,
            )
        assert program is not None
        model = program.model_proto
        _release(program)
        _strip(model)
        _check(model, network)
        if model.ByteSize() > _LARGEST:
            raise EngineError(
                f"ONNX export: the model has {model.ByteSize():,} bytes, and one ONNX file holds {_LARGEST:,}; "
                "use the eager, compile or aot engine"
            )
        data: bytes = model.SerializeToString(deterministic=True)
        onnx.checker.check_model(data, full_check=True)  # with strict shape inference
        return data


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence remarks on torchvision and deprecations inside torch, which nobody here can act on."""
    logger = logging.getLogger("torch.onnx._internal.exporter")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _release(program: Any) -> None:
    """Let go of the weights: torch keeps the graphs it has exported alive, and with them a copy of every weight."""
    for value in program.model.graph.initializers.values():
        value.const_value = None


def _strip(model: Any) -> None:
    """Remove what is for debugging: stack traces with paths of this machine, names of classes, doc strings."""
    model.ClearField("metadata_props")
    model.ClearField("doc_string")
    graph = model.graph
    graph.name = "network"
    for part in (graph, *graph.node, *graph.initializer, *graph.input, *graph.output, *graph.value_info):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    del graph.value_info[:]  # engines infer shapes themselves; the names of inner symbols differ from run to run
    for number, node in enumerate(graph.node):
        node.name = f"{node.op_type}_{number}"


def _check(model: Any, network: Network) -> None:
    """Hold the graph to what engines need of it.

    Raises:
        EngineError: it has functions or outside data, a weight that is computed, a wrong group count or a fixed batch.
    """
    graph = model.graph
    if model.functions or any(tensor.data_location for tensor in graph.initializer):
        raise EngineError("ONNX export: the model has functions or data outside the file, expected neither")
    weights = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type in _CONVOLUTIONS:
            name = node.input[_CONVOLUTIONS[node.op_type]]
            if name not in weights:
                raise EngineError(
                    f"ONNX export: the weight {name!r} of {node.name} is computed, expected a constant; "
                    "write the modulation as a scale of the activations"
                )
    for value, shape in ((graph.input, network.input_shape), (graph.output, network.output_shape)):
        found = [_shape(item) for item in value]
        if found != [(_BATCH, *shape)]:
            raise EngineError(f"ONNX export: shapes {found} found, expected [{(_BATCH, *shape)}]")


def _shape(value: Any) -> tuple[str | int, ...]:
    """Dimensions of a graph's input or output: numbers, or names of symbols."""
    return tuple(dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim)
