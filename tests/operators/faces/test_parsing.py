import hashlib

import cv2
import numpy as np
import pytest

from operators.checkpoints import CheckpointError
from operators.engines.options import EngineOptions
from operators.errors import OperatorError
from operators.faces.face_regions import OUTSIDE, face_region, soft_mask
from operators.faces.parsing import FaceParser
from operators.restorers.contract import Equipment

EAGER = EngineOptions(engine="eager", precision="fp32", device="cpu", threads=1)
ARGUMENTS = {"in_size": 64, "out_size": 64, "min_feat_size": 32, "base_ch": 8, "res_depth": 1, "ch_range": [8, 16]}


class OneFolder:
    """Model files in a folder."""

    def __init__(self, folder):
        self.folder = folder

    def path(self, name, sha256):
        path = self.folder / name
        assert hashlib.sha256(path.read_bytes()).hexdigest() == sha256
        return path


@pytest.fixture(scope="module")
def parsers(tmp_path_factory):
    """Makes parsers of tiny ParseNets with random weights; `biased` towards classes by name."""
    import torch

    from operators.networks import build

    folder = tmp_path_factory.mktemp("parsenets")

    def make(name, classes=19, bias=None):
        with torch.random.fork_rng():
            torch.manual_seed(3)
            network = build("parsenet", {**ARGUMENTS, "parsing_ch": classes}).eval().requires_grad_(False)
        if bias is not None:
            network.out_mask_conv.conv2d.bias.copy_(torch.tensor(bias))
        torch.save(network.state_dict(), folder / name)
        sha256 = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        return FaceParser(Equipment(OneFolder(folder)), name, sha256, EAGER), network

    return make


@pytest.fixture(scope="module")
def faces(portrait):
    side = 64
    face = cv2.resize(portrait.crop, (side, side), interpolation=cv2.INTER_AREA)
    noise = np.random.default_rng(1).random((4, side, side, 3), dtype=np.float32)
    return np.concatenate([face[None], face[None, :, ::-1], noise])


def test_masks_are_made_of_what_the_network_says(parsers, faces):
    import torch

    parser, network = parsers("random.pth")
    parser.setup()
    masks = parser.masks(faces)
    assert (masks.shape, masks.dtype) == ((6, 64, 64), np.float32)
    assert masks.min() >= 0.0 and masks.max() <= 1.0
    assert not masks[:, [0, -1], :].any() and not masks[:, :, [0, -1]].any()
    logits = network(torch.from_numpy(faces.transpose(0, 3, 1, 2) * 2 - 1)).numpy()
    assert np.abs(masks - np.stack([soft_mask(face_region(one)) for one in logits])).max() < 1e-3
    assert parser.execution().engine["used"]["engine"] == "eager"


def test_a_mask_does_not_depend_on_the_other_faces(parsers, faces):
    parser, _ = parsers("random.pth")
    parser.setup()
    together = parser.masks(faces)
    assert np.array_equal(parser.masks(faces[::-1])[::-1], together)
    assert all(np.array_equal(parser.masks(faces[i : i + 1])[0], together[i]) for i in range(len(faces)))


@pytest.mark.parametrize("label", [1, 13, *OUTSIDE])
def test_all_of_one_class(label, parsers, faces):
    bias = [0.0] * 19
    bias[label] = 1e4
    parser, _ = parsers(f"all-{label}.pth", bias=bias)
    parser.setup()
    masks = parser.masks(faces[:2])
    if label in OUTSIDE:
        assert not masks.any()
    else:
        assert masks[:, 8:-8, 8:-8].min() == 1.0


@pytest.mark.parametrize("side", [40, 128, 150])
def test_faces_of_other_sizes_are_brought_to_the_networks(side, parsers, faces):
    parser, _ = parsers("random.pth")
    parser.setup()
    own = parser.masks(faces[:1])[0]
    resized = cv2.resize(faces[0], (side, side), interpolation=cv2.INTER_CUBIC)[None]
    masks = parser.masks(np.clip(resized, 0, 1))
    assert masks.shape == (1, side, side)
    assert not masks[:, [0, -1], :].any() and not masks[:, :, [0, -1]].any()
    back = cv2.resize(masks[0], (64, 64), interpolation=cv2.INTER_AREA)
    assert np.abs(back - own).mean() < 0.1


def test_what_does_not_fit_is_refused(parsers, faces):
    parser, _ = parsers("random.pth")
    with pytest.raises(RuntimeError, match=r"random\.pth was not set up"):
        parser.masks(faces)
    assert parser.execution().engine == {}
    parser.setup()
    assert parser.masks(faces[:0]).shape == (0, 64, 64)
    with pytest.raises(ValueError, match=r"\(6, 64, 32, 3\): expected \(N, S, S, 3\)"):
        parser.masks(faces[:, :, :32])
    with pytest.raises(OperatorError) as caught:
        parser.masks(np.full_like(faces, np.inf))
    assert caught.value.code == "not_finite"
    fewer, _ = parsers("eleven.pth", classes=11)
    with pytest.raises(CheckpointError, match="19 classes") as refused:
        fewer.setup()
    assert refused.value.code == "wrong_size"
