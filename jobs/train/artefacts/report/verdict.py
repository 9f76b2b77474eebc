"""The one line that a person reads first: how a training stands, in plain words."""

from __future__ import annotations

from jobs.report.text import count, duration
from jobs.report.verdict import Verdict, are, many
from jobs.train.artefacts.facts import ReportFacts
from jobs.train.artefacts.held_out import change, words_of


def judge(facts: ReportFacts) -> Verdict:
    """Say how a training stands.

    Args:
        facts: of a finished or unfinished training.

    Returns:
        A verdict that says so when the counts contradict each other.
    """
    detail = " ".join(part for part in (_pace(facts), _held_out(facts)) if part)
    done = f"{count(facts.done)} of {many(facts.steps, 'step')} {are(facts.done)} done"
    if facts.done > facts.steps or (facts.state == "finished" and facts.done != facts.steps):
        return Verdict("bad", f"The counts do not add up: the training is called {facts.state}, but {done}.", detail)
    if facts.state == "given up":
        return Verdict(
            "bad",
            f"This training was given up: {done}, and then it could not go on. Why stands below; the last "
            "good checkpoint is kept.",
            detail,
        )
    if facts.state == "unfinished":
        return Verdict(
            "open",
            f"This training is not finished: {done}. Run the same job again and it goes on after its last checkpoint.",
            detail,
        )
    if facts.warnings:
        return Verdict("mixed", f"Done: {many(facts.steps, 'step')}, with warnings.", detail)
    return Verdict("good", f"Done: {many(facts.steps, 'step')}.", detail)


def _pace(facts: ReportFacts) -> str:
    seen = f"Networks have seen {many(facts.samples, 'sample')}"
    return (
        f"{seen} in {duration(facts.seconds)}." if facts.seconds is not None else f"{seen}; for how long is not known."
    )


def _held_out(facts: ReportFacts) -> str:
    if not facts.held_out or not facts.held_out[-1].made:
        return "Nothing was measured on held-out pictures."
    last = facts.held_out[-1]
    verdicts = {name: change(name, last) for name in last.made}
    parts = []
    for verdict, said in (
        ("better", "better than"),
        ("worse", "worse than"),
        ("not told apart", "not told apart from"),
    ):
        names = [words_of(name).label for name, found in verdicts.items() if found == verdict]
        if names:
            parts.append(f"{said} what was given in {', '.join(names)}")
    if not parts:
        return ""
    return f"On held-out pictures, after {many(last.step, 'step')}, what is made is {'; '.join(parts)}."
