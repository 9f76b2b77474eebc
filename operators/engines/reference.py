"""What the gate compares with: the network in eager fp32, one probe face at a time, computed once for given weights."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import torch

from operators.engines.contract import Network
from operators.engines.eager import EagerEngine
from operators.engines.errors import EngineError
from operators.engines.obtain import obtain
from operators.engines.options import ArtifactKey, ArtifactStore, EngineOptions
from operators.engines.probe_faces import VERSION, probe_faces, probe_vectors


@dataclass(frozen=True)
class Reference:
    """Probe inputs and what the network makes of them.

    Attributes:
        inputs: (P, *input_shape) float32 on the CPU.
        outputs: (P, *output_shape) float32 on the CPU.
        stored: the outputs came from the store and were not computed here.
        digest: name under which they are stored.
    """

    inputs: torch.Tensor
    outputs: torch.Tensor
    stored: bool
    digest: str


def probes(network: Network, count: int) -> torch.Tensor:
    """Probe inputs of the kind the network takes: drawn faces, or vectors.

    Args:
        network: only its `input_shape` is used.
        count: how many.

    Returns:
        (count, *input_shape) float32 on the CPU.
    """
    shape = network.input_shape
    if len(shape) == 3 and shape[0] == 3 and shape[1] == shape[2] and shape[1] >= 8:
        return probe_faces(count, shape[1])
    return probe_vectors(count, shape)


def reference(network: Network, count: int, device: str, threads: int, store: ArtifactStore | None) -> Reference:
    """The reference outputs, from the store where it has them.

    What is kept is the reference and not a verdict: an engine is run each time it is prepared, on the machine it will
    work on, and only the slow fp32 pass is saved. fp32 agrees between machines to far below the thresholds.

    Args:
        network: what to run.
        count: probe inputs.
        device: where to compute it.
        threads: CPU threads; 0 leaves the process's own number.
        store: where it is kept; None computes it each time.

    Returns:
        Inputs and outputs.

    Raises:
        EngineMemoryError: not enough memory.
        EngineError: torch cannot run the network.
    """
    inputs = probes(network, count)

    def compiler() -> bytes:
        engine = EagerEngine("fp32", device, EngineOptions(threads=threads))
        engine.prepare(network)
        try:
            outputs = torch.cat([engine.run(inputs[i : i + 1]).cpu() for i in range(count)])
        finally:
            engine.close()
        buffer = io.BytesIO()
        np.save(buffer, outputs.numpy(), allow_pickle=False)
        return buffer.getvalue()

    def loader(data: memoryview) -> torch.Tensor:
        try:
            found = np.load(io.BytesIO(data), allow_pickle=False)
        except (ValueError, EOFError, OSError) as error:
            raise EngineError(f"gate: the stored reference cannot be read: {error}") from error
        if found.shape != (count, *network.output_shape) or found.dtype != np.float32:
            raise EngineError(
                f"gate: outputs of shape {found.shape} and type {found.dtype} found, "
                f"expected {(count, *network.output_shape)} and float32"
            )
        return torch.from_numpy(found)

    key = _key(network, count)
    obtained = obtain(store, key, {"engine": key.engine, "version": key.version}, compiler, loader)
    return Reference(inputs, obtained.loaded, obtained.origin == "stored", obtained.digest)


def _key(network: Network, count: int) -> ArtifactKey:
    """Neither device nor torch's version: they change fp32 results by far less than any threshold."""
    return ArtifactKey(
        engine="eager",
        version=VERSION,
        architecture=network.architecture,
        arguments=network.arguments,
        formulation=network.formulation,
        weights_sha256=network.weights_sha256,
        variant=network.variant,
        device="any",
        precision="fp32",
        profile=(1, 1, 1),
        flags={"content": "reference of the parity gate", "probes": count},
    )
