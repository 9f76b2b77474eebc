"""What is asked of an engine and what it says of itself; free of torch, so that job files can be read without it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, Protocol

Precision = Literal["fp32", "bf16", "fp16"]
EngineName = Literal["eager", "openvino", "onnxruntime", "compile", "aot", "tensorrt", "tensorrt_rtx"]


@dataclass(frozen=True)
class Profile:
    """Batch sizes an engine is built for: any from `least` to `most`, fastest at `best`."""

    least: int = 1
    best: int = 8
    most: int = 16


@dataclass(frozen=True)
class EngineOptions:
    """What a job asks of the engine.

    Attributes:
        engine: a name, or `auto`: the fastest that this machine has.
        precision: arithmetic, or `auto`: bf16 where the hardware has it, else fp32. fp16 only when asked for.
        device: `cpu`, `cuda`, `cuda:N`, or `auto`: cuda where there is one.
        strict: fail rather than fall back to another engine or precision than was asked for.
        profile: batch sizes.
        threads: CPU threads of one engine; 0 leaves it to the process's own limit.
    """

    engine: EngineName | Literal["auto"] = "auto"
    precision: Precision | Literal["auto"] = "auto"
    device: str = "auto"
    strict: bool = False
    profile: Profile = Profile()
    threads: int = 0


@dataclass(frozen=True)
class EngineDescription:
    """What an engine is, for records and for the run's report; all JSON values.

    Attributes:
        engine: its name.
        version: of the library that executes.
        device: `cpu` or the GPU's name with its compute capability.
        precision: arithmetic of the convolutions.
        profile: batch sizes as (least, best, most).
        artifact: digest of the compiled artefact's key, None when nothing is compiled ahead.
        details: flags and the like.
    """

    engine: EngineName
    version: str
    device: str
    precision: Precision
    profile: tuple[int, int, int]
    artifact: str | None = None
    details: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class ArtifactKey:
    """Everything that could change a compiled artefact. Its digest is the artefact's name.

    Attributes:
        engine: backend.
        version: of the backend and of what exports to it.
        architecture: of the network, with `arguments`, `formulation`, `weights_sha256` and `variant` as in `Network`.
        device: kind of device it runs on, such as `cpu:avx512_bf16` or `sm_90`.
        precision: arithmetic.
        profile: (least, best, most).
        flags: of the backend.
    """

    engine: EngineName
    version: str
    architecture: str
    arguments: Mapping[str, Any]
    formulation: str
    weights_sha256: str
    variant: Mapping[str, Any]
    device: str
    precision: Precision
    profile: tuple[int, int, int]
    flags: Mapping[str, Any]


class ArtifactStore(Protocol):
    """Where compiled artefacts are kept; picklable. Failures to read or write are never fatal to the caller."""

    def load(self, digest: str) -> bytes | None:
        """An artefact whole and unaltered (its stored SHA-256 is checked), or None."""
        ...

    def save(self, digest: str, data: bytes, about: Mapping[str, Any]) -> None:
        """Keep an artefact, atomically, with a readable description beside it."""
        ...

    def discard(self, digest: str) -> None:
        """Forget an artefact that could not be loaded."""
        ...
