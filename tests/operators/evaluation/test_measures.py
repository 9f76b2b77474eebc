from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from operators.evaluation import measures as measuring
from operators.evaluation.faces import FaceFinder, Place, landmark_distance
from operators.evaluation.measures import Measures
from operators.evaluation.table import PICTURE_MEASURES, USUAL
from operators.faces.templates import template_points
from operators.features import vgg_features
from operators.features.networks import SFACE_LAYERS
from operators.features.sface import SFace
from operators.networks.vgg16.network import LAYERS, Vgg16
from operators.scoring.identity import IdentityModel
from operators.scoring.scorer import ScoreOptions, Scorer


@pytest.fixture(scope="module")
def measures() -> Measures:
    made = Measures()
    made.setup()
    return made


@pytest.fixture(scope="module")
def vgg() -> Vgg16:
    torch.manual_seed(0)
    return Vgg16(widths=(4, 6, 8, 8, 8), hidden=8, classes=4).eval()


def tensor(picture: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(picture.transpose(2, 0, 1)[None].astype(np.float32) / 127.5 - 1)


def distance(first: list[np.ndarray], second: list[np.ndarray]) -> float:
    """Equation 1 of LPIPS with w = 1, pixel by pixel."""
    total = 0.0
    for a, b in zip(first, second, strict=True):
        _, height, width = a.shape
        layer = 0.0
        for row in range(height):
            for column in range(width):
                p, q = a[:, row, column].astype(np.float64), b[:, row, column].astype(np.float64)
                layer += float(((p / np.sqrt(p @ p + 1e-10) - q / np.sqrt(q @ q + 1e-10)) ** 2).sum())
        total += layer / (height * width)
    return total


def test_all_that_is_usual_in_its_order(measures: Measures, face: np.ndarray, soft: np.ndarray) -> None:
    found = measures.measure(soft, face)
    assert list(found) == [name for name in USUAL if name != "lpips"]
    assert all(isinstance(value, float) for value in found.values())


def test_a_picture_is_like_itself(measures: Measures, face: np.ndarray) -> None:
    found = measures.measure(face, face)
    assert (found["psnr"], found["ssim"], found["perceptual"], found["landmarks"]) == (100.0, 1.0, 0.0, 0.0)
    assert found["identity"] == pytest.approx(1.0, abs=1e-6)


def test_worse_pictures_have_worse_numbers(measures: Measures, face: np.ndarray) -> None:
    better, worse = (measures.measure(cv2.GaussianBlur(face, (0, 0), sigma), face) for sigma in (0.8, 2.5))
    for name, measure in PICTURE_MEASURES.items():
        if name in better and name != "landmarks":
            first, second = better[name], worse[name]
            assert first is not None and second is not None
            assert first > second if measure.better == "higher" else first < second, name


def test_perceptual_distance_by_its_formula(face: np.ndarray, soft: np.ndarray) -> None:
    small, other = face[64:104, 64:104], soft[64:104, 64:104]
    network = SFace()
    with torch.inference_mode():
        maps = [
            [one[0].numpy() for one in network.maps(tensor(each), SFACE_LAYERS).values()] for each in (small, other)
        ]
    measures = Measures(["perceptual"])
    measures.setup()
    assert measures.measure(other, small)["perceptual"] == pytest.approx(distance(*maps), rel=1e-4)


def test_lpips_by_its_formula_on_the_network_that_is_given(vgg: Vgg16, face: np.ndarray, soft: np.ndarray) -> None:
    small, other = face[64:104, 64:104], soft[64:104, 64:104]
    with torch.inference_mode():
        maps = [[one[0].numpy() for one in vgg.trunk(LAYERS)(tensor(each)).values()] for each in (small, other)]
    measures = Measures(vgg=vgg_features(vgg, "0" * 64))
    measures.setup()
    found = measures.measure(other, small)
    assert found["lpips"] == pytest.approx(distance(*maps), rel=1e-4)


def test_identity_is_that_of_the_faces_that_are_found(measures: Measures, face: np.ndarray) -> None:
    other = np.ascontiguousarray(cv2.GaussianBlur(face, (0, 0), 2.0))
    finder = FaceFinder()
    here = finder.find(face)
    there = finder.again(other, here)
    assert here.landmarks is not None and there.landmarks is not None and there.where == "found"
    both = [each.astype(np.float32) / 255 for each in (other, face)]
    expected = IdentityModel().similarity(both[0], both[1], (there.landmarks, here.landmarks))
    found = measures.measure(other, face)
    assert found["identity"] == pytest.approx(expected, abs=1e-6)
    spread = [np.hypot(*(there.landmarks[i] - here.landmarks[i])) for i in range(5)]
    eyes = np.hypot(*(here.landmarks[0] - here.landmarks[1]))
    assert found["landmarks"] == pytest.approx(np.mean(spread) / eyes)
    named = Measures(["landmarks_px"])
    named.setup()
    assert named.measure(other, face)["landmarks_px"] == pytest.approx(np.mean(spread))


def test_a_picture_need_not_be_square(measures: Measures, face: np.ndarray, soft: np.ndarray) -> None:
    whole, part = measures.measure(soft, face), measures.measure(soft[:170], face[:170])
    assert part["identity"] == pytest.approx(whole["identity"], abs=0.05)


def test_niqe_is_that_of_the_reports(measures: Measures, face: np.ndarray) -> None:
    scorer = Scorer(ScoreOptions(confidence=False, identity=False))
    scores = scorer.score_crop(face.astype(np.float32) / np.float32(255), template_points("ffhq", 192))
    assert measures.measure(face)["niqe"] == pytest.approx(scores.niqe, abs=1e-4)


def test_without_a_truth_only_what_needs_none(measures: Measures, face: np.ndarray) -> None:
    assert list(measures.measure(face)) == ["niqe"]
    assert measures.compare(face, None).face == "found"


def test_a_truth_serves_many_versions(measures: Measures, face: np.ndarray, soft: np.ndarray) -> None:
    truth = measures.look(face)
    assert measures.compare(soft, truth).values == measures.measure(soft, face)


def test_where_no_face_is_found(measures: Measures, face: np.ndarray) -> None:
    flat = np.full_like(face, 128)
    lost = measures.compare(flat, measures.look(face))
    assert (lost.face, lost.truth_face) == ("truth", "found")
    assert lost.values["landmarks"] is None and isinstance(lost.values["identity"], float)
    square = measures.compare(flat, measures.look(flat))
    assert (square.face, square.truth_face) == ("template", "template")
    assert square.values["identity"] == pytest.approx(1.0, abs=1e-6) and square.values["landmarks"] is None
    wide = measures.compare(flat[:96], measures.look(flat[:96]))
    assert wide.face == "none" and wide.values["identity"] is None


def test_a_face_elsewhere_is_another_face(face: np.ndarray) -> None:
    finder = FaceFinder()
    here = finder.find(face)
    assert here.landmarks is not None
    moved = Place(here.landmarks + 60.0, "found")
    assert finder.again(face, moved).where == "truth"
    assert finder.again(face, Place(here.landmarks + 5.0, "found")).where == "found"


def test_a_face_on_its_side_is_found_again(face: np.ndarray, soft: np.ndarray) -> None:
    finder = FaceFinder()
    turned = finder.find(np.ascontiguousarray(np.rot90(face)))
    assert turned.where == "found" and turned.turn != 0
    assert finder.again(np.ascontiguousarray(np.rot90(soft)), turned).where == "found"


def test_landmark_distance_in_eye_distances() -> None:
    truth = np.array([[0, 0], [10, 0], [5, 5], [2, 9], [8, 9]], np.float64)
    assert landmark_distance(truth + np.array([3, 4]), truth) == pytest.approx(0.5)
    assert landmark_distance(truth, truth[[0, 0, 2, 3, 4]]) == float("inf")


def test_what_is_refused(measures: Measures, face: np.ndarray) -> None:
    with pytest.raises(ValueError, match="192 x 191 pixels: expected the 192 x 192 of the truth"):
        measures.measure(face[1:], face)
    with pytest.raises(ValueError, match="float32"):
        measures.measure(face.astype(np.float32))
    with pytest.raises(ValueError, match="'sharpnes' is unknown"):
        Measures(["sharpnes"])
    with pytest.raises(ValueError, match="needs VGG-16"):
        Measures(["lpips"])


def test_large_pictures_are_reduced_for_networks(
    face: np.ndarray, soft: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    measures = Measures(["perceptual"])
    measures.setup()
    large, other = (cv2.resize(each, (384, 384), interpolation=cv2.INTER_NEAREST) for each in (face, soft))
    monkeypatch.setattr(measuring, "_MOST_PIXELS", 192 * 192)
    assert measures.measure(other, large)["perceptual"] == measures.measure(soft, face)["perceptual"]
