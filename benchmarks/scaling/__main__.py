"""Measures how the flow scales: `python -m benchmarks.scaling`, twenty minutes; `--quick`, half a minute."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

import psutil

from benchmarks.scaling import plans, table
from benchmarks.scaling.calls import calls_of_unit
from benchmarks.scaling.case import Case
from benchmarks.scaling.measure import Figures, measured
from benchmarks.scaling.plans import Where
from pipeline.runners.ray_cluster import LEAST_STORE_BYTES, cores

PARTS = ("fused", "staged", "variants", "units")
MARKS = "<!-- measured: python -m benchmarks.scaling --page -->\n", "<!-- end of what was measured -->"
Measured = dict[str, list[Figures]]


def main() -> None:
    """Measure, and print Markdown; exit code 1 where a case failed, whose rows are left out then."""
    given = _arguments()
    failed = False
    if given.read:
        raw = json.loads(given.read.read_text())
        found = {name: [Figures.from_dict(one) for one in rows] for name, rows in raw["figures"].items()}
        head = str(raw["head"])
    else:
        head = _head()
        with tempfile.TemporaryDirectory(prefix="scaling-") as scratch:
            cases = _cases(given, _where(given, scratch))
            found, failed = _measured(cases, lambda so_far: _keep(given.json, head, so_far))
    text = rendered(head, found)
    sys.stdout.write(text)
    if given.page:
        given.page.write_text(filled(given.page.read_text(), text))
    if given.svg and _series(found):
        given.svg.write_text(table.drawing(_series(found)))
    if failed:
        sys.exit(1)


def quick() -> None:
    """The quick look, as `make bench` has it."""
    with tempfile.TemporaryDirectory(prefix="scaling-") as scratch:
        found, failed = _measured({"quick": _quick(Where(scratch))}, lambda so_far: None)
    sys.stdout.write(f"{table.scaling(found['quick'])}\n\n{table.losses(found['quick'])}\n")
    if failed:
        sys.exit(1)


def rendered(head: str, found: Measured) -> str:
    """All tables of what was measured, one after the other."""
    parts = [head]
    for name, heading in HEADINGS.items():
        figures = found.get(name, [])
        if not figures:
            continue
        parts.append(f"**{heading}**")
        if name == "units":
            parts += [table.units(figures), table.smallest(figures)]
        else:
            parts.append(table.scaling(figures))
        if any(one.loss for one in figures) and name != "plain":
            parts += ["Milliseconds a unit that were not slept as asked:", table.losses(figures)]
    return "\n\n".join(parts) + "\n"


def filled(page: str, text: str) -> str:
    """A page with this text between its marks. Raises ValueError where it has none."""
    before, begin, rest = page.partition(MARKS[0])
    _, end, after = rest.partition(MARKS[1])
    if not begin or not end:
        raise ValueError(f"the page has no lines {MARKS[0].strip()!r} and {MARKS[1]!r} to put the tables between")
    return f"{before}{begin}\n{text}\n{end}{after}"


HEADINGS = {
    "fused": "Fused, watched processes",
    "plain": "Fused, without processes of their own (`isolate: false`)",
    "staged": "Staged, crops travel",
    "bare": "Staged, no crops travel",
    "whole": "Staged, whole crops travel, through the object store of a private cluster and through a larger one",
    "units": "How short a unit may be",
    "quick": "Quick look: fused, short units",
}


def _where(given: argparse.Namespace, scratch: str) -> Where:
    today = f"{datetime.now(timezone.utc):scaling-%Y%m%d-%H%M%S}"
    return Where(f"{given.folder.rstrip('/')}/{today}" if given.folder else scratch, given.address)


def _quick(where: Where) -> list[Case]:
    return [plans.case(where, "fused", gpus, [4], [4]) for gpus in (1, 2, 4)]


def _cases(given: argparse.Namespace, where: Where) -> dict[str, list[Case]]:
    """By heading, in the order in which they are measured."""
    if given.quick:
        return {"quick": _quick(where)}
    fused, staged = given.gpus or list(plans.GPUS), given.gpus or list(plans.STAGED_GPUS)
    share = 10**6 if given.address else cores()  # on a cluster crops travel whole
    found: dict[str, list[Case]] = {}
    if "fused" in given.part:
        found["fused"] = [plans.fused(where, each) for each in fused]
    if "staged" in given.part:
        found["staged"] = [plans.staged(where, each, share) for each in staged]
    if "variants" in given.part:
        found["plain"] = [plans.fused(where, staged[-1], isolate=False)]
        found["bare"] = [plans.staged(where, staged[-1], None)]
        if not given.address:
            found["whole"] = [plans.whole(where, size) for size in (LEAST_STORE_BYTES, plans.STORE_BYTES)]
    if "units" in given.part:
        found["units"] = [plans.sweep(where, "fused", each) for each in given.gpus or (16, 64)]
    return found


def _measured(cases: dict[str, list[Case]], each: Callable[[Measured], None]) -> tuple[Measured, bool]:
    """Figures of the cases, one after the other, and whether one failed; standard error says how it goes.

    Args:
        cases: by heading.
        each: is told of all figures so far, after each case.
    """
    found: Measured = {name: [] for name in cases}
    failed = False
    for name, case in ((name, case) for name, many in cases.items() for case in many):
        began = time.monotonic()
        try:
            figures = measured(case)
        except RuntimeError as error:
            failed, said = True, f"failed: {error}"
        else:
            found[name] += figures
            said = ", ".join(f"{one.efficiency:.1%}" for one in figures)
            each(found)
        sys.stderr.write(f"{Path(case.folder).name}: {said}, after {time.monotonic() - began:.0f} s\n")
        sys.stderr.flush()
    return found, failed


def _keep(path: Path | None, head: str, found: Measured) -> None:
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        figures = {name: [asdict(one) for one in rows] for name, rows in found.items()}
        path.write_text(json.dumps({"head": head, "figures": figures}, indent=1))


def _series(found: Measured) -> list[tuple[str, list[Figures]]]:
    return [(HEADINGS[name], found[name]) for name in ("fused", "staged", "quick") if found.get(name)]


def _head() -> str:
    today = datetime.now(timezone.utc).date()
    with tempfile.TemporaryDirectory() as scratch:
        calls = calls_of_unit(Path(scratch), plans.FUSED_RECORDS)
    said = ", ".join(f"{times} {kind}" for kind, times in sorted(calls.items()))
    libraries = ", ".join(f"{name} {version(name)}" for name in ("facejobs", "ray", "pyarrow"))
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{today}, {cores()} cores, {memory:.0f} GiB, {platform.machine()}, Python {platform.python_version()}, "
        f"{libraries}; load {os.getloadavg()[0]:.1f} at the start; "
        f"`{' '.join(['python -m benchmarks.scaling', *sys.argv[1:]])}`.\n\n"
        f"Storage calls of a fused unit of {plans.FUSED_RECORDS} records, reading the records left out: {said}."
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="1, 2 and 4 GPUs with short units, half a minute")
    parser.add_argument("--part", choices=PARTS, nargs="+", default=list(PARTS), help="what is measured (all)")
    parser.add_argument("--gpus", type=int, nargs="+", help="numbers of GPUs, ascending (1 to 64 in powers of two)")
    parser.add_argument("--address", default="", help="a cluster to measure in place of logical GPUs of this machine")
    parser.add_argument("--folder", default="", help="where runs are written; with --address one that all machines see")
    parser.add_argument("--json", type=Path, help="keep the figures in this file")
    parser.add_argument("--read", type=Path, help="measure nothing; take the figures of such a file")
    parser.add_argument("--page", type=Path, help="put the tables into this page, between its marks")
    parser.add_argument("--svg", type=Path, help="draw efficiency by GPUs into this file")
    given = parser.parse_args()
    if given.address and not given.folder:
        parser.error("--address needs --folder, a folder or URL that all machines of the cluster see")
    return given


if __name__ == "__main__":
    main()
