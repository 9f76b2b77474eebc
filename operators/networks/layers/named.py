"""Layers under the dotted names of a published layout, for networks that were published under several sets of names."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn


def place(root: nn.Module, name: str, part: nn.Module) -> None:
    """Put a part under a dotted name; empty modules are made for what is missing between.

    Args:
        root: the network.
        name: such as `body.0.rdb1.conv1`.
        part: to be placed there.
    """
    *path, last = name.split(".")
    for step in path:
        if not isinstance(getattr(root, step, None), nn.Module):
            root.add_module(step, nn.Module())
        root = root.get_submodule(step)
    root.add_module(last, part)


def applied(root: nn.Module, names: Sequence[str], x: Tensor) -> Tensor:
    """Run the parts under these names one after the other."""
    for name in names:
        x = root.get_submodule(name)(x)
    return x
