"""From arrays of a batch to what networks take."""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from operators.training.contract import Arrays, Hardware


def tensors(batch: Arrays, hardware: Hardware) -> dict[str, Tensor]:
    """A batch on the device, as `operators.training.contract.Tensors` says; it shares no memory with the arrays.

    Args:
        batch: pictures (N, H, W, 3) uint8, masks (N, H, W) uint8 of 0 and 1, vectors (N, D) float32.
        hardware: where it goes, and how pictures lie there.
    """
    return {name: _tensor(array, hardware) for name, array in batch.items()}


def _tensor(array: NDArray[Any], hardware: Hardware) -> Tensor:
    held = torch.from_numpy(array).to(hardware.device, copy=True)  # bytes travel, and become floats there
    match held.dim():
        case 4:
            layout = torch.channels_last if hardware.channels_last else torch.contiguous_format
            return held.permute(0, 3, 1, 2).float().div_(127.5).sub_(1.0).contiguous(memory_format=layout)
        case 3:
            return held[:, None].float()
    return held
