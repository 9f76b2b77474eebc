"""In which order engines and precisions are tried for what a job asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast, get_args

from operators.engines.options import EngineName, EngineOptions, Precision
from operators.engines.precision import resolve
from operators.engines.table import BACKENDS, ORDER, DeviceKind


@dataclass(frozen=True)
class Rung:
    """One attempt: an engine in a precision.

    Attributes:
        engine: which.
        precision: arithmetic.
        reason: why it is not even tried; None when it is.
    """

    engine: EngineName
    precision: Precision
    reason: str | None = None


@dataclass(frozen=True)
class Ladder:
    """Attempts in order, on one device.

    Attributes:
        device: `cpu`, `cuda` or `cuda:N`.
        rungs: what to try.
    """

    device: str
    rungs: tuple[Rung, ...]


def ladder(options: EngineOptions) -> Ladder:
    """Lay out the attempts.

    First every engine in the asked precision, in the order of `ORDER`, an engine asked for by name before the others;
    `auto` takes bf16 where device and engine have it, else fp32. Then every engine again in fp32, where that is another
    attempt; on a CPU with `auto` right after the engine's own first attempt, as there the engine counts for more than
    the precision. Strict leaves only the asked precision, and of a named engine only that one.

    Args:
        options: what is asked.

    Returns:
        Device and attempts.

    Raises:
        ValueError: engine, precision or device is unknown; the message names those there are.
    """
    if options.engine != "auto" and options.engine not in BACKENDS:
        raise ValueError(f"engine {options.engine!r} is unknown (known: auto, {', '.join(sorted(BACKENDS))})")
    device = _device(options)
    asked = resolve(options.precision, device)
    order = ORDER[_kind(device)]
    if options.engine != "auto":
        others = () if options.strict else tuple(name for name in order if name != options.engine)
        order = (options.engine, *others)
    rungs = [_first(name, asked, device, options) for name in order]
    if options.strict:
        return Ladder(device, tuple(rungs))
    full = [Rung(name, "fp32") for name in order]
    if options.precision == "auto" and _kind(device) == "cpu":
        rungs = [rung for pair in zip(rungs, full, strict=True) for rung in pair]
    else:
        rungs += full
    return Ladder(device, tuple(dict.fromkeys(rungs)))


def _first(name: EngineName, asked: Precision, device: str, options: EngineOptions) -> Rung:
    """An engine's attempt in the asked precision, or why there is none."""
    offered = BACKENDS[name].precisions
    if asked == "fp16" and device == "cpu" and name != options.engine:
        return Rung(name, asked, "a CPU is slower in fp16 than in fp32; name the engine to have it anyway")
    if asked in offered:
        return Rung(name, asked)
    if options.precision == "auto":
        return Rung(name, "fp32")
    return Rung(name, asked, f"offers {', '.join(offered)}, not {asked}")


def _device(options: EngineOptions) -> str:
    """The device that is meant: for `auto` the one an engine named runs on, else CUDA where there is one."""
    if options.device != "auto":
        kind, colon, number = options.device.partition(":")
        if kind not in get_args(DeviceKind) or (colon and (kind == "cpu" or not number.isdecimal())):
            raise ValueError(f"device {options.device!r} is unknown (known: auto, cpu, cuda, cuda:0, cuda:1, ...)")
        return options.device
    if options.engine != "auto" and BACKENDS[options.engine].devices == ("cpu",):
        return "cpu"
    import torch  # noqa: PLC0415 - only where a GPU comes into question

    return "cuda" if torch.cuda.is_available() else "cpu"


def _kind(device: str) -> DeviceKind:
    return cast("DeviceKind", device.partition(":")[0])
