"""Noise models: drawn exactly as NumPy draws, weighted as their variance says, and a floor that residuals reach."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from operators.inversion.noise import Noise

PICTURE = np.random.default_rng(8).random((64, 64, 3), dtype=np.float32) * np.float32(0.6) + np.float32(0.2)


def test_what_is_drawn() -> None:
    drawn = np.random.default_rng(5).standard_normal(PICTURE.shape, dtype=np.float32)
    expected = np.clip(PICTURE + drawn * np.float32(0.1), 0, 1)
    assert (Noise("gaussian", 0.1).added(PICTURE, np.random.default_rng(5)) == expected).all()

    counts = np.random.default_rng(5).poisson(PICTURE.astype(np.float64) * 80.0)
    expected = np.clip(counts / 80.0, 0, 1).astype(np.float32)
    assert (Noise("poisson", 80.0).added(PICTURE, np.random.default_rng(5)) == expected).all()

    place = np.random.default_rng(5).random(PICTURE.shape[:2])
    expected = PICTURE.copy()
    expected[place < 0.2] = 1.0
    expected[place < 0.1] = 0.0
    assert (Noise("salt-and-pepper", 0.2).added(PICTURE, np.random.default_rng(5)) == expected).all()


def test_weights_are_the_inverse_of_the_variance() -> None:
    observed = torch.from_numpy(PICTURE).permute(2, 0, 1)[None].double()
    assert Noise("gaussian", 0.1).weights(observed) is None
    light = observed.numpy()
    expected = (1 / light) / (1 / light).mean()
    weights = Noise("poisson", 80.0).weights(observed)
    assert weights is not None
    np.testing.assert_allclose(weights.numpy(), expected, rtol=1e-12)
    spoilt = observed.clone()
    spoilt[0, :, :16] = 1.0
    spoilt[0, 0, 40] = 0.0  # one channel alone is no pepper
    weights = Noise("salt-and-pepper", 0.3).weights(spoilt)
    assert weights is not None
    assert (weights[0, :, :16] == 0).all()
    assert np.allclose(weights[0, :, 16:], 64 / 48)


@pytest.mark.parametrize("noise", [Noise("gaussian", 0.05), Noise("poisson", 300.0)])
def test_the_truth_leaves_as_much_residual_as_the_floor_says(noise: Noise) -> None:
    noisy = noise.added(PICTURE, np.random.default_rng(9))
    observed = torch.from_numpy(noisy).permute(2, 0, 1)[None].double()
    squared = torch.from_numpy(np.square(noisy - PICTURE)).permute(2, 0, 1)[None].double()
    weights, floor = noise.weights(observed), noise.floor(observed)
    assert floor is not None
    residual = (squared if weights is None else squared * weights).mean((1, 2, 3))
    assert residual.item() == pytest.approx(floor.item(), rel=0.05)


@pytest.mark.parametrize(("kind", "level"), [("gaussian", 0.0), ("gaussian", 1.5), ("poisson", -1.0), ("speckle", 0.1)])
def test_levels_that_cannot_be(kind: str, level: float) -> None:
    with pytest.raises(ValueError, match=r"level|speckle"):
        Noise(kind, level)  # type: ignore[arg-type]
