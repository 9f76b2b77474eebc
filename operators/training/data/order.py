"""In which order pictures come: a new one in each round, told by the seed and the sample's number alone."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


def place(seed: int, number: int, count: int, name: str = "") -> int:
    """Which picture a sample is made of.

    Args:
        seed: of the training.
        number: of the sample, 0 and on.
        count: of the pictures.
        name: of the set of pictures, where there are several; another name gives another order.

    Returns:
        0 to `count` - 1; each of them once in every `count` samples from a multiple of `count` on.
    """
    turn, index = divmod(number, count)
    return int(_order(seed, turn, count, name)[index])


def generator(seed: int, number: int, name: str = "") -> np.random.Generator:
    """What the draws of a sample come from, apart from which picture it is made of.

    Args:
        seed: of the training.
        number: of the sample.
        name: what is drawn; another name gives other draws.
    """
    return np.random.default_rng((seed, number, *name.encode()))


@lru_cache(maxsize=8)
def _order(seed: int, turn: int, count: int, name: str) -> NDArray[np.int64]:
    return np.random.default_rng((seed, turn, count, 1, *name.encode())).permutation(count)
