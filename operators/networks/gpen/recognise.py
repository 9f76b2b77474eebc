"""GPEN's arguments, read from the shapes of its tensors."""

from __future__ import annotations

from math import comb
from typing import Any

from operators.networks.layout import Layout, counted, shape_at
from operators.widths import arguments_of


def gpen_arguments(layout: Layout) -> dict[str, Any]:
    """Arguments of `Gpen`.

    Raises:
        LookupError: a tensor that tells one is missing.
        ValueError: what the tensors tell cannot be.
    """
    convolutions = counted(layout, "generator.convs.")
    encoders = counted(layout, "ecd")
    channels = {4: shape_at(layout, "generator.input.input", 4)[1]}
    for index in range(0, convolutions, 2):
        channels[8 << index // 2] = shape_at(layout, f"generator.convs.{index}.conv.weight", 5)[1]
    multiplier, narrow = arguments_of(channels)
    # Only the length is told here; the values stand in the file. Binomial coefficients are what StyleGAN2 uses.
    taps = shape_at(layout, "generator.convs.0.conv.blur.kernel", 2)[0]
    if not 2 <= taps <= 16:
        raise ValueError(f"the resampling filter has {taps} taps")
    return {
        "in_size": 2 << encoders,
        "out_size": 4 << convolutions // 2,
        "style_dim": shape_at(layout, "final_linear.0.weight", 2)[0],
        "n_mlp": counted(layout, "generator.style.", first=1),
        "channel_multiplier": multiplier,
        "narrow": narrow,
        "isconcat": shape_at(layout, "generator.conv1.activate.bias", 1)[0] == 2 * channels[4],
        "lr_mlp": 0.01,
        "blur_kernel": [comb(taps - 1, index) for index in range(taps)],
        "stored_noise": any(name.startswith("generator.noises.") for name in layout),
        # The value stands in the file.
        **({"skip": 0.0} if "skip" in layout else {}),
    }
