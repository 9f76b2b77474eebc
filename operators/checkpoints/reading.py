"""From a path to weights: what kind of file it is, what it holds, and that nothing in it is believed unchecked."""

from __future__ import annotations

import mmap
import os
from pathlib import Path
from typing import TYPE_CHECKING

from operators.checkpoints.archive import read_archive
from operators.checkpoints.errors import RefusedError
from operators.checkpoints.legacy import read_legacy
from operators.checkpoints.pickles import read_pickle
from operators.checkpoints.sniff import HEAD_BYTES, sniff, unknown
from operators.checkpoints.weights import bare_names, check_finite, weights_in

if TYPE_CHECKING:
    import torch


def read(path: str | os.PathLike[str], *, finite: bool = True) -> dict[str, torch.Tensor]:
    """Read the weights in a checkpoint file; nothing in it is imported or called.

    Files of torch.save in both its formats, and safetensors. Of what a trainer wraps around the weights, the group
    `params_ema`, `params`, `g_ema` or `state_dict` is taken, the first that there is; `module.` is taken off the names
    if it stands before all of them. The tensors are windows on the mapped file: memory is filled as they are used, and
    the file must stay as it is meanwhile. Writing to one of them does not change the file.

    Args:
        path: the file.
        finite: refuse weights that are NaN or infinite, which reads every value once.

    Returns:
        Weights by name, CPU tensors in the file's own dtypes.

    Raises:
        CheckpointError: the file is hostile, damaged, or something else; the message names it and says what was found.
        OSError: it cannot be opened.
    """
    path = Path(path)
    try:
        tensors = _tensors(path)
        if not tensors:
            raise RefusedError("no_weights", "the file holds no tensor")
        if finite:
            check_finite(tensors)
        return bare_names(tensors)
    except RefusedError as error:
        raise error.of(path) from None


def _tensors(path: Path) -> dict[str, torch.Tensor]:
    # These two import torch, which takes seconds; whoever only wants to name a CheckpointError need not wait.
    from operators.checkpoints.safetensor import read_safetensors  # noqa: PLC0415
    from operators.checkpoints.tensors import make_tensors  # noqa: PLC0415

    if path.is_dir():
        raise RefusedError("not_a_checkpoint", "it is a folder, expected a file")
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        kind = sniff(head, size)
        if kind == "safetensors":
            return read_safetensors(path)
        content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    if kind == "unknown":
        # A pickle of protocol 0 has no magic; if it is one that wants to import something, that is said.
        _refuse_old_pickle(content, head)
    stored = read_archive(path, content) if kind == "zip" else read_legacy(content)
    return make_tensors(weights_in(stored.value), stored.spans, content)


def _refuse_old_pickle(content: mmap.mmap, head: bytes) -> None:
    try:
        read_pickle(content[: 1 << 20]).check()
    except RefusedError as error:
        if error.code == "hostile":
            raise
    raise unknown(head)
