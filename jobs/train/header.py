"""What a training is, written down before its first step, and how it is found and told apart from another."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from jobs.train import layout
from jobs.train.artefacts.facts import DataFacts, Parent
from pipeline.intact import intact
from pipeline.storage import Folder

_ADVICE = "put it back from a backup; or name another output.uri"


@dataclass(frozen=True)
class Header:
    """The training of an output (`train.json`).

    Attributes:
        name: of the job.
        model: its kind: `gpen`, ...
        identity: all that decides what is learnt: under `job` the canonical job, without secrets.
        steps: in all.
        batch: samples of a step.
        summary: of the table of schedules.
        created: ISO 8601, UTC.
        facejobs: version that began it.
        data: what it sees.
        parents: models that it began with.
        licence: of what is trained, as the job says it.
    """

    name: str
    model: str
    identity: Mapping[str, Any]
    steps: int
    batch: int
    summary: str
    created: str
    facejobs: str
    data: DataFacts
    parents: tuple[Parent, ...] = ()
    licence: str = ""

    @property
    def job(self) -> Mapping[str, Any]:
        """The canonical job."""
        job: Mapping[str, Any] = self.identity["job"]
        return job

    def written(self) -> bytes:
        """As JSON."""
        return json.dumps({"kind": "train", **asdict(self)}, indent=1).encode()


@dataclass(frozen=True)
class End:
    """The end of a training (`finished.json`).

    Attributes:
        finished: ISO 8601, UTC.
        seconds: of work.
        files: of the model, name below the output to SHA-256 and bytes.
    """

    finished: str
    seconds: float
    files: Mapping[str, tuple[str, int]] = field(default_factory=dict)

    def written(self) -> bytes:
        """As JSON."""
        files = {name: {"sha256": digest, "bytes": size} for name, (digest, size) in self.files.items()}
        return json.dumps({"finished": self.finished, "seconds": self.seconds, "files": files}, indent=1).encode()


def read_header(output: Folder) -> Header | None:
    """The training of an output; None where there is none.

    Raises:
        LedgerError: the file is damaged.
    """
    try:
        with intact(output, layout.HEADER, _ADVICE):
            raw = json.loads(output.read(layout.HEADER))
            del raw["kind"]
            data = DataFacts(**raw.pop("data"))
            data = replace(data, first_skipped=tuple(data.first_skipped), notes=tuple(data.notes))
            parents = tuple(Parent(**parent) for parent in raw.pop("parents"))
            return Header(**raw, data=data, parents=parents)
    except FileNotFoundError:
        return None


def read_end(output: Folder) -> End | None:
    """The end of an output's training; None for one that has not come to it.

    Raises:
        LedgerError: the file is damaged.
    """
    try:
        with intact(output, layout.END, "remove it and run the job again, which writes it anew"):
            raw = json.loads(output.read(layout.END))
            files = {name: (str(one["sha256"]), int(one["bytes"])) for name, one in raw["files"].items()}
            return End(str(raw["finished"]), float(raw["seconds"]), files)
    except FileNotFoundError:
        return None
