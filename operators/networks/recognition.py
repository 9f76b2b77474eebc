"""Telling an architecture and its arguments from a state dict's names and shapes."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from operators.networks.errors import UnknownArchitectureError
from operators.networks.foreign import foreign_family
from operators.networks.layout import Layout, difference, layout_of, shortened, unwrapped
from operators.networks.table import ARCHITECTURES, Architecture

# Far above any published network, and far below what a machine cannot hold.
_MOST_NUMBERS = 1_000_000_000

_NUMBER = re.compile(r"\d+")

COUNTER = ".num_batches_tracked"
"""A count that batch normalisation keeps and does not use; files of torch before 0.4.1 have none, and load too."""


@dataclass(frozen=True)
class Recognised:
    """What a state dict is.

    Attributes:
        architecture: its name, such as `gpen`.
        arguments: with which `build` makes the module; JSON values.
        input_shape: without the batch, such as (3, 512, 512).
        output_shape: without the batch.
        sizeless: it takes pictures of any size; the shapes are one example.
    """

    architecture: str
    arguments: dict[str, Any]
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    sizeless: bool = False


def build(architecture: str, arguments: Mapping[str, Any]) -> nn.Module:
    """A new trainable module with the published parameter names.

    Args:
        architecture: its name.
        arguments: of its constructor, as `Recognised` gives them.

    Raises:
        ValueError: no architecture has the name, or the arguments are impossible.
    """
    if architecture not in ARCHITECTURES:
        raise ValueError(f"no architecture is called {architecture!r}; there are {', '.join(ARCHITECTURES)}")
    return ARCHITECTURES[architecture].build(**arguments)


def recognise(state_dict: Mapping[str, Any], **hidden: Any) -> Recognised:
    """Tell the architecture and its arguments.

    Nothing but names and shapes is looked at, and the single value `lod` of a PGGAN. No tensor is allocated.

    Args:
        state_dict: flat or wrapped; values have a `shape`, or are shapes.
        **hidden: arguments that shapes do not tell, in place of those of the released checkpoints: `input_is_latent`
            (both GFPGAN), `resampling` and `lr_mlp` (GFPGAN v1), `lr_mlp` (GPEN), `in_size`, `out_size` and
            `min_feat_size` (ParseNet), `lod` (PGGAN), `up_factor` (RRDBNet), `use_dropout` (pix2pix).

    Raises:
        UnknownArchitectureError: it fits none; the message names what it looks like and what disagrees.
        TypeError: the architecture has no such hidden argument.
    """
    flat = unwrapped(state_dict)
    layout = layout_of(flat)
    if not layout:
        raise UnknownArchitectureError("the state dict is empty")
    wrong: dict[str, str] = {}
    for name, architecture in ARCHITECTURES.items():
        arguments, problem = _examined(architecture, flat, layout)
        if problem is None:
            return _recognised(name, architecture, arguments, hidden)
        wrong[name] = problem
    raise UnknownArchitectureError(_refusal(layout, wrong))


def _examined(architecture: Architecture, flat: Mapping[str, Any], layout: Layout) -> tuple[dict[str, Any], str | None]:
    """The arguments as this architecture would have them, and what speaks against it."""
    try:
        arguments = _arguments(architecture, flat, layout)
        module = _hollow(architecture, arguments)
        expected = layout_of(module.state_dict())
        dropped = _dropped(architecture, layout, module)
        kept = {name: shape for name, shape in layout.items() if name not in dropped}
        counters = {name: () for name in expected if name.endswith(COUNTER) and name not in kept}
        differing = difference({**kept, **counters}, expected)
    # Shapes made up to harm end in any of these when a module is built from them.
    except (LookupError, ValueError, RuntimeError, TypeError, OverflowError) as error:
        return {}, str(error).splitlines()[0]
    if differing is not None:
        return arguments, f"as one with {_in_words(arguments)} it is not whole: {differing}"
    return arguments, None


def _refusal(layout: Layout, wrong: Mapping[str, str]) -> str:
    """What the tensors look like, and what is wrong with them as that.

    Args:
        layout: names.
        wrong: by architecture.
    """
    family = foreign_family(layout)
    if family is not None:
        return f"this looks like {family}, which is not among {', '.join(ARCHITECTURES)}"
    likeness = {name: _likeness(architecture, layout) for name, architecture in ARCHITECTURES.items()}
    best = max(likeness, key=lambda name: likeness[name])
    if likeness[best] < 0.5:
        return f"none of {', '.join(ARCHITECTURES)} has tensors such as {shortened(list(layout))}"
    return f"this looks like {best}, but {wrong[best]}"


def _arguments(architecture: Architecture, flat: Mapping[str, Any], layout: Layout) -> dict[str, Any]:
    numbers = sum(math.prod(shape) for shape in layout.values())
    if numbers > _MOST_NUMBERS:
        raise ValueError(f"it claims {numbers} numbers, more than {_MOST_NUMBERS}")
    arguments = architecture.arguments(layout)
    lod = flat.get("lod")
    if "lod" in architecture.hidden and isinstance(lod, torch.Tensor) and not lod.is_meta:
        arguments["lod"] = float(lod)
    if not math.isfinite(arguments.get("lod", 0.0)):
        raise ValueError(f"lod is {arguments['lod']}")
    return arguments


def _hollow(architecture: Architecture, arguments: Mapping[str, Any]) -> nn.Module:
    with torch.device("meta"):
        return architecture.build(**arguments)


def _dropped(architecture: Architecture, layout: Layout, module: nn.Module) -> frozenset[str]:
    """Names that the authors' loader leaves out: of instance normalisation that the module has, and of nothing else."""
    if architecture.dropped is None:
        return frozenset()
    layers = {name for name, part in module.named_modules() if isinstance(part, nn.InstanceNorm2d)}
    return frozenset(name for name in architecture.dropped(layout) if name.rpartition(".")[0] in layers)


def _recognised(
    name: str, architecture: Architecture, arguments: dict[str, Any], hidden: Mapping[str, Any]
) -> Recognised:
    unknown = set(hidden) - set(architecture.hidden)
    if unknown:
        raise TypeError(f"{name} has no hidden argument {', '.join(sorted(unknown))}")
    arguments.update(hidden)
    entering, leaving = architecture.shapes(arguments)
    return Recognised(name, arguments, entering, leaving, architecture.sizeless)


def _likeness(architecture: Architecture, layout: Layout) -> float:
    """Share of the names that the architecture has too, whatever numbers they contain."""
    known = {_NUMBER.sub("#", name) for name in layout_of(_hollow(architecture, architecture.example).state_dict())}
    return sum(_NUMBER.sub("#", name) in known for name in layout) / len(layout)


def _in_words(arguments: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in arguments.items())
