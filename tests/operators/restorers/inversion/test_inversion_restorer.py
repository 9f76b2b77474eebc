"""The restorer that searches: what each task takes of what it finds, batches, progress, edits, and what it refuses."""

from __future__ import annotations

import hashlib
import json
import pickle
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from operators.checkpoints.errors import CheckpointError
from operators.engines.options import EngineOptions
from operators.faces.templates import template_points
from operators.faces.tone_curve import luma_of
from operators.inversion.options import SearchOptions
from operators.inversion.state import State
from operators.networks import build
from operators.restorers.contract import Equipment, FaceContext, Resumable
from operators.restorers.inversion.options import Edit, FeatureOptions, InversionOptions
from operators.restorers.inversion.restorer import InversionRestorer
from operators.restorers.table import create

SIDE, WIDTH = 16, 12
SEARCH = SearchOptions(codes=3, layer=2, iterations=20, learning_rate=0.1, checkpoint=8)
CPU = EngineOptions(device="cpu", threads=1)


@dataclass(frozen=True)
class ModelFolder:
    """Model files in a folder; `operators.restorers.contract.ModelFiles`."""

    folder: Path

    def path(self, name: str, sha256: str) -> Path:
        path = self.folder / name
        assert hashlib.sha256(path.read_bytes()).hexdigest() == sha256
        return path


@dataclass
class Held:
    """Progress in memory; it can end the process's work after so many saves."""

    states: dict[str, bytes] = field(default_factory=dict)
    until: int = 10**9

    def load(self, key: str) -> bytes | None:
        return self.states.get(key)

    def save(self, key: str, data: bytes) -> None:
        if self.until == 0:
            raise KeyboardInterrupt
        self.until -= 1
        self.states[key] = data


def saved(folder: Path, name: str, architecture: str, arguments: dict[str, Any]) -> str:
    with torch.random.fork_rng():
        torch.manual_seed(4)
        network = build(architecture, arguments)
    torch.save(network.state_dict(), folder / name)
    return hashlib.sha256((folder / name).read_bytes()).hexdigest()


PGGAN = {"resolution": SIDE, "z_space_dim": WIDTH, "image_channels": 3, "fused_scale": False, "fmaps_base": 128}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("priors")
    saved(folder, "prior", "pggan", {**PGGAN, "fmaps_max": 16, "lod": 0.0})
    saved(folder, "vgg", "vgg16", {"widths": [4, 4, 4, 4, 4], "hidden": 8, "classes": 5})
    return folder


def digest(folder: Path, name: str) -> str:
    return hashlib.sha256((folder / name).read_bytes()).hexdigest()


def restorer(folder: Path, **options: Any) -> InversionRestorer:
    given = {"features": FeatureOptions("none", weight=0.0), "search": SEARCH, "engine": CPU, **options}
    about = {"model": "prior", "sha256": digest(folder, "prior"), "size": SIDE, **given}
    made = create("inversion", about, Equipment(ModelFolder(folder)))
    assert isinstance(made, InversionRestorer)
    made.setup()
    return made


def face(seed: int) -> np.ndarray:
    coarse = np.random.default_rng(seed).random((5, 5, 3), dtype=np.float32)
    return np.clip(cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC), 0.0, 1.0)


def context(seed: int, **more: Any) -> FaceContext:
    return FaceContext(template_points("ffhq", SIDE), gray=False, reduction=1.0, seed=seed, **more)


def hole() -> np.ndarray:
    mask = np.zeros((SIDE, SIDE), np.float32)
    mask[4:11, 5:12] = 1.0
    return mask


def test_a_face_is_found_and_its_record_says_how(folder: Path) -> None:
    faces = np.stack([face(1), face(2)])
    hardly = restorer(folder, search=replace(SEARCH, iterations=1))
    hardly.restore(faces, [context(1), context(2)])
    begun = list(hardly.execution().faces)
    made = restorer(folder, search=replace(SEARCH, iterations=60))
    result = made.restore(faces, [context(1), context(2)])
    done = made.execution()
    assert result.shape == faces.shape
    assert result.dtype == np.float32
    for one, other, report in zip(faces, result, done.faces, strict=True):
        assert report["iterations"] == 60
        assert report["ended"] == "iterations"
        error = np.square(one - other).mean()
        assert report["observation_psnr"] == pytest.approx(-10 * np.log10(error), abs=0.01)
        assert report["loss"] >= 4 * error * 0.999  # values outside [0, 1] count in the loss alone
        assert report["observation_psnr"] > begun.pop(0)["observation_psnr"] + 2.0
    assert done.counts == {"search_iterations": 120}
    assert made.execution().counts == {"search_iterations": 0}
    assert done.engine["used"]["engine"] == "eager"
    assert json.loads(json.dumps(made.info.parameters)) == made.info.parameters


@pytest.mark.parametrize("task", ["reconstruct", "super_resolve", "colorize", "inpaint", "denoise", "recipe"])
def test_the_same_bits_whatever_the_batch(folder: Path, task: str) -> None:
    search = replace(SEARCH, iterations=6)
    recipe = ({"use": "blur", "sigma": 0.6}, {"use": "grey"})
    noise = {"noise": "gaussian", "noise_level": 0.02} if task == "denoise" else {}
    made = restorer(folder, task=task, search=search, recipe=recipe if task == "recipe" else (), **noise)
    faces = np.stack([face(seed) for seed in (1, 2, 3)])
    contexts = [context(seed, mask=hole() if task == "inpaint" else None) for seed in (1, 2, 3)]
    together = made.restore(faces, contexts)
    alone = made.restore(faces[1:2], contexts[1:2])
    assert (together[1] == alone[0]).all()
    assert (together[0] != together[1]).any()
    other = made.restore(faces[1:2], [replace(contexts[1], seed=9)])
    assert (other != alone).any()


def test_inpainting_changes_nothing_outside_the_mask(folder: Path) -> None:
    made = restorer(folder, task="inpaint")
    faces = np.stack([face(1), face(2)])
    result = made.restore(faces, [context(1, mask=hole()), context(2, mask=np.zeros((SIDE, SIDE), np.float32))])
    outside = hole() == 0.0
    assert (result[0][outside] == faces[0][outside]).all()
    assert (result[0][~outside] != faces[0][~outside]).mean() > 0.5
    assert (result[1] == faces[1]).all()
    assert made.execution().faces[1] == {}
    hidden = faces[0].copy()
    hidden[~outside] = 1.0  # what the mask hides has no part in the search
    again = made.restore(hidden[None], [context(1, mask=hole())])[0]
    np.testing.assert_allclose(again[7:9, 7:9], result[0][7:9, 7:9], atol=1e-6)


def test_colours_come_and_the_light_stays(folder: Path) -> None:
    grey = np.repeat(face(1).mean(axis=2, keepdims=True), 3, axis=2)
    kept = restorer(folder, task="colorize").restore(grey[None], [context(1)])[0]
    free = restorer(folder, task="colorize", keep_tone=False).restore(grey[None], [context(1)])[0]
    assert np.ptp(kept, axis=2).max() > 0.05
    np.testing.assert_allclose(luma_of(kept), luma_of(grey), atol=2e-3)
    assert np.abs(luma_of(free) - luma_of(grey)).max() > 0.02


def test_super_resolution_looks_at_the_small_picture_alone(folder: Path) -> None:
    made = restorer(folder, task="super_resolve", factor=4.0)
    fine = face(1) + np.float32(0.1) * np.where(np.indices((SIDE, SIDE)).sum(0) % 2, 1.0, -1.0)[..., None]
    one, other = made.restore(np.stack([face(1), fine]).astype(np.float32), [context(1), context(1)])
    np.testing.assert_allclose(one, other, atol=0.02)  # a chequerboard has no mean


def test_fidelity_mixes_the_face_in(folder: Path) -> None:
    none, half, all_ = (restorer(folder, fidelity=share).restore(face(1)[None], [context(1)]) for share in (0, 0.5, 1))
    np.testing.assert_allclose(half, (none + face(1)) / 2, atol=1e-6)
    assert (all_[0] == face(1)).all()


def test_a_search_that_was_cut_off_goes_on(folder: Path) -> None:
    faces, contexts = np.stack([face(1), face(2), face(3)]), [context(seed) for seed in (1, 2, 3)]
    whole = restorer(folder).restore(faces, contexts)
    held = Held(until=4)  # the first face at 8, 16 and 20, the second at 8
    first = restorer(folder)
    assert isinstance(first, Resumable)
    first.keep_progress(held)
    with pytest.raises(KeyboardInterrupt):
        first.restore(faces, contexts)
    held.until = 10**9
    second = restorer(folder)
    second.keep_progress(held)
    assert (second.restore(faces, contexts) == whole).all()
    assert second.execution().counts == {"search_iterations": 12 + 20}
    assert (second.restore(faces, contexts) == whole).all()
    assert second.execution().counts == {"search_iterations": 0}


def test_trials_of_a_single_code_are_not_made_again(folder: Path) -> None:
    single = replace(SEARCH, codes=1, importance="full", starts=5, trial=6)
    faces, contexts = face(1)[None], [context(1)]
    plain = restorer(folder, search=single)
    whole = plain.restore(faces, contexts)
    assert plain.execution().counts == {"search_iterations": 5 * 6 + 20}
    held = Held(until=3)
    first = restorer(folder, search=single)
    first.keep_progress(held)
    with pytest.raises(KeyboardInterrupt):
        first.restore(faces, contexts)
    held.until = 10**9
    second = restorer(folder, search=single)
    second.keep_progress(held)
    assert (second.restore(faces, contexts) == whole).all()
    assert second.execution().counts == {"search_iterations": 2 * 6 + 20}
    # A trial that is not whole, or another search's, is no trial.
    spoilt = {key: data[: len(data) // 2] for key, data in held.states.items() if key.endswith("-1")}
    third = restorer(folder, search=single)
    third.keep_progress(Held({**{key: data for key, data in held.states.items() if "-" in key}, **spoilt}))
    assert (third.restore(faces, contexts) == whole).all()
    assert third.execution().counts == {"search_iterations": 6 + 20}


def test_progress_of_another_search_is_not_taken(folder: Path) -> None:
    held = Held()
    for options in ({}, {"psi": 1.0, "task": "colorize"}, {"search": replace(SEARCH, codes=2)}):
        one = restorer(folder, **options)
        one.keep_progress(held)
        one.restore(face(1)[None], [context(1)])
        assert one.execution().counts == {"search_iterations": 20}
    assert len(held.states) == 3
    one.restore(face(1)[None], [context(2)])
    one.restore(face(2)[None], [context(1)])
    assert len(held.states) == 5
    spoilt = {key: data[: len(data) // 2] for key, data in held.states.items()}
    one.keep_progress(Held(spoilt))
    one.restore(face(2)[None], [context(1)])
    assert one.execution().counts["search_iterations"] == 60
    three, two = (next(data for data in held.states.values() if codes_of(data) == count) for count in (3, 2))
    one.keep_progress(Held(dict.fromkeys(held.states, three)))
    one.restore(face(2)[None], [context(1)])
    assert one.execution().counts["search_iterations"] == 20
    one.keep_progress(Held(dict.fromkeys(held.states, two)))
    one.restore(face(2)[None], [context(1)])
    assert one.execution().counts["search_iterations"] == 0


def codes_of(data: bytes) -> int:
    state = State.from_bytes(data)
    assert state is not None
    return len(state.codes)


def test_edits_move_the_codes_that_were_found(folder: Path) -> None:
    vector = np.zeros(WIDTH, np.float32)
    vector[3] = 1.0
    edits = (Edit("age", "z", tuple(map(float, vector)), 2.0, "0" * 64),)
    plain, moved = restorer(folder), restorer(folder, edits=edits)
    one, other = (each.restore(face(1)[None], [context(1)]) for each in (plain, moved))
    assert np.abs(one - other).max() > 0.05
    reports = [each.execution().faces[0] for each in (plain, moved)]
    assert reports[0] == reports[1]  # they tell of the search
    still = restorer(folder, edits=(replace(edits[0], strength=0.0),))
    assert (still.restore(face(1)[None], [context(1)]) == one).all()


@pytest.mark.parametrize("network", ["sface", "vgg16"])
def test_features_take_part_and_are_named(folder: Path, network: str) -> None:
    asked = {"sface": FeatureOptions("sface", weight=0.5)}
    asked["vgg16"] = FeatureOptions("vgg16", "vgg", digest(folder, "vgg"), 0.5)
    made = restorer(folder, features=asked[network], search=replace(SEARCH, iterations=2))
    plain = restorer(folder, search=replace(SEARCH, iterations=2))
    one, other = (each.restore(face(1)[None], [context(1)]) for each in (made, plain))
    assert (one != other).any()
    assert made.info.parameters["features"] == ("vgg" if network == "vgg16" else "sface")
    assert made.execution().faces[0]["loss"] > plain.execution().faces[0]["loss"]


def test_it_travels_before_it_is_set_up(folder: Path) -> None:
    options = InversionOptions("prior", digest(folder, "prior"), SIDE, search=SEARCH, engine=CPU)
    made = pickle.loads(pickle.dumps(InversionRestorer(options, Equipment(ModelFolder(folder)))))
    with pytest.raises(RuntimeError, match="setup"):
        made.restore(face(1)[None], [context(1)])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"size": 32}, "16 x 16"),
        ({"search": replace(SEARCH, space="w")}, "w"),
        ({"search": replace(SEARCH, layer=40)}, "layer"),
        ({"model": "vgg"}, "prior"),
        ({"edits": (Edit("age", "z", (1.0, 0.0), 1.0),)}, "age"),
        ({"psi": 0.5}, "psi"),
        ({"task": "recipe", "recipe": ({"use": "blur", "sigma": 20.0},)}, "lower it"),
    ],
)
def test_priors_that_do_not_fit(folder: Path, options: dict[str, Any], says: str) -> None:
    if "model" in options:
        options = {**options, "sha256": digest(folder, options["model"])}
    with pytest.raises(CheckpointError, match=says):
        restorer(folder, **options)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"size": 20}, "size"),
        ({"task": "paint"}, "task"),
        ({"fidelity": 2.0}, "fidelity"),
        ({"template": "dlib"}, "template"),
        ({"sha256": "abc"}, "sha256"),
    ],
)
def test_options_that_cannot_be(folder: Path, options: dict[str, Any], says: str) -> None:
    about = {"model": "prior", "sha256": digest(folder, "prior"), "size": SIDE, **options}
    with pytest.raises(ValueError, match=says):
        create("inversion", about, Equipment(ModelFolder(folder)))


def test_a_layer_that_fits_the_task(folder: Path) -> None:
    from operators.restorers.inversion.prior import layer_for, loaded

    options = InversionOptions("prior", digest(folder, "prior"), SIDE, engine=CPU, features=FeatureOptions("none"))
    prior = loaded(options, ModelFolder(folder), "cpu").prior
    assert prior.places[layer_for(prior, "reconstruct") - 1].resolution == 4
    assert loaded(options, ModelFolder(folder), "cpu").search.layer == 2


def test_shapes_that_do_not_fit(folder: Path) -> None:
    made = restorer(folder)
    with pytest.raises(ValueError, match="shape"):
        made.restore(np.zeros((1, 8, 8, 3), np.float32), [context(1)])
    with pytest.raises(ValueError, match="contexts"):
        made.restore(face(1)[None], [])
    with pytest.raises(ValueError, match="mask"):
        made.restore(face(1)[None], [context(1, mask=np.zeros((8, 8), np.float32))])
