"""The code in docs/operators.md works as it stands there."""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

from operators.restorers.contract import Execution, FaceContext, Restorer

PAGE = Path(__file__).parents[2] / "docs" / "operators.md"


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    module = ModuleType("operators_page")
    sys.modules["operators_page"] = module  # dataclasses look their module up
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL):
        exec(compile(block, str(PAGE), "exec"), module.__dict__)
    return module.__dict__


def test_one_image_is_restored_with_operators_alone(names: dict[str, Any]) -> None:
    noisy = np.clip(astronaut()[:300, 80:380] + np.random.default_rng(1).normal(0, 15, (300, 300, 3)), 0, 255)
    buffer = io.BytesIO()
    Image.fromarray(noisy.astype(np.uint8)).save(buffer, "PNG")
    before = np.asarray(Image.open(buffer))
    after = np.asarray(Image.open(io.BytesIO(names["restore_one"](buffer.getvalue()))))
    clean = astronaut()[:300, 80:380].astype(np.float64)
    face = np.s_[60:200, 80:200]
    assert np.array_equal(before[290:], after[290:])
    assert np.square(after[face] - clean[face]).mean() < 0.7 * np.square(before[face] - clean[face]).mean()


def test_the_example_restorer_keeps_the_contract(names: dict[str, Any]) -> None:
    restorer = names["UnsharpRestorer"](names["UnsharpOptions"]())
    missing = [name for name in vars(Restorer) if not name.startswith("_") and not hasattr(restorer, name)]
    assert not missing, "every member of the contract is in the example"
    assert restorer.execution() == Execution()
    restorer.setup()
    faces = np.random.default_rng(2).random((2, 128, 128, 3), dtype=np.float32)
    contexts = [FaceContext(np.zeros((5, 2)), gray=False, reduction=1.0, seed=0)] * 2
    restored = restorer.restore(faces, contexts)
    assert restored.shape == faces.shape
    assert restored.dtype == np.float32
    assert restored.std() > faces.std()
    assert np.array_equal(restored[1], restorer.restore(faces[1:], contexts[1:])[0])
