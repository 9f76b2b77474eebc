import cv2
import numpy as np
import pytest

from operators.scoring.identity import IdentityModel
from operators.scoring.sface_graph import sface_graph


@pytest.fixture(scope="module")
def model():
    return IdentityModel()


def test_the_same_face_in_other_conditions_is_the_same(model, portrait):
    points = (portrait.landmarks, portrait.landmarks)
    assert model.similarity(portrait.crop, portrait.crop, points) == pytest.approx(1.0, abs=1e-6)
    dimmer = portrait.crop * 0.7 + 0.1
    blurred = cv2.GaussianBlur(portrait.crop, (0, 0), 1.5)
    assert model.similarity(portrait.crop, dimmer, points) > 0.9
    assert model.similarity(portrait.crop, blurred, points) > 0.85


def test_a_crop_of_another_size_is_the_same_face(model, portrait):
    large = cv2.resize(portrait.crop, (768, 768), interpolation=cv2.INTER_CUBIC)
    moved = (portrait.landmarks + 0.5) * 3 - 0.5
    assert model.similarity(portrait.crop, large, (portrait.landmarks, moved)) > 0.97


def test_other_people_are_other_people(model, portrait, strangers):
    for stranger in strangers:
        assert model.similarity(portrait.crop, stranger, (portrait.landmarks,) * 2) < 0.363


def test_the_crop_is_turned_to_the_template(model, portrait):
    """A face shifted and turned in its crop has the same feature when its landmarks move along."""
    turn = cv2.getRotationMatrix2D((128, 128), 20, 0.9)
    turned = cv2.warpAffine(portrait.crop, turn, (256, 256), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    moved = portrait.landmarks @ turn[:, :2].T + turn[:, 2]
    followed = model.similarity(portrait.crop, turned, (portrait.landmarks, moved))
    assert followed > 0.95
    assert model.similarity(portrait.crop, turned, (portrait.landmarks, portrait.landmarks)) < followed


def test_landmarks_on_one_point_give_none(model, portrait):
    assert model.feature(portrait.crop, np.full((5, 2), 10.0)) is None


def test_agrees_with_opencv_on_the_same_network(model, portrait, tmp_path):
    """OpenCV aligns by its own code and does not average before it samples; the numbers are near, not equal."""
    # OpenCV 5 does not take the published file, which lists its weights as inputs.
    network = tmp_path / "sface.onnx"
    network.write_bytes(sface_graph())
    reference = cv2.FaceRecognizerSF.create(str(network), "")
    row = np.concatenate([[0, 0, 256, 256], portrait.landmarks.ravel(), [1.0]]).astype(np.float32)
    picture = (portrait.crop[..., ::-1] * 255).round().astype(np.uint8)
    expected = reference.feature(reference.alignCrop(picture, row)).ravel()
    assert model.feature(portrait.crop, portrait.landmarks) @ (expected / np.linalg.norm(expected)) > 0.95
