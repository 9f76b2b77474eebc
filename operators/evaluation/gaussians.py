"""FID: the distance between two sets of pictures, by Gaussians through their features."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


class Moments:
    """Mean and covariance of vectors that come one after the other; memory does not grow with their number.

    Chan, Golub, LeVeque, "Algorithms for Computing the Sample Variance" (1983), equation 2.1: sums around the mean so
    far, so that nothing is lost where the mean is large.

    Args:
        dimensions: of the vectors.
    """

    def __init__(self, dimensions: int) -> None:
        self.count = 0
        self.mean: Values = np.zeros(dimensions)
        self._scatter: Values = np.zeros((dimensions, dimensions))

    def add(self, vectors: NDArray[np.floating]) -> None:
        """Take vectors in.

        Args:
            vectors: (N, dimensions).
        """
        if not len(vectors):
            return
        rows = np.asarray(vectors, np.float64)
        mean = rows.mean(axis=0)
        centred = rows - mean
        apart = mean - self.mean
        total = self.count + len(rows)
        self._scatter += centred.T @ centred + np.outer(apart, apart) * (self.count * len(rows) / total)
        self.mean = self.mean + apart * (len(rows) / total)
        self.count = total

    @property
    def covariance(self) -> Values:
        """(dimensions, dimensions), unbiased. Raises ValueError with fewer than two vectors."""
        if self.count < 2:
            raise ValueError(f"covariance of {self.count} vectors: expected two or more")
        return self._scatter / (self.count - 1)


def frechet_distance(first: Moments, second: Moments) -> float:
    """Frechet distance between two Gaussians: |m - n|^2 + tr(C + D - 2 (C D)^(1/2)).

    Dowson and Landau, "The Frechet Distance between Multivariate Normal Distributions" (1982), as Heusel et al., "GANs
    Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium" (NeurIPS 2017) use it. The trace of
    the root is that of the symmetric matrix C^(1/2) D C^(1/2), whose eigenvalues are real and not negative; where there
    are fewer pictures than dimensions, the general root of C D is not defined well and this one is.

    Args:
        first: of two vectors and more.
        second: likewise.

    Returns:
        At least 0.

    Raises:
        ValueError: a set has fewer than two vectors, or the dimensions differ.
    """
    if first.mean.shape != second.mean.shape:
        raise ValueError(f"features of {first.mean.size} and {second.mean.size} dimensions: expected equal numbers")
    one, other = first.covariance, second.covariance
    values, vectors = np.linalg.eigh(one)
    root = (vectors * np.sqrt(np.clip(values, 0.0, None))) @ vectors.T
    shared = np.linalg.eigvalsh(root @ other @ root)
    apart = first.mean - second.mean
    distance = apart @ apart + np.trace(one) + np.trace(other) - 2.0 * np.sqrt(np.clip(shared, 0.0, None)).sum()
    return max(0.0, float(distance))
