"""A network's other forms: as it is executed, and as its authors wrote it."""

from __future__ import annotations

import copy
import itertools
from typing import Any

import torch
from torch import nn

from operators.networks.layers.modulation import ModulatedConv2d
from operators.networks.load import described, recognised_of
from operators.networks.table import ARCHITECTURES

# Names the graph that `inference_form` makes. Raise the number whenever that graph changes: compiled artefacts are
# kept under it.
FORMULATION = "activation-scaled/2"


def inference_form(module: nn.Module, **variant: Any) -> nn.Module:
    """A frozen copy with every constant computed once; the trained module is not changed and shares no memory with it.

    It takes any float type and returns float32, and computes in the type of its weights: `.to(torch.bfloat16)` or
    `.half()` change the arithmetic of the convolutions, while styles, demodulation and pictures stay float32. Memory
    format is the caller's choice.

    Args:
        module: trainable, as `build` or `from_state_dict` make it.
        **variant: for both GFPGAN. `sft_strength`, 0 to 1: how strongly the U-Net's features change the generator's.
            `early_channels`, 0 or more: from so many channels on, bilinear doubling comes after the convolution, which
            gives the same with a quarter of the arithmetic; it changes speed only.

    Returns:
        A module in eval mode with the attributes `recognised` and `variant`.

    Raises:
        ValueError: the variant is none of this architecture, or out of range.
        UnknownArchitectureError: the module is none of ours.
    """
    recognised = recognised_of(module)
    architecture = ARCHITECTURES[recognised.architecture]
    unknown = set(variant) - set(architecture.variants)
    if unknown:
        known = ", ".join(architecture.variants) or "nothing"
        raise ValueError(f"{recognised.architecture} can vary {known}, not {', '.join(sorted(unknown))}")
    strength = variant.get("sft_strength", 1.0)
    if not 0.0 <= strength <= 1.0:
        raise ValueError(f"sft_strength is {strength}; it must be from 0 to 1")
    if variant.get("early_channels", 0) < 0:
        raise ValueError(f"early_channels is {variant['early_channels']}; it must be 0 or more")
    with torch.no_grad():
        frozen = architecture.freeze(module, **variant)
    frozen.requires_grad_(False)
    frozen.variant = dict(variant)  # type: ignore[assignment]  # torch's stubs know tensors and modules only
    return described(frozen.eval(), recognised)


def published_form(module: nn.Module) -> nn.Module:
    """The module with modulated convolutions written as their authors did: one group for each image of the batch.

    It is the reference to compare with, in result and in speed. It shares its parameters with `module`, which keeps
    its own form.

    Args:
        module: trainable, as `build` or `from_state_dict` make it.
    """
    shared = {id(tensor): tensor for tensor in itertools.chain(module.parameters(), module.buffers())}
    grouped = copy.deepcopy(module, shared)
    for part in grouped.modules():
        if isinstance(part, ModulatedConv2d):
            part.form = "grouped"
    return grouped
