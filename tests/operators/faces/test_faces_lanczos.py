"""Polyphase filters against Pillow's own resize."""

import cv2
import numpy as np
import pytest
from PIL import Image

from operators.faces.lanczos import SUPPORT, enlarge, reduce


def pillow(plane: np.ndarray, width: int, height: int) -> np.ndarray:
    return np.asarray(Image.fromarray(plane).resize((width, height), Image.Resampling.LANCZOS))


@pytest.mark.parametrize("factor", [1, 2, 3, 4])
@pytest.mark.parametrize(("height", "width"), [(50, 71), (5, 6), (3, 9), (1, 1), (2, 40)])
def test_enlarging_is_pillows_to_the_very_edge(height: int, width: int, factor: int) -> None:
    plane = np.random.default_rng(0).random((height, width), dtype=np.float32)
    assert np.abs(enlarge(plane, factor) - pillow(plane, width * factor, height * factor)).max() < 1e-6


@pytest.mark.parametrize("factor", [1, 2, 3, 4])
def test_reducing_is_pillows_within_the_rim(factor: int) -> None:
    plane = np.random.default_rng(0).random((50 * factor, 71 * factor), dtype=np.float32)
    inner = np.s_[SUPPORT:-SUPPORT, SUPPORT:-SUPPORT]
    assert np.abs(reduce(plane, factor) - pillow(plane, 71, 50))[inner].max() < 1e-6


def test_bytes_do_not_depend_on_the_number_of_threads() -> None:
    plane = np.random.default_rng(0).random((300, 300), dtype=np.float32)
    before, results = cv2.getNumThreads(), []
    try:
        for threads in (1, 4):
            cv2.setNumThreads(threads)
            results.append(reduce(enlarge(plane, 3), 3).tobytes())
    finally:
        cv2.setNumThreads(before)
    assert results[0] == results[1]
