"""Which machines did what: attempt marks name the host, a commit names its attempt."""

from __future__ import annotations

from dataclasses import dataclass

UNKNOWN = ""
HOSTS = 1000
"""Machines told apart; further ones are counted together, without a name."""


@dataclass
class Host:
    """One machine.

    Attributes:
        name: as it calls itself; empty for what could not be read.
        units: committed ones that it began.
        records: in those.
        last: its last sign of life, seconds since 1970.
    """

    name: str
    units: int = 0
    records: int = 0
    last: float = 0.0


class Hosts:
    """Machines by name; number 0 is the unknown one."""

    def __init__(self) -> None:
        self._hosts = [Host(UNKNOWN)]
        self._numbers = {UNKNOWN: 0}

    def __len__(self) -> int:
        return len(self._hosts)

    def number(self, name: str) -> int:
        """The number of a machine, a new one if it was not seen before."""
        if name not in self._numbers:
            if len(self._hosts) > HOSTS:
                return 0
            self._numbers[name] = len(self._hosts)
            self._hosts.append(Host(name))
        return self._numbers[name]

    def add(self, name: str, records: int, finished: float) -> int:
        """Count a unit; gives the machine's number."""
        number = self.number(name)
        host = self._hosts[number]
        host.units += 1
        host.records += records
        host.last = max(host.last, finished)
        return number

    def seen(self, name: str, moment: float) -> None:
        """Note a sign of life."""
        host = self._hosts[self.number(name)]
        host.last = max(host.last, moment)

    def all(self) -> list[Host]:
        """By number."""
        return self._hosts
