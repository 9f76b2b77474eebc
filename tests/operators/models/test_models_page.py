"""docs/models.md has the table as the code has it."""

from __future__ import annotations

import re
from pathlib import Path

from operators.models import CHECKPOINTS

PAGE = (Path(__file__).parents[3] / "docs" / "models.md").read_text(encoding="utf-8")
USES = {"parsenet": "mask", "rrdb": "enlarge", "retinaface": "detect", "mobilestylegan": "draw"}


def test_the_table_is_that_of_the_code() -> None:
    rows = dict(re.findall(r"^\| `([a-z0-9.-]+)` \| (`.*) \|$", PAGE, flags=re.MULTILINE))
    assert list(rows) == list(CHECKPOINTS)
    for name, row in rows.items():
        entry = CHECKPOINTS[name]
        assert row.split(" | ") == [
            f"`{entry.file}`",
            entry.task or USES[entry.architecture],
            str(entry.size or "-"),
            entry.template or "-",
            entry.licence + (" (non-commercial)" if entry.noncommercial else ""),
            f"`{entry.sha256[:12]}…`" if entry.sha256 else "none published",
            "yes" if entry.runs else "no",
        ], name
