"""The result as JSON values: all that the other forms are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jobs.evaluate.gather import Gathered, OfMethod
from jobs.evaluate.plan import Network, Plan
from jobs.evaluate.summary import MeasureSummary, Summary
from jobs.versions import versions
from operators.evaluation.bootstrap import LEVEL, Interval
from operators.evaluation.table import SET_MEASURES, SFACE_LAYER, VGG_LAYER
from operators.models import MODEL_FILES

SCHEMA = "facejobs-evaluation/1"
_DIGITS = 6


@dataclass(frozen=True)
class Facts:
    """What is known beside the numbers.

    Attributes:
        title: of the evaluation.
        places: where pictures come from, without secrets, by what they are.
        networks: what looked at pictures, by the measure's name.
        notes: what a reader has to know, a sentence each.
        rounds: samples of the bootstrap.
    """

    title: str
    places: Mapping[str, str]
    networks: Mapping[str, Mapping[str, str]]
    notes: tuple[str, ...]
    rounds: int


def account(plan: Plan, gathered: Gathered, summary: Summary, facts: Facts) -> dict[str, Any]:
    """JSON values, the same for the same pictures, settings and versions."""
    return {
        "schema": SCHEMA,
        "title": facts.title,
        "paired": plan.truth is not None,
        "pictures": gathered.pictures,
        "places": dict(facts.places),
        "settings": {
            "template": plan.settings.template,
            "resize": plan.settings.resize,
            "seed": plan.settings.seed,
            "against": summary.against or None,
            "bootstrap": {"rounds": facts.rounds, "level": LEVEL, "interval": "percentile"},
        },
        "networks": {name: dict(about) for name, about in facts.networks.items()},
        "methods": [
            {
                "name": method.name,
                "kind": method.kind,
                "about": method.about,
                "weights_sha256": method.weights_sha256 or None,
                **_counts(gathered.methods[method.name], gathered.pictures),
            }
            for method in plan.methods
        ],
        "truth": _counts(gathered.truth, gathered.pictures) if gathered.truth else None,
        "measures": [_measure(one) for one in summary.measures],
        "sets": _sets(summary, gathered),
        "notes": list(facts.notes),
        "versions": versions(),
    }


def networks_of(plan: Plan) -> dict[str, dict[str, str]]:
    """What looks at pictures, by the measure's name."""
    sface = {"name": "sface", "sha256": MODEL_FILES["sface"].sha256}
    yunet = {"name": "yunet", "sha256": MODEL_FILES["yunet"].sha256}
    usual = {"perceptual": sface, "identity": sface, "landmarks": yunet, "landmarks_px": yunet}
    found = {measure: about for measure, about in usual.items() if measure in plan.settings.measures}
    if plan.settings.vgg is not None:
        found["lpips"] = {"name": plan.settings.vgg.name, "sha256": plan.settings.vgg.sha256}
    features = plan.settings.features
    if isinstance(features, Network):
        found["sets"] = {"name": features.name, "sha256": features.sha256, "layer": features.layer or VGG_LAYER}
    elif features is not None:
        found["sets"] = {**sface, "layer": SFACE_LAYER}
    return found


def _counts(one: OfMethod, pictures: int) -> dict[str, Any]:
    return {
        "measured": pictures - sum(one.errors.values()),
        "errors": dict(sorted(one.errors.items())),
        "examples": dict(sorted(one.examples.items())),
        "faces": dict(sorted(one.faces.items())),
    }


def _measure(one: MeasureSummary) -> dict[str, Any]:
    measure = one.measure
    return {
        "name": measure.name,
        "label": measure.label,
        "unit": measure.unit,
        "better": measure.better,
        "digits": measure.digits,
        "summary": measure.summary,
        "pictures": one.pictures,
        "values": {name: _interval(value) for name, value in one.values.items()},
        "truth": _interval(one.truth),
        "differences": {name: _interval(value) for name, value in one.differences.items()},
        "best": sorted(one.best),
    }


def _sets(summary: Summary, gathered: Gathered) -> dict[str, Any] | None:
    sets = summary.sets
    if sets is None:
        return None
    return {
        "dimensions": sets.dimensions,
        "reference": sets.reference,
        "reference_errors": dict(sorted(gathered.reference.errors.items())) if gathered.reference else {},
        "summaries": {name: measure.summary for name, measure in SET_MEASURES.items()},
        "methods": {
            name: {
                "pictures": one.pictures,
                "fid": _number(one.fid),
                "kid": None
                if one.kid is None
                else {
                    "mean": _number(one.kid.mean),
                    "low": _number(one.kid.low),
                    "high": _number(one.kid.high),
                    "subsets": one.kid.subsets,
                    "size": one.kid.size,
                },
            }
            for name, one in sets.methods.items()
        },
    }


def _interval(one: Interval | None) -> dict[str, float | None] | None:
    if one is None:
        return None
    return {"mean": _number(one.mean), "low": _number(one.low), "high": _number(one.high)}


def _number(value: float | None) -> float | None:
    """Enough digits for any table, and few enough that the order of a sum does not show."""
    return None if value is None else float(f"{value:.{_DIGITS}g}")
