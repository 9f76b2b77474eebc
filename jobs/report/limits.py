"""How much of each thing a report shows, so that a run of any size gives a file that a browser opens at once."""

from __future__ import annotations

QUARANTINE_ROWS = 1000
"""Rows of the quarantine table."""

CODES = 100
"""Rows of any table of words and counts: quarantine codes, gate reasons, stages."""

SETTINGS = 400
"""Settings, versions and hashes, each."""

WARNINGS = 100
"""Warnings."""

SAMPLES = 60
"""Pairs of pictures."""

SAMPLE_BYTES = 24 * 2**20
"""JPEG bytes of all pairs together; base64 makes 4/3 of it in the file."""

KEY_CHARS = 160
"""Characters of a key or URI."""

MESSAGE_CHARS = 400
"""Characters of a message."""

WORD_CHARS = 80
"""Characters of a code, a stage, a reason, a measure's name."""

TEXT_CHARS = 1200
"""Characters of any other text."""
