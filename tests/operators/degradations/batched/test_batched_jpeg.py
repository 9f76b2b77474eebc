"""The batched JPEG and libjpeg-turbo: the same samples, to the bit."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from operators.degradations.batched import transform
from operators.degradations.batched.frames import Frames, stacked
from operators.degradations.batched.jpeg import coded

SAMPLING = {
    "420": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
    "422": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422,
    "444": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
}


def by_opencv(levels, quality, subsampling):
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, SAMPLING[subsampling]]
    _, data = cv2.imencode(".jpg", levels[:, :, ::-1], options)
    return cv2.imdecode(data, cv2.IMREAD_COLOR)[:, :, ::-1]


def batched(images, qualities, subsampling, device):
    frames = stacked([torch.from_numpy(image.transpose(2, 0, 1).copy()) for image in images], torch.device(device))
    found = Frames(coded(frames, qualities, subsampling), frames.sizes).images()
    return [image.permute(1, 2, 0).cpu().numpy() for image in found]


@pytest.mark.parametrize("subsampling", SAMPLING)
def test_every_quality_gives_the_samples_of_libjpeg_turbo(subsampling, device, crop):
    random = np.random.default_rng(1)
    images, qualities = [], list(range(1, 101))
    for quality in qualities:
        height, width = (int(side) for side in random.integers(49, 65, 2))
        image = np.rint(crop(height, width, quality) * 255).astype(np.uint8)
        # Noise fills all coefficients, and saturated colours leave [0, 255] on the way back.
        images.append(image if quality % 2 else random.choice([0, 40, 255], image.shape).astype(np.uint8))
    for image, quality, found in zip(images, qualities, batched(images, qualities, subsampling, device), strict=True):
        assert np.array_equal(found, by_opencv(image, quality, subsampling)), (image.shape, quality)


@pytest.mark.parametrize("subsampling", SAMPLING)
def test_the_border_is_padded_and_interpolated_as_libjpeg_turbo_does(subsampling):
    random = np.random.default_rng(2)
    sizes = [(height, width) for height in (*range(1, 10), 15, 16) for width in (*range(1, 10), 15, 16)]
    images = [random.integers(0, 256, (*size, 3)).astype(np.uint8) for size in sizes]
    for image, found in zip(images, batched(images, [90] * len(images), subsampling, "cpu"), strict=True):
        assert np.array_equal(found, by_opencv(image, 90, subsampling)), image.shape


def test_the_transform_is_the_dct():
    random = np.random.default_rng(3)
    blocks = random.integers(-128, 128, (50, 8, 8)).astype(np.float64)
    exact = np.stack([cv2.dct(block) for block in blocks])
    found = transform.forward(torch.from_numpy(blocks.copy())).numpy()
    assert np.abs(found / 8 - exact).max() < 0.6
    back = transform.inverse(torch.from_numpy(np.rint(exact)))
    assert np.abs(back.numpy() - 128 - blocks).max() <= 2
