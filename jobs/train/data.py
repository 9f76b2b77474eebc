"""The data of a training: everything that samples are made of, read once, and what it is known by."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.errors import CommandError
from jobs.exits import Exit
from jobs.spec import resolve_options
from jobs.spec.train import TrainJob
from jobs.spec.training.data import FacesData, GoodData, HeldData, PairsData, PicturesData, UnpairedData
from jobs.spec.training.kinds import SAMPLES, sample_size
from jobs.train.attributes import Catalogue, read_catalogue
from jobs.train.faces import AlignedFace, Square, Whole, whole
from jobs.train.held_out import held_out
from jobs.train.mixture import mixture_of
from jobs.train.pictures import Look, Pixels, Place, Read, notes_of, read_pictures
from jobs.train.run_pairs import open_pairs, pairs_of, parts_of
from jobs.train.small_files import read_small
from operators.errors import OperatorError
from operators.images.decode import decode
from operators.training.contract import Samples
from operators.training.data.masks import Masks
from operators.training.data.moving import Jitter
from operators.training.data.samples import Degraded, Good, Holed, Order, Paired, Unpaired
from operators.training.data.supply import Crops, Faces, Supply
from pipeline.errors import RecordError
from pipeline.storage import Folder

HELD_PARTS = ("val", "test")
"""Parts of a pairs run that are held out where the job does not say which, the first that there is."""

NO_ROW = "data.attributes has no row for it, or one with a value missing"


@dataclass(frozen=True)
class Gathered:
    """What a training is fed with; picklable.

    Attributes:
        samples: to train on, without end.
        held_out: to measure on: number 0 to `count` - 1, each picture once; None where nothing is held out.
        fingerprint: SHA-256 over names and contents of all that was read: other data make another training.
        attributes: names of the attributes that samples come with, in order.
        pictures: that the job names besides, such as `style`, (H, W, 3) uint8 RGB.
        notes: what was left out, and why, a line each.
        left_out: names of the pictures that are not used, by the reason.
    """

    samples: Samples
    held_out: Samples | None
    fingerprint: str
    attributes: tuple[str, ...] = ()
    pictures: Mapping[str, Pixels] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    left_out: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def gather(job: TrainJob) -> Gathered:
    """Read the data of a training.

    The same job and the same data give the same samples everywhere.

    Args:
        job: from `jobs.spec.load`, so that places are absolute and recipes written out.

    Raises:
        CommandError: nothing can be trained on; the message names the key and what was found.
        SourceError: a place holds nothing, or cannot be listed as said.
        StorageError: storage refused or did not answer.
    """
    data = job.data
    if isinstance(data, PairsData):
        return _pairs(job, data)
    if isinstance(data, UnpairedData):
        return _unpaired(job, data)
    return _pictures(job, data)


def _pictures(job: TrainJob, data: FacesData | PicturesData) -> Gathered:
    options = resolve_options(data.storage_options)
    look, each = _look(job, data)
    place = _place(data, data.uri, "data.uri", options)
    read = read_pictures(place, look, data.memory, each, _threads(job))
    keys, pictures = read.keys, read.pictures
    catalogue = _catalogue(job, data, options)
    rows = [catalogue.of(key) for key in keys]
    without = tuple(key for key, row in zip(keys, rows, strict=True) if row is None)
    left_out = {**read.left_out, **({NO_ROW: without} if without else {})}
    known = [(key, picture, row) for key, picture, row in zip(keys, pictures, rows, strict=True) if row is not None]
    if not known:
        raise _nothing("data.attributes", f"none of {len(keys)} pictures, such as {keys[0]}, has a whole row there")
    held = held_out([key for key, _, _ in known], data.held_out, options)
    train = [one for one, apart in zip(known, held, strict=True) if not apart]
    apart = [one for one, apart in zip(known, held, strict=True) if apart]
    if not train:
        raise _nothing("data.held_out", f"all of {len(known)} pictures are held out, and none is left to train on")
    extra = _style(data, options)
    return Gathered(
        samples=_samples(job, train, data, still=False),
        held_out=_samples(job, apart, data, still=True) if apart else None,
        fingerprint=_fingerprint(
            [*sorted(read.marks.items()), *((f"held {key}", "") for key, _, _ in apart)],
            [
                *(("column", name) for name in catalogue.names),
                *((f"row {key}", row.tobytes().hex()) for key, _, row in known),
            ],
            [(name, hashlib.sha256(picture.tobytes()).hexdigest()) for name, picture in extra.items()],
        ),
        attributes=catalogue.names,
        pictures=extra,
        notes=tuple(notes_of(left_out)),
        left_out=left_out,
    )


def _samples(
    job: TrainJob,
    known: list[tuple[str, Pixels, NDArray[np.float32]]],
    data: FacesData | PicturesData,
    *,
    still: bool,
) -> Samples:
    """Samples of some pictures; still ones are made in one way only."""
    supply = _supply(job, data, tuple(picture for _, picture, _ in known))
    supply = supply.still() if still else supply
    order = Order(job.run.seed, shuffled=not still)
    wanted = SAMPLES[job.model.kind]
    if wanted == "holed":
        assert isinstance(data, FacesData)
        return Holed(supply, order, Masks(**data.masks.model_dump()), np.stack([row for _, _, row in known]))
    if wanted == "good":
        return Good(supply, order)
    return Degraded(supply, order, mixture_of(data.recipes), job.model.scale(), data.resampler, data.keep_tone)


def _supply(job: TrainJob, data: HeldData, pictures: tuple[Pixels, ...]) -> Supply:
    size = sample_size(job.model, data)
    if isinstance(data, FacesData):
        jitter = Jitter(**data.jitter.model_dump())
        return Faces(pictures, data.cut.margin if data.align else 0.0, size, jitter, data.mirror)
    return Crops(pictures, size, data.mirror)


def _threads(job: TrainJob) -> int:
    """Pictures that are read at once: what would make samples later has nothing else to do yet."""
    return max(job.run.threads, job.run.data_workers, 1)


def _look(job: TrainJob, data: HeldData) -> tuple[Callable[[], Look], int]:
    """What makes what is kept of each picture, and how many bytes that is where they are all the same."""
    size = sample_size(job.model, data)
    if isinstance(data, FacesData) and data.align:
        face = AlignedFace(
            size=size,
            template=data.cut.template or getattr(job.model, "template", None) or "ffhq",
            margin=data.cut.margin,
            oversampling=data.cut.oversampling,
            min_confidence=data.cut.min_confidence,
            max_enlargement=data.cut.max_enlargement,
            min_coverage=data.cut.min_coverage,
        )
        return lambda: replace(face), 3 * face.side**2
    if isinstance(data, FacesData):
        side = round(size * data.cut.oversampling)
        return lambda: Square(size, side, data.cut.max_enlargement), 3 * side**2
    assert isinstance(data, PicturesData | UnpairedData)
    reduce_to = data.reduce_to
    return lambda: Whole(size, reduce_to), 0


def _catalogue(job: TrainJob, data: FacesData | PicturesData, options: Mapping[str, Any]) -> Catalogue:
    if isinstance(data, FacesData) and data.attributes is not None and SAMPLES[job.model.kind] == "holed":
        return read_catalogue(data.attributes, options)
    return Catalogue((), None)


def _style(data: GoodData, options: Mapping[str, Any]) -> dict[str, Pixels]:
    if data.style is None:
        return {}
    content = read_small(data.style, options, "data.style", "a picture")
    try:
        return {"style": whole(decode(content))}
    except OperatorError as error:
        raise CommandError(f"data.style: {data.style}: {error.message}; expected a picture", Exit.BAD_JOB) from error


def _unpaired(job: TrainJob, data: UnpairedData) -> Gathered:
    options = resolve_options(data.storage_options)
    look, _ = _look(job, data)
    sides: dict[str, Read] = {}
    memory = data.memory
    for name, uri in (("first", data.first), ("second", data.second)):
        sides[name] = read_pictures(_place(data, uri, f"data.{name}", options), look, memory, threads=_threads(job))
        memory -= sum(picture.nbytes for picture in sides[name].pictures)
    held = {name: held_out(read.keys, data.held_out, options) for name, read in sides.items()}
    parts: dict[bool, dict[str, tuple[Pixels, ...]]] = {
        apart: {
            name: tuple(one for one, out in zip(read.pictures, held[name], strict=True) if out is apart)
            for name, read in sides.items()
        }
        for apart in (False, True)
    }
    for name, pictures in parts[False].items():
        if not pictures:
            raise _nothing("data.held_out", f"all of the {len(sides[name].keys)} pictures of data.{name} are held out")
    return Gathered(
        samples=_two(job, data, parts[False], still=False),
        held_out=_two(job, data, parts[True], still=True) if all(parts[True].values()) else None,
        fingerprint=_fingerprint(
            *([(f"{name} {key}", mark) for key, mark in sorted(read.marks.items())] for name, read in sides.items()),
            [
                (f"held {name} {key}", "")
                for name, read in sides.items()
                for key, out in zip(read.keys, held[name], strict=True)
                if out
            ],
        ),
        notes=tuple(f"data.{name}: {note}" for name, read in sides.items() for note in notes_of(read.left_out)),
        left_out={f"data.{name}: {why}": names for name, read in sides.items() for why, names in read.left_out.items()},
    )


def _two(job: TrainJob, data: UnpairedData, pictures: Mapping[str, tuple[Pixels, ...]], *, still: bool) -> Samples:
    supplies = [_supply(job, data, pictures[name]) for name in ("first", "second")]
    one, other = [supply.still() if still else supply for supply in supplies]
    orders = [Order(job.run.seed, shuffled=not still, name=name) for name in ("first", "second")]
    return Unpaired(one, other, (orders[0], orders[1]))


def _pairs(job: TrainJob, data: PairsData) -> Gathered:
    run = open_pairs(Folder(data.uri, resolve_options(data.storage_options)), "data.uri")
    parts = parts_of(run)
    held = _held_part(data, list(parts))
    for key, name in (("part", data.part), ("held_out", held)):
        if name is not None and name not in parts:
            raise _nothing(f"data.{key}", f"{data.uri} has no part {name!r}; there are {', '.join(sorted(parts))}")
    names = [data.part] if held is None else [data.part, held]
    size, scale = sample_size(job.model, data), job.model.scale()
    made = [
        Paired(
            pairs_of(run, name, parts[name]),
            Order(job.run.seed, shuffled=name == data.part),
            size,
            scale,
            data.crop,
            data.mirror,
            data.keep_tone,
        )
        for name in names
    ]
    try:
        for samples in made:
            samples.check_first()
    except RecordError as error:
        raise _nothing("data.uri", error.message) from error
    return Gathered(
        samples=made[0],
        held_out=made[1] if held is not None else None,
        fingerprint=_fingerprint(
            *(
                [(f"{name} {row['key']}", f"{row['degraded_sha256']} {row['target_sha256']}") for row in parts[name]]
                for name in names
            )
        ),
    )


def _held_part(data: PairsData, parts: list[str]) -> str | None:
    if data.held_out == "auto":
        return next((name for name in HELD_PARTS if name in parts and name != data.part), None)
    return None if data.held_out == "none" else data.held_out


def _place(data: HeldData, uri: str, key: str, options: Mapping[str, Any]) -> Place:
    return Place(uri, options, data.include, data.exclude, key)


def _fingerprint(*facts: Iterable[tuple[str, str]]) -> str:
    digest = hashlib.sha256()
    for group in facts:
        for name, mark in group:
            for text in (name.encode(), mark.encode()):
                digest.update(len(text).to_bytes(4, "big") + text)
        digest.update(b"\0")
    return digest.hexdigest()


def _nothing(key: str, problem: str) -> CommandError:
    return CommandError(f"{key}: {problem}", Exit.BAD_JOB)
