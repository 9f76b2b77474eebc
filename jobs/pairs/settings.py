"""A pairs job's file turned into what its stages need; picklable."""

from __future__ import annotations

from dataclasses import dataclass

from jobs.identity import digest
from jobs.pairs.formats.contract import PairFormat
from jobs.pairs.formats.table import make_format
from jobs.spec import PairsJob, recipe_of
from jobs.spec.pairs_checks import WITHOUT_MASKS
from jobs.spec.recipes import recipe_data
from operators.degradations.masked import makes_masks
from operators.degradations.recipe import Recipe
from operators.images.limits import Limits


@dataclass(frozen=True)
class PairsSettings:
    """Everything that decides what becomes of a sample.

    Attributes:
        limits: past which an image is not decoded.
        recipe: what is done to it.
        recipe_sha256: of the recipe's data with its degradations' versions.
        seed: of everything drawn at random.
        format: in which pairs are written.
        masks: whether each degraded picture has a mask beside it.
        licence: what the pairs may be used for.
    """

    limits: Limits
    recipe: Recipe
    recipe_sha256: str
    seed: int
    format: PairFormat
    masks: bool
    licence: str | None

    @staticmethod
    def of(job: PairsJob) -> PairsSettings:
        """For a job."""
        recipe = recipe_of(job)
        masks = job.output.masks and job.output.format not in WITHOUT_MASKS and makes_masks(recipe)
        return PairsSettings(
            limits=Limits(**job.source.limits.model_dump(exclude={"max_bytes"})),
            recipe=recipe,
            recipe_sha256=digest(recipe_data(job)),
            seed=job.run.seed,
            format=make_format(job.output.format, masks=masks),
            masks=masks,
            licence=job.output.licence,
        )
