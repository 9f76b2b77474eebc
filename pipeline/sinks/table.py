"""The layouts an output can have."""

from __future__ import annotations

from pipeline.sinks.contract import Sink, SinkSpec
from pipeline.sinks.mirror import MirrorSink
from pipeline.sinks.parquet import write_parquet
from pipeline.sinks.shard import ContainerSink, ShardSink
from pipeline.sinks.webdataset import write_tar


def make_sink(spec: SinkSpec) -> Sink:
    """The sink of a layout, or of a job kind's own container."""
    if spec.container is not None:
        return ContainerSink(spec.folder, spec.container)
    if spec.layout == "mirror":
        return MirrorSink(spec.folder)
    if spec.layout == "webdataset":
        return ShardSink(spec.folder, ".tar", write_tar)
    return ShardSink(spec.folder, ".parquet", write_parquet)
