"""What the workers of one training have to agree on; alone, one worker agrees with itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import distributed

T = TypeVar("T")


class ElsewhereError(Exception):
    """The first worker has failed at what it does for all of them; it says itself why."""


class Together:
    """The workers of a training.

    What they agree on are tensors on the CPU: with GPUs the process group has to have a backend for either, as
    `cpu:gloo,cuda:nccl` has.
    """

    def __init__(self) -> None:
        several = distributed.is_available() and distributed.is_initialized()
        self.rank = distributed.get_rank() if several else 0
        self.world = distributed.get_world_size() if several else 1

    @property
    def first(self) -> bool:
        """Whether this worker is the one that keeps and shows."""
        return self.rank == 0

    def any(self, mine: bool) -> bool:
        """Whether it is so for any of them."""
        if self.world == 1:
            return mine
        flag = torch.tensor([int(mine)])
        distributed.all_reduce(flag, distributed.ReduceOp.MAX)
        return bool(flag.item())

    def alone(self, work: Callable[[], T]) -> T | None:
        """Have the first worker do something while the others wait; None for those.

        Raises:
            ElsewhereError: it failed, in the others; in the first, whatever it raised.
        """
        done: T | None = None
        failed: Exception | None = None
        if self.first:
            try:
                done = work()
            except Exception as error:  # noqa: BLE001 - raised below, once the others know
                failed = error
        if self.any(failed is not None):
            raise failed or ElsewhereError("the first worker of the training has failed")
        return done

    def told(self, data: bytes | None) -> bytes:
        """What the first worker has to say, of any length; the others give None."""
        if self.world == 1:
            assert data is not None
            return data
        length = torch.tensor([len(data or b"")])
        distributed.broadcast(length, 0)
        held = torch.empty(int(length.item()), dtype=torch.uint8)
        if data:
            held.copy_(torch.frombuffer(bytearray(data), dtype=torch.uint8))
        if len(held):
            distributed.broadcast(held, 0)
        return held.numpy().tobytes()
