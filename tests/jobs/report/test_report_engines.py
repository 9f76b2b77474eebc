"""What executed networks, and what befell it, is in the report where there was any."""

from __future__ import annotations

from dataclasses import replace

from jobs.report.data import ReportData
from jobs.report.render import render


def test_engines_and_events_are_shown(report_data: ReportData) -> None:
    throughput = replace(
        report_data.throughput,
        engines={"tensorrt bf16 NVIDIA H200 sm_90": 14000, "eager fp32 cpu": 602},
        engine_events={"batch_halved": 3, "engine_fallback": 1},
    )
    page = render(replace(report_data, throughput=throughput))
    for text in ("tensorrt bf16 NVIDIA H200 sm", "14,000", "eager fp32 cpu", "batch halved", "engine fallback"):
        assert text in page
    assert "restore.engine.batch" in page


def test_a_run_without_a_network_shows_none(report_data: ReportData) -> None:
    page = render(report_data)
    assert "executed the restorer" not in page
    assert "restore.engine.batch" not in page
