"""Reads `.safetensors` by the format's own library, which maps the file and checks that its header fits it."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from operators.checkpoints.errors import RefusedError, printable
from operators.checkpoints.limits import TENSORS


def read_safetensors(path: Path) -> dict[str, torch.Tensor]:
    """All tensors of a file, on the CPU, mapped.

    Raises:
        RefusedError: the header is damaged or does not fit the file.
    """
    try:
        with safe_open(path, framework="pt") as file:
            names = list(file.keys())
            if len(names) > TENSORS:
                raise RefusedError("too_large", f"the file has {len(names)} tensors, at most {TENSORS} are read")
            return {name: file.get_tensor(name) for name in names}
    except (SafetensorError, KeyError, ValueError) as error:
        said = printable(str(error), 200)
        raise RefusedError(
            "bad_header", f"the safetensors header is damaged or does not fit the file ({said}); fetch it again"
        ) from None
