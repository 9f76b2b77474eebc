"""Third stage of a job that hides faces: whether each can still be recognised, and coarser until it cannot."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jobs.opencv import settle_opencv
from jobs.per_thread import PerThread
from jobs.restore.anonymity import Anonymity
from jobs.restore.judge import ready, settle
from jobs.restore.recall import recall_crops
from jobs.restore.settings import RestoreSettings
from jobs.restore.work import FaceWork, ImageWork
from operators.gate import Gate
from operators.restorers.anonymize.region import head_of, weight
from operators.restorers.anonymize.restorer import LAST_STEP, coarsened
from operators.restorers.contract import FaceContext
from operators.scoring.scorer import Scorer
from pipeline.records import Item
from pipeline.stage import UnitContext


class Unlike:
    """Scores hidden faces; one that is too much like the original gets larger cells, at last a plain colour."""

    name = "score"

    def __init__(self, settings: RestoreSettings) -> None:
        assert settings.anonymity is not None
        self._anonymity = settings.anonymity
        self._scorers = PerThread(lambda: ready(settings.score))
        self._gate = settings.gate
        self._limits = settings.limits

    def setup(self) -> None:
        """Load the networks that scores need."""
        settle_opencv()
        self._scorers.get()

    def process(self, item: Item, context: UnitContext) -> None:
        """Set what is shown, scores, decision and status of every face.

        Raises:
            OperatorError: code `gate_failed`; a face could be recognised whatever was done, and the job wants such
                images in quarantine.
        """
        work: ImageWork = item.payload
        recall_crops(item.record, work, context, self._limits)
        for index, face in enumerate(work.faces):
            make_unlike(index, face, self._anonymity, self._gate, self._scorers.get())


def make_unlike(index: int, face: FaceWork, anonymity: Anonymity, gate: Gate, scorer: Scorer, least: int = 0) -> None:
    """Set what is shown of a face so that the gate has nothing against it.

    Args:
        index: of the face, for messages.
        face: with its crop; where `least` is 0, with what the restorer made of it.
        anonymity: of the job.
        gate: of the job.
        scorer: set up.
        least: the step to begin with: 0 is the restorer's, the others `coarsened` knows.

    Raises:
        OperatorError: code `gate_failed`, as in `Unlike.process`.
    """
    assert face.crop is not None and face.landmarks is not None
    context = FaceContext(face.landmarks, gray=False, reduction=face.crop.reduction, seed=0)
    for step in range(least, LAST_STEP + 1):
        if step:
            face.restored, shown = coarsened(face.crop.pixels, context, anonymity.options, step)
            face.hidden |= {"shown": shown}
        assert face.restored is not None
        seen = looks(face.crop.pixels, face.restored, face.landmarks, anonymity.options.margin)
        face.scores = scorer.score([face.crop.pixels], [seen], [face.landmarks])[0]
        face.decision = gate.decide(face.scores)
        face.hidden |= {"step": step}
        if face.decision.passed:
            break
    face.shape = "head"
    assert face.decision is not None
    settle(index, face, face.decision)


def looks(
    crop: NDArray[np.float32], shown: NDArray[np.float32], landmarks: NDArray[np.float64], margin: float
) -> NDArray[np.float32]:
    """What a crop will show when the head in it is covered: (S, S, 3) float32 in [0, 1]."""
    points = np.arange(crop.shape[0], dtype=np.float64)
    share = weight(head_of(landmarks, margin).distance(points, points))[..., None]
    return np.asarray(np.clip(crop + share * (shown - crop), 0.0, 1.0), np.float32)
