"""What a training is made of: samples by number, and a schedule that knows its networks and one step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor, nn

    from operators.training.draws import Draws

Arrays = Mapping[str, NDArray[Any]]
"""A batch by name, samples first: pictures (N, H, W, 3) uint8 RGB, masks (N, H, W) uint8 of 0 and 1, vectors (N, D)
float32. Names: `degraded` and `truth`; `mask`, 1 where the picture is made anew; `attributes`; `first` and `second` of
two domains."""

Tensors: TypeAlias = "Mapping[str, Tensor]"
"""The same for networks: pictures (N, 3, H, W) float32 in [-1, 1], masks (N, 1, H, W) float32, vectors as they were."""


class Samples(Protocol):
    """Training samples by number; the same number always gives the same sample. Picklable, and without any state."""

    @property
    def count(self) -> int:
        """Of the good pictures that samples are made of."""

    def batch(self, numbers: Sequence[int]) -> dict[str, NDArray[Any]]:
        """The samples with these numbers, any of 0 and on; an array's shape but for N never depends on them."""


@dataclass(frozen=True)
class At:
    """Where a training is.

    Attributes:
        step: number of this step, 0 and on, over all phases.
        steps: of the whole training.
        draws: whatever is drawn in this step.
        samples: of this step over all workers, which counts what networks have seen.
    """

    step: int
    steps: int
    draws: Draws
    samples: int


class Schedule(Protocol):
    """A model in training. What its state and the step's number do not tell, the step does not depend on."""

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """All that is trained or kept, by name, running means included; they make up a checkpoint."""

    @property
    def names(self) -> frozenset[str]:
        """Of the arrays that a step takes."""

    @property
    def watched(self) -> str:
        """Name of the term by which divergence is noticed, a distance from the truth; empty for none."""

    def phase(self, step: int) -> str:
        """What is trained in a step, in a word; the watched term is compared with rows of the same phase alone."""

    def step(self, at: At, batch: Tensors) -> dict[str, Tensor]:
        """Improve all networks once; every term by name, unweighted, scalars without a gradient, on the device."""

    def state(self) -> dict[str, Any]:
        """All besides `networks`: optimisers, counters, buffers; nested dicts and lists of tensors, numbers, words."""

    def resume(self, state: Mapping[str, Any]) -> None:
        """Go on from a state, `networks` being filled already."""

    def slower(self, factor: float) -> None:
        """Multiply all learning rates from now on, after a rollback; part of the state."""

    def shown(self, batch: Tensors) -> dict[str, Tensor]:
        """Pictures of a fixed batch for people: what was given, what is made, the truth; (N, 3, H, W) in [-1, 1] each.

        The key `made` is what is measured against `truth`.
        """

    def exports(self) -> Mapping[str, nn.Module]:
        """What is kept at the end, by name (`generator`, ...): networks that `from_state_dict` knows, running means."""


@dataclass(frozen=True)
class Hardware:
    """What a schedule runs on.

    Attributes:
        device: as torch names it.
        precision: `fp32`, or `bf16` for convolutions under autocast, weights staying float32.
        channels_last: pictures and weights of convolutions.
        compiled: networks through torch.compile.
        rank: of this worker.
        world: how many there are.
    """

    device: str = "cpu"
    precision: str = "fp32"
    channels_last: bool = False
    compiled: bool = False
    rank: int = 0
    world: int = 1


def share_of(numbers: Sequence[int], rank: int, world: int) -> list[int]:
    """A worker's samples of a batch: every `world`-th, so that StyleGAN2's groups of four stay as they are."""
    return list(numbers[rank::world])


def picture_array(picture: Tensor) -> NDArray[np.uint8]:
    """(3, H, W) in [-1, 1], clipped, as (H, W, 3) uint8."""
    array = picture.detach().float().clamp(-1, 1).add(1).mul(127.5).round().permute(1, 2, 0).cpu().numpy()
    return np.asarray(array, np.uint8)
