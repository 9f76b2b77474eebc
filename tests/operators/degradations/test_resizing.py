"""Resizing against torch and Pillow, which the papers' code uses."""

import numpy as np
import pytest
from PIL import Image

from operators.degradations.resize import Resize
from operators.errors import OperatorError

torch = pytest.importorskip("torch")


def torch_resized(image, size, mode):
    tensor = torch.from_numpy(image.transpose(2, 0, 1).copy())[None]
    corners = {} if mode == "area" else {"align_corners": False}
    return torch.nn.functional.interpolate(tensor, size=size, mode=mode, **corners)[0].numpy().transpose(1, 2, 0)


@pytest.mark.parametrize(("ours", "theirs"), [("bilinear", "bilinear"), ("bicubic", "bicubic"), ("pool", "area")])
@pytest.mark.parametrize("scale", [0.15, 0.37, 0.9, 1.5])
def test_interpolations_are_torchs_without_antialiasing(portrait, ours, theirs, scale):
    result = Resize(scale=scale, interpolation=ours).degrade(portrait, None, (256, 256)).image
    size = (int(256 * scale),) * 2
    assert result.shape == (*size, 3)
    # OpenCV rounds its bicubic and bilinear weights to float32 in another order.
    assert np.abs(result - torch_resized(portrait, size, theirs)).max() < 2e-4


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("bicubic_antialiased", Image.Resampling.BICUBIC), ("nearest", Image.Resampling.NEAREST)],
)
def test_old_photo_interpolations_are_pillows(portrait, ours, theirs):
    result = Resize(scale=0.71, scale_y=0.53, interpolation=ours).degrade(portrait, None, (256, 256)).image
    plane = Image.fromarray(portrait[:, :, 2].copy()).resize((181, 135), theirs)
    assert np.abs(result[:, :, 2] - np.asarray(plane)).max() < 1e-6


def test_area_is_the_mean_of_whole_blocks(portrait):
    result = Resize(divisor=4.0, interpolation="area").degrade(portrait, None, (256, 256)).image
    assert np.allclose(result, portrait.reshape(64, 4, 64, 4, 3).mean(axis=(1, 3)), atol=1e-6)


def test_sizes_are_cut_down_as_the_papers_cut_them(portrait):
    """GFPGAN: int(w // scale); back to the original whatever the size now is."""
    step = Resize(divisor=3.3)
    small = step.degrade(portrait[:200], None, (200, 256)).image
    assert small.shape == (int(200 // 3.3), int(256 // 3.3), 3)
    back = Resize(of="original").degrade(small, None, (200, 256)).image
    assert back.shape == (200, 256, 3)
    assert Resize(divisor=100.0).degrade(small, None, (200, 256)).image.shape == (1, 1, 3)


def test_a_result_that_would_fill_the_memory_is_refused(portrait):
    with pytest.raises(
        OperatorError, match="found a resize to 81920 x 81920 pixels, expected at most 67108864"
    ) as caught:
        Resize(scale=16.0, divisor=0.05).degrade(portrait, None, (256, 256))
    assert caught.value.code == "too_large"


def test_masks_move_with_the_pixels():
    mask = np.zeros((64, 64), dtype=np.float32)
    mask[:, :32] = 1.0
    moved = Resize(divisor=2.0).moved(mask, (64, 64))
    assert moved.shape == (32, 32)
    assert (moved[:, :15] == 1).all()
    assert (moved[:, 17:] == 0).all()
