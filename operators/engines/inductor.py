"""What `compile` and `aot` share: the module they compile, and what they compile it with."""

from __future__ import annotations

import copy
import shutil
from importlib.util import find_spec

import torch
from torch import nn

from operators.engines.contract import Network
from operators.engines.eager import DTYPES
from operators.engines.eager import available as torch_available
from operators.engines.options import Precision


class Cast(nn.Module):
    """A network of one precision between float32 in and float32 out, its activations in channels-last layout.

    Tensor cores read channels last; the layout is set once at the entrance, and every operator behind keeps it.
    """

    def __init__(self, module: nn.Module, dtype: torch.dtype) -> None:
        """Wrap a module whose weights have that type already.

        Args:
            module: the network.
            dtype: of its weights.
        """
        super().__init__()
        self.module = module
        self.dtype = dtype

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """Run the network.

        Args:
            batch: (N, ...) float32.

        Returns:
            (N, ...) float32.
        """
        given = batch.to(self.dtype)
        if given.dim() == 4:
            given = given.contiguous(memory_format=torch.channels_last)
        result: torch.Tensor = self.module(given)
        return result.to(torch.float32).contiguous()


def compiled_form(network: Network, precision: Precision, device: str) -> Cast:
    """A copy of the network's module as it is to be compiled.

    Args:
        network: what to run; its module stays as it is.
        precision: of weights and activations.
        device: `cpu`, `cuda` or `cuda:N`.

    Returns:
        The copy, on the device, in eval mode, without gradients.
    """
    module = copy.deepcopy(network.module).eval().requires_grad_(False)
    module.to(device=device, dtype=DTYPES[precision])
    module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # its stub has no keyword form
    return Cast(module, DTYPES[precision])


def available(device: str) -> str | None:
    """Whether torch's compiler can make code for a device here.

    Args:
        device: `cpu`, `cuda` or `cuda:N`.

    Returns:
        None when it can, else the reason why not.
    """
    reason = torch_available(device)
    if reason is not None:
        return reason
    if shutil.which("g++") is None and shutil.which("clang++") is None:
        return "torch's compiler needs a C++ compiler, and neither g++ nor clang++ is on the path"
    if device != "cpu" and find_spec("triton") is None:
        return "torch's compiler needs triton for CUDA, and it is not installed"
    return None
