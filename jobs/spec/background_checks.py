"""What cannot be between the block `background`, its model, and how the job is run."""

from __future__ import annotations

from collections.abc import Iterator

from jobs.spec.background import Background
from jobs.spec.generator_checks import check_engine, not_accepted
from jobs.spec.model_names import ModelNames
from jobs.spec.models import Models
from jobs.spec.problems import Finding, describe, listed, nearest
from jobs.spec.run import Run
from operators.models import CHECKPOINTS
from operators.whole.networks import architectures

STAGED = (
    "found 'staged', which a job with a background cannot be: whole pictures would have to travel between machines; "
    "write auto or fused"
)


def check_background(
    background: Background, models: Models | None, run: Run | None, names: ModelNames
) -> Iterator[Finding]:
    """A model that takes no whole pictures, terms to be accepted, squares without a middle, and a placement."""
    checkpoint = names.checkpoint(background.model)
    if problem := model_problem(background.model, names):
        yield Finding(("background", "model"), problem)
    elif checkpoint is not None and checkpoint.noncommercial:
        accepted = models.accept_noncommercial if models is not None else ()
        if background.model not in accepted:
            yield Finding(("background", "model"), not_accepted(background.model, checkpoint.licence))
    tile, overlap = background.tile, background.overlap
    if tile is not None and overlap is not None and 2 * overlap >= tile:
        message = f"found {overlap}, which leaves nothing of a tile of {tile}: expected less than half of it"
        yield Finding(("background", "overlap"), message)
    yield from check_engine(background.engine, run, ("background", "engine"))
    if run is not None and run.placement == "staged":
        yield Finding(("run", "placement"), STAGED)


def model_problem(name: str, names: ModelNames) -> str:
    """Why a name cannot stand at `background.model`; empty when it can."""
    checkpoint = names.checkpoint(name)
    usable = _usable(names)
    such = f"expected {listed(usable)}, or a model of your own" if usable else "expected a model of your own"
    if checkpoint is not None:
        if checkpoint.architecture not in architectures():
            return f"found {describe(name)}, which takes no whole pictures ({checkpoint.purpose}); {such}"
        if not checkpoint.runs:
            return f"found {describe(name)}, which is known, but this version does not run it ({checkpoint.purpose})"
        return ""
    if name in names.damaged or names.elsewhere:
        return ""
    close = nearest(name, usable)
    meant = f"did you mean '{close}'? A" if close else "a"
    return (
        f"found {describe(name)}, {such}; {meant} file of your own gets a name with "
        "`facejobs models add FILE --name NAME`, on each machine"
    )


def _usable(names: ModelNames) -> list[str]:
    known = {**CHECKPOINTS, **names.added}
    return sorted(name for name, one in known.items() if one.runs and one.architecture in architectures())
