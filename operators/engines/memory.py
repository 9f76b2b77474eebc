"""Tells lack of memory from other failures: each library says it in its own way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from operators.engines.errors import EngineError, EngineMemoryError

_PHRASES = (
    "out of memory",
    "bad_alloc",
    "bad allocation",
    "not enough memory",
    "cannot allocate memory",
    "can't allocate memory",
    "could not allocate",
    "failed to allocate",
    "memory allocation",
    "cuda_error_out_of_memory",
    "cudnn_status_alloc_failed",
    "cublas_status_alloc_failed",
    "defaultcpuallocator",
)
"""How torch, oneDNN, OpenVINO, ONNX Runtime, CUDA and TensorRT word it, in lower case."""


def is_memory_error(error: BaseException) -> bool:
    """Whether an exception of any library means that memory ran out.

    Args:
        error: what was raised.

    Returns:
        True for MemoryError, torch's OutOfMemoryError, and messages that say so.
    """
    if isinstance(error, (MemoryError, torch.OutOfMemoryError, EngineMemoryError)):
        return True
    text = str(error).lower()
    return any(phrase in text for phrase in _PHRASES)


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn whatever a library raises into an engine's error.

    Args:
        doing: what was being done and by which engine, for the message.

    Raises:
        EngineMemoryError: memory ran out.
        EngineError: anything else; errors of engines pass as they are.
    """
    try:
        yield
    except EngineError:
        raise
    except Exception as error:
        kind = EngineMemoryError if is_memory_error(error) else EngineError
        raise kind(f"{doing}: {_first_lines(error)}") from error


def _first_lines(error: BaseException) -> str:
    """The error's name and the start of its text: libraries append stack traces and whole graphs."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {' '.join(lines[:3])[:400]}"
