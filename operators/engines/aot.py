"""AOTInductor: the network compiled once into a native library, kept, and loaded by every process after."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from operators.engines import inductor
from operators.engines.artifacts import digest
from operators.engines.contract import Network
from operators.engines.cuda_graphs import Bucketed, Call
from operators.engines.eager import device_name, exact_arithmetic, thread_limit
from operators.engines.errors import EngineError, EngineUnavailableError
from operators.engines.memory import translated
from operators.engines.obtain import Origin, held, keep, obtain
from operators.engines.options import ArtifactKey, ArtifactStore, EngineDescription, EngineOptions, Precision, Profile
from operators.engines.precision import cpu_kind

AUTOTUNE = False
"""Not until a GPU has shown that it pays: most of the time goes into convolutions, and cuDNN has rules of its own."""

WRAPPING = "operators.engines.aot/1"
"""Part of the key: changes whenever this module would compile the same network to something else."""


def available(device: str) -> str | None:
    """Whether the engine can be used.

    Args:
        device: `cpu`, `cuda` or `cuda:N`.

    Returns:
        None when it can, else the reason why not.
    """
    return inductor.available(device)


def compilable(device: str) -> str | None:
    """Whether packages for a device can be made here: kernels are chosen by timing them, so the device must be there.

    Args:
        device: `cpu`, `cuda` or `cuda:N`.

    Returns:
        None when they can, else the reason why not.
    """
    return available(device)


class AotEngine:
    """Exports the network with a dynamic batch, compiles it ahead of time, and runs it as one CUDA graph a batch size.

    Attributes:
        origin: where the package came from when `prepare` was called last: `stored`, or why it was compiled.
    """

    def __init__(
        self,
        precision: Precision,
        device: str,
        options: EngineOptions,
        store: ArtifactStore | None = None,
        *,
        autotune: bool = AUTOTUNE,
        graphs: bool = True,
    ) -> None:
        """Remember what is asked; `prepare` does the work.

        Args:
            precision: of weights and activations.
            device: `cpu`, `cuda` or `cuda:N`.
            options: `profile` and `threads` are used; a profile of one size compiles for that size alone.
            store: where packages are kept; None compiles one in each process.
            autotune: choose kernels by timing them while compiling, which takes minutes; on CUDA only.
            graphs: run as CUDA graphs on CUDA.
        """
        self.origin: Origin | None = None
        self._precision = precision
        self._device = device
        self._options = options
        self._store = store
        self._autotune = autotune and device != "cpu"
        self._graphs = graphs and device != "cpu"
        self._sizes: Bucketed | None = None
        self._digest: str | None = None

    def compile_ahead(self, network: Network) -> str:
        """Compile into the store, unless it is there.

        Args:
            network: what to compile.

        Returns:
            The artefact's digest.

        Raises:
            EngineUnavailableError: this machine cannot compile it.
            EngineMemoryError: not enough memory.
            EngineError: no store was given, or the network cannot be compiled.
        """
        if self._store is None:
            raise EngineError("aot cannot compile ahead without a folder to keep the package in")
        reason = compilable(self._device)
        if reason is not None:
            raise EngineUnavailableError(reason)
        key, made_by = self._key(network), self._made_by()
        self.origin = held(self._store, key, made_by)
        if self.origin == "stored":
            return digest(key)
        return keep(self._store, key, made_by, self._compile(network))

    def prepare(self, network: Network) -> None:
        """Take the package from the store or compile it, load it, and run the best batch size once.

        Args:
            network: what to run.

        Raises:
            EngineUnavailableError: no compiler, or no such device.
            EngineMemoryError: not enough memory.
            EngineError: the network cannot be exported, compiled or loaded.
        """
        self.close()
        reason = available(self._device)
        if reason is not None:
            raise EngineUnavailableError(reason)
        with translated("aot engine: the network cannot be prepared"):
            obtained = obtain(
                self._store, self._key(network), self._made_by(), lambda: self._compile(network), self._load
            )
            self._digest, self.origin = obtained.digest, obtained.origin
            device, profile = torch.device(self._device), self._options.profile
            self._sizes = Bucketed(lambda _: obtained.loaded, profile, device, self._graphs)
            self.run(torch.zeros(profile.best, *network.input_shape))

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
            raise EngineError("aot engine: run was called before prepare")
        with (
            translated("aot engine: running failed"),
            torch.no_grad(),
            exact_arithmetic(),
            thread_limit(self._options.threads),
        ):
            return self._sizes.run(batch)

    def describe(self) -> EngineDescription:
        """What it is."""
        profile = self._options.profile
        return EngineDescription(
            engine="aot",
            version=torch.__version__,
            device=device_name(self._device),
            precision=self._precision,
            profile=(profile.least, profile.best, profile.most),
            artifact=self._digest,
            details={"autotune": self._autotune, "cuda_graphs": self._graphs},
        )

    def close(self) -> None:
        """Free the graphs, the loaded package and torch's cached memory."""
        if self._sizes is None:
            return
        if self._device != "cpu":
            torch.cuda.synchronize(self._device)
        self._sizes.free()
        self._sizes = None
        if self._device != "cpu":
            torch.cuda.empty_cache()

    def _key(self, network: Network) -> ArtifactKey:
        profile = self._options.profile
        return ArtifactKey(
            engine="aot",
            version=f"{WRAPPING} {_versions()}",
            architecture=network.architecture,
            arguments=network.arguments,
            formulation=network.formulation,
            weights_sha256=network.weights_sha256,
            variant=network.variant,
            device=_kind(self._device),
            precision=self._precision,
            profile=(profile.least, profile.best, profile.most),
            flags={"autotune": self._autotune, "threads": self._options.threads if self._device == "cpu" else 0},
        )

    def _made_by(self) -> dict[str, Any]:
        """What must be equal for a package, which is native code, to be loaded."""
        return {"library": "torch", "version": _versions(), "target": _kind(self._device)}

    def _compile(self, network: Network) -> bytes:
        """Export and compile.

        Raises:
            EngineError: torch cannot.
        """
        profile = self._options.profile
        with (
            translated("aot engine: the network cannot be compiled"),
            tempfile.TemporaryDirectory(prefix="facejobs-aot-") as folder,
            exact_arithmetic(),
            thread_limit(self._options.threads),
            _quiet(),
        ):
            module = inductor.compiled_form(network, self._precision, self._device)
            sample = torch.zeros(profile.best, *network.input_shape, device=self._device)
            with torch.no_grad():
                exported = torch.export.export(module, (sample,), dynamic_shapes=_dynamic(profile))
                package = torch._inductor.aoti_compile_and_package(
                    exported,
                    package_path=str(Path(folder) / "network.pt2"),
                    inductor_configs=self._settings(),
                )
            return Path(package).read_bytes()

    def _settings(self) -> dict[str, Any]:
        """The compiler's settings; keys as in torch._inductor.config."""
        settings: dict[str, Any] = {"layout_optimization": True}
        if self._autotune:
            settings |= {"max_autotune": True, "coordinate_descent_tuning": True}
        return settings

    def _load(self, package: memoryview) -> Call:
        """A package as something to call. The loader unpacks it, so the file need not stay.

        Raises:
            EngineError: it cannot be loaded.
        """
        with translated("aot engine: the package cannot be loaded"), tempfile.NamedTemporaryFile(suffix=".pt2") as file:
            file.write(package)
            file.flush()
            # A single thread uses an engine; without the loader's own locking a call can be captured as a CUDA graph.
            loaded = torch._inductor.aoti_load_package(file.name, run_single_threaded=True, **_place(self._device))

        def call(batch: torch.Tensor) -> torch.Tensor:
            result: torch.Tensor = loaded(batch)
            return result

        return call


def _place(device: str) -> dict[str, int]:
    """The loader's argument for another GPU than the first, which torch 2.6 does not have yet."""
    index = torch.device(device).index
    return {"device_index": index} if index else {}


def _dynamic(profile: Profile) -> dict[str, Any] | None:
    """The batch as a symbol; None where there is but one size."""
    if profile.least == profile.most:
        return None
    return {"batch": {0: torch.export.Dim("batch", min=profile.least, max=profile.most)}}


def _versions() -> str:
    """Of everything that makes or runs the package."""
    parts = [f"torch {torch.__version__}"]
    if torch.version.cuda is not None:
        parts.append(f"cuda {torch.version.cuda}")
        parts.append(f"cudnn {torch.backends.cudnn.version()}")  # type: ignore[no-untyped-call]
    return " ".join(parts)


def _kind(device: str) -> str:
    """Kind of device that native code is made for."""
    if device == "cpu":
        return cpu_kind()
    return "sm_{}{}".format(*torch.cuda.get_device_capability(device))


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence what torch says of its own parts while it exports."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
