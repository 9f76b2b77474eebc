"""What the schedules of face restorers share: parts of a batch, gradients for one player, a discriminator's side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ParamSpec, Protocol, TypeVar

import torch
from torch import Tensor, nn

from operators.training.contract import Hardware, Tensors
from operators.training.player import Player
from operators.training.schedules.contract import Common
from operators.training.schedules.prepared import RunningMean, cast, laid
from operators.training.terms.adversarial import gradient_penalty, logistic_discriminator

Module = TypeVar("Module", bound=nn.Module)
Given = ParamSpec("Given")
Result = TypeVar("Result")

_VARIANTS = 32
"""Of one function that are compiled before torch gives up; it allows 8."""


def placed(module: Module, hardware: Hardware) -> Module:
    """The module on its device, weights of convolutions as the hardware wants them in memory.

    Modulated convolutions keep theirs as (1, O, I, k, k); what is laid out is (O, I, k, k).
    """
    module.to(hardware.device)
    if hardware.channels_last:
        for weight in module.parameters():
            if weight.dim() == 4:
                weight.data = weight.data.contiguous(memory_format=torch.channels_last)
            elif weight.dim() == 5 and len(weight) == 1:
                weight.data = weight.data[0].contiguous(memory_format=torch.channels_last)[None]
    return module


def fast(function: Callable[Given, Result], hardware: Hardware) -> Callable[Given, Result]:
    """The function through `torch.compile` where the hardware is to; gradients of its gradients it then has none."""
    if not hardware.compiled:
        return function
    from torch._dynamo import config  # noqa: PLC0415 - for who compiles only

    # The discriminators of components share one code, which is compiled for each, with and without gradients.
    config.recompile_limit = max(config.recompile_limit, _VARIANTS)
    return torch.compile(function)


def parted(batch: Tensors, count: int, hardware: Hardware) -> list[dict[str, Tensor]]:
    """A worker's samples in parts, every `count`-th in each, as workers have every `world`-th of a batch.

    So the discriminator's groups of four stay the same however many parts there are, if each has a multiple of four.

    Args:
        batch: by name, N samples each.
        count: of parts.
        hardware: pictures come as it wants them in memory.

    Raises:
        ValueError: N is no multiple of it.
    """
    (samples,) = {len(one) for one in batch.values()}
    if samples % count:
        raise ValueError(
            f"schedule.accumulate is {count}, and a worker has {samples} samples of a step: expected a multiple of "
            f"{count}; change schedule.batch or schedule.accumulate"
        )
    return [
        {name: laid(one[part::count], hardware) if one.dim() == 4 else one[part::count] for name, one in batch.items()}
        for part in range(count)
    ]


def toward(player: Player, loss: Tensor) -> None:
    """Add a loss's gradient to a player's, and to nobody else's."""
    torch.autograd.backward(loss, inputs=[one for one in player.parameters if one.requires_grad])


def weighted(terms: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    """The sum of all terms, each times its weight."""
    return torch.stack([weights[name] * term for name, term in terms.items()]).sum()


def lazy(rate: float, momentum: float, every: int) -> tuple[float, tuple[float, float]]:
    """Adam's rate and betas where every so many steps a penalty makes one more.

    Karras et al., "Analyzing and Improving the Image Quality of StyleGAN" (2020), appendix B: with c = k / (k + 1) the
    rate is multiplied by c, and betas are raised to its power.

    Args:
        rate: without penalties.
        momentum: the first beta; the second is 0.99.
        every: k, steps between two penalties; 0 for none.
    """
    share = every / (every + 1) if every else 1.0
    return rate * share, (momentum**share, 0.99**share)


class Judging(Protocol):
    """A discriminator that tells what it has seen."""

    def judged(self, pictures: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Logits, and features by layer."""


class Judge:
    """A discriminator of the logistic game with its player.

    Args:
        module: with a method `judged`.
        player: that improves it.
        hardware: what it runs on.
    """

    def __init__(self, module: nn.Module, player: Player, hardware: Hardware) -> None:
        self.module = module
        self.player = player
        self._hardware = hardware
        judging: Judging = module  # type: ignore[assignment]  # nn.Module answers for any attribute
        self._judged = fast(judging.judged, hardware)

    def judged(self, pictures: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Logits and features, float32, with a gradient to the pictures; none is added to the discriminator's own."""
        with cast(self._hardware):
            logits, features = self._judged(pictures)
        return logits.float(), [one.float() for one in features]

    def improve(self, real: Sequence[Tensor], made: Sequence[Tensor], factor: float) -> Tensor:
        """One step of the discriminator's side, `logistic_discriminator`.

        Args:
            real: pictures (N, 3, S, S) by part of the batch.
            made: likewise; no gradient flows into what made them.
            factor: of the learning rate.

        Returns:
            the term before the step.
        """
        self.player.begin()
        terms = []
        for some, other in zip(real, made, strict=True):
            term = logistic_discriminator(self.judged(some)[0], self.judged(other.detach())[0])
            toward(self.player, term / len(real))
            terms.append(term.detach())
        self.player.finish(factor)
        return torch.stack(terms).mean()

    def smooth(self, real: Sequence[Tensor], weight: float, factor: float) -> Tensor:
        """One step of R1, in float32.

        Args:
            real: as in `improve`.
            weight: of the penalty: gamma / 2, times the steps from one to the next.
            factor: of the learning rate.

        Returns:
            the penalty before the step, unweighted.
        """
        self.player.begin()
        terms = []
        for some in real:
            pictures = some.detach().requires_grad_()
            term = gradient_penalty(pictures, self.module(pictures))
            toward(self.player, term * (weight / len(real)))
            terms.append(term.detach())
        self.player.finish(factor)
        return torch.stack(terms).mean()


def running_mean(module: nn.Module, schedule: Common) -> RunningMean:
    """The running mean of a module's weights; a half-life of 0 forgets what was at once."""
    return RunningMean(module, max(schedule.half_life, schedule.batch / 1000), schedule.batch)


def states(players: Mapping[str, Player]) -> dict[str, Any]:
    """Of all players, by name."""
    return {name: player.state() for name, player in players.items()}


def resume(players: Mapping[str, Player], state: Mapping[str, Any]) -> None:
    """Go on from what `states` gave."""
    for name, player in players.items():
        player.resume(state[name])
