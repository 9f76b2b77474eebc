"""What the command line asks of a run beside the job file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Wishes:
    """Options of `facejobs run`.

    Attributes:
        replan: list the source again, and plan a new run if it has changed; for jobs without a selection.
        since: of a night: leave alone what was last tried before this moment (ISO 8601, UTC); empty for no bound.
        where: of a night: a further condition in SQL on the columns of the catalogue; empty for none.
    """

    replan: bool = False
    since: str = ""
    where: str = ""

    def words(self) -> list[str]:
        """As they are given on the command line."""
        options = (("--since", self.since), ("--where", self.where))
        return [*(["--replan"] if self.replan else []), *(word for option in options if option[1] for word in option)]
