"""From a state dict to a module."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from operators.networks.errors import UnknownArchitectureError
from operators.networks.layout import unwrapped
from operators.networks.recognition import COUNTER, Recognised, build, recognise


def from_state_dict(state_dict: Mapping[str, Any], **hidden: Any) -> nn.Module:
    """Recognise the architecture, build it, and load every tensor strictly.

    Weights are copied as float32, so the module shares no memory with the caller's tensors, and both can be changed
    without the other noticing. Tensors on a GPU are brought to the CPU; those on the meta device stay there.

    Args:
        state_dict: flat or under `params_ema`, `g_ema` or `params`; tensors of any float type.
        **hidden: as in `recognise`.

    Returns:
        The trainable module in eval mode and without gradients; its attribute `recognised` says what it is. For all
        but PGGAN it maps (N, *input_shape) float32, RGB in [-1, 1], to (N, *output_shape) float32; networks for whole
        pictures have values of their own (`operators.whole.networks`).

    Raises:
        UnknownArchitectureError: the tensors fit no architecture, or are not float.
    """
    flat = unwrapped(state_dict)
    recognised = recognise(flat, **hidden)
    with torch.device("meta"):
        module = build(recognised.architecture, recognised.arguments)
    expected = module.state_dict()
    tensors = {name: _as_stored(name, flat[name], like) for name, like in expected.items() if name in flat}
    on = "meta" if any(tensor.is_meta for tensor in tensors.values()) else "cpu"
    # `recognise` has found everything but, in files of an old torch, the counters.
    tensors |= {
        name: torch.zeros_like(like, device=on)
        for name, like in expected.items()
        if name.endswith(COUNTER) and name not in flat
    }
    module.load_state_dict(tensors, strict=True, assign=True)
    module.requires_grad_(False)
    return described(module.eval(), recognised)


def described(module: nn.Module, recognised: Recognised) -> nn.Module:
    """The module with the attribute `recognised`."""
    module.recognised = recognised  # type: ignore[assignment]  # torch's stubs know tensors and modules only
    return module


def recognised_of(module: nn.Module) -> Recognised:
    """What a module is: from its attribute, or from its own state dict.

    Raises:
        UnknownArchitectureError: it is none of ours.
    """
    found: object = getattr(module, "recognised", None)
    return found if isinstance(found, Recognised) else recognise(module.state_dict())


def _as_stored(name: str, value: object, like: Tensor) -> Tensor:
    tensor = torch.as_tensor(value)
    if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_complex():
        raise UnknownArchitectureError(f"{name} is {tensor.layout}, {tensor.dtype}; dense float numbers were expected")
    if like.is_floating_point() and not tensor.is_floating_point():
        raise UnknownArchitectureError(f"{name} holds {tensor.dtype}; float numbers were expected")
    device = "meta" if tensor.is_meta else "cpu"
    return tensor.detach().to(device, like.dtype, copy=True).contiguous()
