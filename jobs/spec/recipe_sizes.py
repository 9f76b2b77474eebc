"""Whether a recipe's pictures have another size than their targets, told without degrading anything."""

from __future__ import annotations

import numpy as np

from jobs.spec.degrade import Degrade
from jobs.spec.recipes import recipe_in
from operators.degradations.applying import apply
from operators.degradations.drawing import draw
from operators.degradations.problems import RecipeError
from operators.degradations.record import AGAIN, FORK, JOIN
from operators.errors import OperatorError

SIDE = 64
DRAWS = 8
MOVES_SIZE = ("resize", FORK, AGAIN, JOIN)
"""Steps that can change a size, and the marks that they may stand between."""


def other_size(degrade: Degrade) -> str:
    """How the sizes of a pair differ; empty where they can be equal.

    The recipe is drawn a few times, and the resizing steps alone are applied to a small black picture, which takes
    some milliseconds. A recipe that only sometimes changes the size passes: what it draws is known when a pair is made.

    Args:
        degrade: as loaded.
    """
    try:
        recipe = recipe_in(degrade)
        black = np.zeros((SIDE, SIDE, 3), dtype=np.float32)
        for variant in range(DRAWS):
            steps = [step for step in draw(recipe, 0, "size", variant) if step.use in MOVES_SIZE]
            pair = apply(black, steps)
            (height, width), (target_height, target_width) = pair.image.shape[:2], pair.target.shape[:2]
            if (height, width) == (target_height, target_width):
                return ""
    except (RecipeError, OperatorError):
        return ""  # a wrong recipe is told elsewhere, one that cannot be applied to so small a picture says nothing
    return f"{width} x {height} pixels of a target of {target_width} x {target_height}"
