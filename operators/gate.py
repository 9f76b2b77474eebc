"""Whether a restored face may replace the original."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Literal

from operators.scoring.scores import FaceScores

OnFail = Literal["keep_original", "flag", "quarantine"]
Action = Literal["paste", "keep_original", "flag", "quarantine"]


@dataclass(frozen=True)
class GateThresholds:
    """What a restored face must keep; None switches a threshold off.

    The defaults were measured with the classic restorer on 12 portraits at four sizes, each clean and with noise of
    sigma 10 and 20, JPEG quality 20, scratches and dust: lowest identity 0.84, largest fall of the confidence 0.004,
    smallest share of the sharpness 0.67, largest rise of NIQE 3.7, largest shift of the brightness 0.02. The highest
    identity among 16,000 pairs of different people was 0.45.

    Attributes:
        min_identity: least cosine similarity of the face before and after, -1 to 1.
        max_confidence_drop: most that the detector's confidence may fall, 0 to 1.
        min_sharpness_ratio: least sharpness after, as a share of that before.
        max_niqe_rise: most that NIQE may rise.
        max_brightness_shift: most that the mean luma may move either way, 0 to 1.
        max_identity: most cosine similarity of the face before and after, -1 to 1: for faces that nobody may recognise.
            One whose similarity cannot be measured fails.

    Raises:
        ValueError: a threshold is not a number in its range.
    """

    min_identity: float | None = 0.6
    max_confidence_drop: float | None = 0.15
    min_sharpness_ratio: float | None = 0.5
    max_niqe_rise: float | None = 6.0
    max_brightness_shift: float | None = 0.1
    max_identity: float | None = None

    def __post_init__(self) -> None:
        ranges = {
            "min_identity": (-1.0, 1.0),
            "max_confidence_drop": (0.0, 1.0),
            "max_brightness_shift": (0.0, 1.0),
            "max_identity": (-1.0, 1.0),
        }
        for item in fields(self):
            value = getattr(self, item.name)
            low, high = ranges.get(item.name, (0.0, math.inf))
            if value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
                raise ValueError(f"{item.name}: {value!r} found, expected a number from {low:g} to {high:g} or null")


@dataclass(frozen=True)
class Decision:
    """What is to be done with a restored face.

    Attributes:
        passed: whether every threshold was kept.
        reasons: one sentence for each threshold that was not.
        action: `paste` when passed. Otherwise what the job asked for: `keep_original` leaves the face as it was, `flag`
            pastes it and marks the record, `quarantine` sends the whole image there.
    """

    passed: bool
    reasons: tuple[str, ...]
    action: Action


@dataclass(frozen=True)
class Gate:
    """Compares a face's scores with thresholds.

    A threshold whose measure is missing on both sides is passed over; `needs` tells which measures to take. A measure
    that exists before and not after counts as a failure: the face cannot be examined any more.

    Attributes:
        thresholds: what must be kept.
        on_fail: what happens to a face that fails.

    Raises:
        ValueError: `on_fail` is not one of its three words.
    """

    thresholds: GateThresholds = GateThresholds()
    on_fail: OnFail = "keep_original"

    def __post_init__(self) -> None:
        if self.on_fail not in ("keep_original", "flag", "quarantine"):
            raise ValueError(f"on_fail: {self.on_fail!r} found, expected keep_original, flag or quarantine")

    def needs(self) -> frozenset[str]:
        """Names of the `ScoreOptions` that the thresholds rest on."""
        measures = {
            "min_identity": "identity",
            "max_confidence_drop": "confidence",
            "min_sharpness_ratio": "sharpness",
            "max_niqe_rise": "niqe",
            "max_brightness_shift": "exposure",
            "max_identity": "identity",
        }
        return frozenset(measure for name, measure in measures.items() if getattr(self.thresholds, name) is not None)

    def decide(self, scores: FaceScores) -> Decision:
        """Judge one face.

        Args:
            scores: of the face before and after.

        Returns:
            The decision with its reasons.
        """
        limits, before, after = self.thresholds, scores.before, scores.after
        checks = (
            _identity(scores.identity, limits.min_identity),
            _fall("confidence", before.confidence, after.confidence, limits.max_confidence_drop),
            _share("sharpness", before.sharpness, after.sharpness, limits.min_sharpness_ratio),
            _rise("niqe", before.niqe, after.niqe, limits.max_niqe_rise),
            _shift("brightness", before.brightness, after.brightness, limits.max_brightness_shift),
            _likeness(scores.identity, limits.max_identity),
        )
        reasons = tuple(reason for reason in checks if reason)
        return Decision(passed=not reasons, reasons=reasons, action=self.on_fail if reasons else "paste")


def _identity(value: float | None, least: float | None) -> str | None:
    if value is None or least is None or value >= least:
        return None
    return f"identity {value:.3f} is below {least:g}"


def _likeness(value: float | None, most: float | None) -> str | None:
    if most is None or (value is not None and value <= most):
        return None
    if value is None:
        return "identity cannot be measured, so that the face may still be recognised"
    return f"identity {value:.3f} is above {most:g}: the face may still be recognised"


def _fall(name: str, before: float | None, after: float | None, most: float | None) -> str | None:
    if most is None or before is None:
        return None
    if after is None:
        return _gone(name, before)
    return f"{name} fell from {before:.3f} to {after:.3f}, by more than {most:g}" if before - after > most else None


def _rise(name: str, before: float | None, after: float | None, most: float | None) -> str | None:
    if most is None or before is None:
        return None
    if after is None:
        return _gone(name, before)
    return f"{name} rose from {before:.3f} to {after:.3f}, by more than {most:g}" if after - before > most else None


def _share(name: str, before: float | None, after: float | None, least: float | None) -> str | None:
    if least is None or before is None:
        return None
    if after is None:
        return _gone(name, before)
    fell = after < least * before
    return f"{name} fell from {before:.3f} to {after:.3f}, below {least:g} of what it was" if fell else None


def _shift(name: str, before: float | None, after: float | None, most: float | None) -> str | None:
    if most is None or before is None:
        return None
    if after is None:
        return _gone(name, before)
    moved = abs(after - before) > most
    return f"{name} moved from {before:.3f} to {after:.3f}, by more than {most:g}" if moved else None


def _gone(name: str, before: float) -> str:
    return f"{name} was {before:.3f} and cannot be measured after"
