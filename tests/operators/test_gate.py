import cv2
import numpy as np
import pytest

from operators.gate import Gate, GateThresholds
from operators.restorers.contract import FaceContext
from operators.restorers.table import create
from operators.scoring.scorer import Scorer
from operators.scoring.scores import CropScores, FaceScores


@pytest.fixture(scope="module")
def scorer():
    ready = Scorer()
    ready.setup()
    return ready


def judged(scorer, portrait, after):
    return Gate().decide(scorer.score([portrait.crop], [after], [portrait.landmarks])[0])


def test_a_restored_face_passes(scorer, portrait):
    rng = np.random.default_rng(0)
    noisy = portrait.cut(np.clip(portrait.picture + rng.normal(0, 15 / 255, portrait.picture.shape), 0, 1))
    noisy = noisy.astype(np.float32)
    context = FaceContext(portrait.landmarks, False, portrait.reduction, 0)
    restored = create("classic").restore(noisy[np.newaxis], [context])[0]
    assert not np.array_equal(restored, noisy)
    decision = Gate().decide(scorer.score([noisy], [restored], [portrait.landmarks])[0])
    assert decision.passed, decision.reasons
    assert decision.action == "paste"


def test_another_person_fails(scorer, portrait, strangers):
    for stranger in strangers:
        decision = judged(scorer, portrait, stranger)
        assert decision.action == "keep_original"
        assert any(reason.startswith("identity") for reason in decision.reasons)


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_a_constant_colour_fails(scorer, portrait, value):
    decision = judged(scorer, portrait, np.full_like(portrait.crop, value))
    names = {reason.split()[0] for reason in decision.reasons}
    assert {"confidence", "sharpness", "niqe"} <= names


def test_washed_out_and_blurred_faces_fail(scorer, portrait):
    assert not judged(scorer, portrait, np.clip(portrait.crop + 0.25, 0, 1)).passed
    assert not judged(scorer, portrait, cv2.GaussianBlur(portrait.crop, (0, 0), 8)).passed


def scores(identity=0.9, **after):
    good = {"sharpness": 0.2, "brightness": 0.5, "niqe": 5.0, "confidence": 0.9}
    return FaceScores(CropScores(**good), CropScores(**(good | after)), identity)


@pytest.mark.parametrize(
    ("case", "word"),
    [
        (scores(identity=0.59), "identity 0.590 is below 0.6"),
        (scores(confidence=0.74), "confidence fell from 0.900 to 0.740"),
        (scores(sharpness=0.09), "sharpness fell from 0.200 to 0.090"),
        (scores(niqe=11.1), "niqe rose from 5.000 to 11.100"),
        (scores(brightness=0.61), "brightness moved from 0.500 to 0.610"),
        (scores(brightness=0.39), "brightness moved from 0.500 to 0.390"),
        (scores(niqe=None), "niqe was 5.000 and cannot be measured after"),
    ],
)
@pytest.mark.parametrize("on_fail", ["keep_original", "flag", "quarantine"])
def test_each_threshold_alone(case, word, on_fail):
    decision = Gate(on_fail=on_fail).decide(case)
    assert (decision.passed, decision.action) == (False, on_fail)
    assert len(decision.reasons) == 1
    assert word in decision.reasons[0]


def test_values_on_the_threshold_pass():
    assert Gate().decide(scores(identity=0.6, sharpness=0.1, niqe=11.0)).passed


def test_switched_off_thresholds_and_missing_measures_are_passed_over():
    nothing = GateThresholds(None, None, None, None, None)
    assert Gate(nothing).decide(scores(identity=-1.0, sharpness=0.0, niqe=99.0, confidence=0.0)).passed
    assert Gate().decide(FaceScores(CropScores(), CropScores())).passed
    assert Gate(nothing).needs() == frozenset()
    assert Gate().needs() == {"identity", "confidence", "sharpness", "niqe", "exposure"}


@pytest.mark.parametrize(
    "bad", [{"min_identity": 2}, {"max_niqe_rise": -1}, {"min_identity": "high"}, {"max_confidence_drop": True}]
)
def test_bad_thresholds_are_refused_with_their_name(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        GateThresholds(**bad)


def test_bad_action_is_refused():
    with pytest.raises(ValueError, match="on_fail"):
        Gate(on_fail="delete")
