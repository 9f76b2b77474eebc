"""Reads a pickle stream as data: nothing is imported and nothing is called, whatever the stream says.

`pickletools` of the standard library takes the stream apart into opcodes, and `machine` follows them.
"""

from __future__ import annotations

import io
import pickletools
import struct
from typing import Any

from operators.checkpoints.errors import RefusedError, printable
from operators.checkpoints.limits import PICKLE_BYTES, PICKLE_DEPTH, PICKLE_STEPS
from operators.checkpoints.machine import Machine, Pickle


def read_pickle(data: bytes, base: int = 0) -> Pickle:
    """Read the pickle that `data` begins with.

    Args:
        data: the stream; what stands behind its end does not matter.
        base: where `data` begins in its file, for `Pickle.end`.

    Returns:
        The value and all that it would have imported. Check the latter before the former is used.

    Raises:
        RefusedError: it is no pickle, cut short, or past the limits.
    """
    stream = io.BytesIO(data[:PICKLE_BYTES])
    machine = Machine()
    try:
        for step, (opcode, argument, _) in enumerate(pickletools.genops(stream)):
            if step > PICKLE_STEPS:
                raise RefusedError(
                    "too_large", f"the pickle has more than {PICKLE_STEPS} steps, which no checkpoint needs"
                )
            machine.follow(opcode.name, argument)
    except RefusedError as error:
        # What it wanted to import says more than what was wrong with it afterwards.
        machine.read.check()
        raise error from None
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, struct.error, Warning) as error:
        machine.read.check()
        if len(data) > PICKLE_BYTES:
            raise RefusedError("too_large", f"the pickle is larger than {PICKLE_BYTES} bytes") from None
        found = printable(str(error)) or type(error).__name__
        raise RefusedError("malformed", f"the pickle is damaged or cut short ({found}); fetch the file again") from None
    machine.read.end = base + stream.tell()
    if not machine.read.refused:
        _check_depth(machine.read.value)
    return machine.read


def _check_depth(value: Any) -> None:
    """Refuse containers nested deeper than anybody nests them, and those that hold themselves."""
    level, depth = [value], 0
    seen: set[int] = set()
    while level:
        inner: list[Any] = []
        for item in level:
            if isinstance(item, dict | list | tuple) and id(item) not in seen:
                seen.add(id(item))
                inner.extend(item.values() if isinstance(item, dict) else item)
        level, depth = inner, depth + 1
        if depth > PICKLE_DEPTH:
            raise RefusedError("too_deep", f"the file nests containers more than {PICKLE_DEPTH} deep")
