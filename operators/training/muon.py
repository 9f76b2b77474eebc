"""Muon, an optimiser that turns the momentum of each matrix of weights into the nearest orthogonal one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

_MOMENTUM = 0.95
_ROOT_MEAN_SQUARE = 0.2
"""Of an orthogonal update times the larger side's root: about that of Adam's updates, so that both stay in step."""
_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
_ROUNDS = 5
_LEAST = 8
"""Rows and columns from which weights are a matrix worth turning; colours, biases and constants are Adam's."""
_TINY = 1e-8


def orthogonal(matrix: Tensor) -> Tensor:
    """A matrix with about the singular vectors of this one, and singular values near 1.

    Five rounds of a Newton-Schulz iteration, X <- a X + (b A + c A^2) X with A = X X^T, whose coefficients trade
    exactness for speed: singular values that are not tiny come to lie between about 0.7 and 1.2 (Jordan et al., "Muon:
    An optimizer for hidden layers in neural networks", 2024).

    Args:
        matrix: (M, N) float32.

    Returns:
        (M, N); zero for zero.
    """
    wide = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    x = wide / (wide.norm() + _TINY)
    a, b, c = _COEFFICIENTS
    for _ in range(_ROUNDS):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    made: Tensor = x.T if matrix.shape[0] > matrix.shape[1] else x
    return made


def as_matrix(weight: Tensor) -> Tensor | None:
    """Weights of a layer as a matrix with a row for each output; None for what is none, or has a side below 8.

    Args:
        weight: (out, in) or (out, in, h, w), of modulated convolutions (1, out, in, h, w).
    """
    if weight.ndim < 2:
        return None
    matrix = weight.reshape(weight.shape[1 if weight.ndim == 5 else 0], -1)
    return matrix if min(matrix.shape) >= _LEAST else None


class Muon(torch.optim.Optimizer):
    """Orthogonal updates for matrices, Adam's for the rest.

    A matrix's gradient g moves its momentum, m <- 0.95 m + 0.05 g, and the weights become
    w - rate * 0.2 sqrt(max(M, N)) orthogonal(0.05 g + 0.95 m): Nesterov's step, of a size like Adam's (Liu et al.,
    "Muon is Scalable for LLM Training", 2025, without its decay of weights). Convolutions are matrices of in * h * w
    columns. `torch.optim.Muon` takes matrices only, refuses convolutions, and leaves the rest to a second optimiser.

    Args:
        groups: as an optimiser of torch takes them.
        betas: of Adam, for what is no matrix.
    """

    def __init__(self, groups: Iterable[Mapping[str, Any]], betas: tuple[float, float]) -> None:
        super().__init__([dict(group) for group in groups], {"lr": 1e-3, "betas": tuple(betas)})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]  # torch's overloads
        """Improve all weights that have a gradient once.

        Args:
            closure: none, since gradients are there already.

        Raises:
            ValueError: there is one.
        """
        if closure is not None:
            raise ValueError("Muon takes no closure: call step() when gradients are there")
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    self._improve(weight, weight.grad, float(group["lr"]), group["betas"])
        return None

    def _improve(self, weight: Tensor, gradient: Tensor, rate: float, betas: tuple[float, float]) -> None:
        state = self.state[weight]
        matrix = as_matrix(gradient)
        if matrix is None:
            self._adam(weight, gradient, rate, betas, state)
            return
        momentum = state.setdefault("momentum", torch.zeros_like(gradient))
        momentum.lerp_(gradient, 1.0 - _MOMENTUM)
        step = as_matrix(gradient.lerp(momentum, _MOMENTUM))
        assert step is not None
        size = _ROOT_MEAN_SQUARE * max(matrix.shape) ** 0.5
        weight.add_(orthogonal(step.float()).reshape(weight.shape).to(weight.dtype), alpha=-rate * size)

    @staticmethod
    def _adam(weight: Tensor, gradient: Tensor, rate: float, betas: tuple[float, float], state: dict[str, Any]) -> None:
        state["step"] = state.get("step", 0) + 1
        mean = state.setdefault("exp_avg", torch.zeros_like(gradient)).lerp_(gradient, 1.0 - betas[0])
        square = state.setdefault("exp_avg_sq", torch.zeros_like(gradient))
        square.mul_(betas[1]).addcmul_(gradient, gradient, value=1.0 - betas[1])
        corrected = mean / (1.0 - betas[0] ** state["step"])
        weight.addcdiv_(corrected, (square / (1.0 - betas[1] ** state["step"])).sqrt() + _TINY, value=-rate)
