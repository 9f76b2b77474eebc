"""Puts a summary into folders."""

from __future__ import annotations

from collections.abc import Iterator

from jobs.summary.data import Summary
from jobs.summary.page import as_page
from jobs.summary.plain import as_json
from jobs.summary.text import as_text
from pipeline.layout import SUMMARY
from pipeline.storage import Folder


def rendered(summary: Summary) -> Iterator[tuple[str, bytes]]:
    """Names and bytes of the files."""
    for suffix, text in (("json", as_json(summary)), ("txt", as_text(summary)), ("html", as_page(summary))):
        yield f"{SUMMARY}.{suffix}", text.encode()


def write_summary(summary: Summary, folder: Folder) -> None:
    """Write `summary.json`, `summary.txt` and `summary.html` over those that are there.

    Raises:
        OSError, StorageError: whatever storage raises.
    """
    for name, data in rendered(summary):
        folder.write(name, data)
