"""Which arithmetic a device has, and which one `precision: auto` means; needs no torch for a CPU."""

from __future__ import annotations

import functools
import platform
from pathlib import Path
from typing import get_args

from operators.engines.options import Precision

KNOWN: tuple[Precision, ...] = get_args(Precision)
_CPUINFO = Path("/proc/cpuinfo")
_BF16_FLAGS = ("amx_bf16", "avx512_bf16", "bf16")
"""Instructions that multiply bf16 and add in fp32: x86 tiles, x86 vectors, ARMv8.6."""
_KINDS = (*_BF16_FLAGS, "avx512f", "avx2", "sve", "asimd")
_FIRST_BF16_CAPABILITY = 8
"""CUDA compute capability (major) of Ampere, the first with bf16 matrix units."""


@functools.cache
def cpu_flags() -> frozenset[str]:
    """Instruction sets of this machine's CPU, as Linux names them; empty on other systems."""
    return read_flags(_CPUINFO.read_text(errors="replace")) if _CPUINFO.exists() else frozenset()


def read_flags(cpuinfo: str) -> frozenset[str]:
    """Flags of the first processor in the text of `/proc/cpuinfo`.

    Args:
        cpuinfo: the file's text; x86 names the line `flags`, ARM `Features`.

    Returns:
        The flags, lower case; empty when there is no such line.
    """
    for line in cpuinfo.splitlines():
        name, _, flags = line.partition(":")
        if name.strip().lower() in ("flags", "features"):
            return frozenset(flags.lower().split())
    return frozenset()


def cpu_kind(flags: frozenset[str] | None = None) -> str:
    """Kind of CPU for which compiled code is kept apart, such as `cpu:x86_64:avx512_bf16`.

    Args:
        flags: as from `cpu_flags`, which is the default.

    Returns:
        `cpu`, the architecture and the widest arithmetic, joined by colons.
    """
    found = cpu_flags() if flags is None else flags
    widest = next((kind for kind in _KINDS if kind in found), "generic")
    return f"cpu:{platform.machine().lower()}:{widest}"


def has_bf16(device: str) -> bool:
    """Whether a device multiplies bf16 faster than fp32.

    Args:
        device: `cpu`, `cuda` or `cuda:N`.

    Returns:
        True for a CPU with bf16 dot products or tiles, and for CUDA from compute capability 8.0.
    """
    if device == "cpu":
        return bool(cpu_flags().intersection(_BF16_FLAGS))
    import torch  # noqa: PLC0415 - seconds; a CPU is asked without it

    return torch.cuda.is_available() and torch.cuda.get_device_capability(device)[0] >= _FIRST_BF16_CAPABILITY


def resolve(asked: str, device: str) -> Precision:
    """The precision that a job's word stands for on a device.

    Args:
        asked: `auto`, `fp32`, `bf16` or `fp16`.
        device: `cpu`, `cuda` or `cuda:N`.

    Returns:
        bf16 for `auto` where the hardware has it, fp32 for `auto` elsewhere, else what was asked. `auto` never means
        fp16: its range ends at 65504, and a network may leave it.

    Raises:
        ValueError: the word is none of these.
    """
    if asked == "auto":
        return "bf16" if has_bf16(device) else "fp32"
    for known in KNOWN:
        if asked == known:
            return known
    raise ValueError(f"precision {asked!r} is unknown (known: auto, {', '.join(KNOWN)})")
