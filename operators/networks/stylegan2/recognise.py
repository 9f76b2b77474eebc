"""StyleGAN2's arguments, read from the shapes of its tensors."""

from __future__ import annotations

from math import comb
from typing import Any

from operators.networks.layout import Layout, counted, shape_at
from operators.widths import arguments_of


def stylegan2_arguments(layout: Layout) -> dict[str, Any]:
    """Arguments of `StyleGan2`.

    Raises:
        LookupError: a tensor that tells one is missing.
        ValueError: what the tensors tell cannot be.
    """
    convolutions = counted(layout, "convs.")
    channels = {4: shape_at(layout, "input.input", 4)[1]}
    for index in range(0, convolutions, 2):
        channels[8 << index // 2] = shape_at(layout, f"convs.{index}.conv.weight", 5)[1]
    multiplier, narrow = arguments_of(channels)
    taps = shape_at(layout, "convs.0.conv.blur.kernel", 2)[0]
    if not 2 <= taps <= 16:
        raise ValueError(f"the resampling filter has {taps} taps")
    return {
        "resolution": 4 << convolutions // 2,
        "style_dim": shape_at(layout, "style.1.weight", 2)[0],
        "n_mlp": counted(layout, "style.", first=1),
        "channel_multiplier": multiplier,
        "narrow": narrow,
        "isconcat": shape_at(layout, "conv1.activate.bias", 1)[0] == 2 * channels[4],
        "lr_mlp": 0.01,
        "blur_kernel": [comb(taps - 1, index) for index in range(taps)],
        "stored_noise": any(name.startswith("noises.") for name in layout),
        "latent_avg": "latent_avg" in layout,
    }
