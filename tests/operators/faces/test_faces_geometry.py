from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operators.errors import OperatorError
from operators.faces.geometry import (
    compose,
    identity,
    invert,
    magnification,
    pixel_window,
    scaling,
    similarity,
    square_corners,
    transform,
    translation,
)
from operators.faces.guard import SizeGuard
from operators.faces.templates import template_names, template_points


def _similarity(angle: float, scale: float, x: float, y: float) -> np.ndarray:
    c, s = np.cos(angle) * scale, np.sin(angle) * scale
    return np.array([[c, -s, x], [s, c, y]])


@given(st.floats(-3.1, 3.1), st.floats(0.02, 50), st.floats(-5e4, 5e4), st.floats(-5e4, 5e4))
def test_similarity_is_recovered(angle: float, scale: float, x: float, y: float) -> None:
    true = _similarity(angle, scale, x, y)
    target = template_points("ffhq", 512)
    source = transform(target, invert(true))
    fitted = similarity(source, target)
    assert np.abs(transform(source, fitted) - target).max() < 1e-5
    assert magnification(fitted) == pytest.approx(scale, rel=1e-6)


def test_similarity_never_mirrors() -> None:
    target = template_points("gpen", 256)
    fitted = similarity(target * [-1.0, 1.0], target)
    assert np.linalg.det(fitted[:, :2]) > 0


def test_similarity_is_the_least_squares_one() -> None:
    rng = np.random.default_rng(3)
    target = template_points("ffhq", 512)
    source = target + rng.normal(0, 9, target.shape)
    best = similarity(source, target)

    def error(affine: np.ndarray) -> float:
        return float(((transform(source, affine) - target) ** 2).sum())

    for angle, scale, x, y in rng.normal(0, [0.01, 0.01, 1, 1], (50, 4)):
        assert error(compose(best, _similarity(angle, 1 + scale, x, y))) >= error(best)


@pytest.mark.parametrize("points", [np.zeros((5, 2)), np.full((5, 2), np.nan)])
def test_landmarks_of_no_face_are_refused(points: np.ndarray) -> None:
    with pytest.raises(OperatorError) as caught:
        similarity(points, template_points("ffhq", 512))
    assert caught.value.code == "bad_landmarks"


def test_scaling_keeps_the_outer_edge() -> None:
    edges = transform(np.array([[-0.5, -0.5], [9.5, 4.5]]), scaling(4.0, 2.0))
    assert edges.tolist() == [[-0.5, -0.5], [39.5, 9.5]]


def test_compose_applies_the_first_first() -> None:
    moved = transform(np.array([[1.0, 1.0]]), compose(translation(2, 0), scaling(2.0)))
    assert moved.tolist() == [[6.5, 2.5]]
    round_trip = compose(scaling(3.0), invert(scaling(3.0)))
    assert np.allclose(round_trip, identity())


def test_singular_map_is_refused() -> None:
    with pytest.raises(ValueError, match="singular"):
        invert(np.zeros((2, 3)))


def test_pixel_window_holds_what_the_shape_touches() -> None:
    assert pixel_window(square_corners(4), 100, 100) == (0, 0, 4, 4)
    assert pixel_window(square_corners(4) + 0.25, 100, 100) == (0, 0, 5, 5)
    assert pixel_window(square_corners(4) + 98, 100, 100) == (98, 98, 100, 100)
    left, _, right, _ = pixel_window(square_corners(4) + 200, 100, 100)
    assert right <= left


def test_templates_scale_as_images_do() -> None:
    for name in template_names():
        at_512 = template_points(name, 512)
        at_1024 = template_points(name, 1024)
        assert np.allclose(at_1024, (at_512 + 0.5) * 2 - 0.5)
    assert template_points("ffhq", 512)[0].tolist() == [192.98138, 239.94708]
    assert template_points("gpen", 512)[4].tolist() == [300.89112, 366.33631]


@pytest.mark.parametrize(("name", "size"), [("arcface", 512), ("ffhq", 0)])
def test_template_that_is_not_there(name: str, size: int) -> None:
    with pytest.raises(ValueError, match="expected"):
        template_points(name, size)


def test_guard_leaves_larger_faces_alone_unless_told() -> None:
    assert SizeGuard().decide(1.25) == "restore"
    assert SizeGuard().decide(1.26) == "keep_larger"
    assert SizeGuard(on_larger="restore").decide(9.0) == "restore"
    assert SizeGuard(max_reduction=2.0).decide(1.9) == "restore"


@pytest.mark.parametrize("wrong", [{"max_reduction": 0.5}, {"max_reduction": float("nan")}, {"on_larger": "shrink"}])
def test_guard_refuses_nonsense(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="expected"):
        SizeGuard(**wrong)
