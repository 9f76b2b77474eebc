"""The restorer that makes faces unrecognisable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np

from operators.restorers.anonymize.drawn import Drawn
from operators.restorers.anonymize.obscure import blurred, colour_of, filled, pixelated
from operators.restorers.anonymize.options import AnonymizeOptions
from operators.restorers.anonymize.region import head_of, unit_of
from operators.restorers.anonymize.stand_in import mean_face, stand_in
from operators.restorers.contract import Equipment, Execution, FaceContext, Faces, RestorerInfo

VERSION = "1"
SIZES = (128, 256, 512)
TEMPLATE = "head"


class AnonymizeRestorer:
    """Shows in place of a face what nobody can be told by. Each face's result depends on it and its context alone.

    Args:
        options: which method.
        equipment: where the prior's file lies, for the method `generated`; others do not look at it.
    """

    def __init__(self, options: AnonymizeOptions | None = None, equipment: Equipment | None = None) -> None:
        self._options = options or AnonymizeOptions()
        self._drawn = None
        if self._options.method == "generated":
            if equipment is None:
                raise ValueError("restorer 'anonymize' with the method generated needs equipment: where the prior lies")
            self._drawn = Drawn(self._options.prior, self._options.sha256, equipment)

    @property
    def info(self) -> RestorerInfo:
        """Description for records, run identity and report."""
        return RestorerInfo(
            name="anonymize",
            version=VERSION,
            template=TEMPLATE,
            sizes=SIZES,
            weights_sha256=self._options.sha256 or None,
            parameters=asdict(self._options),
        )

    def setup(self) -> None:
        """Load the prior, or the mean face."""
        if self._drawn is not None:
            self._drawn.setup()
        if self._options.method == "mean":
            mean_face()

    def execution(self) -> Execution:
        """What drew the faces."""
        return self._drawn.execution() if self._drawn is not None else Execution()

    def restore(self, faces: Faces, contexts: Sequence[FaceContext]) -> Faces:
        """Show something else in each crop's square.

        Args:
            faces: (N, S, S, 3) float32 in [0, 1], RGB, aligned to the template `head`.
            contexts: N of them.

        Returns:
            (N, S, S, 3) float32 in [0, 1]. No pixel of it is one of `faces`.

        Raises:
            ValueError: there are not as many contexts as faces.
        """
        if len(faces) != len(contexts):
            raise ValueError(f"{len(contexts)} contexts for {len(faces)} faces: expected one each")
        return np.stack([self._shown(face, context) for face, context in zip(faces, contexts, strict=True)])

    def _shown(self, face: Faces, context: FaceContext) -> Faces:
        options, landmarks = self._options, context.landmarks
        if options.method == "mean":
            return stand_in(face, landmarks, mean_face())
        if self._drawn is not None:
            return stand_in(face, landmarks, self._drawn.face(context.seed))
        return obscured(face, context, options)


def obscured(face: Faces, context: FaceContext, options: AnonymizeOptions, coarser: float = 1.0) -> Faces:
    """Take a face out of its crop by blur, pixelate or fill; any other method counts as pixelate.

    Args:
        face: (S, S, 3) float32 in [0, 1].
        context: of the face.
        options: which method, and its cells.
        coarser: factor of the cells' side.

    Returns:
        (S, S, 3) float32 in [0, 1].
    """
    head = head_of(context.landmarks, options.margin)
    if options.method == "fill":
        return filled(face, head, colour_of(options.colour))
    cell = options.cell * coarser * unit_of(context.landmarks)
    return blurred(face, cell) if options.method == "blur" else pixelated(face, cell)


def coarsened(face: Faces, context: FaceContext, options: AnonymizeOptions, step: int) -> tuple[Faces, str]:
    """What is shown of a face that could still be recognised: cells larger by 1.5 a step, then plain colours.

    A colour shows nothing of a face, but what a recogniser makes of it may lie near the person by chance; another one
    lies elsewhere.

    Args:
        face: (S, S, 3) float32 in [0, 1], as it was cut.
        context: of the face.
        options: of the job.
        step: 1 to `LAST_STEP`.

    Returns:
        The crop, (S, S, 3) float32 in [0, 1], and what was done in words: `pixelate 0.9`, `fill #808080`.
    """
    plain = replace(options, prior="", sha256="")
    if options.method == "fill" or step > _CELL_STEPS:
        colour = _COLOURS[step - 1] if options.method == "fill" else _COLOURS[step - _CELL_STEPS - 1]
        return obscured(face, context, replace(plain, method="fill", colour=colour)), f"fill {colour}"
    method = options.method if options.method in ("blur", "pixelate") else "pixelate"
    # A stand-in that resembles the person too much is given up for the cells of the job at their first size.
    coarser = 1.5 ** (step if method == options.method else step - 1)
    return obscured(face, context, replace(plain, method=method), coarser), f"{method} {options.cell * coarser:g}"


_CELL_STEPS = 3
_COLOURS = ("auto", "#808080", "#000000", "#ffffff", "#404040", "#c0c0c0")
LAST_STEP = len(_COLOURS)
"""The last step that `coarsened` knows."""
