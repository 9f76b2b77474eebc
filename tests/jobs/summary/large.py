"""A summary with as much in it as one can have."""

from __future__ import annotations

from jobs.exits import Exit
from jobs.report.advice import ADVICE
from jobs.summary.data import Command, Reason, RunFacts, Summary
from jobs.summary.steps import next_steps

FILE = "/srv/jobs/the imaging department/glass-negatives-of-the-expedition-of-1911.yaml"
FOLDER = "s3://museum-restored-photographs-of-the-expedition/glass-negatives/_facejobs/runs/9f31c0ffee12ab34"


def large(state: str = "over_budget") -> Summary:
    run = RunFacts(
        run_id="9f31c0ffee12ab34",
        noun="record",
        made="restored or copied",
        created="2026-11-25T22:00:04+00:00",
        source="s3://museum-scans-of-the-expedition-of-1911/glass-negatives/**/*.tif",
        output="s3://museum-restored-photographs-of-the-expedition/glass-negatives/",
        folder=FOLDER,
        report=f"{FOLDER}/report.html",
        quarantine=f"{FOLDER}/quarantine.csv",
        units_planned=193211,
        units_committed=120000,
        units_worked=120000,
        planned=12_365_504,
        ok=7_000_000,
        quarantined=680_000,
        faces_found=9_210_000,
        faces_restored=8_841_000,
        bytes_in=481_223_112_001_000,
        bytes_out=39_122_112_001_000,
        wall_seconds=612_300.0,
    )
    reasons = tuple(Reason(code, 200_000 - 3000 * index, advice) for index, (code, advice) in enumerate(ADVICE.items()))
    return Summary(
        job="glass-negatives-of-the-expedition-of-1911",
        kind="restore",
        command=Command(
            ("run",),
            FILE,
            "imaging-07.conservation.museum.example",
            "0.1.0",
            "2026-11-25T22:00:02+00:00",
            "2026-12-02T23:44:12+00:00",
            612_345.0,
        ),
        exit=Exit.OVER_BUDGET if state == "over_budget" else Exit.QUARANTINED,
        state=state,
        message="680000 of 7680000 decided records are in quarantine, more than run.max_quarantined allows. " * 6,
        run=run,
        reasons=reasons,
        night={
            "number": 41,
            "listed": 12_365_999,
            "due": {"new": 13100, "changed": 310, "failed": 72, "outdated": 8, "resumed": 2},
            "planned": 12_365_504,
            "carried_over": 120,
            "unchanged": 7,
            "deleted": 5,
            "returned": 1,
            "done": 7_000_000,
            "quarantined": 680_000,
            "why_ended": "records",
        },
        steps=next_steps(FILE, state, Exit.QUARANTINED, [reason.code for reason in reasons], collection=False),
    )
