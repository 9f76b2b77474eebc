"""What becomes of a picture that a search has found: only what was asked for is taken from it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from operators.inversion.tasks import Task
from operators.restorers.contract import FaceContext
from operators.restorers.generator.strokes import seam
from operators.restorers.generator.tasks import Finish, Preparation, finished

Face = NDArray[np.float32]


def taken(face: Face, made: Face, context: FaceContext, task: Task, *, keep_tone: bool, fidelity: float = 0.0) -> Face:
    """The result of a task.

    `inpaint` takes from the picture what lies inside the mask and nothing else; `colorize` takes its colours, and its
    light too where `keep_tone` is off; other tasks take all of it, in the tone of the face where that has one.

    Args:
        face: (S, S, 3) float32 in [0, 1], as it came.
        made: (S, S, 3) float32 in [0, 1], what was found; may be written to.
        context: of the face; with its mask for `inpaint`.
        task: which.
        keep_tone: see above.
        fidelity: share of the face as it came, 0 to 1.

    Returns:
        (S, S, 3) float32 in [0, 1].

    Raises:
        ValueError: `inpaint` without a mask.
    """
    if task == "inpaint":
        if context.mask is None:
            raise ValueError("a face to be inpainted has no mask: expected (S, S) in [0, 1], 1 where it is made anew")
        share = seam(np.asarray(context.mask, dtype=np.float32))
        return finished(face, made, context, Preparation(face, share), Finish("inpaint", fidelity, keep_tone))
    finish = Finish("colorize" if task == "colorize" else "restore", fidelity, keep_tone)
    return finished(face, made, context, Preparation(face), finish)
