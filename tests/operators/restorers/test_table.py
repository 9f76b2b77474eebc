import dataclasses

import numpy as np
import pytest

from operators.faces.templates import template_names
from operators.restorers.contract import FaceContext
from operators.restorers.table import RESTORERS, create, names

# Those with weights are held to the same in generator/, where there are weights.
WITHOUT_WEIGHTS = sorted(name for name, entry in RESTORERS.items() if not entry.needs_equipment)


@pytest.mark.parametrize("name", WITHOUT_WEIGHTS)
def test_every_entry_keeps_the_contract(name, portrait):
    restorer = create(name)
    restorer.setup()
    info = restorer.info
    assert info.name == name
    assert info.template in template_names()
    assert list(info.sizes) == sorted(info.sizes)
    assert set(info.parameters) == {item.name for item in dataclasses.fields(RESTORERS[name].options)}
    faces = np.stack([portrait.crop] * 2)
    result = restorer.restore(faces, [FaceContext(portrait.landmarks, False, portrait.reduction, 7)] * 2)
    assert (result.shape, result.dtype) == (faces.shape, np.float32)
    assert 0.0 <= result.min() <= result.max() <= 1.0
    with pytest.raises(ValueError, match="1 contexts for 2 faces"):
        restorer.restore(faces, [FaceContext(portrait.landmarks, False, portrait.reduction, 7)])


@pytest.mark.parametrize("name", WITHOUT_WEIGHTS)
def test_every_entry_gives_a_face_the_same_bytes_alone_in_a_batch_and_again(name, portrait):
    restorer = create(name)
    restorer.setup()
    noisy = portrait.crop + np.random.default_rng(3).normal(0, 0.05, portrait.crop.shape)
    faces = np.stack([portrait.crop, np.clip(noisy, 0, 1)]).astype(np.float32)
    contexts = [FaceContext(portrait.landmarks, False, portrait.reduction, seed) for seed in (7, 8)]
    together = restorer.restore(faces, contexts)
    alone = [restorer.restore(faces[one : one + 1], contexts[one : one + 1])[0] for one in (0, 1)]
    assert np.array_equal(together, np.stack(alone))
    assert np.array_equal(together, restorer.restore(faces, contexts))


def test_names_are_sorted_and_options_reach_the_restorer():
    assert names() == tuple(sorted(RESTORERS))
    assert {"anonymize", "classic", "gfpgan", "gpen", "none"} <= set(names())
    assert create("classic", {"denoise": 12, "dust": False}).info.parameters["denoise"] == 12.0
    assert create("classic", {"denoise": 12, "dust": False}).info.parameters["dust"] == "off"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("clasic",), ["'clasic'", "did you mean classic?", f"known: {', '.join(names())}"]),
        (("zzz",), ["'zzz'", f"known: {', '.join(names())}"]),
        (("classic", {"denois": 1}), ["'denois'", "did you mean denoise?"]),
        (("none", {"strength": 1}), ["'strength'", "known: none"]),
    ],
)
def test_unknown_names_are_answered_with_the_nearest(arguments, words):
    with pytest.raises(ValueError) as caught:
        create(*arguments)
    for word in words:
        assert word in str(caught.value)


def test_none_gives_back_the_same_pixels_in_another_array(portrait):
    faces = portrait.crop[np.newaxis]
    result = create("none").restore(faces, [FaceContext(portrait.landmarks, False, 1.0, 0)])
    assert np.array_equal(result, faces)
    assert not np.shares_memory(result, faces)
