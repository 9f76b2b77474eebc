"""Whether a network's values fit into fp16, found by running it in fp32 and looking at every value on the way.

fp16 ends at 65504 and loses digits below 2^-14. A value past the end becomes infinite, and a network can make of that a
picture whose every value is finite and wrong: the published form of modulated convolution squares its weights, their
sum overflows, its inverse root is zero, and the picture collapses to one colour. So outputs say too little, and what is
looked at is the result of every operator that would be rounded to fp16.
"""

from __future__ import annotations

import copy
import logging
import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from operators.engines.contract import Network
from operators.engines.memory import translated

logger = logging.getLogger(__name__)

LARGEST = 65504.0
SMALLEST_NORMAL = 2.0**-14
HEADROOM = 4.0
"""How far from the end the largest value must stay: other faces than the audited ones reach further."""
MOST_SUBNORMAL = 0.25
"""Share of the values, zeros apart, that may fall where fp16 loses digits."""


@dataclass(frozen=True)
class Audit:
    """What was found.

    Attributes:
        largest: absolute value; infinite when a value is not finite.
        layer: the module in which it arose, by its name in the network; `parameter NAME` for a weight.
        operator: that made it.
        headroom: 65504 over `largest`.
        subnormal: share of the values other than zero that are smaller than 2^-14.
        values: number of values looked at.
        reason: why fp16 is refused, None when it is allowed.
    """

    largest: float
    layer: str
    operator: str
    headroom: float
    subnormal: float
    values: int
    reason: str | None

    @property
    def safe(self) -> bool:
        """Whether the network may run in fp16."""
        return self.reason is None


@dataclass(frozen=True)
class _Step:
    """One operator's result: which, where, of what shape and type."""

    operator: str
    layer: str
    shape: tuple[int, ...]
    dtype: torch.dtype


def audit(network: Network, batch: torch.Tensor) -> Audit:
    """Run a network in fp32 and measure every value that fp16 would have to hold.

    Values that the module itself keeps in fp32 when the rest is fp16, as demodulation, are left out: which they are is
    seen by running a copy of the module in fp16 that has shapes and no data. Where the two runs are not the same
    operators one by one, every value counts, which can only refuse more.

    Args:
        network: what is to run in fp16.
        batch: (N, *input_shape) float32 on the CPU, values as the network is used with.

    Returns:
        The findings; `safe` when the largest value leaves a headroom of at least 4 and at most a quarter of the values
        are subnormal.

    Raises:
        EngineMemoryError: not enough memory.
        EngineError: the network fails in fp32.
    """
    with translated("fp16 range audit"):
        widened, halved = _in_half(network, batch)
        found = _Findings()
        for name, parameter in _weights(network.module).items():
            if name not in widened:
                found.take(_measured(parameter), f"parameter {name}", "load")
        steps: list[_Step] = []
        pending: list[tuple[float, int, int, int]] = []

        def look(step: _Step, value: torch.Tensor) -> None:
            steps.append(step)
            pending.append(_measured(value))

        _run(network.module, batch, look)
        alike = halved is not None and [_kind(step) for step in halved] == [_kind(step) for step in steps]
        if not alike:
            logger.debug(
                "the fp16 and fp32 runs of %s differ in their operators: all values count", network.architecture
            )
        for index, (step, measured) in enumerate(zip(steps, pending, strict=True)):
            if not alike or halved is None or halved[index].dtype == torch.float16:
                found.take(measured, step.layer, step.operator)
        return found.audit()


class _Findings:
    """The largest value and the counts so far."""

    def __init__(self) -> None:
        self.largest, self.layer, self.operator = 0.0, "", ""
        self.values = self.nonzero = self.subnormal = 0

    def take(self, measured: tuple[float, int, int, int], layer: str, operator: str) -> None:
        largest, values, nonzero, subnormal = measured
        self.values += values
        self.nonzero += nonzero
        self.subnormal += subnormal
        if largest > self.largest:
            self.largest, self.layer, self.operator = largest, layer, operator

    def audit(self) -> Audit:
        headroom = LARGEST / self.largest if self.largest > 0 else math.inf
        share = self.subnormal / self.nonzero if self.nonzero else 0.0
        reason = None
        if headroom < HEADROOM:
            reason = (
                f"fp16 ends at {LARGEST:.0f}, and {self.layer or 'the network'} ({self.operator}) reaches "
                f"{self.largest:.4g}: a headroom of {headroom:.3g} where {HEADROOM:g} is asked for"
            )
        elif share > MOST_SUBNORMAL:
            reason = (
                f"{share:.0%} of the values are below 2^-14, where fp16 loses digits; {MOST_SUBNORMAL:.0%} are allowed"
            )
        return Audit(self.largest, self.layer, self.operator, headroom, share, self.values, reason)


def _measured(value: torch.Tensor) -> tuple[float, int, int, int]:
    """Largest magnitude, count, count of values other than zero, count of subnormal ones."""
    if value.numel() == 0:
        return 0.0, 0, 0, 0
    magnitude = value.detach().float().abs()
    largest = float(magnitude.max())
    if not math.isfinite(largest):
        largest = math.inf
    nonzero = int(torch.count_nonzero(magnitude))
    subnormal = nonzero - int(torch.count_nonzero(magnitude >= SMALLEST_NORMAL))
    return largest, value.numel(), nonzero, max(subnormal, 0)


def _weights(module: nn.Module) -> dict[str, torch.Tensor]:
    """Parameters and buffers that have a fraction."""
    both = (*module.named_parameters(), *module.named_buffers())
    return {name: value for name, value in both if value.is_floating_point()}


def _in_half(network: Network, batch: torch.Tensor) -> tuple[set[str], list[_Step] | None]:
    """The module in fp16, as a copy without data.

    Returns:
        Weights that stay in fp32, and the results of a run with their types; None when it does not run without data.
    """
    both = (*network.module.parameters(), *network.module.buffers())
    hollow: dict[int, Any] = {id(value): _hollow(value) for value in both}
    module = copy.deepcopy(network.module, hollow).to(torch.float16)
    widened = {name for name, value in _weights(module).items() if value.dtype != torch.float16}
    steps: list[_Step] = []
    try:
        given = torch.empty(batch.shape, dtype=torch.float16, device="meta")
        _run(module, given, lambda step, _: steps.append(step))
    except (RuntimeError, NotImplementedError, TypeError) as error:
        logger.debug("no fp16 run of %s without data: %s", network.architecture, error)
        return widened, None
    return widened, steps


def _hollow(value: torch.Tensor) -> torch.Tensor:
    """A tensor of the same shape and type without data."""
    empty = torch.empty_like(value, device="meta")
    return nn.Parameter(empty, requires_grad=False) if isinstance(value, nn.Parameter) else empty


def _kind(step: _Step) -> tuple[str, tuple[int, ...]]:
    return step.operator, step.shape


def _run(module: nn.Module, batch: torch.Tensor, look: Callable[[_Step, torch.Tensor], None]) -> None:
    with torch.no_grad(), _named(module) as where, _Looking(where, look):
        module(batch)


@contextmanager
def _named(module: nn.Module) -> Iterator[list[str]]:
    """The names of the modules that are running, the innermost last."""
    running: list[str] = [""]

    def enter(name: str) -> Callable[..., None]:
        return lambda *_: running.append(name)

    def leave(*_: Any) -> None:
        running.pop()

    with ExitStack() as hooks:
        for name, part in module.named_modules():
            for handle in (
                part.register_forward_pre_hook(enter(name)),
                part.register_forward_hook(leave, always_call=True),
            ):
                hooks.callback(handle.remove)
        yield running


class _Looking(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Shows the result of every operator below it, casts and views apart."""

    def __init__(self, running: list[str], look: Callable[[_Step, torch.Tensor], None]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._running = running
        self._look = look

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if func.is_view or func is torch.ops.aten._to_copy.default:
            return result
        for value in result if isinstance(result, (tuple, list)) else (result,):
            if isinstance(value, torch.Tensor) and value.is_floating_point():
                step = _Step(str(func), self._running[-1], tuple(value.shape), value.dtype)
                self._look(step, value)
        return result
