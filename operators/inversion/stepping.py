"""One iteration of a search, for several faces at once: eagerly, or on CUDA as one captured graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from operators.inversion.objective import Objective
from operators.inversion.options import SearchOptions
from operators.inversion.picture import picture_of
from operators.inversion.priors.contract import Prior
from operators.inversion.state import Array, State

_WARM_UP = 3
"""Iterations on a side stream before a capture, as the documentation of CUDA graphs in PyTorch has it."""


class Stepper:
    """Variables of N faces and the optimiser over them. A face's variables never meet another's.

    Args:
        prior: the generator; its weights ask for no gradient.
        objective: of these faces.
        states: where they are; all at the same iteration.
        options: of the search.
        compiled: on CUDA, whether the step is captured.
    """

    def __init__(
        self, prior: Prior, objective: Objective, states: Sequence[State], options: SearchOptions, *, compiled: bool
    ) -> None:
        self._prior, self._objective, self._options = prior, objective, options
        device = prior.device
        self._codes = _variable([state.codes for state in states], device)
        self._alpha = _variable([state.alpha for state in states], device)
        self._learns = [self._codes] if options.importance == "full" else [self._codes, self._alpha]
        captures = compiled and device.type == "cuda"
        rate: Tensor | float = torch.tensor(0.0, device=device) if captures else 0.0
        self._adam = torch.optim.Adam(self._learns, lr=rate, capturable=captures)
        self._load(states, capturable=captures)
        self.losses = torch.zeros(2, len(states), device=device)
        """(2, N), total and pixel loss of the last step, as they were before it moved the variables."""
        self.not_compiled = ""
        """Why the step was not captured though that was wanted; empty otherwise."""
        self._run: Callable[[], None] = self._eager
        if captures:
            self._capture()

    def step(self, rate: float) -> Tensor:
        """One iteration; gives `losses`."""
        for group in self._adam.param_groups:
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(rate)
            else:
                group["lr"] = rate
        self._run()
        return self.losses

    def wait(self, clock: Callable[[], float]) -> float:
        """The time when the device has done all that it was told, which it only queues otherwise."""
        if self._codes.device.type == "cuda":
            torch.cuda.synchronize(self._codes.device)
        return clock()

    def pictures(self) -> Tensor:
        """Pictures of the variables as they are, (N, 3, S, S)."""
        with torch.no_grad():
            return picture_of(self._prior, self._codes, self._alpha, self._options)

    def states(self, states: Sequence[State], done: int) -> list[State]:
        """The states after so many iterations more; what they say of losses stays."""
        made = []
        for index, state in enumerate(states):
            mean, square = self._moments(self._codes, index)
            moved = replace(
                state,
                codes=_array(self._codes, index),
                codes_mean=mean,
                codes_square=square,
                iteration=state.iteration + done,
            )
            if len(self._learns) > 1:
                mean, square = self._moments(self._alpha, index)
                moved = replace(moved, alpha=_array(self._alpha, index), alpha_mean=mean, alpha_square=square)
            made.append(moved)
        return made

    def _moments(self, variable: Tensor, index: int) -> tuple[Array, Array]:
        """What Adam knows of a face's variable."""
        known = self._adam.state[variable]
        return _array(known["exp_avg"], index), _array(known["exp_avg_sq"], index)

    def _load(self, states: Sequence[State], *, capturable: bool) -> None:
        device = self._codes.device
        for variable, name in zip(self._learns, ("codes", "alpha"), strict=False):
            self._adam.state[variable] = {
                "step": torch.tensor(float(states[0].iteration), device=device if capturable else "cpu"),
                "exp_avg": _stacked([getattr(state, f"{name}_mean") for state in states], device),
                "exp_avg_sq": _stacked([getattr(state, f"{name}_square") for state in states], device),
            }

    def _eager(self) -> None:
        loss = self._objective(picture_of(self._prior, self._codes, self._alpha, self._options))
        gradients = torch.autograd.grad(loss.total.sum(), self._learns)
        for variable, gradient in zip(self._learns, gradients, strict=True):
            variable.grad = gradient
        self._adam.step()
        with torch.no_grad():
            self.losses[0].copy_(loss.total)
            self.losses[1].copy_(loss.pixels)
            if self._options.sphere:
                to_sphere(self._codes)

    def _capture(self) -> None:
        """Record the step once; afterwards the variables are as they were before."""
        held = [(tensor, tensor.detach().clone()) for tensor in self._tensors()]
        try:
            side = torch.cuda.Stream()  # type: ignore[no-untyped-call]  # the stub has no types
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                for _ in range(_WARM_UP):
                    self._eager()
            torch.cuda.current_stream().wait_stream(side)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                self._eager()
            self._run = graph.replay
        except RuntimeError as error:  # an operation that cannot be captured, or no memory for a second copy
            self.not_compiled = f"{type(error).__name__}: {str(error).splitlines()[0]}"
            torch.cuda.synchronize()
        with torch.no_grad():
            for tensor, values in held:
                tensor.copy_(values)

    def _tensors(self) -> list[Tensor]:
        moments = [value for variable in self._learns for value in self._adam.state[variable].values()]
        return [*self._learns, *moments]


def to_sphere(codes: Tensor) -> None:
    """Bring each code (..., D) to the length sqrt(D), in place."""
    codes.div_(codes.square().mean(-1, keepdim=True).add_(1e-12).sqrt_())


def _variable(arrays: Sequence[Array], device: torch.device) -> Tensor:
    return _stacked(arrays, device).requires_grad_()


def _stacked(arrays: Sequence[Array], device: torch.device) -> Tensor:
    return torch.from_numpy(np.stack(arrays)).to(device)


def _array(tensor: Tensor, index: int) -> Array:
    return np.array(tensor.detach()[index].cpu().numpy(), dtype=np.float32)
