"""Faces that a prior draws, with a small PGGAN of random weights."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from operators.checkpoints.errors import CheckpointError
from operators.faces.templates import template_points
from operators.networks.pggan.network import Pggan
from operators.restorers.anonymize.options import AnonymizeOptions
from operators.restorers.anonymize.restorer import AnonymizeRestorer
from operators.restorers.contract import Equipment, FaceContext

OPTIONS = AnonymizeOptions("generated", prior="small", sha256="0" * 64)


class OneFile:
    """Model files of which there is one."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def path(self, _name: str, _sha256: str) -> Path:
        return self._path


@pytest.fixture(scope="module")
def equipment(tmp_path_factory):
    with torch.random.fork_rng():
        torch.manual_seed(3)
        network = Pggan(16, z_space_dim=32, fmaps_base=256, fmaps_max=32)
    path = tmp_path_factory.mktemp("models") / "small.safetensors"
    save_file(network.state_dict(), path)
    return Equipment(OneFile(path))


def shown(equipment, seeds, crop):
    restorer = AnonymizeRestorer(OPTIONS, equipment)
    restorer.setup()
    contexts = [FaceContext(template_points("head", 128), gray=False, reduction=1.0, seed=seed) for seed in seeds]
    result = restorer.restore(np.stack([crop] * len(seeds)), contexts)
    return result, restorer.execution().engine


def test_a_face_follows_from_its_seed_alone(equipment):
    crop = np.random.default_rng(1).random((128, 128, 3), dtype=np.float32)
    together, engine = shown(equipment, [5, 6, 5, 2**64 - 1], crop)
    alone, _ = shown(equipment, [6], crop)
    assert np.array_equal(together[1], alone[0]), "whichever share its batch"
    assert np.array_equal(together[0], together[2])
    assert np.abs(together[0] - together[1]).max() > 0.02
    assert {"engine", "version", "device", "precision"} <= set(engine["used"])
    assert not (np.abs(together[0] - crop).max(axis=2) == 0).any()


def test_a_file_without_a_generator_is_refused(tmp_path):
    save_file({"weight": torch.zeros(3, 3)}, tmp_path / "other.safetensors")
    with pytest.raises(CheckpointError, match="other"):
        AnonymizeRestorer(OPTIONS, Equipment(OneFile(tmp_path / "other.safetensors"))).setup()


def test_it_needs_to_be_told_where_the_prior_lies():
    with pytest.raises(ValueError, match="equipment"):
        AnonymizeRestorer(OPTIONS)
