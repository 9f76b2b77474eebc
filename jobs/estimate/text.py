"""An estimate as a page of text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jobs.estimate.trial import WAITING
from jobs.report.text import count, duration, number, percent, size
from jobs.report.verdict import many
from jobs.spec.common import UNITS

Row = tuple[str, str, str]
BUSY = 0.8
"""Part of its time in which a sample has a CPU, below which it is said."""
LIMITS: Mapping[str, str] = {
    "cpus": "more CPUs would make it faster",
    "gpus": "more GPUs would make it faster",
    "runner": "run.runner: ray would use all cores",
    "units": "most workers wait: there are few units; a smaller run.unit_records makes more of them",
}


def page(estimate: Mapping[str, Any]) -> str:
    """All that a person wants to know of an estimate, in aligned columns."""
    lines = [*_head(estimate), *_stages(estimate), *_busy(estimate)]
    lines += ["", *_table(_amounts(estimate), ("", "estimate", _range_head(estimate)))]
    lines += ["", *_table(_time(estimate["machine"]), ("this machine", "", "")), *_ends(estimate["machine"])]
    if estimate["cluster"] is not None:
        lines += ["", *_table(_time(estimate["cluster"]), ("cluster", "", "")), *_ends(estimate["cluster"])]
        lines += [*_nodes(estimate["cluster"])]
    if costs := list(_costs(estimate)):
        lines += ["", *_table(costs, (f"cost{_currency(estimate)}", "", ""))]
    return "\n".join(lines)


def _head(estimate: Mapping[str, Any]) -> Iterator[str]:
    codes = ", ".join(f"{code} ({times})" for code, times in estimate["codes"].items())
    failed = f", {estimate['failed']} failed: {codes}" if estimate["failed"] else ", none failed"
    sizes = len(estimate["strata"])
    yield f"tried {many(estimate['sampled'], 'record')} of {many(sizes, 'size')}{failed}"
    if "pairs" in estimate:
        yield f"about {count(estimate['samples'])} samples and {count(estimate['pairs'])} pairs before filters"


def _range_head(estimate: Mapping[str, Any]) -> str:
    return f"{estimate['confidence']:.0%} range".replace("%", " %")


def _busy(estimate: Mapping[str, Any]) -> Iterator[str]:
    if estimate["cpu_share"] < BUSY:
        yield (
            "this machine does other work, so times are less certain: the sample had a CPU for "
            f"{percent(estimate['cpu_share'], 1.0)} of its time"
        )


def _stages(estimate: Mapping[str, Any]) -> Iterator[str]:
    for name, stages in estimate["stage_seconds"].items():
        own = {stage: seconds for stage, seconds in stages.items() if stage not in WAITING}
        noun = "pair" if name == "make" else "record"
        parts = ", ".join(f"{stage} {number(seconds)}" for stage, seconds in own.items() if len(own) > 1)
        yield f"{name}: {number(sum(own.values()))} s a {noun} in one worker{f' ({parts})' if parts else ''}"


def _amounts(estimate: Mapping[str, Any]) -> Iterator[Row]:
    if estimate["faces_per_record"] is not None:
        yield "faces to restore a record", *_ranged(estimate["faces_per_record"], number)
    yield "in quarantine", *_ranged(estimate["failures"], _whole)
    for role, found in estimate["storage"]["outputs"].items():
        yield f"output: {role}s", *_ranged(found, _bytes)
    yield "ledger and report", _bytes(estimate["storage"]["ledger"]), ""
    yield "put requests", *_ranged(estimate["storage"]["requests"], _whole)


def _time(place: Mapping[str, Any]) -> Iterator[Row]:
    if place["unknown"]:
        yield "time", "unknown", ""
        return
    yield "time", *_ranged(place["seconds"], duration)
    several = len(place["passes"]) > 1
    for one in place["passes"]:
        name = f"{one['name']}: " if several else ""
        yield f"  {name}start", duration(one["start_seconds"]), ""
        yield f"  {name}work", *_ranged(one["work_seconds"], duration)
        yield f"  {name}finish", duration(one["finish_seconds"]), ""


def _ends(place: Mapping[str, Any]) -> Iterator[str]:
    if place["unknown"]:
        yield f"  {place['unknown']}"
    for one in place["passes"]:
        if not one["unknown"]:
            pools = (f"{many(pool['workers'], 'worker')} ({', '.join(pool['segments'])})" for pool in one["pools"])
            yield f"  {one['name']}: {one['placement']}, {', '.join(pools)}"
    limits = {one.get("limited_by") for one in place["passes"]}
    for limit in sorted(limit for limit in limits if limit):
        yield f"  {LIMITS[limit]}"


def _nodes(cluster: Mapping[str, Any]) -> Iterator[str]:
    for node in cluster["nodes"]:
        memory = f", {node['memory'] / UNITS['GiB']:.3g} GiB" if node["memory"] else ""
        gpus = f", {many(node['gpus'], 'GPU')}" if node["gpus"] else ""
        yield f"  {node['count']} x {node['name']}: {node['cpus']:g} CPUs{gpus}{memory}"


def _costs(estimate: Mapping[str, Any]) -> Iterator[Row]:
    if estimate["cluster"] is not None and estimate["cluster"]["cost"] is not None:
        yield "machines", *_ranged(estimate["cluster"]["cost"], _money)
    if estimate["cost"] is not None:
        if estimate["cost"]["requests"] is not None:
            yield "put requests", *_ranged(estimate["cost"]["requests"], _money)
        if estimate["cost"]["storage_month"] is not None:
            yield "storage, a month", *_ranged(estimate["cost"]["storage_month"], _money)


def _currency(estimate: Mapping[str, Any]) -> str:
    currency = estimate["currency"]
    return f" in {currency}" if currency else ""


def _ranged(found: Mapping[str, float], said: Any) -> tuple[str, str]:
    if found["low"] == found["high"]:
        return said(found["point"]), ""
    return said(found["point"]), f"{said(found['low'])} to {said(found['high'])}"


def _bytes(value: float) -> str:
    return size(round(value))


def _whole(value: float) -> str:
    return count(round(value))


def _money(value: float) -> str:
    return f"{value:,.2f}" if value >= 0.1 or value == 0 else f"{value:.2g}"


def _table(rows: Iterator[Row] | Sequence[Row], head: Row) -> list[str]:
    """Columns as wide as they must be; a heading of its own over each that has one."""
    held = list(rows)
    first = max(len(row[0]) for row in (head, *held)) + 2
    second = max([len(row[1]) for row in held if row[2]] + [len(head[1]), 8])
    return [
        f"{row[0]:<{first + 2}}{row[1]:>{second}}   {row[2]}".rstrip()
        for row in [head, *((f"  {row[0]}", *row[1:]) for row in held)]
    ]
