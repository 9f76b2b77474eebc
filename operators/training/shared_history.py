"""A buffer of made pictures that several workers share, so that they train what one would."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, distributed

from operators.training.history import History


class SharedHistory:
    """The same buffer in every worker.

    All workers see the pictures of all, in the order in which one worker would have made them, and draw the same
    numbers; each takes its own share of what comes out. So the buffer is part of every worker's state alike, and
    two workers do with a batch what one does. The pictures of a step travel for it, which is little beside gradients.

    Args:
        size: pictures that are kept; 0 gives back what comes in.
        seed: of what is drawn, the same in all workers.
    """

    def __init__(self, size: int, seed: int) -> None:
        self._size = size
        self._history = History(size, seed)

    def shown(self, pictures: Tensor) -> Tensor:
        """What the discriminator sees of this step's pictures; to be called by all workers together.

        Args:
            pictures: (N, ...) of this worker, as many in each; no gradient goes through.

        Returns:
            (N, ...), new or old ones.
        """
        if not self._size:
            return pictures.detach()
        if not (distributed.is_available() and distributed.is_initialized() and distributed.get_world_size() > 1):
            return self._history.shown(pictures)
        mine = pictures.detach().contiguous()
        gathered = [torch.empty_like(mine) for _ in range(distributed.get_world_size())]
        distributed.all_gather(gathered, mine)
        # A worker has every `world`-th sample of a batch (`contract.share_of`).
        everyone = torch.stack(gathered, 1).flatten(0, 1)
        return self._history.shown(everyone)[distributed.get_rank() :: len(gathered)]

    def forget(self) -> None:
        """Keep nothing of what there is: pictures of another size come next."""
        self._history.resume(self._history.state() | {"kept": []})

    def state(self) -> dict[str, Any]:
        """Everything that a training has to keep to go on exactly; the same in all workers."""
        return self._history.state()

    def resume(self, state: Mapping[str, Any], device: str) -> None:
        """Go on from a state.

        Args:
            state: of `state`, wherever its tensors lie.
            device: on which pictures are made.
        """
        kept = [one.to(device) for one in state["kept"]]
        self._history.resume({"kept": kept, "draws": state["draws"].cpu()})
