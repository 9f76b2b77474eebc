"""The contract that every restorer keeps, so that the flow need not know which one it runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from operators.engines.options import ArtifactStore

Faces = NDArray[np.float32]


@dataclass(frozen=True)
class FaceContext:
    """What a restorer may know of a face beside its pixels.

    Attributes:
        landmarks: (5, 2) float64 in crop pixels, order as in `Detection`.
        gray: the source file has no colour; the flow keeps only the luma of what comes back.
        reduction: source pixels per crop pixel.
        seed: 64 bits from hash(job seed, record key, face index), for restorers that draw.
        toned: a colour file whose picture has one tone: a sepia print, or grey stored as RGB.
        mask: (S, S) float32 in [0, 1], 1 where the face is to be made anew; None where the job gives none.
        attributes: what the catalogue says of the face, 0 to 1 by the attribute's name; for restorers that take them.
    """

    landmarks: NDArray[np.float64]
    gray: bool
    reduction: float
    seed: int
    toned: bool = False
    mask: NDArray[np.float32] | None = None
    attributes: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Execution:
    """What executed a restorer's last batch, beyond what `RestorerInfo` says.

    Attributes:
        engine: engine, version, device, precision, what was asked and why another was taken; JSON values. Empty when
            no network was run. Equal for equal machines, so that it may stand in the record beside an image.
        events: what happened since the last time it was asked, by name: `batch_halved`, `engine_fallback`.
        faces: of a restorer that has more to say of single faces: what the record of each face of the last batch says
            of it, in their order; JSON values that do not depend on machine, time or attempt. Empty otherwise.
        counts: work done since the last time it was asked, by name: `search_iterations`.
    """

    engine: Mapping[str, Any] = field(default_factory=dict)
    events: Mapping[str, int] = field(default_factory=dict)
    faces: tuple[Mapping[str, Any], ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)


class ModelFiles(Protocol):
    """Where the files of models lie; picklable."""

    def path(self, name: str, sha256: str) -> Path:
        """A model's file on this machine, fetched and verified if it was not there yet.

        Args:
            name: as in the model table or as it was added.
            sha256: content hash it must have.

        Raises:
            operators.models.ModelFileError: it cannot be had; the message says how to get it.
        """
        ...


@dataclass(frozen=True)
class Equipment:
    """What a restorer with weights is given by whoever runs it; picklable.

    Attributes:
        files: model files.
        artifacts: compiled engines; None compiles anew each time.
    """

    files: ModelFiles
    artifacts: ArtifactStore | None = None


@dataclass(frozen=True)
class RestorerInfo:
    """What goes into the record of every face a restorer touched.

    Attributes:
        name: as in the job file.
        version: changes whenever the same input would give other pixels.
        template: alignment template's name.
        sizes: crop sizes it takes, ascending; the smallest that does not shrink the face is used.
        weights_sha256: content hash of its weights, None when it has none.
        parameters: every setting that changes its output.
    """

    name: str
    version: str
    template: str
    sizes: tuple[int, ...]
    weights_sha256: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)


class Progress(Protocol):
    """Where a restorer that takes long over a face keeps how far it has come, until the unit is committed."""

    def load(self, key: str) -> bytes | None:
        """What was saved last under a key, by this attempt or one before it; None where nothing was.

        Args:
            key: hash of everything that the face's result depends on, hex.
        """
        ...

    def save(self, key: str, data: bytes) -> None:
        """Keep bytes, in place of what was saved before, in one step."""
        ...


class NoProgress:
    """Keeps nothing."""

    def load(self, key: str) -> bytes | None:
        """None."""
        return None

    def save(self, key: str, data: bytes) -> None:
        """Nothing is done."""


@runtime_checkable
class Resumable(Protocol):
    """A restorer that can go on where it was cut off."""

    def keep_progress(self, progress: Progress) -> None:
        """Where to keep progress from now on, and to look for it before a face is begun."""
        ...


class Restorer(Protocol):
    """Improves aligned faces. Deterministic: a face's result depends on that face and its context alone."""

    @property
    def info(self) -> RestorerInfo:
        """Description for records, run identity and report."""
        ...

    def setup(self) -> None:
        """Load weights and prepare engines; called once in the process that will call `restore`."""
        ...

    def restore(self, faces: Faces, contexts: Sequence[FaceContext]) -> Faces:
        """Restore a batch of equal-sized crops.

        Args:
            faces: (N, S, S, 3) float32 in [0, 1], RGB.
            contexts: N of them.

        Returns:
            (N, S', S', 3) float32 in [0, 1], RGB, showing the same square; S' may differ from S.
        """
        ...

    def execution(self) -> Execution:
        """What executed the last batch; resets the events."""
        ...
