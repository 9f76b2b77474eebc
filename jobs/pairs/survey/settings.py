"""What a survey is asked for; picklable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jobs.spec import PairsJob
from jobs.spec.samples import FaceSamples, ImageSamples, TileSamples
from jobs.spec.split import kept_together
from operators.faces.detect import DetectOptions
from operators.images.limits import Limits


@dataclass(frozen=True)
class SurveySettings:
    """Everything that decides what a survey finds in an image.

    Attributes:
        limits: past which an image is not decoded.
        samples: what is cut out, as the job says.
        detect: which faces are wanted.
        people: whether people are to be told apart, for which faces are looked for in every image.
    """

    limits: Limits
    samples: FaceSamples | ImageSamples | TileSamples
    detect: DetectOptions
    people: bool

    @staticmethod
    def of(job: PairsJob) -> SurveySettings:
        """For a job."""
        return SurveySettings(
            limits=Limits(**job.source.limits.model_dump(exclude={"max_bytes"})),
            samples=job.samples,
            detect=DetectOptions(**job.samples.detect.model_dump()),
            people=kept_together(job.split, job.samples) == "identity",
        )


def survey_part(canonical: dict[str, Any], settings: SurveySettings) -> dict[str, Any]:
    """The part of a canonical job that decides what its survey finds."""
    return {key: canonical[key] for key in ("job", "source", "samples")} | {"people": settings.people}
