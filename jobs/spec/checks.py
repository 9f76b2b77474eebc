"""Combinations of keys that cannot be, each valid by itself."""

from __future__ import annotations

import string
from collections.abc import Iterator
from pathlib import PurePosixPath

from jobs.spec.detect import Detect
from jobs.spec.output import WITH_COMPRESSION, WITH_QUALITY, Output
from jobs.spec.overlap import overlap
from jobs.spec.pairs_output import PairsOutput
from jobs.spec.problems import Finding, listed
from jobs.spec.restore import NoneRestore, RestoreBlock
from jobs.spec.run import Run
from jobs.spec.score import NEEDS, Score
from jobs.spec.source import FilesSource, ParquetSource, SourceBlock, WebdatasetSource
from pipeline.names import check_template


def check_source_keys(source: SourceBlock) -> Iterator[Finding]:
    """Columns that exclude each other, suffixes without a dot, patterns that match nothing."""
    if isinstance(source, ParquetSource):
        given = (source.bytes_column, source.uri_column)
        if all(given):
            message = "found beside bytes_column; keep one: images are either in the table or named by it"
            yield Finding(("source", "uri_column"), message, at_key=True)
        elif not any(given):
            yield Finding(("source", "bytes_column"), "found null, expected a column here or in uri_column")
        if source.schemes and source.uri_column is None:
            message = "has no effect without uri_column, as the images are in the table; remove it"
            yield Finding(("source", "schemes"), message, at_key=True)
    if isinstance(source, WebdatasetSource):
        for index, suffix in enumerate(source.image_suffixes):
            if not suffix.startswith(".") or "/" in suffix or suffix != suffix.lower():
                yield Finding(("source", "image_suffixes", index), "expected a suffix in lower case such as '.jpg'")
    if isinstance(source, FilesSource):
        for name, patterns in (("include", source.include), ("exclude", source.exclude)):
            for index, pattern in enumerate(patterns):
                if pattern.startswith("/") or ".." in pattern.split("/"):
                    message = "expected a pattern of names below source.uri, such as '*.tif' or 'box1/**'"
                    yield Finding(("source", name, index), message)
                elif any("**" in part and part != "**" for part in pattern.split("/")):
                    yield Finding(("source", name, index), "write '**' as a part of its own, as in 'box1/**/*.tif'")


def check_detect(detect: Detect) -> Iterator[Finding]:
    """Settings of a search that does not take place."""
    if detect.aligned:
        for name in sorted(detect.model_fields_set - {"aligned"}):
            message = "has no effect with aligned: true, where no face is looked for; remove one of the two"
            yield Finding(("detect", name), message, at_key=True)


def check_restore(restore: RestoreBlock) -> Iterator[Finding]:
    """A bound that the policy switches off, and a shape for faces that nothing changes."""
    if restore.oversize == "reduce" and "max_reduction" in restore.model_fields_set:
        message = "has no effect with oversize: reduce, which restores faces of any size; remove one of the two"
        yield Finding(("restore", "max_reduction"), message, at_key=True)
    if isinstance(restore, NoneRestore) and restore.mask != "auto":
        yield Finding(
            ("restore", "mask"), "has no effect with model: none, which pastes nothing; remove it", at_key=True
        )


def check_score(score: Score) -> Iterator[Finding]:
    """Thresholds that rest on a measure which is not taken, and measures named twice."""
    for name, measure in NEEDS.items():
        if getattr(score.gate, name) is not None and measure not in score.measures:
            message = f"needs '{measure}' in score.measures; add it there, or remove this threshold"
            yield Finding(("score", "gate", name), message, at_key=True)
    for index, measure in enumerate(score.measures):
        if measure in score.measures[:index]:
            yield Finding(("score", "measures", index), f"'{measure}' stands in the list already")


def check_output_keys(output: Output) -> Iterator[Finding]:
    """Settings that the format does not have, and name templates that cannot work."""
    if output.quality is not None and output.format not in WITH_QUALITY:
        message = f"has no effect with format: {output.format}; it is for {listed(WITH_QUALITY)}"
        yield Finding(("output", "quality"), message, at_key=True)
    if output.compression != "same" and output.format not in WITH_COMPRESSION:
        message = f"has no effect with format: {output.format}; it is for {listed(WITH_COMPRESSION)}"
        yield Finding(("output", "compression"), message, at_key=True)
    if output.name is not None and (problem := template_problem(output.name, output.format)):
        yield Finding(("output", "name"), problem)


def template_problem(template: str, format_: str) -> str:
    """Why a name template cannot be used, or an empty string."""
    if problem := check_template(template):
        return problem
    fixed = "".join(literal for literal, *_ in string.Formatter().parse(template))
    if template.startswith("/") or "\\" in template or ".." in PurePosixPath(template).parts:
        return "expected a name below the output: no leading slash, backslash or '..'"
    if "{ext}" not in PurePosixPath(template).name and not (format_ == "same" and template.endswith("{key}")):
        return "the name must end in its format's extension; write '.{ext}' at the end"
    if fixed.startswith("_facejobs"):
        return "'_facejobs' is where a run keeps its ledger; begin with another name"
    return ""


def check_places(source: SourceBlock, output: Output | PairsOutput, run: Run | None) -> Iterator[Finding]:
    """Source and output that lie in one another, and storage that the runner's processes cannot share."""
    options = (source.storage_options, output.storage_options)
    if problem := overlap(source.uri, output.uri, options):
        yield Finding(("output", "uri"), problem)
    if run is not None and (run.runner == "ray" or run.isolate):
        for block, uri in (("source", source.uri), ("output", output.uri)):
            if uri.startswith("memory://"):
                message = (
                    "memory:// lives in one process and a run uses several; say run: {runner: local, isolate: false}"
                )
                yield Finding((block, "uri"), message)
