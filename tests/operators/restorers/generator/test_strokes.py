import cv2
import numpy as np
import pytest

from operators.restorers.generator.strokes import seam, white_strokes


def painted(face, stroke, width=8):
    """The face with a white stroke, and where it is."""
    place = np.zeros(face.shape[:2], np.uint8)
    cv2.polylines(place, [np.array(stroke)], False, 1, width)
    return np.where(place[..., None] > 0, np.float32(1), face), place > 0


@pytest.mark.parametrize(
    "stroke",
    [
        [(90, 90), (170, 180)],
        [(128, 0), (120, 128), (160, 255)],
        [(100, 150), (120, 140), (110, 170)],
    ],
    ids=["across the face", "from border to border", "a small hook"],
)
def test_a_stroke_is_found_whole_and_little_more(stroke, portrait):
    face, place = painted(portrait.crop * 0.9, stroke)
    found = white_strokes(face, portrait.landmarks)
    assert found[place].all()
    assert found.sum() < 2.5 * place.sum()
    assert (face[found & ~place] < 1).all()


def test_a_stroke_survives_jpeg(portrait):
    face, place = painted(portrait.crop * 0.9, [(90, 90), (170, 180)], 10)
    _, data = cv2.imencode(".jpg", np.rint(face[..., ::-1] * 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 90])
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1].astype(np.float32) / 255
    assert white_strokes(decoded, portrait.landmarks)[place].mean() > 0.99


def test_white_that_is_no_stroke_is_left(portrait):
    face = portrait.crop * 0.9
    assert not white_strokes(face, portrait.landmarks).any()
    background = face.copy()
    background[:, :60] = background[:50] = 1.0
    collar = face.copy()
    collar[225:, 60:200] = 1.0
    glints = face.copy()
    for x, y in portrait.landmarks[:2]:
        cv2.circle(glints, (int(x), int(y)), 3, (1, 1, 1), -1)
    thin = face.copy()
    thin[:, 130] = 1.0
    coloured, _ = painted(face, [(90, 90), (170, 180)])
    coloured[..., 2] = 0.8
    for other in (background, collar, glints, thin, coloured):
        assert not white_strokes(other, portrait.landmarks).any()


def test_strokes_are_inpainted_and_the_rest_stays(portrait, tiny_models, face_context):
    face = cv2.resize(portrait.crop * 0.9, (64, 64), interpolation=cv2.INTER_AREA)
    white, place = painted(face, [(22, 24), (42, 44)], 4)
    restorer = tiny_models.restorer("gpen", "gpen.safetensors", task="inpaint")
    result = restorer.restore(white[None], [face_context()])[0]
    assert np.abs(result - white)[place].mean() > 0.1
    near = cv2.dilate(place.astype(np.uint8), np.ones((13, 13))) > 0
    assert np.array_equal(result[~near], white[~near])


def test_the_seam_rises_inwards_from_nothing():
    mask = np.zeros((128, 128), np.float32)
    mask[32:96, 32:96] = 1
    share = seam(mask)
    assert not share[mask == 0].any() and share[64, 64] == 1.0
    assert np.all(np.diff(share[64, 30:40]) >= 0) and 0 < share[64, 32] < 0.5
    assert np.array_equal(seam(np.ones((16, 16), np.float32)), np.ones((16, 16), np.float32))
    assert np.allclose(seam(mask * np.float32(0.5)), share * 0.5)
