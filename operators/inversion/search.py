"""The search for the codes of faces: iterations, budgets, early stop, and states that are kept on the way."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from operators.inversion.objective import Objective
from operators.inversion.options import Reason, SearchOptions
from operators.inversion.priors.contract import Prior
from operators.inversion.state import State
from operators.inversion.stepping import Stepper

Keep = Callable[[Sequence[State]], None]
"""Takes the states of all faces of a search, in their order."""

FLOOR_EVERY = 10
"""Iterations between two looks at whether only noise is left."""


@dataclass(frozen=True)
class Found:
    """What came of a search.

    Attributes:
        states: of each face, ended.
        done: iterations that this call has made.
        not_compiled: why the step was not captured though that was wanted; empty otherwise.
    """

    states: tuple[State, ...]
    done: int
    not_compiled: str = ""


def search(
    prior: Prior,
    objective: Objective,
    states: Sequence[State],
    options: SearchOptions,
    keep: Keep | None = None,
    clock: Callable[[], float] = time.monotonic,
    *,
    compiled: bool = True,
) -> Found:
    """Go on with the search for faces until each has ended. Memory does not grow with the iterations.

    Args:
        prior: the generator; its weights ask for no gradient.
        objective: of these faces.
        states: where they are, all at the same iteration, none ended.
        options: of the search.
        keep: called every `options.checkpoint` iterations, and at the end.
        clock: seconds, for the time budget.
        compiled: on CUDA, whether the step is captured.

    Returns:
        The faces' states, ended. A face that ends before others of its batch has the state that it had then.

    Raises:
        ValueError: the states are not at the same iteration.
    """
    if len({state.iteration for state in states}) != 1:
        raise ValueError("states of one search are at several iterations: search for them one after the other")
    stepper = Stepper(prior, objective, states, options, compiled=compiled)
    watch = _Watch(states, options, objective.floor, stepper.losses)
    began, first = clock(), states[0].iteration
    ended: list[State | None] = [None] * len(states)

    def now(iteration: int) -> list[State]:
        fresh = stepper.states([watch.noted(state, index) for index, state in enumerate(states)], iteration - first)
        return [done or state for done, state in zip(ended, fresh, strict=True)]

    iteration = first
    while not all(ended):
        if iteration < options.iterations:
            losses = stepper.step(options.rate(iteration))
            iteration += 1
            reasons = watch.look(losses, iteration)
        else:
            reasons = [None] * len(states)
        if options.seconds is not None and stepper.wait(clock) - began >= options.seconds:
            reasons = [reason or "seconds" for reason in reasons]
        if iteration >= options.iterations:
            reasons = [reason or "iterations" for reason in reasons]
        due = options.checkpoint > 0 and iteration % options.checkpoint == 0
        if any(reasons) or due:
            current = now(iteration)
            for index, reason in enumerate(reasons):
                if reason is not None and ended[index] is None:
                    ended[index] = replace(current[index], ended=reason)
            if keep is not None and (due or all(ended)):
                keep([done or state for done, state in zip(ended, current, strict=True)])
    return Found(tuple(state for state in ended if state is not None), iteration - first, stepper.not_compiled)


class _Watch:
    """Whether faces still improve, and whether only noise is left of them; a few numbers for each."""

    def __init__(self, states: Sequence[State], options: SearchOptions, floor: Tensor | None, like: Tensor) -> None:
        self._options = options
        self._floor = floor
        self._summed = torch.tensor([state.summed for state in states], dtype=torch.float64).to(like.device)
        self._before = [state.before for state in states]

    def look(self, losses: Tensor, iteration: int) -> list[Reason | None]:
        """Why each face ends now; the device is waited for only where something is decided."""
        self._summed += losses[0]
        reasons: list[Reason | None] = [None] * len(self._before)
        if self._floor is not None and iteration % FLOOR_EVERY == 0:
            reasons = ["noise_level" if low else None for low in (losses[1] <= self._floor).tolist()]
        if iteration % self._options.window == 0:
            means = [total / self._options.window for total in self._summed.tolist()]
            self._summed.zero_()
            for index, (mean, before) in enumerate(zip(means, self._before, strict=True)):
                still = not math.isfinite(before) or before - mean >= self._options.early_stop * before
                if self._options.early_stop > 0.0 and not still:
                    reasons[index] = reasons[index] or "early_stop"
            self._before = means
        return reasons

    def noted(self, state: State, index: int) -> State:
        """A state with what is known of its losses."""
        return replace(state, summed=float(self._summed[index]), before=self._before[index])
