"""Exports of real architectures, taken by the real commands."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from safetensors import safe_open
from safetensors.torch import load
from torch import nn
from typer.testing import CliRunner

from jobs.exits import Exit
from jobs.main import app
from jobs.spec.training.kinds import MODELS
from jobs.train.artefacts.export import exported, model_name
from jobs.train.artefacts.facts import CardFacts, Parent
from operators.checkpoints import read
from operators.models.cache import Cache
from operators.models.checkpoint import Checkpoint
from operators.networks import build, from_state_dict
from operators.training.schedules.contract import Given
from operators.training.schedules.table import SCHEDULES

_STYLED = {"style_dim": 16, "n_mlp": 2, "channel_multiplier": 1, "narrow": 1 / 32}

NETWORKS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "gpen": ("gpen", {"in_size": 16, "out_size": 16, **_STYLED}),
    "gfpgan": ("gfpgan_clean", {"out_size": 16, "num_style_feat": 16, "num_mlp": 2, "narrow": 1 / 32}),
    "prior": ("stylegan2", {"resolution": 16, **_STYLED}),
    "completion": ("completion", {"size": 16, "channels": [4, 4, 4], "attributes": 2}),
    "srgan": ("srresnet", {"channels": 8, "blocks": 2}),
    "pix2pix": ("pix2pix", {"ngf": 4, "num_downs": 6}),
    "cyclegan": ("cyclegan", {"ngf": 4, "n_blocks": 2}),
    "transform": ("transform", {"channels": 4, "blocks": 2}),
}

_JUDGED = {"judge_narrow": 1 / 32, "judge_multiplier": 1}

SMALL: Mapping[str, dict[str, Any]] = {
    "gpen": {"size": 16, **_STYLED, **_JUDGED},
    "gfpgan": {"size": 32, "num_style_feat": 16, "num_mlp": 2, "narrow": 1 / 32, "component_width": 4, **_JUDGED},
    "completion": {"size": 16, "channels": (4, 4, 4)},
    "srgan": {"size": 32, "channels": 8, "blocks": 2, "judge_width": 4, "judge_hidden": 8},
    "pix2pix": {"size": 32, "levels": 5, "width": 4, "judge_width": 4},
    "cyclegan": {"features": 4, "blocks": 1, "judge_features": 4},
    "transform": {"size": 32, "channels": 4, "blocks": 1, "style_size": 32},
}

PACE: Mapping[str, dict[str, Any]] = {
    "gpen": {"prior_steps": 20},
    "gfpgan": {"prior": "tuned"},
    "completion": {"steps": 1000, "batch": 8, "fading": 100, "steady": 100},
    "srgan": {"alone": 10},
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache that all commands of a test use."""
    monkeypatch.setenv("FACEJOBS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def network(kind: str) -> nn.Module:
    architecture, arguments = NETWORKS[kind]
    torch.manual_seed(0)
    return build(architecture, arguments).eval()


def written(files: Mapping[str, bytes], folder: Path) -> Path:
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def command(line: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A command as the entry says it, run in the folder."""
    program, *arguments = shlex.split(line)
    assert program == "facejobs"
    monkeypatch.chdir(folder)
    return CliRunner().invoke(app, arguments)


@pytest.mark.parametrize("kind", NETWORKS)
def test_models_add_takes_what_is_exported(
    kind: str, card_facts: CardFacts, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = replace(card_facts, name="mine", model=kind, attributes=("smiling", "male"))
    module = network(kind)
    files = exported({"generator": module}, about, half=True)
    assert set(files) == {"mine.safetensors", "README.md", "models.yaml"}
    entries = yaml.safe_load(files["models.yaml"])
    done = command(entries["commands"][0], written(files, tmp_path), monkeypatch)
    assert done.exit_code == 0, done.output
    found = Cache(folder).find("mine")
    assert found is not None
    entry = Checkpoint(**{name: tuple(v) if isinstance(v, list) else v for name, v in entries["models"][0].items()})
    assert found.checkpoint == entry
    assert entry.sha256 == hashlib.sha256(files["mine.safetensors"]).hexdigest()
    assert entry.architecture == NETWORKS[kind][0]
    assert entry.attributes == (("smiling", "male") if kind == "completion" else ())
    again = from_state_dict(read(found.path))
    wanted = module.state_dict()
    for name, tensor in again.state_dict().items():
        assert torch.equal(tensor, wanted[name].to(torch.float16).to(tensor.dtype))


@pytest.mark.parametrize("kind", ["gpen", "prior", "completion", "srgan"])
def test_the_job_of_the_card_uses_what_is_exported(
    kind: str, card_facts: CardFacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = replace(card_facts, name="mine", model=kind, attributes=("smiling", "male"))
    files = exported({"generator": network(kind)}, about, half=True)
    added = yaml.safe_load(files["models.yaml"])["commands"][0]
    assert command(added, written(files, tmp_path), monkeypatch).exit_code == 0
    job = next(part for part in files["README.md"].decode().split("```yaml\n") if part.startswith("job: restore"))
    (tmp_path / "job.yaml").write_text(job.split("```")[0])
    for folder in ("scans", "masks"):
        (tmp_path / folder).mkdir()
    done = command("facejobs validate job.yaml", tmp_path, monkeypatch)
    assert done.exit_code == 0, done.output
    (tmp_path / "job.yaml").write_text(job.split("```")[0].replace("mine", "another"))
    assert command("facejobs validate job.yaml", tmp_path, monkeypatch).exit_code != 0


def test_compile_builds_an_engine_of_what_is_exported(
    card_facts: CardFacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = exported({"generator": network("gpen")}, card_facts, half=True)
    added = yaml.safe_load(files["models.yaml"])["commands"][0]
    assert command(added, written(files, tmp_path), monkeypatch).exit_code == 0
    line = "facejobs compile small-gpen --engine eager --precision fp32 --device cpu"
    done = command(line, tmp_path, monkeypatch)
    assert done.exit_code == 0, done.output
    assert "gpen" in done.output


def test_weights_keep_their_terms(card_facts: CardFacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bound = replace(card_facts, parents=(Parent("generator", "gpen-bfr-256", noncommercial=True),))
    files = exported({"generator": network("gpen")}, bound, half=False)
    assert "trained from gpen-bfr-256, whose terms allow no commercial use" in files["README.md"].decode()
    assert "accept_noncommercial: [small-gpen]" in files["README.md"].decode()
    done = command(yaml.safe_load(files["models.yaml"])["commands"][0], written(files, tmp_path), monkeypatch)
    assert "NON-COMMERCIAL" in done.stdout
    free = exported({"generator": network("gpen")}, card_facts, half=False)
    assert "noncommercial" not in free["README.md"].decode()


def test_another_hash_is_refused(card_facts: CardFacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = exported({"generator": network("gpen")}, card_facts, half=True)
    place = written(files, tmp_path)
    file = place / "small-gpen.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"\x01")
    done = command(yaml.safe_load(files["models.yaml"])["commands"][0], place, monkeypatch)
    assert done.exit_code == Exit.BAD_JOB


def test_several_networks_become_several_models(card_facts: CardFacts) -> None:
    both = {"forward": network("cyclegan"), "there_and_back": network("cyclegan")}
    files = exported(both, replace(card_facts, model="cyclegan"), half=True)
    assert set(files) == {
        *("small-gpen-forward.safetensors", "small-gpen-there-and-back.safetensors"),
        *("README.md", "models.yaml"),
    }
    entries = yaml.safe_load(files["models.yaml"])
    assert [entry["name"] for entry in entries["models"]] == ["small-gpen-forward", "small-gpen-there-and-back"]
    text = files["README.md"].decode()
    assert "background: {model: small-gpen-forward}" in text
    assert "there_and_back: small-gpen-there-and-back.safetensors" in text


def test_the_same_training_gives_the_same_bytes(card_facts: CardFacts, tmp_path: Path) -> None:
    first = exported({"generator": network("gpen")}, card_facts, half=True)
    for _ in range(5):
        assert exported({"generator": network("gpen")}, card_facts, half=True) == first
    (tmp_path / "x").write_bytes(first["small-gpen.safetensors"])
    with safe_open(tmp_path / "x", framework="pt") as file:
        said = file.metadata()
    assert (said["name"], said["kind"], said["role"], said["steps"]) == ("small-gpen", "gpen", "generator", "5000")
    assert said["card_sha256"] == hashlib.sha256(first["README.md"]).hexdigest()


def test_half_halves_and_keeps_what_float16_cannot_hold(card_facts: CardFacts) -> None:
    module = network("srgan")
    name, weights = next(iter(module.named_parameters()))
    with torch.no_grad():
        weights.flatten()[0] = 1e6
    full = load(exported({"generator": module}, card_facts, half=False)["small-gpen.safetensors"])
    half = load(exported({"generator": module}, card_facts, half=True)["small-gpen.safetensors"])
    assert {tensor.dtype for tensor in full.values() if tensor.is_floating_point()} == {torch.float32}
    assert half[name].dtype == torch.float32
    assert torch.equal(half[name], full[name])
    others = {tensor.dtype for other, tensor in half.items() if other != name and tensor.is_floating_point()}
    assert others == {torch.float16}


def test_weights_that_are_not_finite_are_not_kept(card_facts: CardFacts) -> None:
    module = network("srgan")
    name, weights = next(iter(module.named_parameters()))
    with torch.no_grad():
        weights.flatten()[0] = torch.nan
    with pytest.raises(ValueError, match=f"{name}.*earlier checkpoint"):
        exported({"generator": module}, card_facts, half=True)


def test_channels_last_and_shared_weights_are_kept(card_facts: CardFacts) -> None:
    plain = network("srgan")
    turned = network("srgan").to(memory_format=torch.channels_last)
    assert exported({"g": plain}, card_facts, half=True) == exported({"g": turned}, card_facts, half=True)


def test_what_cannot_be_exported_is_refused(card_facts: CardFacts) -> None:
    with pytest.raises(ValueError, match="no network to keep"):
        exported({}, card_facts, half=True)
    with pytest.raises(ValueError, match="'Small Gpen' is no name of a model"):
        exported({"generator": network("gpen")}, replace(card_facts, name="Small Gpen"), half=True)


@pytest.mark.parametrize("kind", SCHEDULES)
def test_every_schedule_makes_what_can_be_exported_and_begun_with(kind: str, card_facts: CardFacts) -> None:
    entry = SCHEDULES[kind]
    style = {"style": np.zeros((32, 32, 3), np.uint8)}
    names = ("smiling",) if kind == "completion" else ()
    given = Given(
        entry.network(**SMALL[kind]),
        entry.objective(),
        entry.schedule(**{"steps": 20, **PACE.get(kind, {})}),
        pictures=style,
        attributes=names,
    )
    networks = entry.build(given).exports()
    files = exported(networks, replace(card_facts, model=kind, attributes=names), half=True)
    assert len([name for name in files if name.endswith(".safetensors")]) == len(networks)
    further = files["README.md"].decode().split("## How to go on with it")[1].split("```yaml\n")[1].split("```")[0]
    starts = yaml.safe_load(further)["model"]["start"]
    assert set(starts) <= set(MODELS[kind].STARTS)
    assert set(starts.values()) <= set(files)


@pytest.mark.parametrize(
    ("job", "name"),
    [("Small.GPEN_2", "small.gpen_2"), ("-_x", "x"), ("A" * 100, "a" * 64), ("._-", "trained")],
)
def test_a_job_s_name_becomes_one_of_a_model(job: str, name: str) -> None:
    assert model_name(job) == name
