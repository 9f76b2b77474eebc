from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import nn

from operators.evaluation.baselines import BASELINES, baseline, enlarged
from operators.evaluation.vectors import module_vectors, sface_vectors
from operators.features.sface import SFace
from operators.networks import from_state_dict
from operators.networks.recognition import build
from operators.networks.table import ARCHITECTURES
from operators.networks.vgg16.network import Vgg16


def test_median_and_gaussian_are_those_of_scipy(face: np.ndarray) -> None:
    inside = (slice(12, -12), slice(12, -12))
    median = ndimage.median_filter(face, size=(5, 5, 1))
    np.testing.assert_array_equal(baseline("median:2")(face)[inside], median[inside])
    smooth = ndimage.gaussian_filter(face.astype(np.float64), (1.2, 1.2, 0), truncate=6)
    assert np.abs(baseline("gaussian:1.2")(face)[inside] - smooth[inside]).max() < 1.6


@pytest.mark.parametrize("name", BASELINES)
def test_baselines_keep_shape_and_smooth_noise(face: np.ndarray, name: str) -> None:
    noise = np.random.default_rng(0).normal(0, 12, face.shape)
    noisy = np.asarray(np.clip(face + noise, 0, 255), np.uint8)
    made = baseline(name)(noisy)
    assert made.shape == face.shape and made.dtype == np.uint8
    before, after = (np.abs(each.astype(int) - face).mean() for each in (noisy, made))
    assert after == before if name == "bicubic" else after < 0.85 * before


def test_strength_is_used(face: np.ndarray) -> None:
    for name in ("median:3", "gaussian:3", "bilateral:90", "non-local-means:30"):
        assert not np.array_equal(baseline(name)(face), baseline(name.partition(":")[0])(face))


@pytest.mark.parametrize("text", ["mean", "median:0.5", "median:x", "gaussian:nan", "bicubic:2", "bilateral:999"])
def test_what_is_no_baseline(text: str) -> None:
    with pytest.raises(ValueError, match=text.partition(":")[0]):
        baseline(text)


def test_enlarging_is_bicubic_and_reducing_averages(face: np.ndarray) -> None:
    assert enlarged(face, 192, 192) is face
    small = enlarged(face, 96, 96)
    means = face.reshape(96, 2, 96, 2, 3).mean((1, 3))
    assert np.abs(small - means).max() <= 0.51
    np.testing.assert_array_equal(
        enlarged(small, 192, 192), cv2.resize(small, (192, 192), interpolation=cv2.INTER_CUBIC)
    )


def test_vector_of_sface_is_the_mean_of_its_map(face: np.ndarray) -> None:
    big = cv2.resize(face, (256, 256), interpolation=cv2.INTER_CUBIC)
    shown = torch.from_numpy(big.transpose(2, 0, 1)[None].astype(np.float32) / 127.5 - 1)
    with torch.inference_mode():
        expected = SFace().maps(shown, ("conv_12",))["conv_12"][0].numpy().mean((1, 2))
    vectors = sface_vectors()
    assert vectors.name == "sface:conv_12"
    np.testing.assert_allclose(vectors.of(face), expected, rtol=1e-4, atol=1e-5)


def test_vector_of_vgg_and_of_a_named_layer(face: np.ndarray) -> None:
    torch.manual_seed(0)
    vgg = Vgg16(widths=(2, 3, 4, 4, 5), hidden=8, classes=3).eval()
    assert module_vectors("mine", "0", vgg).of(face).shape == (5,)
    assert module_vectors("mine", "0", vgg, "relu2_2").of(face).shape == (3,)
    with pytest.raises(ValueError, match="relu9_9"):
        module_vectors("mine", "0", vgg, "relu9_9")


def test_vector_of_any_network_is_taken_at_a_layer(face: np.ndarray) -> None:
    module = small("cyclegan")
    layer = next(name for name, each in module.named_modules() if isinstance(each, nn.Conv2d))
    found = module_vectors("mine", "0", module, layer)
    seen: list[torch.Tensor] = []
    module.get_submodule(layer).register_forward_hook(lambda _, __, given: seen.append(given))
    vector = found.of(cv2.resize(face, (found.side, found.side)))
    np.testing.assert_allclose(vector, seen[0][0].mean((1, 2)).numpy(), rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match=r"no layer is named; write mine:LAYER"):
        module_vectors("mine", "0", module)
    with pytest.raises(ValueError, match="'nowhere' is not in it"):
        module_vectors("mine", "0", module, "nowhere")


def test_a_network_that_takes_no_pictures_is_refused() -> None:
    module = small("completion")
    layer = next(name for name, _ in module.named_modules() if name)
    with pytest.raises(ValueError, match="expected a network that takes RGB pictures"):
        module_vectors("mine", "0", module, layer)


def small(architecture: str) -> nn.Module:
    torch.manual_seed(0)
    return from_state_dict(build(architecture, ARCHITECTURES[architecture].example).state_dict())
