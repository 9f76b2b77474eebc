"""The restore job as stages: what runs before, at and after the restorer."""

from __future__ import annotations

from dataclasses import dataclass, field

from jobs.restore import tables
from jobs.restore.background import Background
from jobs.restore.compose import Compose
from jobs.restore.examine import Examine
from jobs.restore.find_holes import FindHoles
from jobs.restore.improve import Improve
from jobs.restore.judge import Judge
from jobs.restore.outline import Outline
from jobs.restore.record import Origin
from jobs.restore.samples import Sampler
from jobs.restore.settings import RestoreSettings
from jobs.restore.unlike import Unlike
from operators.restorers.contract import Restorer
from operators.restorers.table import RESTORERS
from pipeline.stage import BatchStage, Resources, Segment, Workflow


@dataclass(frozen=True)
class RestoreWorkflow:
    """Builds the workflow in whichever process calls it; travels there by pickle.

    Attributes:
        settings: what the job asks for.
        version: of facejobs.
        settings_sha256: hash of every setting, model and version that decides what becomes of a given image.
        samples: pictures the report has room for.
        records: planned records.
        needs: what a worker needs that runs the restorer.
    """

    settings: RestoreSettings
    version: str
    settings_sha256: str
    samples: int
    records: int
    needs: Resources = field(default_factory=Resources)

    def _middle(self, restorer: Restorer) -> tuple[BatchStage, ...]:
        """The restorer, and what needs the same kind of machine."""
        seed, networks = self.settings.seed, self.settings.networks
        improve = Improve(restorer, seed, networks if RESTORERS[self.settings.restorer_name].takes_equipment else None)
        missing = self.settings.missing
        if missing is not None and missing.seeing is not None and networks is not None:
            return (FindHoles(missing.seeing, networks), improve)
        return (improve,) if networks is None or networks.parser is None else (improve, Outline(networks))

    def __call__(self) -> Workflow:
        """The stages, not set up yet."""
        restorer = self.settings.restorer()
        asked = self.settings.background
        whole = (Background(self.settings, asked),) if asked is not None else ()
        before, beside = (whole, ()) if asked is not None and asked.first else ((), whole)
        origin = Origin(self.version, self.settings_sha256, restorer.info, asked.info if asked is not None else None)
        judge = Judge(self.settings) if self.settings.anonymity is None else Unlike(self.settings)
        compose = Compose(self.settings, origin, Sampler(self.samples, self.records))
        return Workflow(
            front=Segment("examine", (*before, Examine(self.settings, restorer.info)), Resources()),
            middle=Segment("restore", self._middle(restorer), self.needs),
            back=Segment("compose", (judge, *beside, compose), Resources()),
            count=tables.count,
            rows=tables.rows,
            tables=tables.tables_of(asked is not None),
            together=asked is not None,
        )
