"""What a restore run would come to, without writing anything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from jobs.console import Output
from jobs.estimate.build import Found
from jobs.estimate.plan import Asked, Places, places_of, say_plan
from jobs.estimate.ranges import Range, exactly, significant, total_of
from jobs.estimate.trial import Puts, Trial, is_local, try_records
from jobs.estimate.trying import each_record, failures, output_bytes, stage_seconds, worker_start
from jobs.estimate.work import Load, totals
from jobs.exits import Exit
from jobs.identity import digest
from jobs.listing import Listing, survey_records, survey_source
from jobs.models.progress import watched
from jobs.places import output_of, source_of
from jobs.restore.identity import identity_of, settings_of
from jobs.restore.needs import needs_of
from jobs.restore.settings import RestoreSettings, check_masks
from jobs.restore.weights import Weights, weights_of
from jobs.restore.work import ImageWork
from jobs.restore.workflow import RestoreWorkflow
from jobs.spec import RestoreJob
from jobs.versions import facejobs_version
from pipeline.records import Item, Record
from pipeline.sources import make_reader


def plan_job(job: RestoreJob, asked: Asked, out: Output) -> Exit:
    """List the source, try a few records in memory, and say what a run over all of it would come to."""
    weights = weights_of(job, watch=watched(out))
    return say_listing(job, weights, survey_source(job, asked.sample), asked, out)


def plan_records(
    job: RestoreJob, records: Iterable[Record], asked: Asked, out: Output, more: Mapping[str, object]
) -> Exit:
    """The same for records that somebody else has listed, such as those that are due; `more` is said in the JSON."""
    weights = weights_of(job, watch=watched(out))
    return say_listing(job, weights, survey_records(job, records, asked.sample), asked, out, more)


def say_listing(
    job: RestoreJob,
    weights: Weights,
    listing: Listing,
    asked: Asked,
    out: Output,
    more: Mapping[str, object] | None = None,
) -> Exit:
    """Try the sample of a listing and say what all of it would come to."""
    found = estimated(job, weights, listing) if listing.sample else None
    identities = {"restore": (output_of(job), identity_of(job, weights))}
    return say_plan(job, listing, found, identities, asked, out, more or {})


def estimated(job: RestoreJob, weights: Weights, listing: Listing) -> tuple[Found, Places]:
    """What the records to do will take and give, and where they could be done.

    Args:
        job: the job.
        weights: its models.
        listing: with at least one record to try.
    """
    check_masks(job)
    settings = RestoreSettings.of(job, weights)
    settings_sha256 = digest(settings_of(identity_of(job, weights)))
    make = RestoreWorkflow(settings, facejobs_version(), settings_sha256, 0, 0, needs_of(job, weights))
    workflow = make()
    places = places_of(job, workflow)
    start = worker_start(job, make)
    output = output_of(job)
    trial = try_records(
        workflow,
        listing.strata,
        make_reader(source_of(job)).read,
        Puts(output, together=job.output.layout != "mirror"),
        _crops,
        apart=places.staged(job, workflow, len(listing.units)),
    )
    whole, parts = totals(trial)
    faces = total_of(trial.groups(lambda one: one.weight))
    load = Load(
        name="restore",
        workflow=workflow,
        records=trial.records,
        units=listing.units,
        whole=whole,
        parts=parts,
        weight=faces.range,
        warm_seconds=trial.warm_seconds,
        start_seconds=start or trial.setup_seconds,
        samples=min(job.run.samples, trial.records),
        cpu_share=trial.cpu_share,
        on_gpu=places.gpus > 0 and workflow.middle.needs.gpus > 0,
        remote=not is_local(output),
    )
    found = output_bytes(trial)
    return Found(
        trial=trial,
        loads=[load],
        outputs=found,
        puts=_puts(job, trial, len(listing.units)),
        failures=failures(trial, sum(listing.problems.values())),
        faces=each_record(faces, trial.records),
        stages={"restore": stage_seconds(trial)},
        more={
            "seconds_per_record": significant(whole.point / trial.records, 4),
            "output_bytes_per_record": round(sum(each.point for each in found.values()) / trial.records),
        },
    ), places


def _crops(item: Item) -> float:
    """Faces that go to the restorer."""
    work: ImageWork = item.payload
    return float(sum(face.crop is not None for face in work.faces))


def _puts(job: RestoreJob, trial: Trial, units: int) -> Range:
    """Objects of all outputs: each artifact, or one a unit."""
    if job.output.layout != "mirror":
        return exactly(units)
    return total_of(trial.groups(lambda one: float(one.puts))).range
