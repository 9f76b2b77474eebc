"""Third stage: scores of faces before and after, and the gate."""

from __future__ import annotations

from dataclasses import replace

from jobs.opencv import settle_opencv
from jobs.per_thread import PerThread
from jobs.restore.recall import recall_crops
from jobs.restore.settings import RestoreSettings
from jobs.restore.work import FaceWork, ImageWork
from operators.errors import OperatorError
from operators.gate import Decision, Gate, GateThresholds
from operators.scoring.scorer import ScoreOptions, Scorer
from pipeline.records import Item, Record
from pipeline.stage import UnitContext

BIG_HOLE = 0.1
"""Share of a face's oval made anew from which on the face as it came is no measure: what was torn or hidden had another
look, and nobody knows which. Whether a face can still be found is judged all the same."""


class Judge:
    """Scores restored faces and decides what becomes of each."""

    name = "score"

    def __init__(self, settings: RestoreSettings) -> None:
        self._scorers = PerThread(lambda: ready(settings.score))
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
        try:
            self._judge(work, item.record, context)
        except Exception:
            if work.background is not None:
                work.background.raster = None  # nothing follows that would ask for it
            raise

    def _judge(self, work: ImageWork, record: Record, context: UnitContext) -> None:
        recall_crops(record, work, context, self._limits)
        for index, face in enumerate(work.faces):
            if face.crop is None or face.restored is None or face.landmarks is None:
                continue
            if face.mask is not None and not face.mask.any():
                face.status, face.reason = "kept", "no_change"  # nothing of it was to be made anew
                continue
            face.scores = self._scorers.get().score([face.crop.pixels], [face.restored], [face.landmarks])[0]
            face.decision = self._gate_for(face).decide(face.scores)
            settle(index, face, face.decision)

    def _gate_for(self, face: FaceWork) -> Gate:
        """The gate; of a face that was mostly made anew, without what compares it with the face as it came."""
        if face.missing is None or face.missing < BIG_HOLE:
            return self._gate
        confidence = self._gate.thresholds.max_confidence_drop
        return replace(self._gate, thresholds=GateThresholds(None, confidence, None, None, None))


def ready(options: ScoreOptions) -> Scorer:
    """A scorer, set up."""
    scorer = Scorer(options)
    scorer.setup()
    return scorer


def settle(index: int, face: FaceWork, decision: Decision) -> None:
    """Set a face's status as the gate has decided; OperatorError where its image goes to quarantine."""
    if decision.action == "quarantine":
        raise OperatorError("gate_failed", f"face {index}: {'; '.join(decision.reasons)}")
    if decision.action == "keep_original":
        face.status, face.reason = "kept", "gate"
    else:
        face.status = "flagged" if decision.action == "flag" else "restored"
