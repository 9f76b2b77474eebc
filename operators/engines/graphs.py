"""The fp32 ONNX graph of a network, exported once: what both CPU engines that read ONNX keep in the store.

Neither keeps its own compiled form: OpenVINO's is as large, loads no faster than it compiles, and is bound to its
version, while the export takes torch ten seconds and more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from operators.engines.contract import Network
from operators.engines.export import exporter_version, to_onnx
from operators.engines.obtain import Obtained, obtain
from operators.engines.options import ArtifactKey, ArtifactStore

Loaded = TypeVar("Loaded")


def with_graph(network: Network, store: ArtifactStore | None, loader: Callable[[bytes], Loaded]) -> Obtained[Loaded]:
    """Load the graph into a library; export it where the store has none that loads.

    Args:
        network: whose graph.
        store: where it is kept; None exports each time.
        loader: makes something that runs of the ONNX bytes; raises EngineError when it cannot.

    Returns:
        What was loaded, with the artefact's digest.

    Raises:
        EngineMemoryError: not enough memory.
        EngineError: the network cannot be exported, or its graph cannot be loaded.
    """
    key = _key(network)
    made_by = {"engine": key.engine, "version": key.version}
    return obtain(store, key, made_by, lambda: to_onnx(network, "fp32"), lambda data: loader(bytes(data)))


def _key(network: Network) -> ArtifactKey:
    """One key for both engines: a graph depends neither on what runs it nor on the machine."""
    return ArtifactKey(
        engine="onnxruntime",
        version=exporter_version(),
        architecture=network.architecture,
        arguments=network.arguments,
        formulation=network.formulation,
        weights_sha256=network.weights_sha256,
        variant=network.variant,
        device="any",
        precision="fp32",
        profile=(1, 1, 1),
        flags={"content": "onnx graph"},
    )
