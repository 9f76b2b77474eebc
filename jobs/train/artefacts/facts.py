"""What is known of a training, as plain data: whoever trains fills it; the report, the card and the export show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from operators.models.checkpoint import Task

State = Literal["finished", "unfinished", "given up"]
Row = Mapping[str, float | int]
"""Of the curve: `step` and `samples`, how many were done when it was written; every other name is a term, which may be
NaN or infinite. `seconds` of work until then may be there."""

COUNTERS = frozenset({"step", "samples", "seconds"})
"""Names in a row that are no terms."""


@dataclass(frozen=True, slots=True)
class DataFacts:
    """What a training saw.

    Attributes:
        kind: of the data: `faces`, `pairs`, `pictures`, `unpaired`.
        uri: where it is, without secrets.
        fingerprint: a hash of it, hex; empty where none was made.
        pictures: good pictures that samples were made of.
        held_out: pictures that were never trained on.
        skipped: pictures that could not be used.
        first_skipped: names of some of them, each with its reason.
        recipes: name of each recipe to its weight; empty where nothing was degraded.
        description: what it is and where it comes from, as the job says it; empty where it does not.
        licence: of the data, as the job says it; empty where it does not.
        notes: sentences for the reader.
    """

    kind: str
    uri: str
    fingerprint: str = ""
    pictures: int = 0
    held_out: int = 0
    skipped: int = 0
    first_skipped: tuple[str, ...] = ()
    recipes: Mapping[str, float] = field(default_factory=dict)
    description: str = ""
    licence: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MachineFacts:
    """What a training ran on, the last time it ran.

    Attributes:
        device: in words, such as `NVIDIA H100 80GB HBM3` or `cpu`; empty where it is not known.
        precision: `fp32` or `bf16`.
        workers: processes that shared each step.
        nodes: machines they were on.
        runner: `local` or `ray`.
        compiled: networks went through torch.compile.
        channels_last: so did pictures and weights lie in memory.
    """

    device: str = ""
    precision: str = "fp32"
    workers: int = 1
    nodes: int = 1
    runner: str = "local"
    compiled: bool = False
    channels_last: bool = False


@dataclass(frozen=True, slots=True)
class Interval:
    """The mean of a measure over samples, and where it lies in 19 of 20 draws of such samples.

    Attributes:
        mean: arithmetic mean of the values that could be computed; None without any.
        low: lower end of the 95 % interval; None for fewer than two values.
        high: upper end of it, likewise.
        count: values that could be computed.
    """

    mean: float | None
    low: float | None
    high: float | None
    count: int


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Measures over pictures that were never trained on.

    Attributes:
        step: steps that were done.
        samples: held-out samples that were measured.
        made: measure to its mean, of what the networks made against the truth.
        given: the same of what they were given against the truth; empty where that has no sense.
        gain: the same of the difference between the two of each sample, made less given; its interval is narrower than
            theirs, since samples that are hard are hard for both.
    """

    step: int
    samples: int
    made: Mapping[str, Interval]
    given: Mapping[str, Interval] = field(default_factory=dict)
    gain: Mapping[str, Interval] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A grid of samples.

    Attributes:
        step: steps that were done.
        png: as `grid.sheet` makes it.
    """

    step: int
    png: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that befell a training.

    Attributes:
        step: steps that were done.
        kind: lower_snake_case word: `phase`, `resumed`, `not_finite`, `diverged`, `collapsed`, `rolled_back`, `best`,
            `given_up`, ...
        text: a sentence; may be empty.
    """

    step: int
    kind: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file that a training made.

    Attributes:
        name: in the output, with its folder.
        bytes: its size.
        sha256: its hash, hex; empty where it was not taken.
    """

    name: str
    bytes: int
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """Everything that the report of a training shows. No value may hold a secret: the report prints what it is given.

    Attributes:
        name: the job's.
        model: its kind: `gpen`, ...
        summary: one line, with the paper, of the table of schedules.
        state: whether all steps are done; `given up` for a training that ended before because it could not go on.
        created: when it began, ISO 8601, UTC.
        updated: when this was written, ISO 8601, UTC.
        facejobs_version: the version that made the report.
        steps: of the whole training.
        done: steps that are done.
        samples: samples that networks have seen in them.
        seconds: of work, pauses left out; None where they are not known.
        watched: name of the term by which divergence is noticed; empty for none.
        settings: the canonical job, nested.
        data: what it saw.
        machine: what it ran on.
        rows: the curve, by rising `step`.
        pace: steps that were done, and seconds of work until then, by rising step; pauses left out. Empty where the
            rows have `seconds`, or where nothing is known of it.
        happenings: by rising `step`.
        held_out: by rising `step`.
        sheets: by rising `step`; the first and the last ones are shown.
        files: checkpoints and the exported model.
        versions: component to version.
        hashes: thing to hash, hex.
        warnings: sentences for the reader.
        licence: of the trained weights, as the job says it; empty where it does not.
        output: where all this is, without secrets.
    """

    name: str
    model: str
    summary: str
    state: State
    created: str
    updated: str
    facejobs_version: str
    steps: int
    done: int
    samples: int
    seconds: float | None
    watched: str
    settings: Mapping[str, Any]
    data: DataFacts
    machine: MachineFacts = field(default_factory=MachineFacts)
    rows: tuple[Row, ...] = ()
    pace: tuple[tuple[int, float], ...] = ()
    happenings: tuple[Happening, ...] = ()
    held_out: tuple[HeldOut, ...] = ()
    sheets: tuple[Sheet, ...] = ()
    files: tuple[KeptFile, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    hashes: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    licence: str = ""
    output: str = ""


@dataclass(frozen=True, slots=True)
class Parent:
    """A model that a training began with.

    Attributes:
        role: name of the network that it filled: `generator`, ...
        name: of the model or of its file, without secrets.
        sha256: of its file, hex; empty where it was not taken.
        licence: its licence; empty where it is not known.
        noncommercial: whether its terms forbid commercial use, which then holds for what was trained from it.
    """

    role: str
    name: str
    sha256: str = ""
    licence: str = ""
    noncommercial: bool = False


@dataclass(frozen=True, slots=True)
class CardFacts:
    """Everything that the card of an exported model says. No value may hold a secret: a card is published.

    Attributes:
        name: the model's, as `facejobs models add` takes it: up to 64 of a-z 0-9 . _ -.
        model: its kind: `gpen`, ...
        summary: one line, with the paper, of the table of schedules.
        created: day of the export, ISO 8601, UTC.
        facejobs_version: the version that trained it.
        steps: steps that were done.
        planned: steps of the whole training; above `steps` in one that has not come to its end.
        samples: samples that networks have seen.
        seconds: of work; None where they are not known.
        settings: the canonical job, nested; it is printed whole, so that the training can be done again.
        data: what it saw.
        machine: what it ran on.
        licence: SPDX expression or words; empty where the job says nothing.
        held_out: last measures; None where nothing was held out.
        parents: models that it began with.
        attributes: names of the attributes that it takes, in order.
        template: alignment of the faces it was trained on, as `facejobs models add` names it; None where there is none.
        task: what its restorer does with it, likewise; None for what networks of its architecture usually do.
        happenings: what the reader of a card has to know, such as a rollback.
        versions: component to version.
    """

    name: str
    model: str
    summary: str
    created: str
    facejobs_version: str
    steps: int
    planned: int
    samples: int
    seconds: float | None
    settings: Mapping[str, Any]
    data: DataFacts
    machine: MachineFacts = field(default_factory=MachineFacts)
    licence: str = ""
    held_out: HeldOut | None = None
    parents: tuple[Parent, ...] = ()
    attributes: tuple[str, ...] = ()
    template: str | None = None
    task: Task | None = None
    happenings: tuple[Happening, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
