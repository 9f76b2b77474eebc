"""What goes into the generator for each task, and what becomes of what it returns.

A task is two functions over one face: `Preparation` says what the network sees, `finished` makes the result of what
the network gave. Both are plain arithmetic on arrays; the network runs between them, on whole batches.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from operators.faces.resample import resize
from operators.faces.tone import lock
from operators.faces.tone_curve import chroma_of, joined, luma_of
from operators.restorers.contract import FaceContext
from operators.restorers.generator.options import Task
from operators.restorers.generator.strokes import seam, white_strokes

Face = NDArray[np.float32]
Plane = NDArray[np.float32]


@dataclass(frozen=True)
class Preparation:
    """One face made ready.

    Attributes:
        shown: (S, S, 3) float32 in [0, 1], what the network sees; None when it need not run for this face.
        share: (S, S) float32 in [0, 1], share of the new face in the result; None for all of it.
    """

    shown: Face | None
    share: Plane | None = None


@dataclass(frozen=True)
class Finish:
    """What is done with the network's result.

    Attributes:
        task: of the network.
        fidelity: share of the face as it came, 0 to 1.
        keep_tone: as in the options.
    """

    task: Task
    fidelity: float
    keep_tone: bool


def value_range(task: Task) -> tuple[float, float]:
    """Values that black and white have for the network, going in and coming out.

    [-1, 1] as all these networks were trained; GPEN's segmentation maps and the faces made of them are in [0, 1]
    (`is_norm=False` in its published tool turns off the shift on both sides).
    """
    return (0.0, 1.0) if task == "seg2face" else (-1.0, 1.0)


def prepared(face: Face, context: FaceContext, task: Task) -> Preparation:
    """Make ready what the network sees.

    `colorize` sees the face's BT.601 luma in all channels, as `cv2.cvtColor` makes grey. `inpaint` sees white where
    the face is to be made anew: the context's mask, or where that is None the white strokes found on the face.

    Args:
        face: (S, S, 3) float32 in [0, 1], RGB.
        context: of the face.
        task: of the network.

    Returns:
        The preparation; of `inpaint` without anything to be made anew, one that runs no network.

    Raises:
        ValueError: the context's mask has another size, or values that are not in [0, 1].
    """
    if task == "colorize":
        return Preparation(np.repeat(luma_of(face)[..., np.newaxis], 3, axis=-1))
    if task != "inpaint":
        return Preparation(face)
    if context.mask is None:
        mask = white_strokes(face, context.landmarks).astype(np.float32)
    else:
        mask = _checked(context.mask, face.shape[0])
    if not mask.any():
        return Preparation(None)
    return Preparation(np.where(mask[..., np.newaxis] > 0.0, np.float32(1.0), face), seam(mask))


def finished(face: Face, made: Face, context: FaceContext, preparation: Preparation, finish: Finish) -> Face:
    """Make the result of what the network gave.

    First the tone is settled, then the face as it came is mixed in, so that a fidelity of 1 is the input exactly.

    Args:
        face: (S, S, 3) float32 in [0, 1], as it came.
        made: (S', S', 3) float32 in [0, 1], what the network made of it; may be written to.
        context: of the face.
        preparation: what `prepared` gave.
        finish: what is done.

    Returns:
        (S', S', 3) float32 in [0, 1]; (S, S, 3) for `inpaint`, equal to `face` where its share is 0.
    """
    if preparation.share is not None:
        return _inpainted(face, made, context, preparation.share, finish)
    if finish.task == "colorize":
        made = _coloured(face, made) if finish.keep_tone else made
    elif finish.task == "restore" and finish.keep_tone and (context.gray or context.toned):
        made = lock(face, made, context.gray)
    if finish.fidelity == 0.0:
        return made
    return _mixed(made, sized(face, made.shape[0]), np.float32(finish.fidelity))


def sized(face: Face, side: int) -> Face:
    """A face at another size, antialiased, in [0, 1]; itself where the size is its own."""
    return face if face.shape[0] == side else np.asarray(np.clip(resize(face, (side, side)), 0.0, 1.0), np.float32)


def _coloured(face: Face, made: Face) -> Face:
    """Luma of the original, chroma of the network, as GPEN's tool does it when sizes differ."""
    luma = luma_of(sized(face, made.shape[0]))
    return joined(luma, *chroma_of(made, luma_of(made)))


def _inpainted(face: Face, made: Face, context: FaceContext, share: Plane, finish: Finish) -> Face:
    made = sized(made, face.shape[0])
    if finish.keep_tone and (context.gray or context.toned):
        made = lock(face, made, context.gray, weights=(share == 0.0).astype(np.float32))
    part = share * np.float32(1.0 - finish.fidelity)
    result: Face = face.copy()
    inside = part > 0.0
    result[inside] = np.clip(face[inside] + part[inside, np.newaxis] * (made[inside] - face[inside]), 0.0, 1.0)
    return result


def _mixed(made: Face, face: Face, fidelity: np.float32) -> Face:
    return np.asarray(made + fidelity * (face - made), dtype=np.float32)


def _checked(mask: Plane, side: int) -> Plane:
    if mask.shape != (side, side):
        raise ValueError(f"mask of shape {mask.shape}: expected {(side, side)}, as the face")
    if not ((mask >= 0.0) & (mask <= 1.0)).all():
        raise ValueError("mask holds values outside [0, 1]: expected 1 where the face is made anew, 0 elsewhere")
    return np.asarray(mask, dtype=np.float32)
