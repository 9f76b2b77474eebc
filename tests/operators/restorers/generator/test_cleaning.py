"""A share of what the classic restorer would do comes before the network."""

from __future__ import annotations

import numpy as np
import pytest

from operators.faces.tone import lock
from operators.faces.tone_curve import luma_of
from operators.models.checkpoints import CHECKPOINTS, CLEAN_FIRST
from operators.restorers.classic.restorer import ClassicRestorer
from operators.restorers.generator.cleaning import cleaned
from operators.restorers.generator.options import GfpganOptions, GpenOptions
from operators.restorers.table import create

FILES = {"gfpgan": "gfpgan.pth", "gpen": "gpen.safetensors"}
GIVEN = {"model": "m", "sha256": "ab" * 32}


@pytest.fixture
def grainy(small_faces):
    """The small faces with strong grain."""
    noise = np.random.default_rng(4).normal(0.0, 0.1, small_faces.shape[:3])[..., np.newaxis]
    return np.clip(small_faces + noise, 0.0, 1.0).astype(np.float32)


def test_a_share_lies_between_the_face_and_the_clean_one(grainy, face_context):
    contexts = [face_context()] * len(grainy)
    clean = ClassicRestorer().restore(grainy, contexts)
    assert np.abs(clean - grainy).mean() > 0.01, "there is something to take away"
    assert cleaned(grainy, contexts, 0.0) is grainy
    quarter = cleaned(grainy, contexts, 0.25)
    assert np.abs(quarter - (0.75 * grainy + 0.25 * clean)).max() < 1e-6
    assert np.abs(cleaned(grainy, contexts, 1.0) - clean).max() < 1e-6


def test_a_face_with_nothing_wrong_stays_as_it_is(face_context):
    flat = np.full((1, 64, 64, 3), 0.5, dtype=np.float32)
    assert np.array_equal(cleaned(flat, [face_context()], 0.5), flat)


@pytest.mark.parametrize("kind", sorted(FILES))
def test_the_network_sees_the_cleaner_face_and_fidelity_mixes_in_the_face_as_it_came(
    kind, tiny_models, grainy, face_context
):
    contexts = [face_context()] * len(grainy)
    plain = tiny_models.restorer(kind, FILES[kind])
    expected = plain.restore(cleaned(grainy, contexts, 0.5), contexts)
    made = tiny_models.restorer(kind, FILES[kind], clean_first=0.5).restore(grainy, contexts)
    assert np.abs(made - expected).max() < 1e-6
    assert np.abs(made - plain.restore(grainy, contexts)).max() > 5e-5
    mixed = tiny_models.restorer(kind, FILES[kind], clean_first=0.5, fidelity=0.5).restore(grainy, contexts)
    assert np.abs(mixed - (0.5 * expected + 0.5 * grainy)).max() < 1e-5


def test_the_tone_is_that_of_the_picture_as_it_came(tiny_models, grainy, face_context):
    contexts = [face_context(toned=True)] * len(grainy)
    sepia = luma_of(grainy)[..., np.newaxis] * np.float32([1.0, 0.85, 0.65]) + np.float32([0.02, 0.01, 0.0])
    faces = np.clip(sepia, 0.0, 1.0).astype(np.float32)
    made = tiny_models.restorer("gpen", FILES["gpen"], clean_first=1.0).restore(faces, contexts)
    clean = cleaned(faces, contexts, 1.0)
    drawn = tiny_models.restorer("gpen", FILES["gpen"], keep_tone=False).restore(clean, contexts)
    expected = np.stack([lock(face, one, False) for face, one in zip(faces, drawn.copy(), strict=True)])
    other = np.stack([lock(face, one, False) for face, one in zip(clean, drawn.copy(), strict=True)])
    assert np.abs(expected - other).max() > 1e-4
    assert np.abs(made - expected).max() < 1e-5


@pytest.mark.parametrize("kind", sorted(FILES))
def test_info_speaks_of_it_where_it_is_done(kind, tiny_models):
    """A run that does not ask for it is the same run as before there was such an option."""
    with_it = create(kind, {**GIVEN, "clean_first": 0.5}, tiny_models.equipment).info
    without = create(kind, {**GIVEN}, tiny_models.equipment).info
    assert with_it.parameters["clean_first"] == 0.5
    assert with_it.parameters["cleaner"] == f"classic {ClassicRestorer().info.version}"
    assert not {"clean_first", "cleaner"} & set(without.parameters)


def test_values_that_are_not_allowed():
    for options in (GfpganOptions, GpenOptions):
        with pytest.raises(ValueError, match=r"clean_first: 1\.5 found, expected a number from 0 to 1"):
            options(**GIVEN, clean_first=1.5)
    with pytest.raises(ValueError, match=r"clean_first: 0\.5 found with task inpaint: expected 0"):
        GpenOptions(**GIVEN, task="inpaint", clean_first=0.5)


def test_models_that_ask_for_it_are_ones_that_restore():
    assert CLEAN_FIRST == {"compact": 0.5}
    assert all(CHECKPOINTS[name].task == "restore" for name in CLEAN_FIRST)
