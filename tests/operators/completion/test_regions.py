"""Regions that are missing: by colour, cleared, grown, and carried between picture and crop."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from operators.completion.regions import colour_region, grown, hidden_from, shown_in, smeared, without_specks
from operators.faces.geometry import compose, invert, scaling, transform, translation


def rotation(degrees: float, scale: float) -> np.ndarray:
    angle = np.deg2rad(degrees)
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([[c, -s, 40.0], [s, c, 20.0]])


def blob(height: int = 90, width: int = 100) -> np.ndarray:
    noise = ndimage.gaussian_filter(np.random.default_rng(1).standard_normal((height, width)), 4)
    return np.asarray(noise > 0.06)


def test_a_colour_is_found_within_its_tolerance() -> None:
    steps = np.array([0, 4, 5, 6], np.uint8)
    pixels = np.full((1, 4, 3), (200, 10, 90), np.uint8)
    pixels[0, :, 0] += steps
    key = (200 / 255, 10 / 255, 90 / 255)
    near = colour_region(pixels.astype(np.float32) / np.float32(255), key, 5 / 255)
    assert near.tolist() == [[True, True, True, False]]
    exact = colour_region(pixels.astype(np.uint16).astype(np.float32) * 257 / np.float32(65535), key, 0.0)
    assert exact.tolist() == [[True, False, False, False]]


def test_small_parts_are_dropped() -> None:
    region = np.zeros((20, 20), np.bool_)
    region[2:4, 2:4] = region[10:13, 10:13] = True
    region[13, 13] = region[0, 19] = True
    kept = without_specks(region, 10)
    assert kept.sum() == 10
    assert kept[13, 13]  # joined at a corner
    assert np.array_equal(without_specks(region, 1.0), region)
    assert not without_specks(region, 11).any()


@pytest.mark.parametrize("radius", [0.0, 1.0, 2.5, 7.0])
def test_growing_takes_all_pixels_within_the_radius(radius: float) -> None:
    region = blob()
    expected = ndimage.distance_transform_edt(~region) <= radius
    assert np.array_equal(grown(region, radius), expected)
    assert not grown(np.zeros((5, 5), np.bool_), 3.0).any()


@pytest.mark.parametrize(("degrees", "scale"), [(0.0, 1.0), (17.0, 0.9), (-40.0, 0.3), (25.0, 2.5), (180.0, 1.0)])
def test_what_touches_the_region_is_hidden(degrees: float, scale: float) -> None:
    affine, size = rotation(degrees, scale), 96
    window = (7, 5, 107, 95)
    region = blob()
    hidden = hidden_from(region, window, affine, size)
    # Every crop pixel, as a square, that a source pixel of the region, as a square, reaches into: at its corners,
    # and where it is the finer grid, at its centre.
    rows, columns = np.nonzero(region)
    offsets = np.array([(x, y) for x in (-0.5, 0, 0.5) for y in (-0.5, 0, 0.5)])
    points = (np.stack([columns + window[0], rows + window[1]], axis=1)[:, None] + offsets).reshape(-1, 2)
    touched = np.floor(transform(points, affine) + 0.5).astype(int)
    inside = ((touched >= 0) & (touched < size)).all(axis=1)
    assert inside.any()
    assert hidden[touched[inside, 1], touched[inside, 0]].all()
    # And no more than a few pixels around: those that resampling smears, and the search's own coarseness.
    seen = np.zeros((size, size), np.bool_)
    seen[touched[inside, 1], touched[inside, 0]] = True
    away = ndimage.distance_transform_edt(~seen)
    assert smeared(affine) == pytest.approx(3.0 * max(1.0, scale))
    assert away[hidden].max() <= smeared(affine) + 1.5 * max(1.0, scale) + 2.0
    assert not hidden.all()


def test_a_region_of_the_crop_lies_where_the_centres_of_source_pixels_do() -> None:
    affine = compose(rotation(12.0, 0.7), scaling(1.0), translation(3, 5))
    crop, window = blob(64, 64), (10, 0, 100, 80)
    found = shown_in(crop, affine, window)
    columns, rows = np.meshgrid(np.arange(10, 100), np.arange(80))
    places = transform(np.stack([columns, rows], axis=2).reshape(-1, 2).astype(float), affine)
    nearest = np.floor(places + 0.5).astype(int)
    inside = ((nearest >= 0) & (nearest < 64)).all(axis=1)
    expected = np.zeros(len(nearest), np.bool_)
    expected[inside] = crop[nearest[inside, 1], nearest[inside, 0]]
    doubtful = (np.abs(places - np.floor(places) - 0.5) < 0.05).any(axis=1)
    assert np.array_equal(found.ravel()[~doubtful], expected[~doubtful])
    assert invert(affine).shape == (2, 3)
