"""A restore job's file turned into what its stages need; picklable, and free of secrets."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from jobs.spec.job import RestoreJob
from operators.faces.detect import DetectOptions
from operators.faces.guard import SizeGuard
from operators.gate import Gate, GateThresholds
from operators.images.encode import target_extension
from operators.images.encoders.contract import EncodeOptions
from operators.images.limits import Limits
from operators.restorers.contract import Restorer
from operators.restorers.table import create
from operators.scoring.scorer import ScoreOptions
from pipeline.names import DEFAULT_TEMPLATE, output_name
from pipeline.records import Record


@dataclass(frozen=True)
class RestoreSettings:
    """Everything that decides what becomes of an image.

    Attributes:
        limits: past which an image is not decoded.
        detect: which faces are wanted.
        model: the restorer's name.
        options: the restorer's settings.
        guard: what to do with faces larger than the restorer's crops.
        strength: share of the restored face in the result, 0 to 1.
        score: what is measured.
        gate: what a restored face must keep.
        encode: what the derivatives are.
        template: of output names.
        seed: of everything drawn at random.
        mark: whether a changed image says so in its metadata.
    """

    limits: Limits
    detect: DetectOptions
    model: str
    options: dict[str, Any]
    guard: SizeGuard
    strength: float
    score: ScoreOptions
    gate: Gate
    encode: EncodeOptions
    template: str
    seed: int
    mark: bool

    @staticmethod
    def of(job: RestoreJob) -> RestoreSettings:
        """The settings that a job file asks for."""
        gate = job.score.gate.model_dump()
        on_fail = gate.pop("on_fail")
        limits = job.source.limits
        return RestoreSettings(
            limits=Limits(max_pixels=limits.max_pixels, max_side=limits.max_side, max_ratio=limits.max_ratio),
            detect=DetectOptions(**job.detect.model_dump(exclude_none=True)),
            model=job.restore.model,
            options=job.restore.options.model_dump(),
            guard=SizeGuard(
                max_reduction=job.restore.max_reduction,
                on_larger="restore" if job.restore.oversize == "reduce" else "keep_larger",
            ),
            strength=job.restore.strength,
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
        return create(self.model, self.options)

    def name(self, record: Record) -> str:
        """The output name of a record's image; it follows from the key alone. Raises RecordError for an unsafe one."""
        return output_name(record.key, self.template, target_extension(record.key, self.encode.format))
