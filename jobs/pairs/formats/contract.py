"""What every format of pairs is: which objects a pair becomes, and what the whole needs beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from pipeline.records import Artifact, Output
from pipeline.run import Run
from pipeline.sinks.contract import Container

Side = Literal["both", "A", "B"]


@dataclass(frozen=True)
class PairFiles:
    """One finished pair, or one side of it where sides are not paired.

    Attributes:
        name: of the pair; no dots, no spaces.
        split: which part it belongs to.
        side: `A` has no target, `B` nothing degraded.
        degraded: PNG.
        target: PNG.
        mask: PNG of one band; None where the recipe has none.
        record: JSON.
    """

    name: str
    split: str
    side: Side
    degraded: bytes | None
    target: bytes | None
    mask: bytes | None
    record: bytes


@dataclass(frozen=True)
class About:
    """What a dataset card says.

    Attributes:
        name: of the job.
        licence: what the pairs may be used for; None where the job does not say.
        recipe: its name.
        recipe_text: the recipe as YAML.
        source: where the images came from, without secrets.
        pairs: how many there are, by split.
        samples: how many samples they were made from, by split.
        seed: of the job.
        version: of facejobs.
        settings: the canonical job.
    """

    name: str
    licence: str | None
    recipe: str
    recipe_text: str
    source: str
    pairs: Mapping[str, int]
    samples: Mapping[str, int]
    seed: int
    version: str
    settings: Mapping[str, object] = field(default_factory=dict)


class PairFormat(Protocol):
    """A format; travels to workers by pickle."""

    @property
    def name(self) -> str:
        """As the job file has it."""
        ...

    @property
    def paired(self) -> bool:
        """Whether degraded picture and target belong together."""
        ...

    @property
    def same_size(self) -> bool:
        """Whether they must have one size."""
        ...

    def artifacts(self, pair: PairFiles) -> Sequence[Artifact]:
        """What a pair becomes; names are relative to the outputs, or to the shard."""
        ...

    def container(self) -> Container | None:
        """What a unit's artifacts are put into; None where each is an object of its own."""
        ...

    def close(self, run: Run, about: About) -> Sequence[Output]:
        """Write what the pairs need as a whole, when all are there; name every object written.

        Writing it twice gives the same bytes.
        """
        ...

    def sweep(self, run: Run) -> None:
        """Remove what served only to make it, when the manifest names what was made."""
        ...
