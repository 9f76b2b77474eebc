"""What has to hold between keys of the block `selection`, and between it and others."""

from __future__ import annotations

from collections.abc import Iterator

from jobs.spec.output import Output
from jobs.spec.problems import Finding
from jobs.spec.selection import Selection

BLOCK = "selection"


def check_selection(selection: Selection, output: Output | None) -> Iterator[Finding]:
    """What is wrong with the block."""
    for key in ("below", "above"):
        if getattr(selection, key) and selection.outdated == "never":
            yield Finding(
                (BLOCK, key),
                "says which of the outdated derivatives are made again, but selection.outdated is never; "
                "remove the one or change the other. What the same model and settings made comes out the same when it "
                "is made again",
            )
    if selection.where is not None and (wrong := _wrong_condition(selection.where)):
        yield Finding((BLOCK, "where"), wrong)
    if output is None:
        return
    if output.layout != "mirror":
        yield Finding(
            ("output", "layout"),
            f"with a selection the output must be a tree (mirror), found '{output.layout}': a derivative that is made "
            "again takes the place of the former one, which it cannot inside a shard",
        )
    if output.existing != "refuse":
        yield Finding(
            ("output", "existing"),
            f"with a selection every night adds to what is there, found '{output.existing}'; leave the key out",
        )


def _wrong_condition(where: str) -> str:
    from jobs.nightly.condition import problem_of  # noqa: PLC0415  DuckDB, for those who use it

    return problem_of(where)
