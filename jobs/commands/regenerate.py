"""`facejobs pairs regenerate`: makes pairs again from their records, and says whether they are the same to the bit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jobs.console import Output
from jobs.errors import CommandError
from jobs.exits import Exit
from jobs.locate import locate
from jobs.opencv import settle_opencv
from jobs.pairs.fetch_record import by_key, chosen, of_run, opener_of
from jobs.pairs.record import PairRecord, read_record
from jobs.pairs.regenerate import SIDES, MadeFiles, other_versions
from jobs.pairs.regenerate_many import Outcome, regenerate_all
from jobs.pairs.source_bytes import SourceBytes
from jobs.places import output_of, source_of
from jobs.spec import Scrubber, Spec, TrainJob, load, secrets_of
from jobs.versions import pixel_versions

DEFAULT_SAMPLE = 100
SHOWN = 20


@dataclass(frozen=True)
class Asked:
    """The options, as they were given.

    Attributes:
        keys: of the pairs; none for the only one there is, or for a sample.
        source: a file or folder that has taken the place of the one in the record.
        job: a job file that says how to reach source and output.
        to: folder that the pictures are written to.
        check: write nothing.
        sample: how many pairs are checked where none is named.
        seed: of the choice of them.
        force: files that are there already may be overwritten.
    """

    keys: list[str]
    source: str
    job: str | None
    to: Path
    check: bool
    sample: int
    seed: int
    force: bool


@dataclass
class _Counts:
    identical: int = 0
    differing: int = 0
    failed: int = 0
    complaints: int = 0
    sources: set[tuple[str, int, int]] = field(default_factory=set)


@dataclass(frozen=True)
class _Access:
    """How source and records are reached: options of both, and the column of a Parquet source."""

    source: Mapping[str, Any] = field(default_factory=dict, repr=False)
    output: Mapping[str, Any] = field(default_factory=dict, repr=False)
    bytes_column: str = ""

    @staticmethod
    def of(job: Spec | None) -> _Access:
        if job is None or isinstance(job, TrainJob):
            return _Access()
        source = source_of(job)
        return _Access(source.options, output_of(job).options, source.bytes_column)


def regenerate(place: str, asked: Asked, out: Output) -> Exit:
    """Make the pairs of some records again, compare them and write them."""
    settle_opencv()
    job = load(asked.job) if asked.job else None
    if job is not None:
        out.use(Scrubber(secrets_of(job)))
    found, access = _records(place, asked, _Access.of(job), out)
    records = [read_record(data, place if _single(place) else f"{place}: {key}") for key, data in found.items()]
    counts = _Counts()
    for outcome in regenerate_all(records, SourceBytes(access.source, access.bytes_column, asked.source)):
        _take(outcome, counts, asked, out, single=len(records) == 1)
    return _end(counts, out)


def _records(place: str, asked: Asked, access: _Access, out: Output) -> tuple[dict[str, bytes], _Access]:
    """The wanted records by key, and how their sources are reached."""
    opener = opener_of(place)
    if opener is not None:
        with opener(place, access.output) as found:
            return _wanted(found, place, asked, single=_single(place)), access
    located = locate(place)
    run, job = located.run, located.job
    if job is not None:
        out.use(located.scrubber)
        access = access if asked.job else _Access.of(job)
    if run.header.kind != "pairs":
        raise CommandError(f"{place}: holds a run of the kind {run.header.kind}, expected pairs", Exit.USAGE)
    column = access.bytes_column or str(run.header.job.get("source", {}).get("bytes_column") or "")
    return _wanted(of_run(run), place, asked), _Access(access.source, access.output, column)


def _single(place: str) -> bool:
    """Whether a place is one pair's record."""
    return place.lower().endswith(".json")


def _wanted(found: Iterator[tuple[str, Any]], place: str, asked: Asked, *, single: bool = False) -> dict[str, bytes]:
    if asked.keys:
        return by_key(found, asked.keys, place)
    if single:
        return {key: load_record() for key, load_record in found}
    if not asked.check:
        raise CommandError(
            f"{place}: holds many pairs; name one with --key, or say --check to compare some of them", Exit.USAGE
        )
    records = chosen(found, asked.sample, asked.seed)
    if not records:
        raise CommandError(f"{place}: holds no record of a pair", Exit.USAGE)
    return records


def _take(outcome: Outcome, counts: _Counts, asked: Asked, out: Output, *, single: bool) -> None:
    source = outcome.record.source
    counts.sources.add((source["uri"], source["offset"], source["row"]))
    if outcome.made is None:
        counts.failed += not outcome.other_source
        counts.differing += outcome.other_source
        _complain(f"{outcome.record.key}: {outcome.problem}", counts, out)
        return
    written = "" if asked.check else f"; wrote {', '.join(_write(outcome.made, asked))}"
    if outcome.made.identical:
        counts.identical += 1
        if single or not asked.check:
            out.say(f"{outcome.made.key}: bit-identical{written}")
    else:
        counts.differing += 1
        _complain(f"{_difference(outcome.record, outcome.made)}{written}", counts, out)


def _complain(text: str, counts: _Counts, out: Output) -> None:
    counts.complaints += 1
    if counts.complaints <= SHOWN:
        out.say(text)
    elif counts.complaints == SHOWN + 1:
        out.say("more of the kind are only counted")


def _difference(record: PairRecord, made: MadeFiles) -> str:
    sides = ", ".join(f"{side} ({made.key}.{SIDES[side]}.png)" for side in made.differing)
    others = other_versions(record, pixel_versions())
    why = (
        "; ".join(others)
        if others
        else ("all versions are the record's, so it was made on a machine of another kind, or the record was changed")
    )
    return f"{made.key}: differs from its record in {sides}: {why}"


def _write(made: MadeFiles, asked: Asked) -> list[str]:
    """Write a pair's pictures. Raises CommandError where other files have their names."""
    paths = {asked.to / name: data for name, data in made.named().items()}
    try:
        asked.to.mkdir(parents=True, exist_ok=True)
        for path, data in paths.items():
            if path.exists() and path.read_bytes() != data and not asked.force:
                raise CommandError(
                    f"{path}: holds something else; name another folder with --to, or say --force to overwrite it",
                    Exit.USAGE,
                )
        for path, data in paths.items():
            path.write_bytes(data)
    except OSError as error:
        raise CommandError(f"{error.filename}: cannot be written ({error.strerror})", Exit.USAGE) from error
    return [str(path) for path in paths]


def _end(counts: _Counts, out: Output) -> Exit:
    total = counts.identical + counts.differing + counts.failed
    if total > 1 or not counts.identical:
        parts = [f"{counts.identical} of {total} pairs bit-identical"]
        parts += [f"{counts.differing} different"] if counts.differing else []
        parts += [f"{counts.failed} could not be made"] if counts.failed else []
        count = len(counts.sources)
        out.say(f"{', '.join(parts)}; {count} {'source' if count == 1 else 'sources'} read")
    if counts.differing:
        return Exit.MISMATCH
    return Exit.BAD_JOB if counts.failed else Exit.DONE
