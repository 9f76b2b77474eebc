"""What is missing, seen in the crop itself: things in front of a face by a parser, damage by the detector."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from scipy import ndimage

from operators.checkpoints.errors import CheckpointError
from operators.damage.detector import DamageDetector, DamageOptions
from operators.engines.options import EngineOptions
from operators.restorers.completion.options import SeeingOptions
from operators.restorers.completion.seeing import Seer, scaled
from operators.restorers.generator.arrays import to_batch

if TYPE_CHECKING:
    from .conftest import Models


def seer(models: Models, **options: Any) -> Seer:
    made = Seer(
        SeeingOptions(**{"source": "occlusion", **models.named("parser"), "grow": 0.0, **options}), models.equipment
    )
    made.setup()
    return made


@pytest.fixture
def likely(models: Models, faces: np.ndarray) -> np.ndarray:
    """(3, C, S, S): probabilities by the network as it was trained."""
    import torch

    return models.networks["parser"](torch.from_numpy(to_batch(list(faces), (-1.0, 1.0)))).softmax(1).numpy()


@pytest.mark.parametrize("classes", [(0,), (1, 2)])
def test_classes_that_hide_a_face_add_up(
    models: Models, faces: np.ndarray, likely: np.ndarray, classes: tuple[int, ...]
) -> None:
    together = likely[:, list(classes)].sum(axis=1)
    for certainty in (float(np.median(together)), None):
        found = seer(models, classes=classes, certainty=certainty).regions(faces, [1.0] * 3)
        least = 0.5 if certainty is None else certainty
        for region, plane in zip(found, together, strict=True):
            clear = np.abs(plane - least) > 1e-4
            assert np.array_equal(region[clear], plane[clear] >= least)
    assert (
        0.2
        < np.mean(seer(models, classes=classes, certainty=float(np.median(together))).regions(faces, [1.0] * 3))
        < 0.8
    )


def test_specks_go_and_the_rest_grows(models: Models, faces: np.ndarray, likely: np.ndarray) -> None:
    least = float(np.quantile(likely[:, 0], 0.9))
    plain = seer(models, classes=(0,), certainty=least).regions(faces, [1.0] * 3)
    found = seer(models, classes=(0,), certainty=least, specks=6, grow=2.0).regions(faces, [1.0] * 3)
    for before, after in zip(plain, found, strict=True):
        labels, count = ndimage.label(before, np.ones((3, 3)))
        kept = np.isin(labels, [one for one in range(1, count + 1) if (labels == one).sum() >= 6])
        expected = ndimage.distance_transform_edt(~kept) <= 2 if kept.any() else kept
        assert np.array_equal(after, expected)


def test_a_crop_of_another_size_is_seen_at_the_networks(models: Models, faces: np.ndarray) -> None:
    large = np.stack([cv2.resize(face, (64, 64), interpolation=cv2.INTER_NEAREST) for face in faces])
    (region, *_) = seer(models, classes=(0,)).regions(large, [1.0] * 3)
    assert region.shape == (64, 64)


def test_what_does_not_fit_is_refused(models: Models) -> None:
    with pytest.raises(CheckpointError) as caught:
        seer(models, classes=(3,))
    assert caught.value.code == "wrong_classes"
    assert "3 classes, numbered from 0" in caught.value.message
    with pytest.raises(CheckpointError) as caught:
        seer(models, **models.named("plain"), classes=(0,))
    assert caught.value.code == "wrong_architecture"
    with pytest.raises(RuntimeError, match="set up"):
        Seer(SeeingOptions("occlusion", **models.named("parser"), classes=(0,)), models.equipment).regions(
            np.zeros((1, 8, 8, 3), np.float32), [1.0]
        )
    for options in (
        {"source": "guess"},
        {"source": "damage"},
        {"source": "damage", "kinds": ("hole",)},
        {"source": "damage", "kinds": ("tear",), "certainty": 0.0},
        {"source": "damage", "kinds": ("tear",), "grow": -1.0},
        {"source": "occlusion", "model": "m", "sha256": "0" * 64},
    ):
        with pytest.raises(ValueError, match=r"found, expected|expected numbers"):
            SeeingOptions(**options)


def test_damage_is_what_the_detector_says_in_the_faces_own_size(models: Models, portrait: Any) -> None:
    face = cv2.resize(portrait.crop, (128, 128), interpolation=cv2.INTER_AREA)
    cv2.polylines(face, [np.array([[10, 45], [45, 55], [75, 48], [118, 60]])], False, (0.97, 0.97, 0.97), 3)
    detector = DamageDetector(DamageOptions(tile=128, engine=EngineOptions("eager", "fp32", "cpu", threads=1)))
    detector.setup()
    seen = detector.detect(face)
    kinds = ("scratch", "tear")
    certainty = float(np.quantile(np.maximum(seen["scratch"], seen["tear"]), 0.9))
    options = SeeingOptions(
        "damage", kinds=kinds, certainty=certainty, grow=1.0, engine=models.named("parser")["engine"]
    )
    made = Seer(options, models.equipment)
    made.setup()
    (found,) = made.regions(face[None], [1.0])
    assert np.array_equal(found, ndimage.distance_transform_edt(~seen.mask(kinds, certainty)) <= 1)
    assert 0.05 < found.mean() < 0.5
    assert made.execution().engine["used"]["precision"] == "fp32"
    # Of a crop that enlarges its face, the face in its own size is looked at.
    crop = cv2.resize(face, (512, 512), interpolation=cv2.INTER_CUBIC)
    (enlarged,) = made.regions(crop[None], [0.25])
    own = detector.detect(scaled(crop, 128)).mask(kinds, certainty)
    large = scaled(own.astype(np.float32), 512) >= 0.5
    assert np.array_equal(enlarged, ndimage.distance_transform_edt(~large) <= 1)
