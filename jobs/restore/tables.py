"""The run's tables: one row an image, one row a face, the same facts as in the records beside the images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from jobs.restore.background_record import COLUMNS, background_counts, background_row
from jobs.restore.work import ImageWork
from pipeline.records import Item

MEASURES = (
    "sharpness",
    "brightness",
    "contrast",
    "clipped_shadows",
    "clipped_highlights",
    "noise",
    "niqe",
    "confidence",
)

IMAGES = pa.schema(
    [
        ("key", pa.string()),
        ("uri", pa.string()),
        ("source_sha256", pa.string()),
        ("source_bytes", pa.int64()),
        ("format", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("depth", pa.int8()),
        ("space", pa.string()),
        ("alpha", pa.bool_()),
        ("orientation", pa.int8()),
        ("output", pa.string()),
        ("output_sha256", pa.string()),
        ("output_bytes", pa.int64()),
        ("changed", pa.bool_()),
        ("faces", pa.int32()),
        ("faces_restored", pa.int32()),
        ("notes", pa.list_(pa.string())),
    ]
)

FACES = pa.schema(
    [
        ("key", pa.string()),
        ("index", pa.int32()),
        ("box", pa.list_(pa.float64(), 4)),
        ("landmarks", pa.list_(pa.float64(), 10)),
        ("detection_confidence", pa.float64()),
        ("turn", pa.int8()),
        ("status", pa.string()),
        ("reason", pa.string()),
        ("affine", pa.list_(pa.float64(), 6)),
        ("crop_size", pa.int32()),
        ("reduction", pa.float64()),
        ("restorer", pa.string()),
        ("restorer_version", pa.string()),
        ("weights_sha256", pa.string()),
        ("mask", pa.string()),
        ("engine", pa.string()),
        ("precision", pa.string()),
        ("device", pa.string()),
        *((f"{measure}_before", pa.float64()) for measure in MEASURES),
        *((f"{measure}_after", pa.float64()) for measure in MEASURES),
        ("identity", pa.float64()),
        ("gate_passed", pa.bool_()),
        ("gate_action", pa.string()),
        ("gate_reasons", pa.list_(pa.string())),
    ]
)

TABLES = {"images": IMAGES, "faces": FACES}


def tables_of(background: bool) -> dict[str, pa.Schema]:
    """The tables of a job, which has more to say of its images where whole pictures go through a network."""
    images = pa.schema([*IMAGES, *(pa.field(*column) for column in COLUMNS)]) if background else IMAGES
    return {**TABLES, "images": images}


def count(item: Item) -> dict[str, int]:
    """What a finished image adds to the run's counts."""
    work: ImageWork = item.payload
    counts: Counter[str] = Counter(faces_found=len(work.faces), bytes_in=work.size)
    counts.update(background_counts(work))
    counts["images_changed" if work.row["output"]["changed"] else "images_unchanged"] += 1
    for face in work.faces:
        counts["faces_kept" if face.status == "kept" else f"faces_{face.status}"] += 1
        if face.status == "kept":
            counts[f"faces_kept:{face.reason}"] += 1
        if face.decision is not None:
            counts[f"gate:{face.decision.action}"] += 1
        if face.engine:
            counts[f"faces_by:{label(face.engine)}"] += 1
    return dict(counts)


def label(engine: Mapping[str, Any]) -> str:
    """An engine in a few words: name, arithmetic and device."""
    return " ".join(str(engine[key]) for key in ("engine", "precision", "device") if engine.get(key))


def rows(item: Item) -> dict[str, list[dict[str, object]]]:
    """A finished image's rows, taken from its record."""
    record: dict[str, Any] = item.payload.row
    source, output = record["source"], record["output"]
    image = {
        "key": record["key"],
        "uri": source["uri"],
        "source_sha256": source["sha256"],
        "source_bytes": source["bytes"],
        **{name: source[name] for name in ("format", "width", "height", "depth", "space", "alpha", "orientation")},
        "output": output["name"],
        "output_sha256": output["sha256"],
        "output_bytes": output["bytes"],
        "changed": output["changed"],
        "faces": len(record["faces"]),
        "faces_restored": sum(face["status"] in ("restored", "flagged") for face in record["faces"]),
        "notes": record["notes"],
        **background_row(record),
    }
    return {"images": [image], "faces": [_face_row(record["key"], face) for face in record["faces"]]}


def _face_row(key: str, face: dict[str, Any]) -> dict[str, object]:
    scores, gate, restorer = face["scores"] or {}, face["gate"] or {}, face["restorer"] or {}
    engine = restorer.get("engine") or {}
    row: dict[str, object] = {
        "key": key,
        "index": face["index"],
        "box": face["box"],
        "landmarks": [value for point in face["landmarks"] for value in point],
        "detection_confidence": face["confidence"],
        "turn": face["turn"],
        "status": face["status"],
        "reason": face["reason"],
        "affine": [value for line in face["affine"] for value in line] if face["affine"] else None,
        "crop_size": face["crop_size"],
        "reduction": face["reduction"],
        "restorer": restorer.get("name"),
        "restorer_version": restorer.get("version"),
        "weights_sha256": restorer.get("weights_sha256"),
        "mask": face["mask"],
        **{name: engine.get(name) for name in ("engine", "precision", "device")},
        "identity": scores.get("identity"),
        "gate_passed": gate.get("passed"),
        "gate_action": gate.get("action"),
        "gate_reasons": gate.get("reasons", []),
    }
    for side in ("before", "after"):
        taken = scores.get(side) or {}
        row |= {f"{measure}_{side}": taken.get(measure) for measure in MEASURES}
    return row
