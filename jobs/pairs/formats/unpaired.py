"""Two sets of pictures of different people, as CycleGAN reads them.

Its reader is in https://github.com/junyanz/pytorch-CycleGAN-and-pix2pix.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jobs.pairs.formats.contract import About, PairFiles
from pipeline.records import Artifact, Output
from pipeline.run import Run


@dataclass(frozen=True)
class UnpairedFormat:
    """`{split}A/NAME.png` degraded, `{split}B/NAME.png` good, and `records/{split}A/NAME.json` and B likewise.

    Masks have no place in it.
    """

    name: str = "unpaired"
    paired: bool = False
    same_size: bool = False

    def artifacts(self, pair: PairFiles) -> Sequence[Artifact]:
        """One side's picture and its record."""
        picture = {"A": pair.degraded, "B": pair.target}.get(pair.side)
        if picture is None:
            raise ValueError(f"pair {pair.name}: side {pair.side!r} has no picture of its own in an unpaired format")
        folder = f"{pair.split}{pair.side}"
        return [
            Artifact(f"{folder}/{pair.name}.png", "image", picture),
            Artifact(f"records/{folder}/{pair.name}.json", "record", pair.record),
        ]

    def container(self) -> None:
        """Objects stand for themselves."""
        return

    def close(self, run: Run, about: About) -> Sequence[Output]:
        """Nothing: the reader lists the folders."""
        return ()

    def sweep(self, run: Run) -> None:
        """Nothing was written that is not wanted."""
