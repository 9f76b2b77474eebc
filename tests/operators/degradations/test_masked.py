"""Which degradations give masks: the list is held to what they do."""

from __future__ import annotations

import numpy as np
import pytest

from operators.degradations.applying import apply
from operators.degradations.drawing import draw
from operators.degradations.masked import MASKED, makes_masks
from operators.degradations.reading import parse
from operators.degradations.record import DrawnStep
from operators.degradations.shipped import names, shipped
from operators.degradations.table import DEGRADATIONS

IMAGE = np.random.default_rng(3).random((96, 96, 3), dtype=np.float32)


def drawn() -> dict[str, DrawnStep]:
    """A step with each degradation that the shipped recipes use."""
    steps = (step for name in names() for variant in range(40) for step in draw(shipped(name), 1, "a", variant))
    return {step.use: step for step in steps if step.use in DEGRADATIONS}


def test_a_degradation_gives_a_mask_or_never_does() -> None:
    found = drawn()
    assert len(found) >= len(DEGRADATIONS) - 2
    assert set(found) >= MASKED
    for name, step in found.items():
        mask = step.degradation().degrade(IMAGE, np.random.default_rng(4), (96, 96)).mask
        assert (mask is not None) == (name in MASKED), name


def test_recipes_that_ship() -> None:
    masked = {name for name in names() if makes_masks(shipped(name))}
    assert {"old-photo", "strokes", "face-completion", "scratch-repair", "archival-print"} <= masked
    assert not masked & {"gfpgan", "gpen", "real-esrgan", "vqfr", "codeformer-ii"}


@pytest.mark.parametrize("name", names())
def test_only_such_recipes_make_masks(name: str) -> None:
    image = np.full((64, 64, 3), 0.5, np.float32)
    masks = [apply(image, draw(shipped(name), 1, "a", variant)).mask is not None for variant in range(12)]
    assert not any(masks) or makes_masks(shipped(name))


def test_masks_are_seen_in_every_kind_of_group() -> None:
    inner = "{use: dust, parameters: {specks: 5}}"
    for group in (
        f"steps: [{inner}]",
        f"one_of: [{{weight: 1, steps: [{inner}]}}, {{weight: 1, steps: []}}]",
        f"shuffle: [{inner}, {{use: grey}}]",
        f"repeat: 2\n    steps: [{inner}]",
        f"uneven: 0.5\n    steps: [{inner}]",
    ):
        assert makes_masks(parse(f"recipe: a\nsource: b\nsteps:\n  - id: group\n    {group}\n"))
    assert not makes_masks(parse("recipe: a\nsource: b\nsteps: [{use: grey}]\n"))
