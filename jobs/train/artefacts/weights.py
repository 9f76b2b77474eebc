"""Weights as a safetensors file: the same weights give the same bytes, and nothing is lost on the way unsaid."""

from __future__ import annotations

import json
from collections.abc import Mapping

import torch
from safetensors.torch import save
from torch import Tensor, nn

_LENGTH = 8
"""Bytes before the header, with its length (https://huggingface.co/docs/safetensors)."""


def weights_of(module: nn.Module, half: bool) -> dict[str, Tensor]:
    """A network's weights as they are kept.

    Args:
        module: on any device.
        half: float16 in place of float32, but for tensors with values beyond its range.

    Returns:
        By name; CPU tensors of their own memory.

    Raises:
        ValueError: weights are NaN or infinite.
    """
    kept: dict[str, Tensor] = {}
    for name, tensor in module.state_dict().items():
        own = tensor.detach().to("cpu", copy=True).contiguous()
        if own.is_floating_point():
            if not bool(torch.isfinite(own).all()):
                raise ValueError(
                    f"the weights {name} hold values that are NaN or infinite, so this network is not worth keeping; "
                    "export an earlier checkpoint"
                )
            own = _rounded(own) if half else own.float()
        kept[name] = own
    return kept


def file_of(weights: Mapping[str, Tensor], metadata: Mapping[str, str]) -> bytes:
    """A safetensors file.

    The library writes metadata in another order each time, so the header is written again, in order.

    Args:
        weights: by name.
        metadata: words by name.
    """
    plain: bytes = save(dict(weights))
    end = _LENGTH + int.from_bytes(plain[:_LENGTH], "little")
    header = {"__metadata__": dict(sorted(metadata.items())), **json.loads(plain[_LENGTH:end])}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _LENGTH)
    return len(text).to_bytes(_LENGTH, "little") + text + plain[end:]


def _rounded(tensor: Tensor) -> Tensor:
    half = tensor.to(torch.float16)
    return half if bool(torch.isfinite(half).all()) else tensor.float()
