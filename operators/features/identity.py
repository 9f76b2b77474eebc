"""Vectors that stand for faces, with a gradient: what keeps a person that person while a network is trained."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from operators.faces.face import Points
from operators.faces.geometry import similarity
from operators.features.sface import SIDE, SFace
from operators.scoring.identity import SFACE_TEMPLATE


class Embedder(nn.Module):
    """Aligned crops to unit vectors of SFace.

    Args:
        landmarks: (5, 2) float64, where the crops have their landmarks, as shares of their side; all crops alike, as an
            alignment template has it.
        sface: the network; a new one if None.

    Raises:
        operators.models.ModelFileError: the model file is missing or not the expected one.
        OperatorError: the landmarks fit no upright face.
    """

    def __init__(self, landmarks: Points, sface: SFace | None = None) -> None:
        super().__init__()
        self.sface = (sface or SFace()).eval().requires_grad_(False)
        theta = _theta(landmarks)
        self._share = float(np.linalg.norm(theta[0, :2]))
        self.register_buffer("theta", torch.from_numpy(theta), persistent=False)

    def train(self, mode: bool = True) -> Embedder:
        """Stay in eval mode."""
        return super().train(False)

    def forward(self, crops: Tensor) -> Tensor:
        """Embed.

        Args:
            crops: (N, 3, S, S) RGB in [-1, 1].

        Returns:
            (N, 128) of length 1.
        """
        theta = self.get_buffer("theta").to(crops.dtype)
        # Bilinear sampling would alias where a crop is much larger than SFace's square.
        factor = int(crops.shape[-1] * self._share / SIDE)
        if factor > 1:
            crops = functional.avg_pool2d(crops, factor)
        grid = functional.affine_grid(theta.expand(len(crops), 2, 3), [len(crops), 3, SIDE, SIDE], align_corners=False)
        faces = functional.grid_sample(crops, grid, mode="bilinear", padding_mode="border", align_corners=False)
        return functional.normalize(self.sface(faces), dim=1)


def _theta(landmarks: Points) -> NDArray[np.float32]:
    """From positions in SFace's square to positions in the crop, both from -1 to 1, edge to edge."""
    affine = similarity(SFACE_TEMPLATE + 0.5, np.asarray(landmarks, np.float64) * SIDE)
    # p and q in [0, SIDE]: q = A p + t; u = 2 p / SIDE - 1 likewise.
    matrix, shift = affine[:, :2], affine[:, 2]
    moved = matrix @ np.array([1.0, 1.0]) + 2.0 * shift / SIDE - 1.0
    return np.concatenate([matrix, moved[:, None]], axis=1).astype(np.float32)
