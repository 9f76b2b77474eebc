"""Boundary vectors: directions in a latent space along which one attribute of a face changes.

Source: Shen, Gu, Tang, Zhou, "Interpreting the Latent Space of GANs for Semantic Face Editing" (CVPR 2020): a
hyperplane with unit normal n splits an attribute, and z + strength n changes it, the strength being a distance.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

if TYPE_CHECKING:
    from torch import Tensor

    from operators.inversion.priors.contract import Prior

Space = Literal["z", "w"]
"""Where a boundary is; one of w serves codes in w+ too, and moves each latent alike."""

KEY = "boundary"
"""Name of the tensor in a safetensors file."""

MOST_BYTES = 1 << 20
"""Far more than a vector needs: a file above it is something else."""

_ENDINGS: tuple[tuple[str, Space], ...] = (("_w_boundary", "w"), ("_boundary", "z"))
"""How InterFaceGAN's files are named by their space, the longer first."""


class BoundaryError(ValueError):
    """A file is no boundary vector, or not one for this prior; the message names it and says what was expected."""


@dataclass(frozen=True)
class Boundary:
    """A direction.

    Attributes:
        name: of the attribute, such as `age`.
        space: where the direction is.
        vector: (D,) float32 of unit length.
    """

    name: str
    space: Space
    vector: NDArray[np.float32]


def read_boundary(path: str | os.PathLike[str], *, name: str | None = None, space: str | None = None) -> Boundary:
    """Read a boundary vector; nothing in the file is executed.

    Two formats: `.npy` as InterFaceGAN publishes it, (1, D) or (D,) of any float type; and `.safetensors` with one
    tensor `boundary` of that shape and the metadata `name` and `space`. The vector is brought to unit length, so that a
    strength is a distance whatever was stored.

    Args:
        path: the file.
        name: of the attribute; the file's metadata say it, or its name without ending when None.
        space: `z` or `w`; the file's metadata say it when None, and for `.npy` its name: `..._w_boundary.npy` is in w
            and any other `..._boundary.npy` in z, as published.

    Raises:
        BoundaryError: the file is something else, or nothing says its space, or it says another than `space`.
        OSError: it cannot be read.
    """
    path = Path(path)
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise BoundaryError(f"{path}: {size} bytes are too many for a boundary vector, of {MOST_BYTES} at most")
    said: dict[str, str] = {}
    if path.suffix == ".npy":
        value = _npy(path)
    elif path.suffix == ".safetensors":
        value, said = _safetensors(path)
    else:
        raise BoundaryError(f"{path}: a boundary vector is a .npy or .safetensors file")
    known = said.get("space") or next((space for ending, space in _ENDINGS if path.stem.endswith(ending)), None)
    if "space" in said and space is not None and said["space"] != space:
        raise BoundaryError(f"{path}: the file says that it is in {said['space']}, not in {space}")
    return Boundary(name or said.get("name") or path.stem, _space(space or known, path), _unit(value, path))


def write_boundary(path: str | os.PathLike[str], boundary: Boundary) -> None:
    """Write a boundary vector as safetensors, (1, D) float32, with its name and space.

    Raises:
        OSError: it cannot be written.
    """
    data = save({KEY: boundary.vector[None]}, metadata={"name": boundary.name, "space": boundary.space})
    Path(path).write_bytes(data)


def moves(boundary: str, codes: str) -> bool:
    """Whether a boundary of one space can move codes of another: w moves w+ too."""
    return boundary == codes or (boundary, codes) == ("w", "w+")


def check_boundary(boundary: Boundary, prior: Prior, space: str) -> None:
    """Refuse a boundary that codes of a prior cannot be moved along.

    Raises:
        BoundaryError: it is in another space, or of another length.
    """
    if not moves(boundary.space, space):
        message = f"boundary {boundary.name} is in {boundary.space}, and the codes are in {space}"
        raise BoundaryError(f"{message}: search there, or take another boundary")
    width = prior.code_shape(space)[-1]
    if len(boundary.vector) != width:
        raise BoundaryError(
            f"boundary {boundary.name} has {len(boundary.vector)} numbers, and a code of {prior.name} has {width}: "
            "take one that was made for this prior"
        )


def moved(codes: Tensor, prior: Prior, space: str, edits: Sequence[tuple[Boundary, float]]) -> Tensor:
    """Codes moved along boundaries: code + sum_i strength_i n_i; in w+ each latent alike.

    Args:
        codes: (M, *code_shape).
        prior: whose codes they are.
        space: in which they are.
        edits: boundaries, each with its strength: a distance, negative for the other direction.

    Returns:
        The same shape; the same tensor where there are no edits.

    Raises:
        BoundaryError: a boundary does not fit.
    """
    for boundary, strength in edits:
        check_boundary(boundary, prior, space)
        codes = codes + codes.new_tensor(boundary.vector * np.float32(strength))
    return codes


def _npy(path: Path) -> NDArray[Any]:
    try:
        value: NDArray[Any] = np.load(path, allow_pickle=False)
    except (ValueError, EOFError, TypeError, SyntaxError) as error:
        raise BoundaryError(f"{path}: no .npy file of numbers ({error})") from None
    return value


def _safetensors(path: Path) -> tuple[NDArray[Any], dict[str, str]]:
    try:
        with safe_open(path, framework="numpy") as opened:
            names, said = list(opened.keys()), opened.metadata() or {}
            if names != [KEY]:
                raise BoundaryError(f"{path}: the file has the tensors {names}, expected {KEY!r} alone")
            return opened.get_tensor(KEY), {key: said[key] for key in ("name", "space") if said.get(key)}
    except (SafetensorError, TypeError, struct.error) as error:
        raise BoundaryError(f"{path}: no safetensors file ({error})") from None


def _space(space: str | None, path: Path) -> Space:
    for known in get_args(Space):
        if space == known:
            return known  # type: ignore[no-any-return]  # get_args knows no types
    if space is None:
        raise BoundaryError(f"{path}: nothing says in which space the vector is; say z or w")
    raise BoundaryError(f"{path}: space {space!r}; expected z or w")


def _unit(value: NDArray[Any], path: Path) -> NDArray[np.float32]:
    if not np.issubdtype(value.dtype, np.floating) or value.ndim not in {1, 2} or value.shape[:-1] not in {(), (1,)}:
        raise BoundaryError(f"{path}: holds {value.dtype} of shape {value.shape}, expected floats of shape (1, D)")
    vector = value.reshape(-1).astype(np.float64)
    length = float(np.linalg.norm(vector))
    if not np.isfinite(length) or length < 1e-12:
        what = "numbers that are not finite" if not np.isfinite(length) else "nothing but zeros"
        raise BoundaryError(f"{path}: the vector holds {what}")
    return (vector / length).astype(np.float32)
