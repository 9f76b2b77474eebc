"""Fixity: every output against the SHA-256 that its commit recorded."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice

from pipeline.layout import HOME
from pipeline.records import Output
from pipeline.run import Run
from pipeline.storage import Folder

READERS = 8
CHUNK = 8 * 2**20


@dataclass
class Findings:
    """What a verification found; paths are relative to the folder that the run's outputs lie in.

    Attributes:
        checked: outputs whose bytes were read.
        missing: recorded but not there.
        changed: there with other bytes.
        extra: there but named by no commit of this run.
    """

    checked: int = 0
    missing: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether everything is as recorded."""
        return not (self.missing or self.changed or self.extra)


def verify(run: Run, on_progress: Callable[[int], None] | None = None) -> Findings:
    """Read every output that commits name and compare; then look for objects that none names.

    Args:
        run: the run, finished or not.
        on_progress: called with the number of outputs checked so far.
    """
    findings = Findings()
    known: set[str] = set()
    recorded = _recorded(run)
    with ThreadPoolExecutor(READERS) as pool:
        while batch := list(islice(recorded, READERS * 8)):
            known.update(output.path for output in batch)
            for output, state in zip(batch, pool.map(lambda output: _check(run.outputs, output), batch), strict=True):
                findings.checked += state != "missing"
                if state == "missing":
                    findings.missing.append(output.path)
                elif state == "changed":
                    findings.changed.append(output.path)
            if on_progress:
                on_progress(findings.checked)
    findings.extra.extend(sorted(name for name in _present(run) if name not in known))
    return findings


def _recorded(run: Run) -> Iterator[Output]:
    for commit in run.ledger.commits(ref.unit_id for ref in run.refs()):
        yield from commit.outputs


def _check(folder: Folder, output: Output) -> str:
    digest = hashlib.sha256()
    try:
        with folder.fs.open(folder.path(output.path), "rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
    except FileNotFoundError:
        return "missing"
    return "ok" if digest.hexdigest() == output.sha256 else "changed"


def _present(run: Run) -> Iterator[str]:
    """Objects below the run's output folder, the ledger and other versions' folders left out."""
    skipped = (f"{HOME}/", "versions/") if not run.header.prefix else (f"{HOME}/",)
    for name, _ in run.outputs.walk():
        if not name.startswith(skipped):
            yield name
