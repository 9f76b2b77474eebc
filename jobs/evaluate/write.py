"""Puts an evaluation into its folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jobs.errors import CommandError
from jobs.evaluate.foot import foot
from jobs.evaluate.gather import CSV, Shown
from jobs.evaluate.page import page
from jobs.evaluate.sheet import sheet
from jobs.evaluate.tables import markdown, tables_of
from jobs.exits import Exit
from jobs.models.addresses import shown as plain_address
from jobs.pairs.making import png
from jobs.report.text import visible
from pipeline.storage import Folder

JSON, MARKDOWN, HTML, SHEET = "evaluation.json", "evaluation.md", "evaluation.html", "sheet.png"


def refuse_existing(folder: Folder, *, force: bool) -> None:
    """See that no other evaluation is overwritten. Raises CommandError."""
    if not force and folder.exists(JSON):
        raise CommandError(
            f"{plain_address(folder.uri)}: holds an evaluation already; name another folder with --out, or say --force "
            "to overwrite it",
            Exit.USAGE,
        )


def write(folder: Folder, result: Mapping[str, Any], shown: list[Shown], scratch: Path, side: int) -> list[str]:
    """Write all forms; `evaluation.json` last, which says that the others are there.

    Args:
        folder: where to.
        result: from `jobs.evaluate.account.account`.
        shown: pictures of the sheet.
        scratch: the local folder that holds the CSV.
        side: longer side of the pictures of the sheet.

    Returns:
        Names of the files.
    """
    folder.upload(CSV, scratch / CSV)
    folder.write(MARKDOWN, as_markdown(result).encode())
    folder.write(HTML, page(result, shown).encode())
    names = [CSV, MARKDOWN, HTML]
    drawn = sheet(shown, side)
    if drawn is not None:
        folder.write(SHEET, png(drawn))
        names.append(SHEET)
    folder.write(JSON, (json.dumps(result, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode())
    return [*names, JSON]


def as_markdown(result: Mapping[str, Any]) -> str:
    """Tables and what stands under them."""
    parts = [f"# {visible(result['title'])}"]
    for table in tables_of(result):
        parts += [f"**{table.title}**", markdown(table)]
    parts.append("\n".join(f"- {visible(line)}" for line in foot(result)))
    return "\n\n".join(parts) + "\n"
