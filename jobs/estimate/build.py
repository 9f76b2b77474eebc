"""An estimate as JSON values: the one form in which it is printed, kept and compared. Keys: docs/estimates.md."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jobs.estimate.fixed import (
    COMMAND_SECONDS,
    LEDGER_RECORD_BYTES,
    LEDGER_UNIT_BYTES,
    PLAN_UNITS,
    RUN_REQUESTS,
    SAMPLE_BYTES,
    SAMPLE_REQUESTS,
    SAMPLE_SHARE,
    UNIT_REQUESTS,
)
from jobs.estimate.forecast import Forecast, forecast
from jobs.estimate.place import Place
from jobs.estimate.ranges import CONFIDENCE, Range, significant
from jobs.estimate.trial import Trial
from jobs.estimate.work import Load
from jobs.listing import Listing
from jobs.spec import Sourced
from jobs.spec.cluster import Cluster


@dataclass(frozen=True)
class Found:
    """What a kind of job has found out by trying.

    Attributes:
        trial: of records of the source.
        loads: passes over records, in their order.
        outputs: bytes of all outputs that a run will leave, by role.
        puts: objects that these outputs are.
        failures: records that will go to quarantine, those that are known to among them.
        faces: faces a record; None where nobody looks for any.
        stages: for each pass, seconds of a record by stage.
        more: further keys of the kind.
    """

    trial: Trial
    loads: Sequence[Load]
    outputs: Mapping[str, Range]
    puts: Range
    failures: Range
    faces: Range | None
    stages: Mapping[str, Mapping[str, float]]
    more: Mapping[str, Any] = field(default_factory=dict)


def build(job: Sourced, listing: Listing, found: Found, machine: Place, cluster: Place | None) -> dict[str, Any]:
    """An estimate of a job.

    Args:
        job: whose run it is of.
        listing: of its source, or of what is due of it.
        found: by trying records.
        machine: this one.
        cluster: that the job describes; None where it describes none.
    """
    ledger, requests = _ledger(job, listing, found)
    here = _place(job, listing, found, machine)
    tried = found.trial.flat
    size = sum(each.point for each in found.outputs.values())
    return {
        "sampled": len(tried),
        "failed": sum(bool(one.code) for one in tried),
        "codes": dict(sorted(Counter(one.code for one in tried if one.code).items())),
        "confidence": CONFIDENCE,
        "cpu_share": significant(found.trial.cpu_share, 3),
        **found.more,
        "stage_seconds": {
            name: {stage: significant(seconds, 4) for stage, seconds in each.items()}
            for name, each in found.stages.items()
        },
        "faces_per_record": None if found.faces is None else found.faces.plain(),
        "failures": found.failures.plain(),
        "output_bytes": round(size),
        "storage": {
            "outputs": {role: each.plain() for role, each in sorted(found.outputs.items())},
            "ledger": round(ledger),
            "requests": requests.plain(),
        },
        "strata": _strata(found.trial),
        "workers": here.pop("workers"),
        "hours": here["seconds"]["point"] / 3600 if here["seconds"] else None,
        "machine": here,
        "cluster": None if cluster is None else _cluster(job, listing, found, cluster),
        "currency": job.cluster.currency,
        "cost": _cost(job.cluster, found, ledger, requests),
    }


def _place(job: Sourced, listing: Listing, found: Found, place: Place) -> dict[str, Any]:
    passes = [forecast(load, place, job.run.placement, job.run.workers) for load in found.loads]
    unknown = next((each.unknown for each in passes if each.unknown), None)
    seconds = None if unknown else whole(passes).plus(COMMAND_SECONDS + listing.seconds)
    return {
        "unknown": unknown,
        "workers": max((pool.workers for each in passes for pool in each.pools), default=0),
        "seconds": None if seconds is None else seconds.plain(),
        "listing_seconds": significant(listing.seconds, 3),
        "passes": [each.plain() for each in passes],
    }


def whole(passes: Sequence[Forecast]) -> Range:
    """Seconds of passes one after the other; a machine that is slower in one is so in all."""
    each = [one.seconds for one in passes]
    return Range(sum(one.low for one in each), sum(one.point for one in each), sum(one.high for one in each))


def _cluster(job: Sourced, listing: Listing, found: Found, place: Place) -> dict[str, Any]:
    made = _place(job, listing, found, place)
    price = price_of(job.cluster)
    seconds = made["seconds"]
    cost = None
    if seconds is not None and price is not None:
        cost = Range(seconds["low"], seconds["point"], seconds["high"]).times(price / 3600).plain()
    nodes = [node.model_dump(mode="json") for node in place.nodes]
    return {"nodes": nodes, **made, "price_per_hour": price, "cost": cost}


def price_of(cluster: Cluster) -> float | None:
    """What all machines cost for an hour; None where one has no price, or there are none."""
    prices = [None if node.price_per_hour is None else node.count * node.price_per_hour for node in cluster.nodes]
    known = [price for price in prices if price is not None]
    return sum(known) if known and len(known) == len(prices) else None


def _cost(cluster: Cluster, found: Found, ledger: float, requests: Range) -> dict[str, Any] | None:
    if cluster.storage_price is None and cluster.request_price is None:
        return None
    stored = Range(*(sum(getattr(each, end) for each in found.outputs.values()) for end in ("low", "point", "high")))
    kept, asked = cluster.storage_price, cluster.request_price
    return {
        "storage_month": None if kept is None else stored.plus(ledger).times(kept / 1e9).plain(),
        "requests": None if asked is None else requests.times(asked / 1000).plain(),
    }


def _ledger(job: Sourced, listing: Listing, found: Found) -> tuple[float, Range]:
    """Bytes of what a run writes beside its outputs, and puts of everything."""
    size = requests = 0.0
    for load in found.loads:
        units = len(load.units)
        size += LEDGER_RECORD_BYTES * load.records + LEDGER_UNIT_BYTES * units
        requests += UNIT_REQUESTS * units + RUN_REQUESTS + math.ceil(units / PLAN_UNITS)
    samples = min(job.run.samples, found.loads[-1].records)
    shown = min(SAMPLE_BYTES, SAMPLE_SHARE * listing.bytes / max(1, listing.records))
    return size + shown * samples, found.puts.plus(requests + SAMPLE_REQUESTS * samples)


def _strata(trial: Trial) -> list[dict[str, Any]]:
    return [
        {
            "least_bytes": stratum.least,
            "most_bytes": stratum.most,
            "records": stratum.records,
            "bytes": stratum.bytes,
            "sampled": len(tried),
            "seconds_per_record": significant(sum(sum(one.seconds) for one in tried) / len(tried), 4)
            if tried
            else None,
            "output_bytes_per_record": round(sum(sum(one.outputs.values()) for one in tried) / len(tried))
            if tried
            else None,
        }
        for stratum, tried in zip(trial.strata, trial.tried, strict=True)
    ]
