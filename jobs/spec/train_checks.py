"""Combinations of keys of a train job that cannot be, each valid by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from jobs.spec.overlap import overlap
from jobs.spec.problems import Finding, listed
from jobs.spec.training.common import CommonSchedule, ModelBlock
from jobs.spec.training.data import DataBlock, FacesData, GoodData, PairsData, PicturesData, UnpairedData
from jobs.spec.training.kinds import SAMPLES, kind_of, sample_size
from jobs.spec.training.output import TrainOutput
from jobs.spec.training.run import TrainRun
from jobs.spec.uris import SCHEME
from operators.models.attributes import NAME
from operators.training.schedules.table import SCHEDULES

ALIGNED_ONLY = ("template", "margin", "min_confidence", "min_coverage")
"""Keys of `data.cut` that mean something only where faces are looked for."""
SMALLEST = 16
"""Side in pixels below which recipes degrade nothing."""


def check_kinds(model: ModelBlock, data: DataBlock) -> Iterator[Finding]:
    """Data that the model cannot learn from."""
    kind, of = kind_of(model), str(getattr(data, "kind", ""))
    known = SCHEDULES[kind].data
    if of not in known:
        message = f"found '{of}', from which model.kind: {kind} cannot learn; expected {listed(known)}"
        yield Finding(("data", "kind"), message)


def check_size(model: ModelBlock, data: DataBlock) -> Iterator[Finding]:
    """Sizes of samples that the network, a recipe or the pictures cannot have."""
    size, made_for = sample_size(model, data), model.sample_side()
    at = ("data", "size") if data.size is not None else ("model", "size")
    if data.size is not None and made_for is not None and data.size != made_for:
        message = (
            f"found {data.size}, but the model is made for {made_for} pixels a side (model.size); remove one of the two"
        )
        yield Finding(at, message)
        return
    for number, why in ((model.MULTIPLE, "of this kind of model"), (model.scale(), "as it enlarges so many times")):
        if size % number:
            yield Finding(at, f"found {size}, expected a multiple of {number}, {why}")
    if isinstance(data, GoodData) and data.recipes and size < SMALLEST:
        yield Finding(at, f"found {size}; recipes degrade pictures of {SMALLEST} pixels a side and more")
    if isinstance(data, PicturesData | UnpairedData) and data.reduce_to is not None and data.reduce_to < size:
        message = f"found {data.reduce_to}, which makes every picture smaller than a sample of {size} pixels; raise it"
        yield Finding(("data", "reduce_to"), message)


def check_making(model: ModelBlock, data: DataBlock) -> Iterator[Finding]:
    """What is made of good pictures: too little for the model, or something that it never sees."""
    if not isinstance(data, GoodData):
        return
    kind = kind_of(model)
    wanted = SAMPLES[kind]
    if wanted != "pairs" and data.recipes is not None:
        yield _inert("recipes", f"model.kind: {kind}, which is not given degraded pictures")
    if wanted != "pairs" and data.keep_tone:
        yield _inert("keep_tone", f"model.kind: {kind}, which is not given degraded pictures")
    if data.resampler != "bicubic" and model.scale() == 1:
        yield _inert("resampler", f"model.kind: {kind}, which enlarges nothing")
    styled = kind == "transform" and getattr(model, "task", "") == "style"
    if styled and data.style is None:
        message = "missing; expected 'style: ...', the picture whose style is learnt, or model.task: super_resolution"
        yield Finding(("data", "style"), message, at_key=True)
    if not styled and data.style is not None:
        yield _inert("style", f"model.kind: {kind}" + (" and its task" if kind == "transform" else ""))
    if isinstance(data, FacesData):
        yield from _check_faces(model, data)


def check_recipes(model: ModelBlock, data: DataBlock) -> Iterator[Finding]:
    """Good pictures that nothing makes bad, for a model that learns from both."""
    kind = kind_of(model)
    if isinstance(data, GoodData) and data.recipes is None and SAMPLES[kind] == "pairs" and model.scale() == 1:
        message = f"missing; expected 'recipes: ...' such as {{gfpgan: 1}}: model.kind: {kind} learns from both"
        yield Finding(("data", "recipes"), f"{message} degraded and good pictures", at_key=True)


def check_pairs(data: DataBlock) -> Iterator[Finding]:
    """A part that is trained on and measured."""
    if isinstance(data, PairsData) and data.held_out == data.part:
        yield Finding(("data", "held_out"), f"found '{data.part}', which is trained on (data.part); name another part")


def check_schedule(schedule: CommonSchedule, output: TrainOutput | None, run: TrainRun | None) -> Iterator[Finding]:
    """Numbers of steps and samples that do not go into one another."""
    if run is not None:
        parts = run.workers * schedule.accumulate
        if schedule.batch % parts:
            message = (
                f"found {schedule.batch}, which {run.workers} workers (run.workers) with {schedule.accumulate} parts "
                f"each (schedule.accumulate) cannot share equally; expected a multiple of {parts}"
            )
            yield Finding(("schedule", "batch"), message)
    if schedule.warm > schedule.steps:
        yield Finding(("schedule", "warm"), f"found {schedule.warm}, more than schedule.steps ({schedule.steps})")
    if output is None:
        return
    if output.checkpoint_every % output.log_every:
        message = (
            f"found {output.checkpoint_every}, expected a multiple of output.log_every ({output.log_every}), so that a "
            "row of the curves never stands in two checkpoints"
        )
        yield Finding(("output", "checkpoint_every"), message)
    if output.keep_every is not None and output.keep_every % output.checkpoint_every:
        message = (
            f"found {output.keep_every}, expected a multiple of output.checkpoint_every ({output.checkpoint_every})"
        )
        yield Finding(("output", "keep_every"), message)


def check_run(run: TrainRun) -> Iterator[Finding]:
    """Settings of a runner or a device that are not those of this one."""
    if run.address is not None and run.runner == "local":
        message = "has no effect with runner: local; say runner: ray, or remove it"
        yield Finding(("run", "address"), message, at_key=True)
    if run.workers > 1 and run.runner == "local":
        message = f"found {run.workers}, but runner: local is one process; say runner: ray, or workers: 1"
        yield Finding(("run", "workers"), message)


def check_where(data: DataBlock, output: TrainOutput, run: TrainRun | None) -> Iterator[Finding]:
    """An output that lies in the data or around it, and storage that several processes cannot share."""
    options = (data.storage_options, output.storage_options)
    places = places_of(data)
    for uri in places.values():
        if problem := overlap(uri, output.uri, options):
            yield Finding(("output", "uri"), problem.replace("the source", "the data"))
            break
    several = run is not None and (run.runner == "ray" or run.workers > 1)
    for block, uri, key in (("output", output.uri, "uri"), *(("data", uri, key) for key, uri in places.items())):
        if several and uri.startswith("memory://"):
            message = (
                "memory:// lives in one process and this training uses several; say run: {runner: local, workers: 1}"
            )
            yield Finding((block, key), message)


def places_of(data: DataBlock) -> dict[str, str]:
    """Where pictures or pairs are, by the key that says so."""
    keys = ("first", "second") if isinstance(data, UnpairedData) else ("uri",)
    return {key: uri for key in keys if isinstance(uri := getattr(data, key), str)}


def check_file(text: str, uri: str) -> None:
    """Refuse a file of this machine that is not there.

    Args:
        text: as in the job file.
        uri: made absolute.

    Raises:
        ValueError: no such file, or a folder.
    """
    if set("*?") & set(text):
        raise ValueError("found a wildcard, expected one file")
    if SCHEME.match(uri) or "::" in uri:
        return
    if Path(uri).is_dir():
        raise ValueError("found a folder there, expected a file")
    if not Path(uri).exists():
        raise ValueError("found no such file there; a relative path begins at the job file's folder")


def check_catalogue(text: str, uri: str) -> None:
    """Refuse what is no catalogue of attributes; arguments as `check_file`.

    Raises:
        ValueError: another ending, or no such file.
    """
    if not uri.lower().endswith((".csv", ".parquet")):
        raise ValueError("expected a catalogue that ends in '.csv' or '.parquet'")
    check_file(text, uri)


def _check_faces(model: ModelBlock, data: FacesData) -> Iterator[Finding]:
    kind = kind_of(model)
    if SAMPLES[kind] != "holed":
        for key in ("masks", "attributes"):
            if getattr(data, key) != FacesData.model_fields[key].get_default(call_default_factory=True):
                yield _inert(key, f"model.kind: {kind}, which completes nothing")
    masks = data.masks
    if not (masks.noise or masks.rectangle or masks.strokes or masks.half):
        message = "every weight is 0; expected one of noise, rectangle, strokes and half above 0"
        yield Finding(("data", "masks"), message, at_key=True)
    if masks.least > masks.most:
        yield Finding(("data", "masks", "least"), f"found {masks.least:g}, more than masks.most ({masks.most:g})")
    if not data.align:
        for key in sorted(data.cut.model_fields_set & set(ALIGNED_ONLY)):
            message = "has no effect with align: false, where no face is looked for; remove one of the two"
            yield Finding(("data", "cut", key), message, at_key=True)
    template = getattr(model, "template", None)
    if data.align and data.cut.template is not None and template is not None and data.cut.template != template:
        message = (
            f"found '{data.cut.template}', but the model's is '{template}' (model.template); remove one of the two"
        )
        yield Finding(("data", "cut", "template"), message)
    if data.attributes is not None:
        yield from _check_columns(data.attributes.columns, data.attributes.key_column)


def _check_columns(columns: tuple[str, ...], key: str) -> Iterator[Finding]:
    for index, name in enumerate(columns):
        at = ("data", "attributes", "columns", index)
        if name in columns[:index]:
            yield Finding(at, f"'{name}' stands in the list already")
        elif name == key:
            yield Finding(at, f"'{name}' is the column with the picture's name (attributes.key_column)")
        elif not NAME.fullmatch(name):
            yield Finding(at, "expected letters, digits, '-' and '_', as it names an attribute of the model; rename it")


def _inert(key: str, beside: str) -> Finding:
    return Finding(("data", key), f"has no effect with {beside}; remove it", at_key=True)
