"""`facejobs run` on JPEG files that stay JPEG: outside the faces' squares they decode to the very same pixels."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import numpy as np
import pyvips
from PIL import Image

if TYPE_CHECKING:
    from .conftest import Bench

NAME = "box1/print.jpg"


def test_a_jpeg_changes_only_inside_the_squares_of_its_faces(bench: Bench, files: dict[str, bytes]) -> None:
    assert bench.call("run", bench.job()).exit_code == 3
    outputs = bench.outputs("job")
    record = json.loads(outputs[f"{NAME}.json"])
    assert len(record["faces"]) == 1
    assert record["output"]["changed"]
    assert not any("afresh" in note for note in record["notes"])
    before, after = (pyvips.Image.new_from_buffer(data, "").numpy() for data in (files[NAME], outputs[NAME]))
    y, x = np.mgrid[: before.shape[0], : before.shape[1]]
    face = record["faces"][0]
    u, v = (row[0] * x + row[1] * y + row[2] for row in face["affine"])
    outside = np.maximum(np.abs(u - (face["crop_size"] - 1) / 2), np.abs(v - (face["crop_size"] - 1) / 2)) >= (
        face["crop_size"] / 2
    )
    assert outside.sum() > 1000
    assert np.array_equal(before[outside], after[outside])
    assert not np.array_equal(before[~outside], after[~outside])
    tables = [Image.open(io.BytesIO(data)).quantization for data in (files[NAME], outputs[NAME])]
    assert tables[0] == tables[1]
