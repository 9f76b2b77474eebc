from __future__ import annotations

import functools

import cv2
import numpy as np
import pytest
from skimage import data

from operators.faces import refine as refine_module
from operators.faces.detect import DetectOptions, Detector
from operators.faces.face import Detection
from operators.faces.geometry import invert, scaling, transform
from operators.faces.pyramid import OVERLAP, TILE, search, suppress
from operators.faces.yunet import YuNet
from operators.images.orientation import rotate_upright, stored_to_upright
from operators.images.raster import Raster

EYES = np.array([[202.6, 101.2], [246.3, 102.9]])
"""Where the eyes of scikit-image's astronaut are, read off the picture six times enlarged."""


@functools.cache
def _astronaut() -> np.ndarray:
    return data.astronaut()


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector()


def _find(detector: Detector, raster: Raster, scale: tuple[float, float] = (1.0, 1.0)) -> list[Detection]:
    view = raster.pixels if raster.pixels.shape[2] == 3 else np.repeat(raster.pixels, 3, axis=2)
    if raster.pixels.dtype == np.uint16:
        view = (view >> 8).astype(np.uint8)
    if scale != (1.0, 1.0):
        size = (round(raster.width * scale[0]), round(raster.height * scale[1]))
        view = cv2.resize(view, size, interpolation=cv2.INTER_AREA)
        scale = (size[0] / raster.width, size[1] / raster.height)
    return detector.find(lambda: raster, view, scale, raster.orientation)


def test_a_face_is_found_with_its_landmarks(detector: Detector) -> None:
    (face,) = _find(detector, Raster(_astronaut(), "rgb"))
    assert np.abs(face.landmarks[:2] - EYES).max() < 2
    assert face.confidence > 0.9
    x0, y0, x1, y1 = face.box
    assert (x0 < face.landmarks[:, 0]).all()
    assert (face.landmarks[:, 0] < x1).all()
    assert (y0 < face.landmarks[:, 1]).all()
    assert (face.landmarks[:, 1] < y1).all()
    left_eye, right_eye, nose, left_mouth, right_mouth = face.landmarks
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < right_mouth[0]
    assert nose[1] < left_mouth[1]
    assert face.turn == 0


@pytest.mark.parametrize("orientation", range(2, 9))
def test_stored_orientation_does_not_matter(detector: Detector, orientation: int) -> None:
    (expected,) = _find(detector, Raster(_astronaut(), "rgb"))
    back = {2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}[orientation]
    stored = Raster(rotate_upright(_astronaut(), back), "rgb", orientation=orientation)
    (face,) = _find(detector, stored)
    to_upright = stored_to_upright(stored.width, stored.height, orientation)
    assert np.abs(transform(face.landmarks, to_upright) - expected.landmarks).max() < 0.02 * expected.eye_distance


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_a_picture_on_its_side_or_head_is_read_upright(detector: Detector, turn: int) -> None:
    (expected,) = _find(detector, Raster(_astronaut(), "rgb"))
    turned = Raster(np.ascontiguousarray(np.rot90(_astronaut(), turn)), "rgb")  # counter-clockwise, so turn undoes it
    (face,) = _find(detector, turned)
    assert face.turn == turn
    upright = transform(face.landmarks, stored_to_upright(turned.width, turned.height, 1, turn))
    assert np.abs(upright - expected.landmarks).max() < 0.02 * expected.eye_distance
    never = Detector(DetectOptions(quarter_turns="never"))
    assert all(one.turn == 0 for one in _find(never, turned))


@pytest.mark.parametrize("scale", [(0.5, 0.5), (0.31, 0.29)])
def test_a_reduced_view_gives_the_same_landmarks(detector: Detector, scale: tuple[float, float]) -> None:
    (expected,) = _find(detector, Raster(_astronaut(), "rgb"))
    (face,) = _find(detector, Raster(_astronaut(), "rgb"), scale)
    assert np.abs(face.landmarks - expected.landmarks).max() < 0.04 * expected.eye_distance


def test_refinement_makes_landmarks_repeatable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same face shifted, turned and resized: landmarks brought back scatter several times less than at first."""
    detector = Detector(DetectOptions(quarter_turns="never"))
    first, refined = [], []
    for angle, size, shift in ((0, 1.0, 0), (9, 0.8, 3), (-8, 1.2, -5), (4, 0.7, 2), (-12, 0.9, 4), (6, 1.1, 1)):
        affine = cv2.getRotationMatrix2D((225, 120), angle, size)
        affine[:, 2] += shift
        image = cv2.warpAffine(_astronaut(), affine, (512, 400), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
        candidates = detector.detect(image, (1.0, 1.0))
        (face,) = detector.refine(Raster(image, "rgb"), candidates)
        first.append(transform(candidates[0].landmarks, invert(affine)))
        refined.append(transform(face.landmarks, invert(affine)))

    def scatter(points: list[np.ndarray]) -> float:
        stack = np.array(points)
        return float(np.sqrt(((stack - stack.mean(axis=0)) ** 2).sum(axis=-1).mean()))

    assert scatter(refined) < 0.025 * 43
    assert scatter(refined) < scatter(first) / 2


def test_16_bit_gray_is_searched(detector: Detector) -> None:
    gray = cv2.cvtColor(_astronaut(), cv2.COLOR_RGB2GRAY).astype(np.uint16) * 257
    (face,) = _find(detector, Raster(gray[..., None], "gray"))
    assert np.abs(face.landmarks[:2] - EYES).max() < 3


def test_a_very_large_face_is_found_once(detector: Detector) -> None:
    face_part = cv2.resize(_astronaut()[0:230, 110:340], (2300, 2300), interpolation=cv2.INTER_CUBIC)
    raster = Raster(face_part, "rgb")
    scale = detector.needed_scale(raster.width, raster.height)
    (face,) = _find(detector, raster, (scale, scale))
    expected = transform(EYES - [110, 0], scaling(10.0))
    assert np.abs(face.landmarks[:2] - expected).max() < 25


def test_small_faces_of_a_large_image_are_all_found_once() -> None:
    """Faces 20 pixels between the eyes in the corners, and on and beside the joints of four tiles."""
    detector = Detector(DetectOptions(quarter_turns="never", min_eye_distance=14))
    small = cv2.resize(_astronaut()[0:240, 100:340], (112, 112), interpolation=cv2.INTER_AREA)
    width, height = 2 * TILE - OVERLAP - 200, TILE + 300
    canvas = np.full((height, width, 3), 127, np.uint8)
    near_joints = [(x, y) for y in (640, 770, 915, 1050) for x in (1110, 1245, 1375)]
    places = [(20, 20), (20, height - 120), (width - 115, 10), (width - 120, height - 120), *near_joints]
    for x, y in places:
        canvas[y : y + 112, x : x + 112] = small
    found = detector.find(lambda: Raster(canvas, "rgb"), canvas, (1.0, 1.0))
    centres = {((f.box[0] + f.box[2]) / 2, (f.box[1] + f.box[3]) / 2) for f in found}
    owners = [[(x, y) for x, y in places if x < cx < x + 112 and y < cy < y + 112] for cx, cy in centres]
    assert sorted(one for owner in owners for one in owner) == sorted(places)


def test_pictures_without_faces(detector: Detector) -> None:
    def never() -> Raster:
        raise AssertionError("the full image was asked for although nothing looked like a face")

    for image in (data.brick(), data.grass(), data.gravel()):
        view = np.repeat(image[..., None], 3, axis=2)
        assert detector.find(never, view, (1.0, 1.0)) == []
    blank = np.zeros((40, 30, 3), np.uint8)
    assert detector.find(never, blank, (1.0, 1.0)) == []


def test_full_image_is_asked_for_once() -> None:
    calls = []

    def full() -> Raster:
        calls.append(1)
        return Raster(turned, "rgb")

    turned = np.ascontiguousarray(_astronaut()[::-1, ::-1])
    assert len(Detector().find(full, turned, (1.0, 1.0))) == 1
    assert len(calls) == 1


def test_options_select_faces() -> None:
    two = np.full((300, 700, 3), 127, np.uint8)
    two[30:270, 20:260] = _astronaut()[0:240, 100:340]
    two[100:220, 400:520] = cv2.resize(_astronaut()[0:240, 100:340], (120, 120), interpolation=cv2.INTER_AREA)
    raster = Raster(two, "rgb")
    large, small = _find(Detector(), raster)
    assert large.eye_distance > 1.8 * small.eye_distance
    assert len(_find(Detector(DetectOptions(max_faces=1)), raster)) == 1
    (left,) = _find(Detector(DetectOptions(min_eye_distance=30)), raster)
    assert left.eye_distance == pytest.approx(large.eye_distance, rel=0.03)
    assert _find(Detector(DetectOptions(min_confidence=0.99)), raster) == []


def test_needed_scale_follows_the_smallest_wanted_face() -> None:
    assert Detector(DetectOptions(min_eye_distance=40)).needed_scale(10000, 8000) == pytest.approx(0.25)
    assert Detector(DetectOptions(min_eye_distance=5)).needed_scale(10000, 8000) == 1.0
    assert Detector(DetectOptions(min_eye_distance=40)).needed_scale(1000, 800) == 1.0


@pytest.mark.parametrize(
    "wrong",
    [
        {"min_confidence": 1.5},
        {"turned_confidence": -0.1},
        {"min_eye_distance": 0},
        {"max_faces": 0},
        {"quarter_turns": "always"},
    ],
)
def test_nonsense_options_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="expected"):
        DetectOptions(**wrong)


def test_suppress_does_not_depend_on_order() -> None:
    points = np.zeros((5, 2))
    faces = [
        Detection((0, 0, 100, 100), points, 0.9),
        Detection((10, 5, 105, 95), points, 0.8),
        Detection((30, 30, 50, 50), points, 0.7),  # inside the first
        Detection((90, 0, 190, 100), points, 0.6),  # a neighbour
    ]
    kept = suppress(faces)
    assert [face.confidence for face in kept] == [0.9, 0.6]
    assert suppress(faces[::-1]) == kept


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 500, 3), (33, 7, 3)])
def test_tiny_views(shape: tuple[int, int, int]) -> None:
    assert search(np.zeros(shape, np.uint8), lambda view: YuNet().detect(view, 0.5)) == []


def test_landmarks_do_not_depend_on_the_number_of_threads(detector: Detector) -> None:
    threads = cv2.getNumThreads()
    results = []
    try:
        for number in (1, 4):
            cv2.setNumThreads(number)
            (face,) = _find(detector, Raster(_astronaut(), "rgb"))
            results.append(face.landmarks)
    finally:
        cv2.setNumThreads(threads)
    assert np.array_equal(*results)


def test_candidate_beyond_the_image_is_no_face() -> None:
    far = Detection((900, 900, 950, 950), EYES.repeat([3, 2], axis=0) + np.arange(10).reshape(5, 2) + 5000, 0.9)
    raster = Raster(_astronaut(), "rgb")
    upright = stored_to_upright(raster.width, raster.height, 1)
    assert refine_module.refine(raster, far, upright, YuNet()).confidence == 0.0
