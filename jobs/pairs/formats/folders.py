"""Pairs as folders of pictures with a list, as BasicSR reads them (https://github.com/XPixelGroup/BasicSR)."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jobs.pairs.formats.contract import About, PairFiles
from jobs.pairs.formats.finals import SCRATCH, put_final
from jobs.pairs.formats.index import PairIndex, indexed
from pipeline.records import Artifact, Output
from pipeline.run import Run
from pipeline.sinks.writing import writing_errors

META_INFO = "meta_info.txt"


@dataclass(frozen=True)
class FoldersFormat:
    """`{split}/lq/NAME.png`, `{split}/gt/NAME.png`, `{split}/mask/NAME.png`, `records/{split}/NAME.json`.

    Closing writes `{split}/meta_info.txt`, the `meta_info_file` of BasicSR's PairedImageDataset: one line a target,
    `NAME.png (height,width,channels)`, by name.

    Attributes:
        masks: whether masks are written.
    """

    masks: bool
    name: str = "folders"
    paired: bool = True
    same_size: bool = False

    def artifacts(self, pair: PairFiles) -> Sequence[Artifact]:
        """Each file an object of its own."""
        if pair.degraded is None or pair.target is None:
            raise ValueError(f"pair {pair.name}: only side {pair.side} is there, and this format keeps both together")
        made = [
            Artifact(f"{pair.split}/lq/{pair.name}.png", "image", pair.degraded),
            Artifact(f"{pair.split}/gt/{pair.name}.png", "image", pair.target),
        ]
        if self.masks and pair.mask is not None:
            made.append(Artifact(f"{pair.split}/mask/{pair.name}.png", "image", pair.mask))
        return [*made, Artifact(f"records/{pair.split}/{pair.name}.json", "record", pair.record)]

    def container(self) -> None:
        """Objects stand for themselves."""
        return

    def close(self, run: Run, about: About) -> Sequence[Output]:
        """Write the lists."""
        with tempfile.TemporaryDirectory(prefix="facejobs-pairs-") as folder:
            scratch = Path(folder)
            with indexed(run, scratch) as index:
                return [_list(run, index, split, scratch / META_INFO) for split in index.counts()]

    def sweep(self, run: Run) -> None:
        """Nothing was written that is not wanted."""


def _list(run: Run, index: PairIndex, split: str, path: Path) -> Output:
    name = f"{split}/{META_INFO}"
    with writing_errors(name, SCRATCH), path.open("w", encoding="ascii", newline="\n") as file:
        for pair in index.pairs(split):
            width, height = pair.target
            file.write(f"{pair.key}.png ({height},{width},3)\n")
    return put_final(run, name, path)
