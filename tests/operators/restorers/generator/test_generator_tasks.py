import cv2
import numpy as np
import pytest

from operators.faces.tone_curve import chroma_of, luma_of

SEG = {"task": "seg2face"}


def shifted(faces):
    return np.ascontiguousarray(faces.transpose(0, 3, 1, 2) * 2 - 1)


def unshifted(output):
    return np.clip(output * 0.5 + 0.5, 0, 1)


def disk(side=64, radius=12, middle=(30, 36)):
    mask = np.zeros((side, side), np.float32)
    cv2.circle(mask, middle, radius, 1.0, -1)
    return mask


def test_colorize_shows_the_network_the_grey_of_opencv(tiny_models, small_faces, face_context):
    grey = np.stack([cv2.cvtColor(face, cv2.COLOR_RGB2GRAY) for face in small_faces])
    generated = unshifted(tiny_models.output("gpen.safetensors", shifted(np.repeat(grey[..., None], 3, -1))))
    restorer = tiny_models.restorer("gpen", "gpen.safetensors", task="colorize", keep_tone=False)
    for contexts in ([face_context()] * 3, [face_context(toned=True)] * 3, [face_context(gray=True)] * 3):
        assert np.abs(restorer.restore(small_faces, contexts) - generated).max() < 1e-5


def test_colorize_keeps_the_luma_of_the_original_and_takes_chroma_from_the_network(
    tiny_models, small_faces, face_context
):
    contexts = [face_context(toned=True)] * 3
    faces = 0.3 + 0.4 * small_faces
    free = tiny_models.restorer("gpen", "gpen.safetensors", task="colorize", keep_tone=False).restore(faces, contexts)
    kept = tiny_models.restorer("gpen", "gpen.safetensors", task="colorize").restore(faces, contexts)
    assert np.abs(luma_of(kept) - luma_of(faces)).max() < 1e-5
    assert np.abs(luma_of(free) - luma_of(faces)).mean() > 0.02
    # Where there is room for it, chroma is the network's.
    inside = (kept > 0.01).all(-1) & (kept < 0.99).all(-1)
    assert inside.mean() > 0.5
    for of_kept, of_free in zip(chroma_of(kept, luma_of(kept)), chroma_of(free, luma_of(free)), strict=True):
        assert np.abs(of_kept - of_free)[inside].max() < 1e-5
        assert np.abs(of_kept).max() > 0.02


def test_inpaint_shows_the_network_white_and_keeps_every_bit_outside_the_mask(tiny_models, small_faces, face_context):
    mask = disk()
    contexts = [face_context(mask=mask)] * 3
    painted = np.where(mask[..., None] > 0, np.float32(1), small_faces)
    generated = unshifted(tiny_models.output("gpen.safetensors", shifted(painted)))
    result = tiny_models.restorer("gpen", "gpen.safetensors", task="inpaint").restore(small_faces, contexts)
    assert np.array_equal(result[:, mask == 0], small_faces[:, mask == 0])
    deep = disk(radius=7) > 0
    assert np.abs(result - generated)[:, deep].max() < 1e-5
    rim = (disk(radius=12) > 0) & (disk(radius=11) == 0)
    seam = np.abs(result - small_faces)[:, rim].mean()
    assert 0 < seam < 0.3 * np.abs(generated - small_faces)[:, rim].mean()


def test_inpaint_mixes_the_input_in_inside_the_mask(tiny_models, small_faces, face_context):
    contexts = [face_context(mask=disk())] * 3
    full, half = (
        tiny_models.restorer("gpen", "gpen.safetensors", task="inpaint", fidelity=fidelity).restore(
            small_faces, contexts
        )
        for fidelity in (0, 0.5)
    )
    assert np.abs((half - small_faces) - 0.5 * (full - small_faces)).max() < 1e-5


def test_inpaint_honours_a_soft_mask_and_a_whole_one(tiny_models, small_faces, face_context):
    restorer = tiny_models.restorer("gpen", "gpen.safetensors", task="inpaint")
    white = unshifted(tiny_models.output("gpen.safetensors", shifted(np.ones_like(small_faces))))
    everything = restorer.restore(small_faces, [face_context(mask=np.ones((64, 64), np.float32))] * 3)
    assert np.abs(everything - white).max() < 1e-5
    weak = restorer.restore(small_faces, [face_context(mask=np.full((64, 64), 0.25, np.float32))] * 3)
    assert np.abs(weak - (0.75 * small_faces + 0.25 * white)).max() < 1e-5


def test_inpaint_without_anything_to_fill_leaves_the_face(tiny_models, small_faces, face_context):
    restorer = tiny_models.restorer("gpen", "gpen.safetensors", task="inpaint")
    contexts = [face_context(), face_context(mask=np.zeros((64, 64), np.float32)), face_context(mask=disk())]
    result = restorer.restore(small_faces, contexts)
    assert np.array_equal(result[:2], small_faces[:2])
    assert not np.array_equal(result[2], small_faces[2])


def test_inpaint_takes_the_tone_from_outside_the_mask(tiny_models, small_faces, face_context):
    sepia = np.clip(luma_of(small_faces)[..., None] * np.float32([1.0, 0.85, 0.65]), 0, 1)
    mask = disk()
    painted = np.where(mask[..., None] > 0, np.float32([0, 0, 1]), sepia)
    restorer = tiny_models.restorer("gpen", "gpen.safetensors", task="inpaint")
    result = restorer.restore(painted, [face_context(toned=True, mask=mask)] * 3)
    deep = disk(radius=7) > 0
    red, _, blue = (result[:, deep][..., band].mean() for band in range(3))
    assert red > blue + 0.05


def test_inpaint_of_a_network_that_enlarges_stays_on_the_grid_of_the_crop(tiny_models, small_faces, face_context):
    faces = np.ascontiguousarray(small_faces[:, ::2, ::2])
    mask = disk(32, 6, (15, 18))
    restorer = tiny_models.restorer("gpen", "gpen-small.pth", size=32, task="inpaint")
    result = restorer.restore(faces, [face_context(32, mask=mask)] * 3)
    assert result.shape == faces.shape
    assert np.array_equal(result[:, mask == 0], faces[:, mask == 0])
    assert not np.array_equal(result, faces)


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (np.ones((32, 32), np.float32), "mask of shape (32, 32): expected (64, 64)"),
        (np.full((64, 64), 2.0, np.float32), "outside [0, 1]"),
        (np.full((64, 64), np.nan, np.float32), "outside [0, 1]"),
    ],
)
def test_a_mask_that_is_none_is_refused(mask, words, tiny_models, small_faces, face_context):
    restorer = tiny_models.restorer("gpen", "gpen.safetensors", task="inpaint")
    with pytest.raises(ValueError) as caught:
        restorer.restore(small_faces, [face_context(mask=mask)] * 3)
    assert words in str(caught.value)


def test_seg2face_shifts_neither_what_goes_in_nor_what_comes_out(tiny_models, small_faces, face_context):
    maps = np.round(small_faces * 4) / 4
    planes = np.ascontiguousarray(maps.transpose(0, 3, 1, 2))
    generated = np.clip(tiny_models.output("gpen.safetensors", planes), 0, 1)
    restorer = tiny_models.restorer("gpen", "gpen.safetensors", task="seg2face")
    for contexts in ([face_context()] * 3, [face_context(toned=True)] * 3):
        assert np.abs(restorer.restore(maps, contexts) - generated).max() < 1e-5
    assert np.abs(generated - unshifted(tiny_models.output("gpen.safetensors", shifted(maps)))).mean() > 0.05
