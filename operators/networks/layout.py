"""State dicts as names with shapes: reading them, and saying how two differ."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from operators.networks.errors import UnknownArchitectureError

Layout = Mapping[str, tuple[int, ...]]

# How training code wraps what it saves; the moving average of the weights comes first.
_WRAPPERS = ("params_ema", "g_ema", "params", "state_dict")
# Of parallel training, and of MMEditing.
_PREFIXES = ("module.", "generator.")
# What stands beside `g_ema` in StyleGAN2's checkpoints and belongs to it: the mean of w.
_BESIDE = "latent_avg"
_SHOWN = 4


def unwrapped(state_dict: Mapping[str, Any]) -> Mapping[str, Any]:
    """The state dict itself, taken out of what training code puts around it.

    Args:
        state_dict: flat, or under `params_ema`, `g_ema`, `params` or `state_dict`; names may all begin with `module.`
            or `generator.`. A `latent_avg` beside `g_ema` stays with it.
    """
    for wrapper in _WRAPPERS:
        inner = state_dict.get(wrapper)
        if isinstance(inner, Mapping):
            beside = wrapper == "g_ema" and _BESIDE in state_dict
            state_dict = {**inner, _BESIDE: state_dict[_BESIDE]} if beside else inner
            break
    for prefix in _PREFIXES:
        if state_dict and all(isinstance(name, str) and name.startswith(prefix) for name in state_dict):
            state_dict = {name.removeprefix(prefix): value for name, value in state_dict.items()}
    return state_dict


def layout_of(state_dict: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Shapes by name.

    Args:
        state_dict: flat; values have a `shape` or are themselves a sequence of integers.

    Raises:
        UnknownArchitectureError: a name is no string, or a value has no shape.
    """
    found: dict[str, tuple[int, ...]] = {}
    for name, value in state_dict.items():
        shape = getattr(value, "shape", value)
        sound = isinstance(shape, Sequence) and not isinstance(shape, str | bytes)
        if not isinstance(name, str) or not sound or not all(isinstance(side, int) for side in shape):
            what = type(value).__name__
            raise UnknownArchitectureError(
                f"this is no state dict: {name!r} is a {what}, and a tensor under a name was expected. "
                f"Weights are looked for at the top and under {', '.join(_WRAPPERS)}"
            )
        found[name] = tuple(shape)
    return found


def shape_at(layout: Layout, name: str, dimensions: int) -> tuple[int, ...]:
    """The shape of one tensor.

    Raises:
        LookupError: it is missing, or has another number of dimensions.
    """
    shape = layout.get(name)
    if shape is None:
        raise LookupError(f"it has no {name}")
    if len(shape) != dimensions:
        raise LookupError(f"{name} has the shape {shape}, and {dimensions} dimensions were expected")
    return shape


def counted(layout: Layout, prefix: str, first: int = 0, step: int = 1) -> int:
    """How many numbers follow a prefix without a gap.

    Counting goes by the names that are there, so a name with a huge number costs nothing.

    Args:
        layout: names.
        prefix: as `generator.convs.`; a number and the end or a dot follow.
        first: the lowest number.
        step: between numbers.
    """
    pattern = re.compile(re.escape(prefix) + r"(\d{1,9})(?:\.|$)")
    numbers = {int(match[1]) for match in map(pattern.match, layout) if match}
    count = 0
    while first + count * step in numbers:
        count += 1
    return count


def difference(found: Layout, expected: Layout) -> str | None:
    """What disagrees, in a sentence; None when nothing does.

    Args:
        found: in the file.
        expected: by the architecture.
    """
    missing = [name for name in expected if name not in found]
    unexpected = [name for name in found if name not in expected]
    changed = [
        f"{name} is {found[name]} and should be {shape}"
        for name, shape in expected.items()
        if name in found and found[name] != shape
    ]
    parts = [("missing", missing), ("unexpected", unexpected), ("of another shape", changed)]
    return "; ".join(f"{what}: {shortened(names)}" for what, names in parts if names) or None


def shortened(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    shown = ", ".join(name if len(name) <= 120 else f"{name[:117]}..." for name in names[:_SHOWN])
    more = len(names) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
