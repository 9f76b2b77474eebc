"""Fixity: every output against the SHA-256 that its commit or the manifest recorded."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from pipeline.dropped import dropped_by
from pipeline.fetching import fetched
from pipeline.finals import PART, finals_of
from pipeline.history import chain_of
from pipeline.keyset import KeySet
from pipeline.layout import HOME, VERSIONS
from pipeline.records import Output
from pipeline.retries import persistent
from pipeline.run import Run
from pipeline.storage import Folder

CHUNK = 8 * 2**20


@dataclass
class Findings:
    """What a verification found; paths are relative to the folder that the run's outputs lie in.

    Attributes:
        checked: outputs whose bytes were read.
        missing: recorded but not there.
        changed: there with other bytes.
        extra: there but named by no commit of this run, nor by its manifest.
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
    """Read every output that commits and the manifest name and compare; then look for objects that none names.

    Of a night of a collection, outputs of the runs before it are read as well: of each name, what the last run wrote
    there, unless a later one took it away.

    What only served to make finals is looked for as long as no manifest names those. Once a retry was planned, finals
    are known but not compared: closing the run may have begun to write them anew.

    Args:
        run: the run, finished or not.
        on_progress: called with the number of outputs checked so far.
    """
    findings = Findings()
    finals = finals_of(run)
    known = KeySet(chain(_read_all(run, finals, findings, on_progress), (output.path for output in finals or ())))
    findings.extra.extend(sorted(name for name in _present(run) if name not in known))
    return findings


def _read_all(
    run: Run, finals: Sequence[Output] | None, findings: Findings, on_progress: Callable[[int], None] | None
) -> Iterator[str]:
    """Compare every recorded output, note what is wrong, and give the path of each."""
    folder = run.outputs
    for output, state in fetched(lambda output: (output, _check(folder, output)), _standing(run, finals)):
        findings.checked += state != "missing"
        if state == "missing":
            findings.missing.append(output.path)
        elif state == "changed":
            findings.changed.append(output.path)
        if on_progress:
            on_progress(findings.checked)
        yield output.path


def _standing(run: Run, finals: Sequence[Output] | None) -> Iterator[Output]:
    """Outputs of this run, and those of the runs that it follows that no later one wrote anew or took away."""
    yield from _recorded(run, finals)
    later: list[KeySet] = []
    before = run
    for one in reversed(chain_of(run)[:-1]):
        later.append(KeySet(chain((output.path for output in _recorded(before, None)), dropped_by(before))))
        yield from (output for output in _recorded(one, None) if not any(output.path in names for names in later))
        before = one


def _recorded(run: Run, finals: Sequence[Output] | None) -> Iterator[Output]:
    """What commits name, each looked for by its name: one that a listing misses would make its outputs `extra`.

    Parts go once a manifest was written; and what the manifest names comes after, if it is the run's last word.
    """
    for output in run.ledger.all_outputs(ref.unit_id for ref in run.refs()):
        if output.role != PART or finals is None:
            yield output
    if finals and run.complete:
        yield from finals


@persistent
def sha256_at(folder: Folder, name: str) -> str:
    """SHA-256 (FIPS 180-4) of an object, hexadecimal, never held whole. Raises FileNotFoundError."""
    digest = hashlib.sha256()
    with folder.fs.open(folder.path(name), "rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _check(folder: Folder, output: Output) -> str:
    try:
        return "ok" if sha256_at(folder, output.path) == output.sha256 else "changed"
    except FileNotFoundError:
        return "missing"


def _present(run: Run) -> Iterator[str]:
    """Objects below the run's output folder, the ledger and other versions' folders left out."""
    skipped = (f"{HOME}/", f"{VERSIONS}/") if not run.header.prefix else (f"{HOME}/",)
    for name, _ in run.outputs.walk():
        if not name.startswith(skipped):
            yield name
