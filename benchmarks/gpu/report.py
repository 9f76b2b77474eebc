"""The figures as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.gpu.results import Row

_COLUMNS = (
    "engine",
    "precision",
    "batch",
    "ms a face",
    "FLOP floor",
    "byte floor",
    "times floor",
    "PSNR dB",
    "repeatable",
    "place-free",
    "peak GiB",
    "ready after s",
)


def report(about: dict[str, Any], lacking: dict[str, str], rows: Sequence[Row]) -> str:
    """Everything measured so far as Markdown.

    Args:
        about: as from `machine`.
        lacking: as from `machine.lacking`.
        rows: results of all children.

    Returns:
        The text.
    """
    parts = [
        _head(about),
        _rates(rows),
        *(_engines(rows, network) for network in ("gfpgan-512", "gpen-512")),
        *(_whole(row) for row in rows if row["kind"] == "whole"),
        *(_kernels(row) for row in rows if row["kind"] == "kernels"),
        _rest(lacking, rows),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(about: dict[str, Any]) -> str:
    libraries = ", ".join(f"{name} {found}" for name, found in about["libraries"].items())
    return (
        f"# GPU benchmark\n\n{about['date']}, {about['device']}, {about['cores']} cores, Python {about['python']}, "
        f"{libraries}"
    )


def _rates(rows: Sequence[Row]) -> str:
    found = [(row["what"], _rate(row["value"], row["unit"])) for row in rows if row["kind"] == "rate"]
    return _table("Measured rates", ("what", "rate"), found) if found else ""


def _rate(value: float, unit: str) -> str:
    return f"{value / 1e12:.2f} T{unit}" if value >= 1e12 else f"{value / 1e9:.1f} G{unit}"


def _engines(rows: Sequence[Row], network: str) -> str:
    """Milliseconds a face beside both floors."""
    measured = [row for row in rows if row["kind"] == "engine" and row["network"] == network]
    if not measured:
        return ""
    lines = []
    for row in measured:
        arithmetic, memory = floors(rows, row)
        highest = max((floor for floor in (arithmetic, memory) if floor is not None), default=None)
        lines.append(
            (
                row["how"],
                row["precision"],
                row["batch"],
                f"{row['ms_per_face']:.3f}",
                _number(arithmetic, "{:.3f}"),
                _number(memory, "{:.3f}"),
                _number(None if highest is None else row["ms_per_face"] / highest, "{:.1f}"),
                f"{row['psnr']:.1f}",
                "yes" if row["repeatable"] else "NO",
                "yes" if row["position_free"] else "NO",
                f"{row['peak_bytes'] / 2**30:.2f}",
                f"{row['prepare_s']:.1f}",
            )
        )
    return _table(network, _COLUMNS, lines)


def floors(rows: Sequence[Row], row: Row) -> tuple[float | None, float | None]:
    """Milliseconds a face that arithmetic alone and memory alone take at the measured rates.

    Args:
        rows: all results, with rates and costs.
        row: of an engine.

    Returns:
        Both, None where a rate or the cost is missing.
    """
    rates = {found["what"]: found["value"] for found in rows if found["kind"] == "rate"}
    cost = next((found for found in rows if found["kind"] == "cost" and found["network"] == row["network"]), None)
    if cost is None:
        return None, None
    precision = "tf32" if row["how"] == "eager, TF32" else row["precision"]
    matrix, copy = rates.get(f"matrix {precision}"), rates.get("copy")
    moved = cost["weight_bytes"][row["precision"]] / row["batch"] + cost["activation_bytes"][row["precision"]]
    return (
        None if matrix is None else cost["flop"] / matrix * 1e3,
        None if copy is None else moved / copy * 1e3,
    )


def _whole(row: Row) -> str:
    stages = [(name, f"{ms:.1f}") for name, ms in row["stages_ms_per_scan"].items()]
    cores = None
    if row["gpu_ms_per_face"]:
        cores = row["cpu_ms_per_face"] / row["gpu_ms_per_face"]
    lines = (
        f"{row['how']} {row['precision']}, batch {row['batch']}, {row['workers']} CPU processes, scans of "
        f"{row['scan']}: {row['scans']} scans in {row['seconds']:.1f} s.\n",
        f"- {row['scans_per_second']:.2f} scans/s, {row['faces_per_second']:.1f} faces/s",
        f"- GPU busy {_number(row['gpu_busy'], '{:.1%}')} of the wall time by CUDA events, "
        f"{_number(row['gpu_utilisation'], '{:.1%}')} by the driver",
        f"- GPU {_number(row['gpu_ms_per_face'], '{:.3f}')} ms a face here, {row['gpu_alone_ms_per_face']:.3f} alone",
        f"- CPU {row['cpu_ms_per_face']:.1f} ms a face, so {_number(cores, '{:.0f}')} cores keep this GPU busy",
        f"- batches were {row['padded_share']:.1%} padding",
    )
    left_out = [f"- {stage} is not facejobs' own: {reason}" for stage, reason in row["left_out"].items()]
    return "\n".join(
        [f"## {row['case']}\n", *lines, *left_out, "", _table("", ("stage", "CPU ms a scan"), stages).strip()]
    )


def _kernels(row: Row) -> str:
    lines = [(one["name"], f"{one['calls']:.0f}", f"{one['ms']:.3f}") for one in row["kernels"]]
    return _table(f"{row['case']}: {row['total_ms']:.2f} ms", ("kernel", "calls", "ms"), lines)


def _rest(lacking: dict[str, str], rows: Sequence[Row]) -> str:
    lines = [f"- {name} is not installed: {what}" for name, what in lacking.items()]
    for row in rows:
        if row["kind"] == "left out":
            lines.append(f"- {row['case']}: {row['reason']}")
        elif row["kind"] == "failed":
            setting = f", {row['precision']} at {row['batch']}" if "batch" in row else ""
            lines.append(f"- {row['case']}{setting} failed: {row['reason']}")
    return "## Left out\n\n" + "\n".join(lines) if lines else ""


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else form.format(value)


def _table(title: str, names: Sequence[str], lines: Iterable[Sequence[Any]]) -> str:
    rows = [names, ["---"] * len(names), *lines]
    text = "\n".join("| " + " | ".join(str(cell).replace("|", "/") for cell in row) + " |" for row in rows)
    return f"## {title}\n\n{text}" if title else text
