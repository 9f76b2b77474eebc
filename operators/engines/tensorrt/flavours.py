"""The two TensorRT libraries: one API, two ways of compiling.

`tensorrt` times kernels on the GPU it compiles for: a plan belongs to that kind of GPU, and none is built without one.
`tensorrt_rtx` compiles in two steps: a portable plan that any machine can make, and kernels that are compiled when the
plan is loaded onto a GPU, and can be kept too. (TensorRT-RTX documentation, "CPU-Only AOT and TensorRT-RTX Engines".)
"""

from __future__ import annotations

import importlib
import importlib.util
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Literal

from operators.engines.errors import EngineUnavailableError

FlavourName = Literal["tensorrt", "tensorrt_rtx"]

PORTABLE = "sm_80+"
"""Target of a TensorRT-RTX plan that names no compute capability: Ampere and every later GPU the library knows."""


@dataclass(frozen=True)
class Flavour:
    """What differs between the libraries.

    Attributes:
        name: of the engine.
        modules: import names, the first that is installed is taken; the wheels of the bindings alone have another name.
        extra: of facejobs' own package, for messages.
        minimum: oldest version that is supported, as (major, minor).
        builds_without_gpu: a plan is made by the CPU and compiled to kernels when it is loaded.
    """

    name: FlavourName
    modules: tuple[str, ...]
    extra: str
    minimum: tuple[int, int]
    builds_without_gpu: bool


FLAVOURS: Mapping[FlavourName, Flavour] = MappingProxyType(
    {
        "tensorrt": Flavour("tensorrt", ("tensorrt", "tensorrt_bindings"), "tensorrt", (10, 12), False),
        "tensorrt_rtx": Flavour(
            "tensorrt_rtx", ("tensorrt_rtx", "tensorrt_rtx_bindings"), "tensorrt-rtx", (1, 4), True
        ),
    }
)


def library(flavour: Flavour) -> Any:
    """The library's module, imported now.

    Args:
        flavour: which library.

    Returns:
        The module.

    Raises:
        EngineUnavailableError: it is not installed, does not load, or is too old; the message says what to do.
    """
    module, reason = _import(flavour)
    if reason is not None:
        raise EngineUnavailableError(reason)
    return module


def missing(flavour: Flavour) -> str | None:
    """Why the library cannot be used, or None; imports it."""
    return _import(flavour)[1]


def version(flavour: Flavour) -> str:
    """The library's version, such as `10.13.3.9`.

    Raises:
        EngineUnavailableError: it is not installed, does not load, or is too old.
    """
    return str(library(flavour).__version__)


def target(flavour: Flavour, capability: tuple[int, int] | None) -> str:
    """The kind of GPU a plan is built for, as it stands in an artefact's key.

    Args:
        flavour: which library.
        capability: compute capability of the GPU, None where there is none.

    Returns:
        `sm_NN`, or for TensorRT-RTX on Ampere and later `sm_80+`, so that one plan serves every such GPU.

    Raises:
        EngineUnavailableError: the library builds on a GPU only, and there is none.
    """
    if flavour.builds_without_gpu and (capability is None or capability >= (8, 0)):
        return PORTABLE
    if capability is None:
        raise EngineUnavailableError(f"{flavour.name} compiles on the GPU it compiles for; this machine has none")
    return "sm_{}{}".format(*capability)


def unsupported(flavour: Flavour, capability: tuple[int, int]) -> str | None:
    """Why the library has no kernels for a GPU, or None; imports the library.

    TensorRT-RTX lists the compute capabilities it knows; those of data-centre GPUs such as 9.0 are not among them.
    TensorRT lists none, and says so itself when it compiles.
    """
    if not flavour.builds_without_gpu:
        return None
    known = {name for name in library(flavour).ComputeCapability.__members__ if name.startswith("SM")}
    if "SM{}{}".format(*capability) in known:
        return None
    # A GPU newer than all that are known is covered by the portable plan.
    if capability > max(_capability(name) for name in known):
        return None
    listed = ", ".join("{}.{}".format(*_capability(name)) for name in sorted(known, key=_capability))
    return f"{flavour.name} knows the compute capabilities {listed}; this GPU has {capability[0]}.{capability[1]}"


def _capability(name: str) -> tuple[int, int]:
    return int(name[2:-1]), int(name[-1])


@cache
def _import(flavour: Flavour) -> tuple[Any, str | None]:
    """The module and None, or None and why not."""
    name = next((name for name in flavour.modules if importlib.util.find_spec(name) is not None), None)
    if name is None:
        return None, f"{flavour.name} is not installed: pip install 'facejobs[{flavour.extra}]'"
    try:
        module = importlib.import_module(name)
    except (ImportError, OSError) as error:
        return None, f"{flavour.name} is installed and does not load: {error}"
    return _checked(flavour, module)


def _checked(flavour: Flavour, module: Any) -> tuple[Any, str | None]:
    found = str(module.__version__)
    numbers = re.match(r"(\d+)\.(\d+)", found)
    if numbers is None or (int(numbers[1]), int(numbers[2])) < flavour.minimum:
        oldest = "{}.{}".format(*flavour.minimum)
        return (
            None,
            f"{flavour.name} {found} is too old, {oldest} is needed: pip install -U 'facejobs[{flavour.extra}]'",
        )
    return module, None
