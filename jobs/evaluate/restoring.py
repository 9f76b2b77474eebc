"""Runs a restorer on pictures that are one aligned face each, as a job with `detect: {aligned: true}` does."""

from __future__ import annotations

import hashlib

import cv2
import numpy as np
from numpy.typing import NDArray

from jobs.evaluate.sides import Picture
from jobs.restore.settings import RestoreSettings
from operators.degradations.applying import to_8bit
from operators.errors import OperatorError
from operators.evaluation.baselines import enlarged
from operators.faces.templates import template_points
from operators.faces.tone import is_toned
from operators.restorers.contract import FaceContext


class FaceRestorer:
    """Restores one picture after the other. What is made of it is the restorer's own square: nothing is pasted.

    Args:
        settings: of a restore job.
        template: alignment of the pictures.
        seed: of restorers that draw.
        same_size: bring what is made to the size of what was given, as a comparison with a truth needs it.
    """

    def __init__(self, settings: RestoreSettings, template: str, seed: int, same_size: bool) -> None:
        self._settings = settings
        self._template = template
        self._seed = seed
        self._same_size = same_size
        self._restorer = settings.restorer()
        self._sizes = self._restorer.info.sizes

    def setup(self) -> None:
        """Load its network."""
        self._restorer.setup()

    def __call__(self, given: Picture, name: str) -> Picture:
        """Restore a picture.

        Args:
            given: (S, S, 3) uint8, RGB.
            name: of the picture, for restorers that draw.

        Returns:
            (S, S, 3) uint8, or at the restorer's own size.

        Raises:
            OperatorError: it is no square, or cannot be restored.
        """
        height, width = given.shape[:2]
        if height != width:
            raise OperatorError(
                "not_square",
                f"{width} x {height} pixels: expected one aligned face in a square; run the restorer's job on whole "
                "pictures and name the folder of its results",
            )
        fitting = [size for size in self._sizes if size >= width]
        side = min(fitting) if fitting else max(self._sizes)
        crop = enlarged(given, side, side).astype(np.float32) / np.float32(255.0)
        made = self._restorer.restore(crop[np.newaxis], [self._context(crop, side, width / side, name)])[0]
        if not np.isfinite(made).all():
            raise OperatorError("not_finite", "the restorer gave NaN or infinity, expected values from 0 to 1")
        strength = np.float32(self._settings.strength)
        if strength < 1.0:
            before = crop if made.shape == crop.shape else _resized(crop, len(made))
            made = before + strength * (made - before)
        return to_8bit(_resized(made, width) if self._same_size else made)

    def _context(self, crop: NDArray[np.float32], side: int, reduction: float, name: str) -> FaceContext:
        digest = hashlib.sha256(f"{self._seed}\0{name}\0{0}".encode()).digest()
        return FaceContext(
            landmarks=template_points(self._template, side),
            gray=False,
            reduction=reduction,
            seed=int.from_bytes(digest[:8], "little"),
            toned=self._settings.networks is not None and is_toned(crop),
        )


def _resized(picture: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    if len(picture) == side:
        return picture
    method = cv2.INTER_AREA if len(picture) > side else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (side, side), interpolation=method), np.float32)
