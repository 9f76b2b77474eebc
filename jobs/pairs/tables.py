"""The table of a pairs run: one row a pair, with its record."""

from __future__ import annotations

import pyarrow as pa

PAIRS = pa.schema(
    [
        ("key", pa.string()),
        ("split", pa.string()),
        ("shard", pa.string()),
        ("side", pa.string()),
        ("variant", pa.int32()),
        ("sample_key", pa.string()),
        ("source_key", pa.string()),
        ("uri", pa.string()),
        ("source_sha256", pa.string()),
        ("group", pa.string()),
        ("degraded_sha256", pa.string()),
        ("degraded_width", pa.int32()),
        ("degraded_height", pa.int32()),
        ("target_sha256", pa.string()),
        ("target_width", pa.int32()),
        ("target_height", pa.int32()),
        ("mask_sha256", pa.string()),
        ("record", pa.string()),
    ]
)

TABLES = {"pairs": PAIRS}
