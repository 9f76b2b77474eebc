"""The record beside each image: what was found, what was done, with what, so that every change can be traced."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from jobs.restore.background_record import background_record, is_made
from jobs.restore.work import FaceWork, ImageWork
from operators.restorers.contract import RestorerInfo
from operators.whole.operator import WholeInfo
from pipeline.records import Record

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Origin:
    """What made the outputs, the same for all images of a run.

    Attributes:
        version: of facejobs.
        settings_sha256: hash of every setting, model and version that decides what becomes of a given image.
        restorer: its description.
        background: description of what whole pictures go through; None for a job that does nothing with them.
    """

    version: str
    settings_sha256: str
    restorer: RestorerInfo
    background: WholeInfo | None = None


@dataclass(frozen=True)
class Written:
    """A derivative as it goes out.

    Attributes:
        name: its output name.
        data: its bytes.
        format: what they are.
        notes: what could not be carried over from the source.
    """

    name: str
    data: bytes
    format: str
    notes: tuple[str, ...]


def image_record(record: Record, work: ImageWork, origin: Origin, written: Written) -> dict[str, Any]:
    """The record of one image as plain JSON values: what was planned, what was done, by what, and what came out."""
    info = work.info
    return {
        "facejobs": origin.version,
        "schema": SCHEMA_VERSION,
        "settings_sha256": origin.settings_sha256,
        "key": record.key,
        "source": {
            "uri": record.uri,
            "sha256": work.sha256,
            "bytes": work.size,
            "format": info.format,
            "width": info.width,
            "height": info.height,
            "depth": info.depth,
            "space": info.space,
            "alpha": info.alpha,
            "orientation": info.orientation,
        },
        "mask_image": dict(work.mask) if work.mask else None,
        **({"attributes": dict(work.attributes)} if work.attributes else {}),
        "output": {
            "name": written.name,
            "sha256": hashlib.sha256(written.data).hexdigest(),
            "bytes": len(written.data),
            "format": written.format,
            "changed": is_made(work) or any(face.status in ("restored", "flagged") for face in work.faces),
        },
        **background_record(work, origin.background),
        "faces": [face_record(index, face, origin.restorer) for index, face in enumerate(work.faces)],
        "engines": {network: [_execution(one) for one in each] for network, each in work.engines.items()},
        **({"checked": dict(work.checked)} if work.checked is not None else {}),
        "scores": {"before": _scores(work.before), "after": _scores(work.after)},
        "notes": [*info.notes, *written.notes],
        "metadata": dict(record.metadata),
    }


def face_record(index: int, face: FaceWork, restorer: RestorerInfo) -> dict[str, Any]:
    """The record of one face; coordinates are pixels of the source as stored, the first pixel's centre being (0, 0)."""
    detection, crop, decision = face.detection, face.crop, face.decision
    return {
        "index": index,
        "box": [round(value, 3) for value in detection.box],
        "landmarks": [[round(float(x), 3), round(float(y), 3)] for x, y in detection.landmarks],
        "confidence": round(detection.confidence, 4),
        "turn": detection.turn,
        "status": face.status,
        "reason": face.reason,
        "affine": [[float(value) for value in row] for row in crop.affine] if crop else None,
        "crop_size": crop.size if crop else None,
        "reduction": round(crop.reduction, 4) if crop else None,
        "mask": face.shape or None,
        **({"missing": round(face.missing, 4)} if face.missing is not None else {}),
        "restorer": _restorer(restorer, face.engine) if crop else None,
        **({"search": face.search} if face.search else {}),
        **({"hidden": face.hidden} if face.hidden else {}),
        "scores": _face_scores(face),
        "gate": {"passed": decision.passed, "action": decision.action, "reasons": list(decision.reasons)}
        if decision
        else None,
    }


def to_json(record: Mapping[str, Any]) -> bytes:
    """Indented, UTF-8, newline at the end; keys in the order they were written."""
    return (json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _restorer(info: RestorerInfo, engine: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": info.name,
        "version": info.version,
        "template": info.template,
        "weights_sha256": info.weights_sha256,
        "parameters": dict(info.parameters),
        "engine": {key: engine[key] for key in ("engine", "version", "device", "precision")} if engine else None,
    }


def _execution(engine: Mapping[str, Any]) -> dict[str, Any]:
    """What executed a network; without strictness, which decides whether a run goes on, and nothing of its output."""
    asked = {key: value for key, value in engine.get("asked", {}).items() if key != "strict"}
    return {**engine, "asked": asked}


def _face_scores(face: FaceWork) -> dict[str, Any] | None:
    if face.scores is None:
        return None
    return {
        "before": _scores(face.scores.before),
        "after": _scores(face.scores.after),
        "identity": face.scores.identity,
    }


def _scores(scores: Any) -> dict[str, float] | None:
    """Measures that were taken."""
    if scores is None:
        return None
    return {name: value for name, value in asdict(scores).items() if value is not None}
