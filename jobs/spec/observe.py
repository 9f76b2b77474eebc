"""The block `observe`: how a run is watched while it goes on. Nothing here changes what comes out."""

from __future__ import annotations

from typing import Literal

from jobs.spec.common import Block, Text


class Observe(Block):
    """Metrics, traces and logs."""

    metrics: Text | None = None
    """Where Prometheus reads metrics while the command runs, such as '127.0.0.1:9464'; null: nowhere."""
    textfile: Text | None = None
    """File (.prom) for the textfile collector of Prometheus' node_exporter, kept up to date and left at the end."""
    pushgateway: Text | None = None
    """URL of a Prometheus Pushgateway that is told the metrics at the end."""
    traces: Text | None = None
    """OTLP/HTTP endpoint for OpenTelemetry traces, such as 'http://localhost:4318'."""
    logs: Literal["text", "json"] = "text"
    """Messages on standard error: for people, or one JSON object a line."""
