import io

import cv2
import numpy as np
import pytest
from PIL import Image

from operators.errors import OperatorError
from operators.faces.tone import colour_evidence, is_toned, lock
from operators.faces.tone_curve import chroma_of, joined, luma_of

SEPIA = [(45, 25, 10), (165, 120, 75), (250, 230, 190)]
CYANOTYPE = [(5, 25, 70), (60, 120, 175), (225, 238, 240)]
LEVEL = 1 / 255


def printed(face, inks):
    """A face as a print whose tone follows from luma, through three inks at luma 0, 1/2 and 1."""
    luma = luma_of(face)
    return np.stack([np.interp(luma, (0, 0.5, 1), np.array(inks)[:, c] / 255) for c in range(3)], -1).astype(np.float32)


def scanned(face, quality, noise=2.0):
    """With the noise of a scanner in every channel, through JPEG with halved chroma."""
    spoilt = face * 255 + np.random.default_rng(5).normal(0, noise, face.shape)
    file = io.BytesIO()
    Image.fromarray(np.clip(np.rint(spoilt), 0, 255).astype(np.uint8)).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file)).astype(np.float32) / 255


def stained(face):
    """With a yellow stain that grows to a corner."""
    rows, columns = np.mgrid[0 : face.shape[0], 0 : face.shape[1]] / face.shape[0]
    return (face * (1 - (rows * columns)[..., None] * np.array([0.02, 0.08, 0.25]))).astype(np.float32)


def faded(face):
    """As dyes fade in the dark: cyan most; the base has yellowed."""
    density = -np.log10(np.clip(face, 1 / 255, 1) ** 2.2) * (0.3, 0.5, 0.35) + (0.05, 0.08, 0.2)
    return ((10**-density) ** (1 / 2.2)).astype(np.float32)


def repainted(face):
    """What a generator does to a face: contrast, sharpness, pink skin."""
    sharper = face + 1.2 * (face - cv2.GaussianBlur(face, (0, 0), 3))
    return np.clip((sharper - 0.5) * 1.15 + 0.5 + np.array([0.12, -0.02, -0.08]), 0, 1).astype(np.float32)


def grey(face):
    return np.repeat(luma_of(face)[..., None], 3, -1)


TONED = {
    "grey": grey,
    "grey with chroma noise": lambda face: scanned(grey(face), 97, noise=6),
    "sepia": lambda face: scanned(printed(face, SEPIA), 85),
    "sepia, strongly compressed": lambda face: scanned(printed(face, SEPIA), 50),
    "cyanotype": lambda face: scanned(printed(face, CYANOTYPE), 85),
    "sepia with a stain": lambda face: scanned(stained(printed(face, SEPIA)), 85),
    "grey with a stain": lambda face: scanned(stained(grey(face)), 85),
}
COLOURED = {
    "colour": lambda face: face,
    "half the saturation": lambda face: scanned(grey(face) + 0.5 * (face - grey(face)), 85),
    "a fifth of the saturation": lambda face: scanned(grey(face) + 0.2 * (face - grey(face)), 85),
    "faded": lambda face: scanned(faded(face), 85),
    "warm and pale": lambda face: scanned((grey(face) + 0.3 * (face - grey(face))) * (1, 0.9, 0.7), 85),
}


@pytest.mark.parametrize("name", TONED)
def test_pictures_of_one_tone_are_known(name, portrait):
    face = TONED[name](portrait.crop)
    assert is_toned(face)
    assert is_toned(np.rint(face * 255).astype(np.uint8))


@pytest.mark.parametrize("name", COLOURED)
def test_colour_is_not_taken_for_a_tone(name, portrait):
    assert not is_toned(COLOURED[name](portrait.crop).astype(np.float32))


def test_lips_and_cheeks_tinted_by_hand_are_colour(portrait):
    tint = np.zeros((256, 256), np.float32)
    for x, y in portrait.landmarks[3:] - np.array([0, 6]):
        tint[int(y) - 12 : int(y) + 12, int(x) - 14 : int(x) + 14] = 1
    tint = cv2.GaussianBlur(tint, (0, 0), 5)[..., None]
    assert not is_toned(np.clip(grey(portrait.crop) + tint * np.float32([0.12, -0.04, -0.03]), 0, 1))


def test_the_whole_picture_decides_about_a_crop_in_doubt(portrait):
    small = cv2.resize(printed(portrait.crop, SEPIA), (60, 60), interpolation=cv2.INTER_AREA)
    crop = np.clip(cv2.resize(scanned(small, 20, noise=4), (256, 256), interpolation=cv2.INTER_CUBIC), 0, 1)
    assert 1 < colour_evidence(crop) < 2.5
    assert not is_toned(crop)
    assert is_toned(crop, picture=0.4)
    assert not is_toned(crop, picture=1.5)
    assert not is_toned(portrait.crop, picture=0.4), "a coloured face stays one, whatever the rest of the picture is"


@pytest.mark.parametrize("shape", [(1, 1), (3, 700), (2000, 17)])
def test_evidence_takes_any_shape(shape, portrait):
    picture = cv2.resize(portrait.crop, shape[::-1])
    assert np.isfinite(colour_evidence(picture))
    assert colour_evidence(grey(picture)) == 0.0


@pytest.mark.parametrize("inks", [SEPIA, CYANOTYPE], ids=["sepia", "cyanotype"])
def test_lock_takes_luma_from_the_restored_face_and_chroma_from_the_print(inks, portrait):
    crop = scanned(printed(portrait.crop, inks), 85)
    restored = repainted(crop)
    locked = lock(crop, restored)
    assert np.abs(luma_of(locked) - luma_of(restored)).max() < 1e-5
    assert np.abs(luma_of(locked) - luma_of(crop)).max() > 0.1
    # What the same inks print at the restored luma, where the print has such a luma at all.
    luma = luma_of(locked)
    steps = np.linspace(0, 1, 1001, dtype=np.float32)
    curve = printed(np.repeat(steps[:, None, None], 3, -1), inks)[:, 0]
    wanted = [np.interp(luma, luma_of(curve), plane) for plane in chroma_of(curve, luma_of(curve))]
    within = (luma > np.quantile(luma_of(crop), 0.01)) & (luma < np.quantile(luma_of(crop), 0.99))
    for plane, expected in zip(chroma_of(locked, luma), wanted, strict=True):
        assert np.abs(plane - expected)[within].mean() < 1 * LEVEL
        assert np.quantile(np.abs(plane - expected)[within], 0.99) < 4 * LEVEL
    unlocked = chroma_of(restored, luma_of(restored))
    assert max(np.abs(p - w)[within].mean() for p, w in zip(unlocked, wanted, strict=True)) > 10 * LEVEL


def test_lock_keeps_a_stain_where_it_is(portrait):
    crop = stained(printed(portrait.crop, SEPIA))
    locked = lock(crop, repainted(crop))
    difference = [
        a - b for a, b in zip(chroma_of(locked, luma_of(locked)), chroma_of(crop, luma_of(crop)), strict=True)
    ]
    corner = np.s_[-64:, -64:]
    assert max(abs(float(plane[corner].mean())) for plane in difference) < 2 * LEVEL


def test_lock_of_grey_gives_equal_channels(portrait):
    noisy = scanned(grey(portrait.crop), 97, noise=4)
    assert np.ptp(noisy, axis=-1).max() > 0
    for locked in (lock(noisy, repainted(noisy)), lock(portrait.crop, repainted(portrait.crop), gray=True)):
        assert np.ptp(locked, axis=-1).max() == 0.0


def test_lock_takes_a_restored_face_of_another_size(portrait):
    crop = printed(portrait.crop, SEPIA)
    larger = cv2.resize(repainted(crop), (512, 512), interpolation=cv2.INTER_CUBIC)
    locked = lock(crop, np.clip(larger, 0, 1))
    assert (locked.shape, locked.dtype) == ((512, 512, 3), np.float32)
    assert is_toned(locked)


def test_lock_goes_on_level_beyond_the_luma_of_the_print(portrait):
    crop = printed(0.4 + 0.2 * portrait.crop, SEPIA)
    ramp = np.repeat(np.linspace(0, 1, 256, dtype=np.float32)[:, None, None], 256, axis=1).repeat(3, axis=2)
    locked = lock(crop, ramp)
    assert np.isfinite(locked).all() and locked.min() >= 0.0 and locked.max() <= 1.0
    assert np.abs(luma_of(locked) - ramp[..., 0]).max() < 1e-5
    blue, red = chroma_of(locked, luma_of(locked))
    for row in (60, 230):  # luma 0.24 and 0.9: brown and cream, not blue and not neutral
        assert blue[row].mean() < -4 * LEVEL and red[row].mean() > 2 * LEVEL
    assert np.abs(locked[0]).max() < 1e-6 and np.abs(locked[-1] - 1).max() < 1e-6


def test_weights_keep_paint_out_of_the_tone(portrait):
    crop = printed(portrait.crop, SEPIA)
    painted, mask = crop.copy(), np.ones((256, 256), np.float32)
    painted[60:140, 40:200], mask[60:140, 40:200] = (0, 0, 1), 0
    restored = repainted(crop)
    kept, spoilt = lock(painted, restored, weights=mask), lock(painted, restored)
    assert np.abs(kept - lock(crop, restored)).mean() < 1.5 * LEVEL
    assert np.abs(spoilt - lock(crop, restored)).mean() > 4 * LEVEL
    assert np.isfinite(lock(painted, restored, weights=np.zeros_like(mask))).all()


def test_chroma_without_room_shrinks_and_luma_stays():
    luma = np.float32([[0.0, 0.02, 0.5, 0.98, 1.0]])
    strong = np.full_like(luma, 0.3)
    rgb = joined(luma, -strong, strong)
    assert rgb.min() >= 0.0 and rgb.max() <= 1.0
    assert np.abs(luma_of(rgb) - luma).max() < 1e-6
    assert np.ptp(rgb[0, 0]) == 0.0 and np.ptp(rgb[0, 2]) > 0.5


def test_what_is_no_picture_is_refused():
    with pytest.raises(OperatorError) as caught:
        is_toned(np.full((32, 32, 3), np.nan, np.float32))
    assert caught.value.code == "not_finite"
    with pytest.raises(ValueError, match=r"\(32, 32\) float32: expected"):
        colour_evidence(np.zeros((32, 32), np.float32))
    with pytest.raises(ValueError, match="float64"):
        colour_evidence(np.zeros((32, 32, 3)))


@pytest.mark.parametrize("colour", [(0, 0, 0), (1, 1, 1), (1, 0, 0), (0.4, 0.3, 0.2)])
def test_a_flat_crop_has_a_tone_too(colour, portrait):
    crop = np.broadcast_to(np.float32(colour), (64, 64, 3)).copy()
    assert is_toned(crop)
    locked = lock(crop, portrait.crop)
    assert np.isfinite(locked).all() and is_toned(locked)
    assert np.abs(luma_of(locked) - luma_of(portrait.crop)).max() < 1e-5


def test_the_number_of_threads_changes_nothing(portrait):
    crop = scanned(stained(printed(portrait.crop, SEPIA)), 85)
    threads, found = cv2.getNumThreads(), []
    try:
        for count in (1, 2, 5):
            cv2.setNumThreads(count)
            found.append((colour_evidence(crop), lock(crop, repainted(crop)).tobytes()))
    finally:
        cv2.setNumThreads(threads)
    assert found[0] == found[1] == found[2]
