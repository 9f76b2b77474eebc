"""What is shown of a face: no more than the means of a few cells, whatever stood there."""

import numpy as np
import pytest

from operators.faces.face import Detection
from operators.faces.geometry import invert, scaling, similarity
from operators.faces.templates import template_points
from operators.images.raster import Raster
from operators.restorers.anonymize.cover import Cover, cover
from operators.restorers.anonymize.obscure import blurred, colour_of, filled, pixelated
from operators.restorers.anonymize.options import AnonymizeOptions
from operators.restorers.anonymize.region import FEATHER, head_of, unit_of, weight
from operators.restorers.anonymize.restorer import LAST_STEP, AnonymizeRestorer, coarsened
from operators.restorers.contract import FaceContext
from operators.scoring.identity import IdentityModel

HEAD = template_points("head", 128)
LEFT_EYE, RIGHT_EYE, NOSE = HEAD[0], HEAD[1], HEAD[2]


def rng_crop(seed, side=128):
    return np.random.default_rng(seed).random((side, side, 3), dtype=np.float32)


def distance_at(points, landmarks=HEAD, margin=1.0):
    head = head_of(landmarks, margin)
    return [float(head.distance(np.array([x]), np.array([y]))[0, 0]) for x, y in points]


def test_the_oval_holds_a_whole_head():
    unit = unit_of(HEAD)
    eyes = HEAD[:2].mean(axis=0)
    # In distances between the eyes: hairline, chin, ears at the height of the eyes and of the nose.
    places = [(0, -1.6), (0, 2.1), (-1.45, 0), (1.45, 0), (-1.5, 0.5), (1.5, 0.5), (-0.9, 1.6), (0.9, 1.6)]
    assert max(distance_at([eyes + unit * np.array(place) for place in places])) < 1.0
    assert max(distance_at(HEAD)) < 0.6


def test_a_turned_head_gets_a_broader_oval_towards_its_back():
    turned = HEAD.copy()
    turned[2, 0] += 0.5 * unit_of(HEAD)  # the nose points to the right, so most of the head lies to the left
    plain, aside = head_of(HEAD), head_of(turned)
    assert aside.radii[0] > 1.1 * plain.radii[0]
    assert aside.centre[0] < plain.centre[0]


def test_a_head_in_profile_is_not_covered_by_a_sliver():
    narrow = HEAD.copy()
    narrow[:, 0] = HEAD[:, 0].mean() + (HEAD[:, 0] - HEAD[:, 0].mean()) * 0.2
    assert head_of(narrow).radii[0] > 0.95 * head_of(HEAD).radii[0]


@pytest.mark.parametrize("margin", [1.0, 1.2, 1.4])
def test_the_margin_scales_it_and_the_crop_holds_it(margin):
    head = head_of(HEAD, margin)
    assert np.allclose(head.radii, np.array(head_of(HEAD).radii) * margin)
    corners = head.outline(1.0 + FEATHER)
    assert corners.min() > -1 and corners.max() < 128


def test_inside_the_oval_there_is_no_feather():
    points = np.linspace(0.0, 1.0, 50)
    assert (weight(points) == 1.0).all()
    assert (weight(np.array([1.0 + FEATHER, 2.0])) == 0.0).all()
    falling = weight(np.linspace(1.0, 1.0 + FEATHER, 20))
    assert (np.diff(falling) < 0).all()


@pytest.mark.parametrize("way", [pixelated, blurred])
@pytest.mark.parametrize("cell", [5.0, 11.3, 30.0])
def test_two_faces_with_the_same_means_look_the_same(way, cell):
    """The bound on what is shown: whatever is finer than a cell has no part in it."""
    first = rng_crop(1)
    shown = pixelated(first, cell)
    fine = rng_crop(2)
    second = shown + 0.4 * (fine - pixelated(fine, cell))  # the same means, and all else different
    assert np.abs(second - first).max() > 0.3
    assert np.abs(way(first, cell) - way(second, cell)).max() < 1e-5


def test_cells_are_means_and_as_large_as_said():
    crop = rng_crop(3)
    shown = pixelated(crop, 16.0)
    values = np.unique(shown[:, :, 0])
    assert len(values) <= (128 // 16 + 1) ** 2
    columns = np.flatnonzero(np.abs(np.diff(shown[64, :, 0])) > 0)
    assert set(np.diff(columns)) == {16}
    inner = np.s_[columns[2] + 1 : columns[3] + 1]
    assert np.allclose(shown[inner, inner][0, 0], crop[inner, inner].mean(axis=(0, 1)), atol=1e-6)


def test_a_colour_is_one_colour_and_not_the_face_s():
    crop = np.full((128, 128, 3), 0.25, np.float32)
    points = np.arange(128, dtype=float)
    crop[head_of(HEAD).distance(points, points) <= 1.0 + FEATHER] = 0.9
    assert np.allclose(filled(crop, head_of(HEAD)), 0.25)
    assert np.allclose(filled(crop, head_of(HEAD), colour_of("#ff0080")), [1.0, 0.0, 128 / 255])
    assert colour_of("auto") is None


def raster_of(space, kind, bands, seed, alpha=False):
    top = np.iinfo(kind).max
    pixels = np.random.default_rng(seed).integers(0, top, (150, 170, bands + alpha), endpoint=True).astype(kind)
    return Raster(pixels, space, alpha)


def one_cover(side=128, at=(30.0, 20.0), scale=1.0, seed=9):
    affine = invert(similarity(HEAD, HEAD * scale + np.array(at)))
    return Cover(rng_crop(seed, side), affine, 128, head_of(HEAD).moved(invert(affine)))


SPACES = [
    ("gray", np.uint8, 1),
    ("gray", np.uint16, 1),
    ("rgb", np.uint8, 3),
    ("rgb", np.uint16, 3),
    ("cmyk", np.uint8, 4),
]


@pytest.mark.parametrize(("space", "kind", "bands"), SPACES)
def test_what_stood_in_the_oval_has_no_part_in_it(space, kind, bands):
    """The property that everything rests on: two pictures that differ in the oval only become one and the same."""
    first, second = (raster_of(space, kind, bands, 1, alpha=True) for _ in range(2))
    patch = one_cover()
    distance = patch.head.distance(np.arange(170.0), np.arange(150.0))
    inside = distance <= 1.0
    assert 2000 < inside.sum() < 20000
    other = raster_of(space, kind, bands, 2)
    second.pixels[inside, :bands] = other.pixels[inside, :bands]
    second.pixels[inside, bands] = second.pixels[inside, bands][::-1]
    before = first.pixels.copy()
    cover(first, [patch])
    cover(second, [patch])
    assert np.array_equal(first.pixels, second.pixels)
    assert len(np.unique(first.pixels[inside, bands])) == 1, "a face may be seen in opacity or infrared as well"
    assert np.array_equal(first.pixels[~inside, bands], before[~inside, bands]), "opacity stays"
    far = distance > 1.0 + FEATHER
    assert np.array_equal(first.pixels[far], before[far])


def test_an_even_opacity_stays_as_it_is():
    raster = raster_of("rgb", np.uint16, 3, 1, alpha=True)
    raster.pixels[..., 3] = 43210
    cover(raster, [one_cover(), one_cover(at=(500.0, 0.0))])
    assert (raster.pixels[..., 3] == 43210).all()


def test_a_mirrored_picture_is_covered_in_the_right_place():
    mirror = np.array([[-1.0, 0.0, 169.0], [0.0, 1.0, 0.0]])
    plain = one_cover()
    affine = np.vstack([plain.affine, [0, 0, 1]])[:2] @ np.vstack([mirror, [0, 0, 1]])
    mirrored = Cover(plain.shown, affine, 128, head_of(HEAD).moved(invert(affine)))
    one, two = raster_of("rgb", np.uint8, 3, 1), raster_of("rgb", np.uint8, 3, 1)
    two.pixels = np.ascontiguousarray(two.pixels[:, ::-1])
    cover(one, [plain])
    cover(two, [mirrored])
    assert np.abs(one.pixels.astype(int) - two.pixels[:, ::-1]).max() <= 1


def test_where_heads_overlap_neither_shows_through():
    patches = [one_cover(at=(5.0, 10.0), seed=4), one_cover(at=(40.0, 20.0), seed=5)]
    grid = np.arange(170.0), np.arange(150.0)
    ovals = [patch.head.distance(*grid) <= 1.0 for patch in patches]
    assert (ovals[0] & ovals[1]).sum() > 500
    first, second = raster_of("rgb", np.uint8, 3, 1), raster_of("rgb", np.uint8, 3, 1)
    inside = ovals[0] | ovals[1]
    second.pixels[inside] = raster_of("rgb", np.uint8, 3, 2).pixels[inside]
    cover(first, patches)
    cover(second, patches[::-1])
    assert np.array_equal(first.pixels, second.pixels), "in any order"


def test_a_head_at_the_edge_and_one_outside():
    raster = raster_of("rgb", np.uint8, 3, 1)
    before = raster.pixels.copy()
    edge, outside = one_cover(at=(-60.0, -60.0)), one_cover(at=(500.0, 0.0))
    windows = cover(raster, [edge, outside])
    assert windows[0][:2] == (0, 0) and windows[1] == (0, 0, 0, 0)
    left, top, right, bottom = windows[0]
    changed = (raster.pixels != before).any(axis=2)
    assert changed[top:bottom, left:right].any()
    changed[top:bottom, left:right] = False
    assert not changed.any()


def test_a_crop_that_is_not_finite_covers_nothing():
    raster = raster_of("rgb", np.uint8, 3, 1)
    before = raster.pixels.copy()
    broken = one_cover()
    broken.shown[3, 3] = np.nan
    with pytest.raises(Exception, match="finite"):
        cover(raster, [one_cover(), broken])
    assert np.array_equal(raster.pixels, before)


def as_head(portrait, side=256):
    """The portrait in the alignment that the restorer asks for: crop and landmarks."""
    import cv2

    affine = similarity(template_points("ffhq", 256), template_points("head", side))
    back = similarity(template_points("ffhq", 256), portrait.landmarks)
    assert np.allclose(back, scaling(1.0), atol=1e-6)
    full = np.vstack([affine, [0, 0, 1]]) @ np.vstack([portrait.affine, [0, 0, 1]])
    crop = cv2.warpAffine(portrait.picture, full[:2], (side, side), borderMode=cv2.BORDER_REFLECT)
    return np.asarray(crop, np.float32), template_points("head", side)


@pytest.mark.parametrize("method", ["blur", "pixelate", "mean", "fill"])
def test_nobody_knows_the_person_again(method, portrait):
    crop, landmarks = as_head(portrait)
    identity = IdentityModel()
    assert identity.similarity(crop, crop, (landmarks, landmarks)) > 0.99
    restorer = AnonymizeRestorer(AnonymizeOptions(method))
    restorer.setup()
    shown = restorer.restore(crop[None], [FaceContext(landmarks, gray=False, reduction=1.0, seed=1)])[0]
    assert shown.shape == crop.shape and shown.dtype == np.float32
    assert identity.similarity(crop, shown, (landmarks, landmarks)) < 0.3
    assert not (np.abs(shown - crop).max(axis=2) == 0).any(), "no pixel of it is the original's"


def test_the_mean_face_takes_on_the_light_and_tone_around(portrait):
    from operators.faces.yunet import YuNet

    crop, landmarks = as_head(portrait)
    restorer = AnonymizeRestorer(AnonymizeOptions("mean"))
    context = FaceContext(landmarks, gray=False, reduction=1.0, seed=1)
    middle = np.s_[110:170, 100:156]
    for tinted in (
        crop * 0.4,
        crop * np.array([1.0, 0.7, 0.5], np.float32),
        crop.mean(axis=2, keepdims=True).repeat(3, 2),
    ):
        shown = restorer.restore(tinted[None].astype(np.float32), [context])[0]
        assert np.allclose(shown[middle].mean(axis=(0, 1)), tinted[middle].mean(axis=(0, 1)), atol=0.06)
        found: list[Detection] = YuNet().detect(np.rint(shown * 255).astype(np.uint8), 0.6)
        assert len(found) == 1, "it is a face"
    assert np.abs(shown - shown.mean(axis=2, keepdims=True)).max() < 0.02, "a gray picture stays gray"


def test_coarser_and_coarser_to_one_colour(portrait):
    crop, landmarks = as_head(portrait)
    context = FaceContext(landmarks, gray=False, reduction=1.0, seed=1)
    seen = [coarsened(crop, context, AnonymizeOptions("pixelate"), step) for step in range(1, LAST_STEP + 1)]
    colours = [len(np.unique(shown.reshape(-1, 3), axis=0)) for shown, _ in seen]
    assert colours == sorted(colours, reverse=True) and colours[3:] == [1, 1, 1]
    cells = ["pixelate 0.9", "pixelate 1.35", "pixelate 2.025"]
    assert [words for _, words in seen] == [*cells, "fill auto", "fill #808080", "fill #000000"]
    filled_anew = [coarsened(crop, context, AnonymizeOptions("fill"), step) for step in range(1, LAST_STEP + 1)]
    assert len({shown.tobytes() for shown, _ in filled_anew}) == LAST_STEP
    assert all(len(np.unique(shown.reshape(-1, 3), axis=0)) == 1 for shown, _ in filled_anew)
    assert coarsened(crop, context, AnonymizeOptions("mean"), 1)[1] == "pixelate 0.6"
    assert coarsened(crop, context, AnonymizeOptions("blur"), 1)[1] == "blur 0.9"


@pytest.mark.parametrize(
    "wrong",
    [
        {"method": "smile"},
        {"cell": 0.1},
        {"cell": 3.0},
        {"margin": 0.5},
        {"margin": 2.0},
        {"colour": "red"},
        {"method": "generated"},
        {"method": "blur", "prior": "x", "sha256": "y"},
    ],
)
def test_settings_that_are_refused(wrong):
    with pytest.raises(ValueError, match=r"method|cell|margin|colour|prior"):
        AnonymizeOptions(**wrong)
