"""Manifests: a CSV, TSV, JSONL or Parquet catalogue that names the images and says what is known of them."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, islice
from types import MappingProxyType
from typing import IO, Any

import pyarrow.parquet as pq

from pipeline.errors import SourceError
from pipeline.records import Record
from pipeline.sources.catalogue import bad_row, check_columns, list_parquet_catalogue, named, open_exact, record_of
from pipeline.sources.damage import DECODING, is_damage
from pipeline.sources.objects import Found, find_objects, listing_errors
from pipeline.sources.spec import OnIgnored, SourceSpec
from pipeline.sources.values import jsonable

COMPRESSIONS = (".gz", ".bz2", ".xz", ".zst")
JSONL_HEAD_ROWS = 100
MAX_LINE = 16 * 2**20


def list_manifest(spec: SourceSpec, ignored: OnIgnored) -> Iterator[Record]:
    """One record a row, streamed; see `record_of` for what a row means.

    Values of CSV and TSV stay text, so that an identifier like 007 is kept. A row that cannot be read becomes a record
    with a problem. Text is UTF-8, with or without a byte order mark; text files may be compressed (.gz, .bz2, .xz).

    Raises:
        SourceError: no such manifest, a format that is not known, a missing column, or text that is not UTF-8.
        StorageError: storage refused or did not answer.
    """
    for found in find_objects(spec, tuple(FORMATS), ignored):
        with listing_errors(found.uri):
            try:
                yield from _format(found)(found, spec)
            except UnicodeDecodeError as error:
                raise SourceError(f"{found.uri}: not UTF-8 ({error}); save the manifest as UTF-8") from error
            except (OSError, *DECODING) as error:
                if not is_damage(error):
                    raise
                said = f"{type(error).__name__}: {error}"
                raise SourceError(
                    f"{found.uri}: damaged, or not what its name says ({said}); write it again"
                ) from error


def _format(found: Found) -> Callable[[Found, SourceSpec], Iterator[Record]]:
    name = _plain_name(found)
    for suffix, rows in FORMATS.items():
        if name.endswith(suffix):
            return rows
    raise SourceError(
        f"{found.uri}: the name ends in none of {', '.join(FORMATS)}, by which a manifest's format is told"
    )


def _plain_name(found: Found) -> str:
    name = found.name.lower()
    for suffix in COMPRESSIONS:
        name = name.removesuffix(suffix)
    return name


def _open_text(found: Found) -> IO[str]:
    file: Any = found.fs.open(found.path, "rb", compression="infer")
    return io.TextIOWrapper(file, encoding="utf-8-sig", newline="")


def _list_csv(found: Found, spec: SourceSpec, delimiter: str = ",") -> Iterator[Record]:
    with _open_text(found) as text:
        rows = csv.reader(_lines(text, found), delimiter=delimiter, strict=True)
        header = _header(rows, found)
        check_columns(header, found, spec)
        while True:
            place = f"line{rows.line_num + 1}"
            try:
                values = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                yield bad_row(place, str(error), found)
                continue
            if not values:
                continue
            if len(values) != len(header):
                yield bad_row(place, f"{len(values)} values, the header has {len(header)} columns", found)
                continue
            yield record_of(dict(zip(header, values, strict=True)), place, found, spec)


def _header(rows: Iterator[list[str]], found: Found) -> list[str]:
    try:
        header = [name.strip() for name in next(rows)]
    except StopIteration:
        raise SourceError(f"{found.uri}: it is empty; the first line must name the columns") from None
    except csv.Error as error:
        raise SourceError(f"{found.uri}: its first line cannot be read ({error})") from error
    if twice := sorted(name for name, count in Counter(header).items() if count > 1):
        raise SourceError(f"{found.uri}: the column names {named(twice)} stand twice; give each its own")
    return header


def _list_tsv(found: Found, spec: SourceSpec) -> Iterator[Record]:
    return _list_csv(found, spec, delimiter="\t")


def _list_jsonl(found: Found, spec: SourceSpec) -> Iterator[Record]:
    with _open_text(found) as text:
        rows = _json_rows(_lines(text, found))
        # The columns of JSONL are known only from its rows, and a row may lack some: a few are looked at.
        head = list(islice(rows, JSONL_HEAD_ROWS))
        if any(not fault for _, _, fault in head):
            check_columns(dict.fromkeys(name for _, row, _ in head for name in row), found, spec)
        for place, row, fault in chain(head, rows):
            yield bad_row(place, fault, found) if fault else record_of(row, place, found, spec)


def _lines(text: IO[str], found: Found) -> Iterator[str]:
    """Line by line, within bounds: a compressed catalogue of a few KiB can hold one line of any length."""
    number = 0
    while line := text.readline(MAX_LINE):
        number += 1
        if len(line) == MAX_LINE:
            raise SourceError(
                f"{found.uri}: line {number} is longer than {MAX_LINE // 2**20} Mi characters; is it a manifest?"
            )
        yield line


def _json_rows(lines: Iterable[str]) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Place, values and fault of each line that is not empty."""
    for number, line in enumerate(lines, start=1):
        place = f"line{number}"
        if not line.strip():
            continue
        try:
            row = jsonable(json.loads(line))
        except (ValueError, RecursionError) as error:
            yield place, {}, f"no JSON ({error})"
            continue
        if isinstance(row, dict):
            yield place, row, ""
        else:
            yield place, {}, f"a JSON {type(row).__name__}, expected an object"


def _list_parquet(found: Found, spec: SourceSpec) -> Iterator[Record]:
    with open_exact(found.fs, found.path) as file, pq.ParquetFile(file) as table:
        yield from list_parquet_catalogue(table, found, spec)


FORMATS: Mapping[str, Callable[[Found, SourceSpec], Iterator[Record]]] = MappingProxyType(
    {
        ".csv": _list_csv,
        ".tsv": _list_tsv,
        ".jsonl": _list_jsonl,
        ".ndjson": _list_jsonl,
        ".parquet": _list_parquet,
        ".pq": _list_parquet,
    }
)
