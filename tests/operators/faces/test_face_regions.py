import cv2
import numpy as np
import pytest

from operators.faces.face_regions import CLASSES, OUTSIDE, face_region, soft_mask, with_landmarks
from operators.faces.mask import face_mask
from operators.faces.templates import template_points

SIDE = 256
LANDMARKS = template_points("ffhq", SIDE)


def logits_of(labels):
    """Logits whose most likely class is the label, by little."""
    return np.stack([np.float32(0.1) * (labels == index) - np.float32(0.001 * index) for index in range(CLASSES)])


def drawn():
    """A face with hair and hat, neck and clothes, a hand before the chin, and a neighbour's cheek."""
    labels = np.zeros((SIDE, SIDE), np.int32)
    cv2.ellipse(labels, (128, 120), (75, 95), 0, 0, 360, 13, -1)
    cv2.rectangle(labels, (95, 190), (160, 255), 17, -1)
    cv2.rectangle(labels, (30, 225), (225, 255), 18, -1)
    cv2.ellipse(labels, (128, 145), (58, 80), 0, 0, 360, 1, -1)
    cv2.circle(labels, (96, 120), 11, 4, -1)
    cv2.rectangle(labels, (50, 10), (210, 50), 14, -1)
    cv2.ellipse(labels, (250, 140), (30, 70), 0, 0, 360, 1, -1)
    return labels


def test_every_class_is_inside_or_outside_as_published():
    for index in range(CLASSES):
        region = face_region(logits_of(np.full((8, 8), index, np.int32)))
        assert region.all() if index not in OUTSIDE else not region.any()
    with pytest.raises(ValueError, match=r"\(18, 8, 8\): expected \(19, S, S\)"):
        face_region(np.zeros((18, 8, 8), np.float32))


def test_mask_is_full_in_the_face_and_nothing_on_hat_collar_and_background():
    labels = drawn()
    mask = soft_mask(face_region(logits_of(labels)))
    assert (mask.dtype, mask.shape) == (np.float32, (SIDE, SIDE))
    assert mask.min() == 0.0 and mask.max() <= 1.0
    assert mask[140, 128] > 0.99 and mask[120, 96] > 0.99, "nose and eye"
    assert mask[120, 62] > 0.2, "hair"
    for row, column, place in [(45, 128, "hat"), (240, 128, "neck"), (250, 40, "clothes"), (20, 20, "background")]:
        assert mask[row, column] == 0.0, place
    outside = np.isin(labels, OUTSIDE)
    assert mask[outside].max() < 0.05 and (mask[outside] > 0).mean() < 0.01


def test_mask_sinks_softly_and_is_zero_at_the_border():
    mask = soft_mask(np.ones((SIDE, SIDE), np.bool_))
    border = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    assert not border.any() and mask[30:-30, 30:-30].min() == 1.0
    steps = np.abs(np.diff(soft_mask(face_region(logits_of(drawn()))), axis=0))
    assert steps.max() < 0.25
    assert not soft_mask(np.zeros((SIDE, SIDE), np.bool_)).any()


def test_specks_do_not_make_holes():
    region = face_region(logits_of(drawn()))
    speckled = region.copy()
    speckled[150, 110] = speckled[130, 140] = False
    assert np.abs(soft_mask(speckled) - soft_mask(region)).max() < 0.02


def test_a_neighbour_is_left_out():
    mask = soft_mask(face_region(logits_of(drawn())))
    combined, replaced = with_landmarks(mask, LANDMARKS)
    assert not replaced
    assert mask[140, 235] > 0.3 and combined[140, 235] == 0.0
    assert combined[140, 128] > 0.99 and combined[60, 128] > 0.0
    assert np.all(combined <= mask)


def test_where_no_face_is_seen_the_oval_takes_the_place():
    elsewhere = np.zeros((SIDE, SIDE), np.bool_)
    elsewhere[:, :40] = True
    for region in (np.zeros((SIDE, SIDE), np.bool_), elsewhere):
        combined, replaced = with_landmarks(soft_mask(region), LANDMARKS)
        assert replaced
        assert np.array_equal(combined, face_mask(LANDMARKS, SIDE))
