"""What is said of a whole picture that went through a network: in the record, the tables, and the picture itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from jobs.restore.work import FaceWork, ImageWork
from operators.whole.operator import WholeInfo

if TYPE_CHECKING:
    from jobs.restore.record import Origin

COLUMNS = [
    ("background", pa.string()),
    ("background_reason", pa.string()),
    ("background_model", pa.string()),
    ("background_sha256", pa.string()),
    ("background_engine", pa.string()),
    ("output_width", pa.int32()),
    ("output_height", pa.int32()),
]
"""Columns that the table of images has for a job with a background."""


def is_made(work: ImageWork) -> bool:
    """Whether the whole picture is another than the source's."""
    return work.background is not None and not work.background.reason


def background_record(work: ImageWork, info: WholeInfo | None) -> dict[str, Any]:
    """The record's part on the whole picture, under its key; nothing for a job that does nothing with it."""
    background = work.background
    if background is None or info is None:
        return {}
    made = not background.reason
    width, height = background.size if made else (work.info.width, work.info.height)
    return {
        "background": {
            "status": "made" if made else "left",
            "reason": background.reason,
            "width": width,
            "height": height,
            # Whoever compares pixels with the source's has to know where they may be equal.
            "pixels_outside_faces": "changed" if made else "original",
            "faces_from": "background" if background.first and made else "original",
            "tone_kept": background.toned,
            "model": info.name,
            "version": info.version,
            "weights_sha256": info.weights_sha256,
            "parameters": dict(info.parameters),
            "engine": _engine(background.engine) if made else None,
            "tiles": dict(background.tiles) if made else None,
        }
    }


def background_row(record: Mapping[str, Any]) -> dict[str, object]:
    """The same as columns of the table of images."""
    found = record.get("background")
    if found is None:
        return {}
    engine = found["engine"] or {}
    return {
        "background": found["status"],
        "background_reason": found["reason"],
        "background_model": found["model"],
        "background_sha256": found["weights_sha256"],
        "background_engine": " ".join(str(engine[key]) for key in ("engine", "precision", "device") if engine.get(key)),
        "output_width": found["width"],
        "output_height": found["height"],
    }


def background_counts(work: ImageWork) -> dict[str, int]:
    """What a finished picture adds to the run's counts."""
    background = work.background
    if background is None:
        return {}
    if background.reason:
        return {"backgrounds_left": 1, f"backgrounds_left:{background.reason}": 1}
    engine = background.engine
    by = " ".join(str(engine[key]) for key in ("engine", "precision", "device") if engine.get(key))
    return {"backgrounds_made": 1, **({f"backgrounds_by:{by}": 1} if by else {})}


def background_mark(work: ImageWork, pasted: Sequence[FaceWork], origin: Origin) -> str:
    """What a picture that was made anew says of itself in its metadata."""
    assert work.background is not None and origin.background is not None
    width, height = work.background.size
    resized = (width, height) != (work.info.width, work.info.height)
    size = f" at {width} x {height} from {work.info.width} x {work.info.height} pixels" if resized else ""
    text = f"facejobs {origin.version}: whole picture made anew{size} by {origin.background.name}"
    if pasted:
        faces = f"{len(pasted)} face{'s' if len(pasted) > 1 else ''}"
        text += f"; {faces} restored by {origin.restorer.name} {origin.restorer.version}"
    return text


def _engine(engine: Mapping[str, Any]) -> dict[str, Any] | None:
    return {key: engine.get(key) for key in ("engine", "version", "device", "precision")} if engine else None
