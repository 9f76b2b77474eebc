"""A restore job's file turned into what its stages need; picklable."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from jobs.restore.anonymity import Anonymity, anonymity_of
from jobs.restore.background_settings import BackgroundSettings, options_of_engine
from jobs.restore.holes import Holes
from jobs.restore.missing import Missing
from jobs.restore.options import options_of
from jobs.restore.options.completion import seeing_options
from jobs.restore.weights import NO_WEIGHTS, Weights
from jobs.spec import resolve_options
from jobs.spec.job import RestoreJob
from jobs.spec.restore import CompletionRestore, GeneratorRestore, InversionRestore, NetworkRestore
from operators.engines.options import EngineOptions
from operators.faces.detect import DetectOptions
from operators.faces.guard import SizeGuard
from operators.gate import Gate, GateThresholds
from operators.images.encode import target_extension
from operators.images.encoders.contract import EncodeOptions
from operators.images.limits import Limits
from operators.models.cache import Cache
from operators.restorers.contract import Equipment, Restorer
from operators.restorers.table import create
from operators.scoring.scorer import ScoreOptions
from pipeline.names import DEFAULT_TEMPLATE, output_name
from pipeline.records import Record

Shape = Literal["landmarks", "parsing", "whole", "hole"]


@dataclass(frozen=True)
class Networks:
    """What workers need for networks.

    Attributes:
        equipment: where the files of models lie, and compiled engines.
        cache: folder of models on each machine; None is the machine's own.
        engine: what executes them.
        parser: name and content hash of the model that sees a face's shape; None where nothing does.
    """

    equipment: Equipment
    cache: Path | None
    engine: EngineOptions
    parser: tuple[str, str] | None

    @property
    def engines(self) -> Path:
        """Folder of compiled engines on the machine that asks."""
        return Cache(self.cache).engines


@dataclass(frozen=True)
class RestoreSettings:
    """Everything that decides what becomes of an image.

    Attributes:
        limits: past which an image is not decoded.
        detect: which faces are wanted.
        aligned: whether every image is one aligned face, so that none is looked for.
        restorer_name: as the table of restorers has it.
        options: the restorer's settings.
        networks: what the faces' networks need; None for a job without any.
        background: what is made of the whole picture; None where nothing is.
        shape: where a face is pasted: an oval from its landmarks, its shape by face parsing, the whole crop, or what
            was made anew.
        holes: where mask images lie that say what is made anew; None without.
        missing: how a completion job knows what is missing; None for other jobs.
        guard: what to do with faces larger than the restorer's crops.
        strength: share of the restored face in the result, 0 to 1.
        colours: whether the restorer gives colours to pictures that have none.
        score: what is measured.
        gate: what a restored face must keep.
        encode: what the derivatives are.
        template: of output names.
        seed: of everything drawn at random.
        mark: whether a changed image says so in its metadata.
        anonymity: how faces are hidden, and the originals sealed; None for a job that restores them.
    """

    limits: Limits
    detect: DetectOptions
    aligned: bool
    restorer_name: str
    options: dict[str, Any]
    networks: Networks | None
    background: BackgroundSettings | None
    shape: Shape
    holes: Holes | None
    missing: Missing | None
    guard: SizeGuard
    strength: float
    colours: bool
    score: ScoreOptions
    gate: Gate
    encode: EncodeOptions
    template: str
    seed: int
    mark: bool
    anonymity: Anonymity | None = None

    @staticmethod
    def of(job: RestoreJob, weights: Weights = NO_WEIGHTS) -> RestoreSettings:
        """The settings that a job file asks for, with the models that were found for it."""
        gate = job.score.gate.model_dump()
        on_fail = gate.pop("on_fail")
        limits = job.source.limits
        return RestoreSettings(
            limits=Limits(**limits.model_dump(exclude={"max_bytes"})),
            detect=DetectOptions(**job.detect.model_dump(exclude={"aligned"})),
            aligned=job.detect.aligned,
            restorer_name=weights.restorer.restorer or "" if weights.restorer else job.restore.model,
            options=options_of(job, weights, engine_options(job)),
            networks=_networks(job, weights),
            background=BackgroundSettings.of(job, weights),
            shape=_shape(job, weights),
            holes=_holes(job),
            missing=_missing(job, weights),
            guard=SizeGuard(
                max_reduction=job.restore.max_reduction,
                on_larger="restore" if job.restore.oversize == "reduce" else "keep_larger",
            ),
            strength=job.restore.strength,
            colours=_colours(job, weights),
            score=ScoreOptions(**{measure: measure in job.score.measures for measure in asdict(ScoreOptions())}),
            gate=Gate(GateThresholds(**gate), on_fail),
            encode=EncodeOptions(
                format=job.output.format, quality=job.output.quality, compression=job.output.compression
            ),
            template=job.output.name or DEFAULT_TEMPLATE,
            seed=job.run.seed,
            mark=job.output.mark,
            anonymity=anonymity_of(job),
        )

    def restorer(self) -> Restorer:
        """The restorer, not set up yet."""
        return create(self.restorer_name, self.options, self.networks.equipment if self.networks else None)

    def name(self, record: Record) -> str:
        """The output name of a record's image; it follows from the key alone. Raises RecordError for an unsafe one."""
        return output_name(record.key, self.template, target_extension(record.key, self.encode.format))


def engine_options(job: RestoreJob) -> EngineOptions:
    """What a job asks of engines; for one without such a block, what fits any machine."""
    if not isinstance(job.restore, NetworkRestore):
        return EngineOptions(threads=1)
    return options_of_engine(job.restore.engine)


def _networks(job: RestoreJob, weights: Weights) -> Networks | None:
    if weights.equipment is None or not weights.all():
        return None
    parser = (weights.parsing.name, weights.parsing.sha256) if weights.parsing else None
    cache = Path(job.models.cache) if job.models.cache else None
    return Networks(weights.equipment, cache, engine_options(job), parser)


def _colours(job: RestoreJob, weights: Weights) -> bool:
    if isinstance(job.restore, InversionRestore):
        return job.restore.options.task == "colorize" or not job.restore.options.keep_tone
    if not isinstance(job.restore, GeneratorRestore):
        return False
    task = job.restore.options.task or (weights.restorer.task if weights.restorer else None)
    return task == "colorize" or not job.restore.options.keep_tone


def check_masks(job: RestoreJob) -> None:
    """Refuse a job whose folder of masks holds none; see `Holes.check`."""
    if (holes := _masks(job)) is not None:
        holes.check()


def _holes(job: RestoreJob) -> Holes | None:
    return None if isinstance(job.restore, CompletionRestore) else _masks(job)


def _masks(job: RestoreJob) -> Holes | None:
    restore = job.restore
    if (
        not isinstance(restore, GeneratorRestore | InversionRestore | CompletionRestore)
        or restore.options.masks is None
    ):
        return None
    return Holes(restore.options.masks, resolve_options(job.source.storage_options))


def _missing(job: RestoreJob, weights: Weights) -> Missing | None:
    if not isinstance(job.restore, CompletionRestore):
        return None
    asked = job.restore.options
    colour = [int(asked.colour[place : place + 2], 16) / 255 for place in (1, 3, 5)] if asked.colour else None
    return Missing(
        source=asked.holes,
        masks=_masks(job),
        colour=(colour[0], colour[1], colour[2]) if colour else None,
        tolerance=asked.tolerance,
        grow=asked.grow,
        specks=asked.specks,
        seeing=seeing_options(job.restore, weights, engine_options(job)),
        catalogue=dict(asked.catalogue),
    )


def _inverts_in_hole(job: RestoreJob) -> bool:
    return isinstance(job.restore, InversionRestore) and job.restore.options.task == "inpaint"


def _shape(job: RestoreJob, weights: Weights) -> Shape:
    if weights.inpaints or isinstance(job.restore, CompletionRestore) or _inverts_in_hole(job):
        return "hole"
    if weights.parsing is not None:
        return "parsing"
    return "whole" if job.detect.aligned and job.restore.mask == "auto" else "landmarks"
