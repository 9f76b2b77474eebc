"""Puts what a format writes as a whole into the run's outputs."""

from __future__ import annotations

from pathlib import Path

from pipeline.finals import FINAL
from pipeline.records import Output
from pipeline.run import Run
from pipeline.sinks.writing import sha256_of, writing_errors

SCRATCH = "the temporary folder (TMPDIR)"


def put_final(run: Run, name: str, path: Path) -> Output:
    """Put a local file at a name below the outputs.

    Raises:
        StorageError: storage refused or did not answer.
    """
    with writing_errors(name, run.outputs.uri):
        run.outputs.upload(name, path)
    return Output(name, path.stat().st_size, sha256_of(path), FINAL)
