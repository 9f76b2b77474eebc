"""A restore job's file turned into what its stages need; picklable."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from jobs.restore.holes import Holes
from jobs.restore.options import options_of
from jobs.restore.weights import NO_WEIGHTS, Weights
from jobs.spec import resolve_options
from jobs.spec.job import RestoreJob
from jobs.spec.restore import GeneratorRestore, NetworkRestore
from operators.engines.options import EngineOptions, Profile
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
        networks: what networks need; None for a job without any.
        shape: where a face is pasted: an oval from its landmarks, its shape by face parsing, the whole crop, or what
            was made anew.
        holes: where mask images lie that say what is made anew; None without.
        guard: what to do with faces larger than the restorer's crops.
        strength: share of the restored face in the result, 0 to 1.
        colours: whether the restorer gives colours to pictures that have none.
        score: what is measured.
        gate: what a restored face must keep.
        encode: what the derivatives are.
        template: of output names.
        seed: of everything drawn at random.
        mark: whether a changed image says so in its metadata.
    """

    limits: Limits
    detect: DetectOptions
    aligned: bool
    restorer_name: str
    options: dict[str, Any]
    networks: Networks | None
    shape: Shape
    holes: Holes | None
    guard: SizeGuard
    strength: float
    colours: bool
    score: ScoreOptions
    gate: Gate
    encode: EncodeOptions
    template: str
    seed: int
    mark: bool

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
            shape=_shape(job, weights),
            holes=_holes(job),
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
    asked = job.restore.engine
    return EngineOptions(
        engine=asked.name,
        precision=asked.precision,
        device=asked.device,
        strict=asked.strict,
        profile=Profile(1, asked.batch, 2 * asked.batch),
        threads=asked.threads,
    )


def _networks(job: RestoreJob, weights: Weights) -> Networks | None:
    if weights.equipment is None:
        return None
    parser = (weights.parsing.name, weights.parsing.sha256) if weights.parsing else None
    cache = Path(job.models.cache) if job.models.cache else None
    return Networks(weights.equipment, cache, engine_options(job), parser)


def _colours(job: RestoreJob, weights: Weights) -> bool:
    if not isinstance(job.restore, GeneratorRestore):
        return False
    task = job.restore.options.task or (weights.restorer.task if weights.restorer else None)
    return task == "colorize" or not job.restore.options.keep_tone


def _holes(job: RestoreJob) -> Holes | None:
    restore = job.restore
    if not isinstance(restore, GeneratorRestore) or restore.options.masks is None:
        return None
    return Holes(restore.options.masks, resolve_options(job.source.storage_options))


def _shape(job: RestoreJob, weights: Weights) -> Shape:
    if weights.inpaints:
        return "hole"
    if weights.parsing is not None:
        return "parsing"
    return "whole" if job.detect.aligned and job.restore.mask == "auto" else "landmarks"
