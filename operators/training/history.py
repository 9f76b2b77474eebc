"""Made pictures of earlier steps, shown to a discriminator again so that it does not forget them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class History:
    """A buffer of pictures.

    Shrivastava et al., "Learning from Simulated and Unsupervised Images through Adversarial Training" (2017), section
    2.3; CycleGAN keeps 50 and shows, with a probability of one half, an old one in place of a new one, which takes its
    place.

    Args:
        size: pictures that are kept; 0 gives back what comes in.
        seed: of what is drawn.
    """

    def __init__(self, size: int = 50, seed: int = 0) -> None:
        self._size = size
        self._kept: list[Tensor] = []
        self._generator = torch.Generator().manual_seed(seed)

    def shown(self, pictures: Tensor) -> Tensor:
        """What the discriminator sees of this step's pictures.

        Args:
            pictures: (N, ...); no gradient goes through.

        Returns:
            as many, new or old ones.
        """
        chosen = []
        for picture in pictures.detach():
            if len(self._kept) < self._size:
                self._kept.append(picture.clone())
                chosen.append(picture)
            elif self._size and torch.rand((), generator=self._generator) < 0.5:
                place = int(torch.randint(self._size, (), generator=self._generator))
                chosen.append(self._kept[place])
                self._kept[place] = picture.clone()
            else:
                chosen.append(picture)
        return torch.stack(chosen)

    def state(self) -> dict[str, Any]:
        """Everything that a training has to keep to go on exactly."""
        return {"kept": [one.clone() for one in self._kept], "draws": self._generator.get_state()}

    def resume(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self._kept = [one.clone() for one in state["kept"]]
        self._generator.set_state(state["draws"])
