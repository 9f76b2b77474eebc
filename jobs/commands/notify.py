"""`facejobs notify`: whether those can be told who are to be told."""

from __future__ import annotations

from jobs.console import Output
from jobs.errors import CommandError
from jobs.exits import Exit
from jobs.notify.addressees import addressees
from jobs.notify.send import Message, send
from jobs.spec import Scrubber, load, secrets_of
from jobs.summary.patience import USUAL
from jobs.versions import facejobs_version

BODY = "<p>This is a test message of facejobs {version} for the job <b>{job}</b>. Nothing was run.</p>"


def notify(path: str, out: Output, *, test: bool) -> Exit:
    """Name everybody in `notify.urls`, and send each a test message if that is asked for."""
    job = load(path)
    out.use(Scrubber(secrets_of(job)))
    to = addressees(job)
    if not to:
        raise CommandError(f"{path}: notify.urls names nobody", Exit.BAD_JOB)
    if not test:
        for one in to:
            out.say(f"{one.name}: told {WHEN[job.notify.when]}")
        return Exit.DONE
    html = BODY.format(version=facejobs_version(), job=job.name)  # neither can hold markup
    text = html.replace("<p>", "").replace("</p>", "").replace("<b>", "").replace("</b>", "")
    failed = send(Message(f"facejobs {job.name}: test", text, html, "good"), to, USUAL.sending)
    for one in to:
        out.say(f"{one.name}: {failed.get(one.name) or 'told'}")
    return Exit.FAILED if failed else Exit.DONE


WHEN = {
    "always": "at every end",
    "work": "when there was something to do, or a problem",
    "problem": "when the exit code is not 0",
}
