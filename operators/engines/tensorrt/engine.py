"""The engine that runs a network through TensorRT or TensorRT-RTX."""

from __future__ import annotations

import logging
from dataclasses import asdict, replace
from typing import Any

import torch

from operators.engines.artifacts import digest
from operators.engines.contract import Network
from operators.engines.cuda_graphs import Bucketed
from operators.engines.eager import available as cuda_available
from operators.engines.eager import device_name
from operators.engines.envelope import EnvelopeError, unseal
from operators.engines.errors import EngineError, EngineUnavailableError
from operators.engines.export import exporter_version, to_onnx
from operators.engines.memory import translated
from operators.engines.obtain import Origin, held, keep, obtain
from operators.engines.options import ArtifactKey, ArtifactStore, EngineDescription, EngineOptions, Precision
from operators.engines.tensorrt.build import BuildRequest
from operators.engines.tensorrt.deconvolution import REWRITING, without_deconvolutions
from operators.engines.tensorrt.execution import LoadedPlan
from operators.engines.tensorrt.flavours import FLAVOURS, FlavourName, missing, target, unsupported, version
from operators.engines.tensorrt.isolated import build_isolated

logger = logging.getLogger(__name__)


def available(device: str, flavour: FlavourName = "tensorrt") -> str | None:
    """Whether plans can be run on a device.

    Args:
        device: `cuda` or `cuda:N`.
        flavour: which library.

    Returns:
        None when they can, else the reason why not.
    """
    if not device.startswith("cuda"):
        return f"{flavour} runs on CUDA devices, not on {device}"
    return (
        missing(FLAVOURS[flavour])
        or cuda_available(device)
        or unsupported(FLAVOURS[flavour], torch.cuda.get_device_capability(device))
    )


def compilable(device: str, flavour: FlavourName = "tensorrt") -> str | None:
    """Whether plans for a device can be built on this machine, which may lack the device.

    Args:
        device: `cuda` or `cuda:N`; TensorRT-RTX builds for Ampere and later whatever this machine has.
        flavour: which library.

    Returns:
        None when they can, else the reason why not.
    """
    if FLAVOURS[flavour].builds_without_gpu:
        return missing(FLAVOURS[flavour])
    return available(device, flavour)


class TensorRTEngine:
    """Runs a plan built from our own strongly typed ONNX, as one CUDA graph a batch size.

    Attributes:
        origin: where the plan came from when `prepare` was called last: `stored`, or why it was built.
    """

    def __init__(
        self,
        precision: Precision,
        device: str,
        options: EngineOptions,
        store: ArtifactStore | None,
        *,
        flavour: FlavourName = "tensorrt",
        graphs: bool = True,
    ) -> None:
        """Remember what is asked; `prepare` does the work.

        Args:
            precision: of the exported network.
            device: `cuda` or `cuda:N`.
            options: `profile` is used.
            store: where plans are kept; None builds one in each process.
            flavour: which library.
            graphs: run as CUDA graphs.
        """
        self.origin: Origin | None = None
        self._precision = precision
        self._device = device
        self._options = options
        self._store = store
        self._flavour = FLAVOURS[flavour]
        self._graphs = graphs
        self._plan: LoadedPlan | None = None
        self._sizes: Bucketed | None = None
        self._digest: str | None = None

    def compile_ahead(self, network: Network) -> str:
        """Build the plan into the store, unless it is there; TensorRT-RTX needs no GPU for it.

        Args:
            network: what to compile.

        Returns:
            The artefact's digest.

        Raises:
            EngineUnavailableError: this machine cannot build it.
            EngineMemoryError: not enough memory.
            EngineError: no store was given, or the network cannot be built.
        """
        if self._store is None:
            raise EngineError(f"{self._flavour.name} cannot compile ahead without a folder to keep the plan in")
        reason = compilable(self._device, self._flavour.name)
        if reason is not None:
            raise EngineUnavailableError(reason)
        key, made_by = self._key(network), self._made_by()
        self.origin = held(self._store, key, made_by)
        if self.origin == "stored":
            return digest(key)
        return keep(self._store, key, made_by, self._build(network))

    def prepare(self, network: Network) -> None:
        """Take the plan from the store or build it, and load it onto the GPU.

        Args:
            network: what to run.

        Raises:
            EngineUnavailableError: the library, the GPU or a kernel for it is missing.
            EngineMemoryError: not enough memory.
            EngineError: the network cannot be built or loaded.
        """
        self.close()
        reason = available(self._device, self._flavour.name)
        if reason is not None:
            raise EngineUnavailableError(reason)
        key = self._key(network)
        kernels_key = self._side_key(key, "kernels")
        device = torch.device(self._device)
        with translated(f"{self._flavour.name}: the network cannot be prepared"):
            kernels = self._stored(kernels_key)
            obtained = obtain(
                self._store,
                key,
                self._made_by(),
                lambda: self._build(network),
                lambda plan: self._load(plan, device, kernels),
            )
            self._plan, self._digest, self.origin = obtained.loaded, obtained.digest, obtained.origin
            self._sizes = Bucketed(self._plan.call_at, self._options.profile, device, self._graphs)
            self.run(torch.zeros(self._options.profile.best, *network.input_shape))
            self._keep_changed(kernels_key, kernels, self._plan.kernels())

    def run(self, batch: torch.Tensor) -> torch.Tensor:
        """Execute.

        Args:
            batch: (N, *input_shape) float32, on the CPU or on the engine's device; 1 <= N <= profile.most.

        Returns:
            (N, *output_shape) float32 on the engine's device, not aliased by later calls.

        Raises:
            EngineMemoryError: not enough memory for this batch.
            EngineError: the engine is not prepared, or failed.
        """
        if self._sizes is None:
            raise EngineError(f"{self._flavour.name}: run was called before prepare")
        with translated(f"{self._flavour.name}: running failed"), torch.no_grad(), torch.cuda.device(self._device):
            return self._sizes.run(batch)

    def describe(self) -> EngineDescription:
        """What it is."""
        profile = self._options.profile
        return EngineDescription(
            engine=self._flavour.name,
            version=version(self._flavour),
            device=device_name(self._device),
            precision=self._precision,
            profile=(profile.least, profile.best, profile.most),
            artifact=self._digest,
            details={"cuda_graphs": self._graphs},
        )

    def close(self) -> None:
        """Free the graphs, the contexts, the plan, and torch's cached memory."""
        if self._sizes is not None:
            torch.cuda.synchronize(self._device)
            self._sizes.free()
        if self._plan is not None:
            self._plan.free()
        self._sizes = self._plan = None
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _request(self) -> BuildRequest:
        return BuildRequest(self._options.profile, target(self._flavour, self._capability()))

    def _capability(self) -> tuple[int, int] | None:
        if cuda_available(self._device) is not None:
            return None
        return torch.cuda.get_device_capability(self._device)

    def _key(self, network: Network) -> ArtifactKey:
        request = self._request()
        flags: dict[str, Any] = {
            name: value for name, value in asdict(request).items() if name not in ("profile", "target")
        }
        return ArtifactKey(
            engine=self._flavour.name,
            version=f"{version(self._flavour)}; {exporter_version()}; {REWRITING}",
            architecture=network.architecture,
            arguments=network.arguments,
            formulation=network.formulation,
            weights_sha256=network.weights_sha256,
            variant=network.variant,
            device=request.target,
            precision=self._precision,
            profile=(request.profile.least, request.profile.best, request.profile.most),
            flags={**flags, "tf32": False, "strongly_typed": True},
        )

    def _made_by(self) -> dict[str, Any]:
        """What must be equal for a plan to be given to the library."""
        return {
            "library": self._flavour.name,
            "version": version(self._flavour),
            "target": target(self._flavour, self._capability()),
        }

    def _build(self, network: Network) -> bytes:
        """Export and build; what was timed on this kind of GPU before is not timed again."""
        onnx = without_deconvolutions(to_onnx(network, self._precision))
        if self._flavour.builds_without_gpu:
            return build_isolated(self._flavour, onnx, self._request()).plan
        gpu = torch.device(self._device).index or 0
        key = self._side_key(self._key(network), "timings", any_network=True)
        before = self._stored(key)
        built = build_isolated(self._flavour, onnx, self._request(), before, gpu)
        self._keep_changed(key, before, built.timings)
        return built.plan

    def _load(self, plan: memoryview, device: torch.device, kernels: bytes) -> LoadedPlan:
        with translated(f"{self._flavour.name}: the plan cannot be loaded"):
            return LoadedPlan(self._flavour, plan, device, kernels)

    def _side_key(self, key: ArtifactKey, part: str, *, any_network: bool = False) -> ArtifactKey:
        """Key of what is kept beside plans for one model of GPU: compiled kernels, timings."""
        name = torch.cuda.get_device_name(self._device)
        key = replace(key, device=f"{key.device}:{name}", flags={**key.flags, "part": part})
        if not any_network:
            return key
        nothing: dict[str, Any] = {}
        return replace(
            key,
            architecture="",
            arguments=nothing,
            formulation="",
            weights_sha256="",
            variant=nothing,
            profile=(0, 0, 0),
        )

    def _stored(self, key: ArtifactKey) -> bytes:
        """What is kept under a side key; empty when there is nothing that fits."""
        data = None if self._store is None else self._store.load(digest(key))
        if self._store is None or data is None:
            return b""
        try:
            return bytes(unseal(data, self._made_by()))
        except EnvelopeError as error:
            logger.warning("%s of %s are not used: %s", key.flags["part"], self._flavour.name, error)
            self._store.discard(digest(key))
            return b""

    def _keep_changed(self, key: ArtifactKey, before: bytes, after: bytes) -> None:
        if after and after != before:
            keep(self._store, key, self._made_by(), after)
