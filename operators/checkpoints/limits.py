"""Bounds that no checkpoint of a face network comes near, and that keep a hostile file cheap."""

from __future__ import annotations

PICKLE_BYTES = 16 << 20
"""Of one pickle stream. GFPGAN's is 0.1 MB; it holds names and shapes, no weights."""

PICKLE_STEPS = 2_000_000
"""Opcodes of one pickle stream; GFPGAN has 20,000. Two million take about two seconds."""

PICKLE_DEPTH = 64
"""Containers inside containers; checkpoints have three or four."""

DIRECTORY_BYTES = 16 << 20
"""Of a zip's central directory; one entry takes some 100 bytes."""

DIMENSIONS = 8
"""Of one tensor; the modulated weights have five."""

TENSORS = 100_000
"""Of one file."""

EXPANSION = 4
"""All tensors together may be so many times larger than the file: two names may share a storage, a bomb shares more."""
