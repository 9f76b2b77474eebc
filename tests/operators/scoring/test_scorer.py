import dataclasses
import json

import cv2
import numpy as np
import pytest

from operators.errors import OperatorError
from operators.scoring.scorer import ScoreOptions, Scorer

MEASURES = ("sharpness", "exposure", "noise", "niqe", "confidence", "identity")


@pytest.fixture(scope="module")
def scorer():
    ready = Scorer()
    ready.setup()
    return ready


def test_a_blurred_face_scores_worse_in_what_blur_spoils(scorer, portrait):
    blurred = cv2.GaussianBlur(portrait.crop, (0, 0), 4)
    (scores,) = scorer.score([portrait.crop], [blurred], [portrait.landmarks])
    assert scores.after.sharpness < 0.8 * scores.before.sharpness
    assert scores.after.niqe > scores.before.niqe
    assert scores.after.noise < scores.before.noise
    assert scores.after.brightness == pytest.approx(scores.before.brightness, abs=0.01)
    assert scores.before.confidence > 0.8
    assert 0.3 < scores.identity < 1.0


def test_result_is_json_and_every_number_is_a_plain_float(scorer, portrait):
    (scores,) = scorer.score([portrait.crop], [portrait.crop * 0.9], [portrait.landmarks])
    record = dataclasses.asdict(scores)
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert all(type(value) is float for value in [*record["before"].values(), *record["after"].values()])


@pytest.mark.parametrize("kept", MEASURES)
def test_each_measure_can_be_taken_alone(kept, portrait):
    scorer = Scorer(ScoreOptions(**{name: name == kept for name in MEASURES}))
    scorer.setup()
    (scores,) = scorer.score([portrait.crop], [portrait.crop * 0.9], [portrait.landmarks])
    present = {name for name, value in dataclasses.asdict(scores.after).items() if value is not None}
    exposure = {"brightness", "contrast", "clipped_shadows", "clipped_highlights"}
    assert present == {"exposure": exposure, "identity": set()}.get(kept, {kept})
    assert (scores.identity is not None) == (kept == "identity")


def test_a_face_scores_the_same_in_any_company_and_with_any_number_of_threads(scorer, portrait, strangers):
    other = strangers[0]
    alone = scorer.score([portrait.crop], [portrait.crop * 0.9], [portrait.landmarks])
    threads = cv2.getNumThreads()
    try:
        cv2.setNumThreads(1)
        together = scorer.score(
            [other, portrait.crop], [other * 0.8, portrait.crop * 0.9], [portrait.landmarks, portrait.landmarks]
        )
    finally:
        cv2.setNumThreads(threads)
    assert together[1] == alone[0]


def test_an_unchanged_face_gets_equal_scores_and_identity_one(scorer, portrait):
    (scores,) = scorer.score([portrait.crop], [portrait.crop.copy()], [portrait.landmarks])
    assert scores.before == scores.after
    assert scores.identity == 1.0


def test_an_enlarged_result_is_compared_at_the_same_place(scorer, portrait):
    large = cv2.resize(portrait.crop, (512, 512), interpolation=cv2.INTER_CUBIC)
    (scores,) = scorer.score([portrait.crop], [large], [portrait.landmarks])
    assert scores.identity > 0.97
    assert scores.after.sharpness == pytest.approx(scores.before.sharpness, rel=0.05)
    assert scores.after.confidence == pytest.approx(scores.before.confidence, abs=0.03)


def test_a_constant_crop_scores_without_nan(scorer, portrait):
    for value in (0.0, 0.5, 1.0):
        scores = scorer.score_crop(np.full((256, 256, 3), value, dtype=np.float32), portrait.landmarks)
        assert scores.niqe is None
        assert scores.sharpness == 0.0
        assert scores.confidence < 0.3


@pytest.mark.parametrize("side", [16, 64, 777])
def test_odd_sizes(scorer, side):
    crop = np.random.default_rng(0).random((side, side, 3), dtype=np.float32)
    points = np.array([[0.38, 0.47], [0.62, 0.47], [0.5, 0.6], [0.4, 0.72], [0.6, 0.72]]) * side
    scores = scorer.score_crop(crop, points)
    assert scores.sharpness is not None
    assert scores.noise > 10


@pytest.mark.parametrize(
    ("crop", "code"),
    [
        (np.full((64, 64, 3), np.nan, dtype=np.float32), "not_finite"),
        (np.zeros((64, 32, 3), dtype=np.float32), "bad_crop"),
        (np.zeros((64, 64), dtype=np.float32), "bad_crop"),
    ],
)
def test_bad_crops_are_refused_by_name(scorer, crop, code):
    with pytest.raises(OperatorError) as caught:
        scorer.score_crop(crop, np.zeros((5, 2)))
    assert caught.value.code == code


def test_networks_are_needed_only_after_setup(portrait):
    with pytest.raises(ValueError, match=r"setup\(\)"):
        Scorer().score([portrait.crop], [portrait.crop], [portrait.landmarks])


def test_whole_image(scorer, portrait):
    view = (portrait.picture * 255).round().astype(np.uint8)
    scores = scorer.score_image(view)
    assert all(type(value) is float for value in dataclasses.asdict(scores).values())
    assert scores.brightness == pytest.approx(float(cv2.cvtColor(view, cv2.COLOR_RGB2GRAY).mean()) / 255, abs=1e-4)
    assert scorer.score_image(cv2.GaussianBlur(view, (0, 0), 3)).sharpness < scores.sharpness
    assert scorer.score_image(np.zeros((3, 4000, 3), dtype=np.uint8)).brightness == 0.0
    with pytest.raises(OperatorError):
        scorer.score_image(view[..., 0])
