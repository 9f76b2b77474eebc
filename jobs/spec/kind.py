"""What is known of one kind of job: its model, its blocks, and what has to hold between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, TypeVar

from jobs.spec.common import Block
from jobs.spec.job import Spec
from jobs.spec.model_names import ModelNames, names_for
from jobs.spec.problems import Finding
from jobs.spec.tag import Tag

Parts = TypeVar("Parts")


@dataclass(frozen=True)
class Around:
    """What a job file is read with.

    Attributes:
        data: of the whole file.
        folder: absolute, what relative places are relative to.
    """

    data: Mapping[str, Any]
    folder: Path

    @cached_property
    def names(self) -> ModelNames:
        """Models that the job may name; looked up on the first use, as not every job uses models."""
        return names_for(self.data, self.folder)


def as_written(spec: Any) -> dict[str, Any]:
    """A job as plain data, in JSON values."""
    dumped: dict[str, Any] = spec.model_dump(mode="json")
    return dumped


@dataclass(frozen=True)
class Kind(Generic[Parts]):
    """A kind of job.

    Attributes:
        model: of the whole file.
        blocks: names of the blocks, each with the models that it may have.
        tags: of the blocks with more than one model, the key that says which.
        parts: the blocks as far as they could be read; None where one could not be.
        place: makes places absolute and reads what the job file refers to; gives what is wrong with them as well.
        check: what is wrong between keys, as far as the blocks could be read.
        indifferent: keys of a job that change no output.
        plain: a job as plain data, with all that its output depends on.
        in_order: keys below which the order of a list means something.
    """

    model: type[Spec]
    blocks: Mapping[str, tuple[type[Block], ...]]
    tags: Mapping[str, Callable[[Around], Tag[Any]]]
    parts: type[Parts]
    place: Callable[[Parts, Around], tuple[Parts, list[Finding]]]
    check: Callable[[Parts, Around], Iterator[Finding]]
    indifferent: Callable[[Any], frozenset[str]]
    plain: Callable[[Any], dict[str, Any]] = as_written
    in_order: frozenset[str] = field(default=frozenset())
