"""Noise against SciPy's distributions and scikit-image's noise. Fixed seeds; each test errs in 1 of 10,000 seeds."""

import numpy as np
import pytest
from scipy import stats
from skimage.util import random_noise

from operators.degradations.noise import GaussianNoise, PoissonNoise, SaltAndPepper, SpeckleNoise

ERROR = 1e-4


def generator(seed=11):
    return np.random.default_rng(seed)


def residue(step, image):
    return (step.degrade(image, generator(), image.shape[:2]).image - image).astype(np.float64)


def test_gaussian_noise_is_normal_with_its_deviation(grey):
    noise = residue(GaussianNoise(sigma=10.0), grey)
    assert stats.kstest(noise.ravel(), stats.norm(0, 10 / 255).cdf).pvalue > ERROR
    assert abs(np.corrcoef(noise[:, :, 0].ravel(), noise[:, :, 2].ravel())[0, 1]) < 0.03
    theirs = random_noise(grey, mode="gaussian", var=(10 / 255) ** 2, rng=3) - grey
    assert stats.ks_2samp(noise.ravel(), theirs.ravel()).pvalue > ERROR


def test_speckle_is_scikit_images_and_goes_with_the_value(grey):
    noise = residue(SpeckleNoise(sigma=20.0), grey)
    theirs = random_noise(grey, mode="speckle", var=(20 / 255) ** 2, rng=3) - grey
    assert stats.ks_2samp(noise.ravel(), theirs.ravel()).pvalue > ERROR
    dark = residue(SpeckleNoise(sigma=20.0), grey * np.float32(0.5))
    assert np.isclose(dark.std(), noise.std() / 2, rtol=0.03)


def test_poisson_noise_counts_as_scipys_poisson():
    """Two values give two counts at white; a grey of 51 / 255 has a mean of 0.4 of them."""
    image = np.full((120, 120, 3), 51 / 255, dtype=np.float32)
    image[:, :60] = 0.0
    noisy = PoissonNoise(scale=1.0).degrade(image, generator(), image.shape[:2]).image[:, 60:]
    counts = np.rint(noisy * 2).astype(int).ravel()
    expected = stats.poisson(0.4)
    # Counts above 2 are clipped to white.
    shares = np.array([expected.pmf(0), expected.pmf(1), expected.sf(1)]) * counts.size
    assert stats.chisquare(np.bincount(counts, minlength=3), shares).pvalue > ERROR


def test_poisson_noise_on_a_picture_has_the_variance_of_counts(portrait):
    """Of the values between, so that clipping takes nothing; 256 counts at white for a picture with over 128 values."""
    noise = PoissonNoise(scale=0.5).degrade(portrait, generator(), portrait.shape[:2]).image - portrait
    middle = (portrait > 0.2) & (portrait < 0.8)
    expected = 0.25 * portrait[middle] / 256
    assert np.isclose((noise[middle] ** 2).mean(), expected.mean(), rtol=0.02)


def test_salt_and_pepper_replaces_as_many_values_as_it_says(grey):
    result = SaltAndPepper(amount=0.05, salt=0.7).degrade(grey, generator(), grey.shape[:2])
    counts = [int((result.image == value).sum()) for value in (1.0, 0.0)]
    shares = [0.035, 0.015]
    for count, share in zip(counts, shares, strict=True):
        assert stats.binomtest(count, grey.size, share).pvalue > ERROR
    assert np.array_equal(result.mask > 0, (result.image != grey).any(axis=2))
    theirs = random_noise(grey, mode="s&p", amount=0.05, salt_vs_pepper=0.7, rng=3)
    assert abs((theirs == 1).mean() - counts[0] / grey.size) < 0.006


@pytest.mark.parametrize("step", [GaussianNoise(sigma=9, grey=True), SpeckleNoise(sigma=9, grey=True)])
def test_grey_noise_is_equal_in_all_channels(grey, step):
    noise = residue(step, grey)
    assert np.array_equal(noise[:, :, 0], noise[:, :, 1])
    assert np.array_equal(noise[:, :, 0], noise[:, :, 2])
    assert noise.std() > 0.01


def test_grey_poisson_noise_is_that_of_the_luma(portrait):
    noise = PoissonNoise(scale=1.0, grey=True).degrade(portrait * 0.6 + 0.2, generator(), (256, 256)).image
    noise = noise - (portrait * np.float32(0.6) + np.float32(0.2))
    assert np.abs(noise[:, :, 0] - noise[:, :, 2]).max() < 1e-6
    assert noise.std() > 0.02


def test_noise_of_nothing_changes_nothing(portrait):
    for step in (GaussianNoise(sigma=0.0), SpeckleNoise(sigma=0.0), PoissonNoise(scale=0.0), SaltAndPepper(amount=0.0)):
        assert np.array_equal(step.degrade(portrait, generator(), (256, 256)).image, portrait)
