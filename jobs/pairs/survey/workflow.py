"""The survey as stages."""

from __future__ import annotations

from dataclasses import dataclass

from jobs.pairs.survey import rows
from jobs.pairs.survey.settings import SurveySettings
from jobs.pairs.survey.stage import Look, Note
from pipeline.stage import Segment, Workflow


@dataclass(frozen=True)
class SurveyWorkflow:
    """Builds the workflow in whichever process calls it; travels there by pickle.

    Attributes:
        settings: what is looked for.
    """

    settings: SurveySettings

    def __call__(self) -> Workflow:
        """The stages, not set up yet."""
        return Workflow(
            front=Segment("survey", (Look(self.settings),)),
            middle=Segment("between", ()),
            back=Segment("note", (Note(),)),
            count=rows.count,
            rows=rows.rows,
            tables=rows.TABLES,
        )
