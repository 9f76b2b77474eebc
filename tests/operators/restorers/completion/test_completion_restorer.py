"""The restorer: what is composed, what is left alone, which attributes the network is given, what is refused."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from operators.checkpoints.errors import CheckpointError
from operators.errors import OperatorError
from operators.networks.completion.packing import pack
from operators.restorers.completion.options import CompletionOptions
from operators.restorers.contract import FaceContext
from operators.restorers.table import create

if TYPE_CHECKING:
    from .conftest import Models

SIDE = 32
NAMES = ("smiling", "male")
Contexts = Callable[..., FaceContext]


def restorer(models: Models, name: str = "plain", **options: Any) -> Any:
    made = create("completion", {**models.named(name), "size": SIDE, **options}, models.equipment)
    made.setup()
    return made


def mask(soft: bool = False) -> np.ndarray:
    region = np.zeros((SIDE, SIDE), np.float32)
    region[10:20, 8:25] = 1.0
    if soft:
        region[12:14] *= 0.25
    return region


def generated(models: Models, name: str, face: np.ndarray, hole: np.ndarray, values: list[float] | None) -> np.ndarray:
    """What the trained module makes of a face: (S, S, 3) in [0, 1]."""
    pictures = torch.from_numpy(face.transpose(2, 0, 1).copy())[None] * 2 - 1
    given = None if values is None else torch.tensor([values])
    made = models.networks[name](pack(pictures, torch.from_numpy(hole)[None, None], given))
    return np.clip((made[0].numpy().transpose(1, 2, 0) + 1) / 2, 0, 1)


@pytest.mark.parametrize("soft", [False, True])
def test_the_hole_is_the_networks_and_all_else_the_face(
    models: Models, context: Contexts, faces: np.ndarray, soft: bool
) -> None:
    hole = mask(soft)
    result = restorer(models).restore(faces, [context(mask=hole)] * 3)
    for face, made in zip(faces, result, strict=True):
        expected = hole[..., None] * generated(models, "plain", face, hole, None) + (1 - hole[..., None]) * face
        assert np.abs(made - expected).max() < 2e-5
        assert np.array_equal(made[hole == 0], face[hole == 0])
        assert np.abs(made - face)[hole > 0].mean() > 0.02
    assert result.dtype == np.float32
    assert 0.0 <= result.min() <= result.max() <= 1.0


def test_a_face_without_a_hole_runs_no_network(
    models: Models, context: Contexts, faces: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = restorer(models)
    shown: list[int] = []
    run = made._runner.run
    monkeypatch.setattr(made._runner, "run", lambda batch: shown.append(len(batch)) or run(batch))
    empty = np.zeros((SIDE, SIDE), np.float32)
    assert np.array_equal(made.restore(faces, [context(), context(mask=empty), context()]), faces)
    assert shown == []
    mixed = made.restore(faces, [context(), context(mask=mask()), context(mask=empty)])
    assert shown == [1]
    assert np.array_equal(mixed[[0, 2]], faces[[0, 2]])
    assert np.array_equal(mixed[1], made.restore(faces[1:2], [context(mask=mask())])[0])


def test_what_is_under_the_mask_changes_nothing(models: Models, context: Contexts, faces: np.ndarray) -> None:
    hole = mask()
    painted = faces.copy()
    painted[:, hole > 0] = (1.0, 0.0, 1.0)
    made = restorer(models)
    contexts = [context(mask=hole)] * 3
    assert np.array_equal(made.restore(painted, contexts), made.restore(faces, contexts))


@pytest.mark.parametrize(
    ("fixed", "said", "expected"),
    [
        (None, {}, [0.5, 0.5]),
        ({"male": 1.0}, {}, [0.5, 1.0]),
        ({"male": 1.0, "smiling": 0.25}, {"male": 0.0}, [0.25, 0.0]),
        (None, {"smiling": 1.0}, [1.0, 0.5]),
    ],
)
def test_attributes_are_the_catalogues_then_the_jobs_then_even(
    models: Models, context: Contexts, faces: np.ndarray, fixed: Any, said: dict[str, float], expected: list[float]
) -> None:
    made = restorer(models, "asked", names=NAMES, attributes=fixed)
    hole = mask()
    result = made.restore(faces[:1], [context(mask=hole, attributes=said)])[0]
    inside = hole > 0
    assert np.abs(result - generated(models, "asked", faces[0], hole, expected))[inside].max() < 2e-5
    other = generated(models, "asked", faces[0], hole, [1 - value for value in [0.9, 0.1]])
    assert np.abs(result - other)[inside].max() > 1e-4
    assert made.info.parameters["attributes"] == {name: (fixed or {}).get(name, 0.5) for name in NAMES}


def test_a_print_of_one_tone_keeps_it(models: Models, context: Contexts, faces: np.ndarray) -> None:
    gray = np.repeat(faces.mean(axis=3, keepdims=True), 3, axis=3).astype(np.float32)
    hole = mask()
    made = restorer(models).restore(gray, [context(mask=hole, gray=True)] * 3)
    assert np.ptp(made, axis=3).max() == 0.0
    sepia = np.clip(gray * np.array([1.0, 0.85, 0.6], np.float32), 0, 1)
    kept = restorer(models).restore(sepia, [context(mask=hole, toned=True)] * 3)
    ratio = kept[:, hole > 0, 2].mean() / kept[:, hole > 0, 0].mean()
    assert ratio == pytest.approx(0.6, abs=0.05)
    free = restorer(models, keep_tone=False).restore(gray, [context(mask=hole, gray=True)] * 3)
    assert np.ptp(free[:, hole > 0], axis=2).max() > 0.01


def test_it_travels_to_workers_and_says_what_ran(models: Models, context: Contexts, faces: np.ndarray) -> None:
    made = pickle.loads(pickle.dumps(create("completion", {**models.named("plain"), "size": SIDE}, models.equipment)))
    assert made.execution().engine == {}
    with pytest.raises(RuntimeError, match="call setup"):
        made.restore(faces, [context()] * 3)
    made.setup()
    made.restore(faces, [context(mask=mask())] * 3)
    assert made.execution().engine["used"]["engine"] == "eager"
    info = made.info
    assert (info.name, info.template, info.sizes) == ("completion", "ffhq", (SIDE,))
    assert info.weights_sha256 == models.hashes["plain"]
    assert info.parameters["task"] == "complete"


def test_files_that_do_not_fit_are_refused(models: Models) -> None:
    for name, options, code in (
        ("gpen", {}, "wrong_architecture"),
        ("plain", {"size": 64}, "wrong_size"),
        ("asked", {}, "wrong_attributes"),
        ("plain", {"names": ("smiling",)}, "wrong_attributes"),
    ):
        with pytest.raises(CheckpointError) as caught:
            restorer(models, name, **options)
        assert caught.value.code == code


def test_input_that_does_not_fit_is_refused(models: Models, context: Contexts, faces: np.ndarray) -> None:
    made = restorer(models, "asked", names=NAMES)
    with pytest.raises(ValueError, match="2 contexts for 3 faces"):
        made.restore(faces, [context()] * 2)
    with pytest.raises(ValueError, match="faces of shape"):
        made.restore(faces[:, :16], [context()] * 3)
    with pytest.raises(ValueError, match="mask of shape"):
        made.restore(faces[:1], [context(mask=np.ones((8, 8), np.float32))])
    with pytest.raises(ValueError, match="outside"):
        made.restore(faces[:1], [context(mask=2 * mask())])
    with pytest.raises(ValueError, match=r"attributes bald: .*known: smiling, male"):
        made.restore(faces[:1], [context(mask=mask(), attributes={"bald": 1.0})])
    with pytest.raises(OperatorError) as caught:
        made.restore(faces[:1] * np.float32(np.nan), [context()])
    assert caught.value.code == "not_finite"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"sha256": "x"}, "sha256"),
        ({"model": ""}, "model"),
        ({"template": "none"}, "template"),
        ({"size": 48}, "size"),
        ({"names": ("a b",)}, "expected a word"),
        ({"names": ("old", "old")}, "named twice"),
        ({"names": ("old",), "attributes": {"bald": 1.0}}, r"'bald'.*known: old"),
        ({"names": ("old",), "attributes": {"old": 1.5}}, "1.5 found"),
        ({"names": ("old",), "attributes": {"old": True}}, "True found"),
        ({"keep_tone": 1}, "keep_tone"),
    ],
)
def test_options_are_checked(options: dict[str, Any], said: str) -> None:
    good = {"model": "m", "sha256": "0" * 64, "size": 64}
    CompletionOptions(**good)
    with pytest.raises(ValueError, match=said):
        CompletionOptions(**{**good, **options})
