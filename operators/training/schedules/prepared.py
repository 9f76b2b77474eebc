"""Networks made ready for a training: drawn from its seed, begun from files, placed, cast, averaged, cut into parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from operators.training.average import Average
from operators.training.contract import Hardware, Tensors

Module = TypeVar("Module", bound=nn.Module)


def drawn(seed: int, make: Callable[[], Module]) -> Module:
    """A module with weights drawn from a seed; torch's own generator is as before afterwards.

    Args:
        seed: any number from 0.
        make: draws from torch's generator of the CPU.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make()


def begun(module: nn.Module, name: str, start: Mapping[str, Any]) -> None:
    """Fill a module with the weights that it begins as.

    Args:
        module: to be filled.
        name: of the network, for messages.
        start: all of its tensors.

    Raises:
        ValueError: a tensor is missing, is too many, or has another shape; names the first.
    """
    expected = module.state_dict()
    for key in sorted(expected.keys() | start.keys()):
        if key not in start:
            raise ValueError(f"start: {name}: lacks {key}; expected a network with the settings of `model`")
        if key not in expected:
            raise ValueError(f"start: {name}: {key} is too many; expected a network with the settings of `model`")
        found, wanted = tuple(start[key].shape), tuple(expected[key].shape)
        if found != wanted:
            raise ValueError(f"start: {name}: {key} has the shape {found}, and {wanted} follows from `model`")
    module.load_state_dict(dict(start))


def check_names(starts: Mapping[str, Any], known: tuple[str, ...]) -> None:
    """Refuse starts for networks that there are not.

    Raises:
        ValueError: names the first, and those that there are.
    """
    for name in starts:
        if name not in known:
            raise ValueError(f"start: {name}: no such network; expected one of {', '.join(known)}")


def placed(module: Module, hardware: Hardware) -> Module:
    """The module on its device, in the memory format that the hardware asks for."""
    module.to(hardware.device)
    if hardware.channels_last:
        # Of convolutions only: the weights of modulated ones have five dimensions.
        for weight in module.parameters():
            if weight.dim() == 4:
                weight.data = weight.data.contiguous(memory_format=torch.channels_last)
    return module


def laid(pictures: Tensor, hardware: Hardware) -> Tensor:
    """(N, C, H, W) in the memory format that the hardware asks for."""
    return pictures.contiguous(memory_format=torch.channels_last) if hardware.channels_last else pictures


def cast(hardware: Hardware) -> torch.autocast:
    """Arithmetic of convolutions; to be entered around each call of a network."""
    kind = torch.device(hardware.device).type
    return torch.autocast(kind, torch.bfloat16, enabled=hardware.precision == "bf16")


def parts(batch: Tensors, count: int) -> list[dict[str, Tensor]]:
    """A worker's samples in parts, in order.

    Args:
        batch: arrays of N samples.
        count: of the parts; N where there are fewer samples.
    """
    cut = {name: one.chunk(min(count, len(one))) for name, one in batch.items()}
    return [dict(zip(cut, together, strict=True)) for together in zip(*cut.values(), strict=True)]


def backward(terms: Tensors, weights: Mapping[str, float], share: float) -> None:
    """One backward pass of a part of a step.

    Args:
        terms: scalars with gradients, by name.
        weights: of these terms.
        share: of the step's samples that the part has.
    """
    loss = torch.stack([weights[name] * term for name, term in terms.items()]).sum() * share
    torch.autograd.backward(loss)


class Totals:
    """Terms of a step, averaged over its parts."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}

    def add(self, terms: Tensors, share: float) -> None:
        """Take the terms of a part in, which has this share of the samples."""
        for name, term in terms.items():
            value = term.detach() * share
            self._sums[name] = self._sums[name] + value if name in self._sums else value

    @property
    def terms(self) -> dict[str, Tensor]:
        """By name, without gradients."""
        return dict(self._sums)


class RunningMean(Average):
    """The running mean of a network's weights, with the state that a resumption needs.

    Args:
        module: that is trained.
        samples: half-life.
        batch: samples of a step over all workers.
    """

    def __init__(self, module: nn.Module, samples: float, batch: int) -> None:
        super().__init__(module, samples / batch)

    def state(self) -> int:
        """How many steps were taken in."""
        return self._steps

    def resume(self, steps: int) -> None:
        """Go on after so many steps."""
        self._steps = int(steps)
