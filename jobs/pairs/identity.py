"""What makes two pairs runs, and two surveys, the same."""

from __future__ import annotations

from typing import Any

from jobs.pairs.survey.settings import SurveySettings, survey_part
from jobs.spec import PairsJob
from jobs.spec.canonical import canonical
from jobs.versions import facejobs_version
from operators.models import MODEL_FILES


def identity_of(job: PairsJob) -> dict[str, Any]:
    """The canonical job, with the recipe written out and its degradations' versions; models; the code's version.

    Library versions are not part of it: each pair's record names them.
    """
    return {"job": canonical(job), **_made_with()}


def survey_identity(job: PairsJob) -> dict[str, Any]:
    """Of the survey that a job rests on: others that differ in recipe, filters, splits or format share it."""
    return {"job": survey_part(canonical(job), SurveySettings.of(job)), **_made_with()}


def _made_with() -> dict[str, Any]:
    return {
        "models": {name: file.sha256 for name, file in sorted(MODEL_FILES.items())},
        "facejobs": facejobs_version(),
    }
