from __future__ import annotations

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from jobs.train.artefacts.grid import GAP, INK, MOST_SAMPLES, PAPER, png_size, sheet


def drawn(png: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(png)) as image:
        assert image.format == "PNG"
        assert image.mode == "RGB"
        return np.asarray(image)


def noise(count: int, height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (count, height, width, 3), np.uint8)


def head_of(image: NDArray[np.uint8], rows: int, height: int) -> int:
    return image.shape[0] - rows * (height + GAP)


def test_each_picture_lies_where_its_row_and_column_say() -> None:
    columns = {"input": noise(3, 20, 30, 1), "made": noise(3, 20, 30, 2), "truth": noise(3, 20, 30, 3)}
    image = drawn(sheet(columns))
    head = head_of(image, 3, 20)
    assert image.shape[1] == 3 * (30 + GAP) + GAP
    for column, pictures in enumerate(columns.values()):
        for row in range(3):
            top, left = head + row * (20 + GAP), GAP + column * (30 + GAP)
            assert np.array_equal(image[top : top + 20, left : left + 30], pictures[row])
            assert (image[top : top + 20, left - GAP : left] == PAPER).all()


def test_smaller_pictures_are_enlarged_pixel_by_pixel() -> None:
    small = noise(1, 8, 8)
    image = drawn(sheet({"input": small, "made": noise(1, 32, 32)}))
    head = head_of(image, 1, 32)
    assert np.array_equal(image[head : head + 32, GAP : GAP + 32], small[0].repeat(4, axis=0).repeat(4, axis=1))


def test_labels_stand_over_their_columns_and_do_not_leave_them() -> None:
    pictures = np.zeros((1, 40, 80, 3), np.uint8)
    image = drawn(sheet({"input": pictures, "a label that is much wider than its column": pictures, "": pictures}))
    head = image[: head_of(image, 1, 40)]
    inked = (np.abs(head.astype(int) - PAPER).sum(axis=2) > 60).any(axis=0)
    starts = [GAP + column * (80 + GAP) for column in range(3)]
    assert inked[starts[0] : starts[0] + 80].any()
    assert inked[starts[1] : starts[1] + 80].any()
    assert not inked[starts[2] : starts[2] + 80].any()
    for start in (0, *(start + 80 for start in starts)):
        assert not inked[start : start + GAP].any()
    assert np.abs(head.astype(int) - INK).sum(axis=2).min() < 60


def test_only_so_many_samples_are_drawn() -> None:
    image = drawn(sheet({"made": np.zeros((MOST_SAMPLES + 5, 4, 4, 3), np.uint8)}))
    assert (image[:, GAP + 2] == 0).all(axis=1).sum() == 4 * MOST_SAMPLES


def test_the_same_pictures_give_the_same_bytes_and_say_their_columns() -> None:
    columns = {"input": noise(2, 8, 8), "made": noise(2, 8, 8, 1)}
    png = sheet(columns)
    assert png == sheet(columns)
    with Image.open(io.BytesIO(png)) as image:
        assert image.text["facejobs"] == "input | made"  # type: ignore[attr-defined]  # of PNG files only
        assert image.size == png_size(png)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({}, "no columns"),
        ({"made": np.zeros((1, 4, 4, 3), np.float32)}, "'made' of a sheet is float32"),
        ({"made": np.zeros((1, 4, 4), np.uint8)}, r"shape \(1, 4, 4\)"),
        ({"made": np.zeros((0, 4, 4, 3), np.uint8)}, "at least one"),
        ({"a": np.zeros((1, 4, 4, 3), np.uint8), "b": np.zeros((2, 4, 4, 3), np.uint8)}, "{'a': 1, 'b': 2}"),
    ],
)
def test_what_is_no_sheet_is_refused(columns: dict[str, NDArray[np.uint8]], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        sheet(columns)


def test_a_size_is_read_of_a_png_only() -> None:
    with pytest.raises(ValueError, match="expected a PNG"):
        png_size(b"\xff\xd8\xff" + bytes(40))
