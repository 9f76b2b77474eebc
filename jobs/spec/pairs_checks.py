"""Combinations of keys of a pairs job that cannot be, each valid by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jobs.spec.degrade import Degrade
from jobs.spec.filter import Filter
from jobs.spec.pairs_output import PairsOutput
from jobs.spec.problems import Finding
from jobs.spec.recipe_sizes import other_size
from jobs.spec.run import Run
from jobs.spec.samples import FaceSamples, SamplesBlock, TileSamples
from jobs.spec.source import FilesSource, SourceBlock
from jobs.spec.split import PART, RESERVED, Split, kept_together

WITHOUT_MASKS = ("aligned", "unpaired")
"""Formats that have no place for masks."""


def searches_faces(split: Split, samples: SamplesBlock) -> bool:
    """Whether faces are looked for at all."""
    return isinstance(samples, FaceSamples) or kept_together(split, samples) == "identity"


def check_search(samples: SamplesBlock, split: Split) -> Iterator[Finding]:
    """Settings of a search that does not take place."""
    if not searches_faces(split, samples):
        for name in sorted(samples.detect.model_fields_set):
            yield Finding(("samples", "detect", name), _no_search(samples, split), at_key=True)


def check_filter(filter_: Filter, samples: SamplesBlock, split: Split) -> Iterator[Finding]:
    """Bounds that leave nothing out, or everything."""
    if (
        filter_.duplicates == "exact"
        and "distance" in filter_.model_fields_set
        and kept_together(split, samples) != "identity"
    ):
        message = "has no effect with duplicates: exact, where only bytes are compared; remove one of the two"
        yield Finding(("filter", "distance"), message, at_key=True)
    if filter_.min_confidence is None:
        return
    least = samples.detect.min_confidence
    if isinstance(samples, TileSamples):
        message = "cannot be with samples.kind: tiles, which have no face of their own; remove it"
        yield Finding(("filter", "min_confidence"), message, at_key=True)
    elif not searches_faces(split, samples):
        yield Finding(("filter", "min_confidence"), _no_search(samples, split), at_key=True)
    elif filter_.min_confidence < least:
        message = (
            f"found {filter_.min_confidence:g}, which leaves nothing out: no face below "
            f"samples.detect.min_confidence ({least:g}) is found; raise it, or lower that of the search"
        )
        yield Finding(("filter", "min_confidence"), message)


def _no_search(samples: SamplesBlock, split: Split) -> str:
    kind = "tiles" if isinstance(samples, TileSamples) else "images"
    return f"has no effect with samples.kind: {kind} and split.by: {split.by}, where no face is looked for; remove it"


def check_degrade(degrade: Degrade) -> Iterator[Finding]:
    """Two numbers of pairs."""
    if degrade.variants is not None and degrade.pairs is not None:
        message = "found beside variants; keep one: the pairs of each sample, or the pairs in all"
        yield Finding(("degrade", "pairs"), message, at_key=True)


def check_split(split: Split, samples: SamplesBlock) -> Iterator[Finding]:
    """A likeness that is not looked at."""
    if "similarity" in split.model_fields_set and kept_together(split, samples) != "identity":
        by = "source" if split.by == "auto" else split.by
        message = f"has no effect with by: {by}, where faces are not compared; it is for by: identity"
        yield Finding(("split", "similarity"), message, at_key=True)


def check_column(split: Split, source: SourceBlock) -> Iterator[Finding]:
    """A column that is missing, not used, or that the source cannot have."""
    if split.by == "column" and split.column is None:
        message = "found 'column'; say which with split.column, or choose 'auto', 'identity' or 'source'"
        yield Finding(("split", "by"), message)
    elif split.column is not None and split.by != "column":
        message = f"has no effect with by: {split.by}; say by: column, or remove it"
        yield Finding(("split", "column"), message, at_key=True)
    elif split.column is not None and isinstance(source, FilesSource):
        message = "found with source.kind: files, which has no catalogue; name a manifest, parquet or webdataset source"
        yield Finding(("split", "column"), message, at_key=True)


def check_parts(split: Split, output: PairsOutput | None) -> Iterator[Finding]:
    """Names of parts that no folder or file of the output can have."""
    for name in split.parts:
        if not re.fullmatch(PART, name):
            message = "expected a name of up to 32 of the characters a-z 0-9 _ -, such as 'train'"
        elif name in RESERVED:
            message = f"'{name}' is the name of a folder that the output has anyway; choose another"
        elif re.search(r"-r\d+$", name):
            message = "'-r' and a number at the end is what the shards of a retry are called; choose another name"
        elif output is not None and output.format == "parquet" and "-" in name:
            message = f"Hugging Face data sets have no '-' in the name of a split; write '{name.replace('-', '_')}'"
        else:
            continue
        yield Finding(("split", "parts", name), message, at_key=True)


def check_formats(output: PairsOutput, degrade: Degrade | None) -> Iterator[Finding]:
    """Settings that the format has not, and recipes that it cannot hold."""
    if "masks" in output.model_fields_set and output.format in WITHOUT_MASKS:
        message = f"has no effect with format: {output.format}, which has no masks; remove it"
        yield Finding(("output", "masks"), message, at_key=True)
    if output.format == "aligned" and degrade is not None and (sizes := other_size(degrade)):
        message = (
            f"found 'aligned', where both pictures of a pair have one size, but the recipe makes {sizes}; choose "
            "another format, or end the recipe with {use: resize, id: back, parameters: {of: original}}"
        )
        yield Finding(("output", "format"), message)


def check_pairs_run(run: Run) -> Iterator[Finding]:
    """Placements of stages that a pairs job has not."""
    if run.placement == "staged":
        message = "found 'staged', but pairs have no network to keep apart; choose 'auto' or 'fused'"
        yield Finding(("run", "placement"), message)
