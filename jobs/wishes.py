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
        again: of a night: do again what meets that condition, whether it is due or not.
    """

    replan: bool = False
    since: str = ""
    where: str = ""
    again: bool = False

    def words(self) -> list[str]:
        """As they are given on the command line."""
        options = (("--since", self.since), ("--where", self.where))
        flags = [*(["--replan"] if self.replan else []), *(["--again"] if self.again else [])]
        return [*flags, *(word for option in options if option[1] for word in option)]
