"""Whether somebody is at work on a run, as far as its marks and commits tell."""

from __future__ import annotations

from dataclasses import dataclass

from jobs.report.text import duration

FIRST_PATIENCE = 1800.0
"""Seconds of silence that mean nothing while no unit has ended yet: how long one takes is not known."""

LEAST_PATIENCE = 120.0
GONE_SECONDS = 15.0
"""When every process that had a unit is known to be gone, so long is given to the next one to take it up."""


@dataclass(frozen=True)
class Life:
    """Whether somebody is at work.

    Attributes:
        at_work: as it seems.
        because: in a sentence.
        patience: seconds of silence after which nobody is thought to be at work.
    """

    at_work: bool
    because: str
    patience: float


def signs_of_life(silent: float | None, slow_unit: float, units: int, *, all_gone: bool) -> Life:
    """Judge by the last sign of life, which is the newest attempt mark or commit.

    Args:
        silent: seconds since then; None where there never was one.
        slow_unit: seconds of a slow unit; 0 while none has ended.
        units: that have ended.
        all_gone: whether units are under way, and the process of each of them ran on this machine and is gone.
    """
    patience = max(3.0 * slow_unit + 60.0, LEAST_PATIENCE) if units else FIRST_PATIENCE
    if silent is None:
        return Life(False, "no unit has been begun yet", patience)
    ago = f"the last sign of life is {duration(silent)} old"
    if all_gone and silent > GONE_SECONDS:
        return Life(False, f"{ago}, and the processes that had units are gone from this machine", patience)
    if silent > patience:
        usual = f"a slow unit takes {duration(slow_unit)}" if units else "no unit has ended yet"
        return Life(False, f"{ago}, and {usual}", patience)
    return Life(True, ago, patience)
