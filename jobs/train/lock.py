"""Keeps two trainings out of one output, on any store."""

from __future__ import annotations

from jobs.train import layout
from pipeline.night_lock import NightInProgressError, NightLock
from pipeline.storage import Folder
from pipeline.writer_lock import EXPIRY_SECONDS, Holder


class TrainingInProgressError(NightInProgressError):
    """Another process trains in the output."""


class TrainingLock(NightLock):
    """The lock of a training's output.

    Args:
        folder: the output.
    """

    def __init__(self, folder: Folder) -> None:
        super().__init__(folder, layout.LOCK)

    def _conflict(self, there: Holder | None) -> TrainingInProgressError:
        who = there.name if there else "one that has just begun"
        return TrainingInProgressError(
            f"{self._place}: this training is under way: {who}. Nothing was done; let it end. If its machine was lost, "
            f"the lock can be taken over {EXPIRY_SECONDS / 60:.0f} minutes after its last sign of life"
        )
