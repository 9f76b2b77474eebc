"""Masks are where the damage is, and nowhere else."""

import numpy as np
import pytest

from operators.degradations.table import DEGRADATIONS

LOCAL = {
    "completion": {"left": 0.3, "top": 0.7, "width": 0.5, "height": 0.4},
    "cracks": {"coverage": 0.4, "cell": 60.0},
    "dust": {"specks": 80, "fibres": 9, "dark": 0.5},
    "fold": {"angle": 0.3},
    "foxing": {"count": 40, "radius": 12.0},
    "missing-corner": {"corner": 2, "size": 0.3},
    "retouching": {"spots": 20, "hatches": 5, "mismatch": 0.2, "radius": 20.0},
    "salt-and-pepper": {"amount": 0.02},
    "scratches": {"count": 25, "dark": 0.4, "width": 3.0},
    "silver-mirroring": {"strength": 0.8, "reach": 0.3},
    "stain": {"x": 0.1, "y": 0.2, "radius": 0.3},
    "strokes": {"count": 3, "fill": 0.0},
    "tear": {"start": 0.3, "length": 0.5},
}
WHOLE = set(DEGRADATIONS) - set(LOCAL)


@pytest.fixture(params=["portrait", "noise"])
def image(request, portrait):
    if request.param == "portrait":
        # Neither black nor white, which are the tones of some damage.
        return portrait[:, :200] * np.float32(0.7) + np.float32(0.2)
    image = np.random.default_rng(2).uniform(0.2, 0.5, (300, 400, 3)).astype(np.float32)
    image.flags.writeable = False
    return image


@pytest.mark.parametrize("name", LOCAL)
def test_outside_its_mask_no_bit_changes_and_inside_the_picture_does(image, name):
    step = DEGRADATIONS[name].model_validate(LOCAL[name])
    for seed in range(3):
        result = step.degrade(image, np.random.default_rng(seed), image.shape[:2])
        assert result.mask is not None
        assert result.mask.dtype == result.image.dtype == np.float32
        assert result.mask.shape == image.shape[:2]
        assert 0.0 <= result.mask.min() <= result.mask.max() <= 1.0
        assert 0.001 < (result.mask > 0).mean() < 0.9
        changed = (result.image != image).any(axis=2)
        assert not changed[result.mask == 0].any()
        # Where paint happens to have the picture's own tone nothing changes, which is rare.
        assert changed[result.mask > 0.1].mean() > 0.95
        assert result.image.min() >= 0.0
        assert result.image.max() <= 1.0


@pytest.mark.parametrize("name", ["completion", "strokes"])
def test_what_is_taken_away_is_taken_whole(image, name):
    step = DEGRADATIONS[name].model_validate({**LOCAL[name], "fill": 1.0})
    result = step.degrade(image, np.random.default_rng(1), image.shape[:2])
    assert set(np.unique(result.mask)) == {0.0, 1.0}
    assert (result.image[result.mask == 1] == 1.0).all()


@pytest.mark.parametrize("name", sorted(WHOLE))
def test_what_changes_a_picture_as_a_whole_has_no_mask(portrait, name):
    required = {
        "blur": {"sigma": 2.0}, "brightness": {"factor": 0.8}, "colour-shift": {"red": 9, "green": 0, "blue": 0},
        "contrast": {"factor": 0.5}, "exposure": {"factor": 0.9}, "fading": {"cyan": 0.4}, "grain": {"amount": 9},
        "gaussian-noise": {"sigma": 9}, "halftone": {"period": 8}, "haze": {"alpha": 0.7}, "hue": {"turn": 0.1},
        "jpeg": {"quality": 40}, "misregistration": {"red_x": 3, "red_y": 0, "blue_x": 0, "blue_y": -3},
        "poisson-noise": {"scale": 1}, "resize": {"scale": 0.5}, "saturation": {"factor": 0.5}, "shift": {"right": 3},
        "sinc": {"cutoff": 1.0}, "speckle-noise": {"sigma": 9}, "toning": {"toner": "sepia"},
        "yellowing": {"strength": 0.2},
    }  # fmt: skip
    step = DEGRADATIONS[name].model_validate(required.get(name, {}))
    result = step.degrade(portrait, np.random.default_rng(1), portrait.shape[:2])
    assert result.mask is None
    assert result.image.dtype == np.float32
    assert result.image.shape != portrait.shape or not np.array_equal(result.image, portrait)


def test_completion_is_noise_enlarged_in_its_rectangle(portrait):
    """Four cells by four, thresholded; nothing outside the rectangle, and about half of it inside."""
    shares = []
    for seed in range(60):
        step = DEGRADATIONS["completion"].model_validate(LOCAL["completion"])
        mask = step.degrade(portrait, np.random.default_rng(seed), (256, 256)).mask
        top, left = round(0.7 * (256 - 102)), round(0.3 * 128)
        inside = np.zeros((256, 256), dtype=bool)
        inside[top : top + 102, left : left + 128] = True
        assert not mask[~inside].any()
        shares.append(mask[inside].mean())
    assert 0.4 < np.mean(shares) < 0.6
    assert np.std(shares) > 0.05


def test_strokes_have_the_width_they_say(portrait):
    """A stroke of one width, opened by a disc a little wider, is gone; by one a little narrower, it stays."""
    import cv2

    image = np.repeat(np.repeat(portrait, 2, axis=0), 2, axis=1)
    settings = {"count": 1, "vertices_least": 1, "vertices_most": 1, "width_least": 60.0, "width_most": 60.0}
    step = DEGRADATIONS["strokes"].model_validate(settings)
    mask = step.degrade(image, np.random.default_rng(3), image.shape[:2]).mask.astype(np.uint8)
    kept = [
        cv2.morphologyEx(mask, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))).sum()
        for side in (25, 35)
    ]
    assert kept[0] > 0.8 * mask.sum() > 0
    assert kept[1] == 0
