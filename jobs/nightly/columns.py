"""The columns of a collection's catalogue: one row for each record that it has ever had."""

from __future__ import annotations

import pyarrow as pa

SCHEMA = pa.schema(
    [
        ("key", pa.string()),
        ("status", pa.string()),  # current, quarantined, deleted or tombstoned
        ("code", pa.string()),
        ("stage", pa.string()),
        ("tries", pa.int32()),
        ("uri", pa.string()),
        ("version", pa.string()),
        ("size", pa.int64()),
        ("metadata", pa.string()),
        ("sha256", pa.string()),
        ("output", pa.string()),
        ("folded", pa.string()),
        ("output_sha256", pa.string()),
        ("output_bytes", pa.int64()),
        ("format", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("changed", pa.bool_()),
        ("faces", pa.int32()),
        ("faces_restored", pa.int32()),
        ("identity", pa.float64()),
        ("sharpness", pa.float64()),
        ("confidence", pa.float64()),
        ("niqe", pa.float64()),
        ("noise", pa.float64()),
        ("run_id", pa.string()),
        ("made", pa.string()),
        ("last_run", pa.string()),
        ("last", pa.string()),
    ]
)
"""`status`: `current` (the derivative is of the source as it is), `quarantined` (the source as it is could not be
processed; an earlier derivative may stand), `deleted` (the source is gone, the derivative stands if there was one) or
`tombstoned` (both are gone). `version`, `size` and `sha256` are the source's when it was last tried. `identity`,
`sharpness` and `confidence` are the lowest, `niqe` and `noise` the highest of the restored faces. `run_id` made the
derivative that stands, at `made`; `last_run` is the last that tried the record, at `last`. `folded` is `output` as name
collisions are judged."""

UNSURE = "?"
"""`version` of a record whose derivative may be another than the state says: its unit was cut off after its outputs."""
AS_TRIED = "~"
"""`version` of a record that a retry took in whatever version it had then."""

MEASURES = {
    "identity": "min(identity)",
    "sharpness": "min(sharpness_after)",
    "confidence": "min(confidence_after)",
    "niqe": "max(niqe_after)",
    "noise": "max(noise_after)",
}
"""How a column follows from an image's restored faces."""

DERIVATIVE = (
    "output",
    "folded",
    "output_sha256",
    "output_bytes",
    "format",
    "width",
    "height",
    "changed",
    "faces",
    "faces_restored",
    *MEASURES,
    "run_id",
    "made",
)
"""What belongs to the derivative that stands, and stays when its source cannot be processed."""

NAMES = tuple(SCHEMA.names)
