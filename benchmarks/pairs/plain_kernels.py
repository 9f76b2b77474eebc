"""Blur kernels as the papers' training code makes them: a grid, an inverse covariance, a quadratic form."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

Kernel = NDArray[np.float64]


def sigma_matrix(sigma_x: float, sigma_y: float, theta: float) -> NDArray[np.float64]:
    """(2, 2) covariance of a Gaussian that is turned by theta radians."""
    d_matrix = np.array([[sigma_x**2, 0], [0, sigma_y**2]])
    u_matrix = np.array([[np.cos(theta), -np.sin(theta)], [np.sin(theta), np.cos(theta)]])
    return np.asarray(np.dot(u_matrix, np.dot(d_matrix, u_matrix.T)))


def bell(kind: str, size: int, sigma_x: float, sigma_y: float, theta: float, beta: float) -> Kernel:
    """A Gaussian, generalised Gaussian or plateau kernel.

    Args:
        kind: iso, aniso, generalised_iso, generalised_aniso, plateau_iso, plateau_aniso.
        size: side in pixels.
        sigma_x: standard deviation along the first axis.
        sigma_y: along the second one; what ends in iso takes the first for both.
        theta: radians.
        beta: exponent of generalised and plateau kernels.

    Returns:
        (size, size), sum 1.
    """
    if kind == "iso" or kind.endswith("_iso"):
        sigma_y, theta = sigma_x, 0.0
    ax = np.arange(-size // 2 + 1.0, size // 2 + 1.0)
    xx, yy = np.meshgrid(ax, ax)
    xy = np.stack([xx, yy], axis=2)
    inverse = np.linalg.inv(sigma_matrix(sigma_x, sigma_y, theta))
    form = np.sum(np.matmul(xy, inverse) * xy, axis=2)
    if kind.startswith("plateau"):
        kernel = 1.0 / (np.power(form, beta) + 1.0)
    elif kind.startswith("generalised"):
        kernel = np.exp(-0.5 * np.power(form, beta))
    else:
        kernel = np.exp(-0.5 * form)
    return np.asarray(kernel / np.sum(kernel))


def circular_lowpass(size: int, cutoff: float) -> Kernel:
    """The sinc filter of Real-ESRGAN: (size, size), sum 1."""
    centre = (size - 1) / 2
    y, x = np.mgrid[:size, :size]
    radius = np.sqrt((x - centre) ** 2 + (y - centre) ** 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        kernel = cutoff * special.j1(cutoff * radius) / (2 * np.pi * radius)
    kernel[(size - 1) // 2, (size - 1) // 2] = cutoff**2 / (4 * np.pi)
    return np.asarray(kernel / np.sum(kernel))
