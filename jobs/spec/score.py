"""The block `score`: what is measured of faces, and which restored faces are accepted."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from jobs.spec.common import Block

Measure = Literal["sharpness", "exposure", "noise", "niqe", "confidence", "identity"]
MEASURES: tuple[Measure, ...] = ("sharpness", "exposure", "noise", "niqe", "confidence", "identity")
NEEDS: dict[str, Measure] = {
    "min_identity": "identity",
    "max_confidence_drop": "confidence",
    "min_sharpness_ratio": "sharpness",
    "max_niqe_rise": "niqe",
    "max_brightness_shift": "exposure",
    "max_identity": "identity",
}
"""Threshold of the gate -> the measure that it rests on."""


class Gate(Block):
    """What a restored face must keep, and what happens when it does not; null switches a threshold off."""

    min_identity: float | None = Field(default=0.6, ge=-1.0, le=1.0)
    """Least similarity of the face before and after (cosine of SFace), -1 to 1."""
    max_confidence_drop: float | None = Field(default=0.15, ge=0.0, le=1.0)
    """Most that the detector's confidence in the face may fall, 0 to 1."""
    min_sharpness_ratio: float | None = Field(default=0.5, ge=0.0)
    """Least sharpness after, as a share of that before."""
    max_niqe_rise: float | None = Field(default=6.0, ge=0.0)
    """Most that NIQE may rise (lower NIQE is more natural)."""
    max_brightness_shift: float | None = Field(default=0.1, ge=0.0, le=1.0)
    """Most that the mean brightness may move either way, 0 to 1."""
    max_identity: float | None = Field(default=None, ge=-1.0, le=1.0)
    """Of faces that nobody may recognise: most similarity before and after; with model: anonymize 0.3 by default."""
    on_fail: Literal["keep_original", "flag", "quarantine"] = "keep_original"
    """What a failing face leads to: it stays as it was, it is pasted and flagged, or its image is quarantined."""


class Score(Block):
    """Measures and thresholds."""

    measures: Annotated[tuple[Measure, ...], Field(strict=False, json_schema_extra={"uniqueItems": True})] = MEASURES
    """What is measured of each face, before and after."""
    gate: Gate = Field(default_factory=Gate)
    """Thresholds for a restored face; those whose measure is not taken are off by default."""

    @model_validator(mode="before")
    @classmethod
    def _idle_thresholds(cls, data: Any) -> Any:
        """Switch off the thresholds that are left to their default and whose measure is not taken."""
        if not isinstance(data, dict) or not isinstance(data.get("measures"), list):
            return data
        gate = data.get("gate", {})
        if not isinstance(gate, dict):
            return data
        idle = {name: None for name, measure in NEEDS.items() if measure not in data["measures"]}
        return {**data, "gate": {**idle, **gate}}
