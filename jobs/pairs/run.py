"""A pairs job from its file to its end: survey, selection, pairs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import PurePath

import yaml

from jobs.console import Output as Console
from jobs.console import Words
from jobs.driving import ENDS, Manner, drive_run, say_done, say_end
from jobs.ended import Ended
from jobs.errors import CommandError
from jobs.exits import Exit
from jobs.pairs.formats.contract import About
from jobs.pairs.former import drop_former
from jobs.pairs.report.write import write_pairs_report
from jobs.pairs.settings import PairsSettings
from jobs.pairs.start import (
    begin_run,
    changed,
    choose,
    known,
    note_selection,
    noted_selection,
    plan_again,
    worker_spec,
)
from jobs.pairs.survey.start import KIND as SURVEY
from jobs.pairs.survey.start import find_survey, look_again, start_survey, survey_worker_spec
from jobs.report.verdict import many
from jobs.spec import PairsJob, recipe_of
from jobs.spec.recipes import plain
from jobs.versions import facejobs_version
from jobs.wishes import Wishes
from pipeline import layout
from pipeline.records import Output
from pipeline.run import Run
from pipeline.tally import Tally, tally_of
from pipeline.writer_lock import SoleWriters


def run(job: PairsJob, out: Console, writers: SoleWriters, wishes: Wishes) -> Ended:
    """Survey the source, choose what is good enough, and make the pairs; or go on where that was left."""
    replan = wishes.replan
    found = known(job)
    if found is None or replan or noted_selection(found) is None:
        surveyed = _survey(job, out, writers, replan)
        if isinstance(surveyed, Ended):
            return surveyed
        found = _planned(job, surveyed, out, writers)
    if found.complete and (tally := tally_of(found)).complete:
        PairsSettings.of(job).format.sweep(found)
        code = say_done(found, tally, _manner(job), out, replan=replan)
        return Ended(_with_failures(job, code, found, out), found)
    return _drive(job, found, out, writers)


def retry(job: PairsJob, place: str, found: Run, codes: frozenset[str], out: Console, writers: SoleWriters) -> Ended:
    """Make the pairs in quarantine again."""
    if found.header.kind == SURVEY:
        raise CommandError(
            f"{place}: no pair was made yet, there is a survey only; `facejobs run` goes on with it, and with --replan "
            "looks again at the images that are in its quarantine",
            Exit.CONFLICT,
        )
    differing = changed(found, job)
    if differing:
        raise CommandError(
            f"{place}: the output holds run {found.header.run_id}, which differs from this job "
            f"({'; '.join(differing[:8])}); retry works with the job as it was run",
            Exit.CONFLICT,
        )
    if not found.complete:
        raise CommandError("the run is not complete; `facejobs run` finishes it first", Exit.CONFLICT)
    found = writers.run(found)
    count = plan_again(found, codes)
    if not count:
        out.say(
            "nothing to do: no such pair is in quarantine; `facejobs run --replan` looks again at images that could "
            "not be read"
        )
        return Ended(Exit.DONE, found)
    out.log(f"{count} pairs are tried again")
    return _drive(job, found, out, writers)


def about(job: PairsJob, found: Run) -> About:
    """What a dataset card says of a run."""
    noted = noted_selection(found) or {"splits": {}}
    splits = {part: counts for part, counts in noted["splits"].items() if counts["pairs"]}
    settings = json.loads(json.dumps(dict(found.header.job)))
    settings["source"]["uri"] = _published(settings["source"]["uri"])
    recipe = recipe_of(job)
    return About(
        name=job.name,
        licence=job.output.licence,
        recipe=recipe.recipe,
        recipe_text=yaml.safe_dump(
            plain(recipe), sort_keys=False, allow_unicode=True, width=120, default_flow_style=None
        ),
        source=settings["source"]["uri"],
        pairs={part: counts["pairs"] for part, counts in splits.items()},
        samples={part: counts["samples"] for part, counts in splits.items()},
        seed=job.run.seed,
        version=facejobs_version(),
        settings=settings,
    )


def _published(uri: str) -> str:
    """A source as a dataset card may name it: of a folder on this machine the last name only."""
    return uri if "://" in uri and not uri.startswith("file://") else PurePath(uri).name


def _survey(job: PairsJob, out: Console, writers: SoleWriters, replan: bool) -> Run | Ended:
    """A finished survey, or how it ended before."""
    survey = start_survey(job, lambda count: out.log(f"{count} records listed"), writers.output, replan=replan)
    plan = survey.header.plan
    if survey.complete and tally_of(survey).complete:
        again = look_again(job, writers.run(survey)) if replan else 0
        if not again:
            return survey
        out.log(f"{again} images of the survey's quarantine are looked at again")
    images, units = many(plan.records, "image"), many(plan.units, "unit")
    out.log(f"survey {survey.header.run_id}: {images} in {units}, {plan.bytes} bytes")
    for note in survey.header.notes:
        out.log(note)
    manner = Manner(None, _surveyed, Words("surveying", "images", "candidates", "samples found"))
    survey = writers.run(survey)
    outcome = drive_run(job, survey, survey_worker_spec(job, survey), manner, out, writers)
    if outcome.state == "complete":
        out.log(_surveyed(outcome.tally))
        return survey
    out.say(_surveyed(outcome.tally))
    out.log(f"the survey is not complete: {outcome.message}; run the same command again to continue")
    return Ended(ENDS[outcome.state], survey, outcome)


def _planned(job: PairsJob, survey: Run, out: Console, writers: SoleWriters) -> Run:
    chosen = choose(job, survey)
    found = begin_run(job, chosen, writers.output)
    note_selection(found, chosen)
    summary = chosen.selection.summary(chosen.survey)
    reasons = ", ".join(f"{count} {reason}" for reason, count in summary["left_out"].items())
    out.log(f"selected {many(summary['kept'], 'sample')}{f'; left out: {reasons}' if reasons else ''}")
    for part, counts in summary["splits"].items():
        samples, groups = many(counts["samples"], "sample"), many(counts["groups"], "group")
        out.log(f"  {part}: {samples} in {groups}, {many(counts['pairs'], 'pair')}")
    return found


def _drive(job: PairsJob, found: Run, out: Console, writers: SoleWriters) -> Ended:
    plan = found.header.plan
    out.log(f"run {found.header.run_id}: {many(plan.records, 'pair')} in {many(plan.units, 'unit')}")
    for note in found.header.notes:
        out.log(note)
    found = writers.run(found)
    manner = _manner(job)
    outcome = drive_run(job, found, worker_spec(job, found), manner, out, writers)
    if outcome.state == "complete":
        PairsSettings.of(job).format.sweep(found)
    return Ended(_with_failures(job, say_end(found, outcome, manner, out), found, out), found, outcome)


def _manner(job: PairsJob) -> Manner:
    def closing(found: Run) -> Sequence[Output]:
        finals = PairsSettings.of(job).format.close(found, about(job, found))
        drop_former(found, finals)
        return finals

    return Manner(write_pairs_report, _made, Words("making pairs", "pairs"), closing)


def _with_failures(job: PairsJob, code: Exit, found: Run, out: Console) -> Exit:
    """Images that could not be read make no pairs, and are said all the same."""
    failed = (noted_selection(found) or {}).get("failed", 0)
    survey = find_survey(job) if failed else None
    if survey is None or code not in (Exit.DONE, Exit.QUARANTINED):
        return code
    out.say(f"{failed} images could not be read: {survey.folder.uri}/{layout.QUARANTINE}")
    return Exit.QUARANTINED


def _surveyed(tally: Tally) -> str:
    left = tally.records_planned - tally.done
    todo = f", {left} to do" if left else ""
    return (
        f"{tally.records_planned} images surveyed: {tally.counts.get('candidates', 0)} samples found, "
        f"{tally.quarantined} images in quarantine{todo}"
    )


def _made(tally: Tally) -> str:
    return (
        f"{tally.records_planned} pairs: {tally.ok} made, {tally.quarantined} in quarantine, "
        f"{tally.records_planned - tally.done} to do"
    )
