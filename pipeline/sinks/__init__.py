"""Where outputs go: the source's tree again, or one tar or Parquet file a unit."""

from pipeline.sinks.contract import Container, Layout, Sink, SinkSpec, UnitWriter
from pipeline.sinks.table import make_sink

__all__ = ["Container", "Layout", "Sink", "SinkSpec", "UnitWriter", "make_sink"]
