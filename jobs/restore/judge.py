"""Third stage: scores of faces before and after, and the gate."""

from __future__ import annotations

from jobs.opencv import settle_opencv
from jobs.per_thread import PerThread
from jobs.restore.recall import recall_crops
from jobs.restore.settings import RestoreSettings
from jobs.restore.work import FaceWork, ImageWork
from operators.errors import OperatorError
from operators.gate import Decision
from operators.scoring.scorer import ScoreOptions, Scorer
from pipeline.records import Item
from pipeline.stage import UnitContext


class Judge:
    """Scores restored faces and decides what becomes of each."""

    name = "score"

    def __init__(self, settings: RestoreSettings) -> None:
        self._scorers = PerThread(lambda: _ready(settings.score))
        self._gate = settings.gate
        self._limits = settings.limits

    def setup(self) -> None:
        """Load the networks that scores need."""
        settle_opencv()
        self._scorers.get()

    def process(self, item: Item, context: UnitContext) -> None:
        """Set scores, decision and status of every restored face.

        Raises:
            OperatorError: code `gate_failed` when the job wants images with a failing face in quarantine.
        """
        work: ImageWork = item.payload
        recall_crops(item.record, work, context, self._limits)
        for index, face in enumerate(work.faces):
            if face.crop is None or face.restored is None or face.landmarks is None:
                continue
            face.scores = self._scorers.get().score([face.crop.pixels], [face.restored], [face.landmarks])[0]
            face.decision = self._gate.decide(face.scores)
            _settle(index, face, face.decision)


def _ready(options: ScoreOptions) -> Scorer:
    scorer = Scorer(options)
    scorer.setup()
    return scorer


def _settle(index: int, face: FaceWork, decision: Decision) -> None:
    if decision.action == "quarantine":
        raise OperatorError("gate_failed", f"face {index}: {'; '.join(decision.reasons)}")
    if decision.action == "keep_original":
        face.status, face.reason = "kept", "gate"
    else:
        face.status = "flagged" if decision.action == "flag" else "restored"
