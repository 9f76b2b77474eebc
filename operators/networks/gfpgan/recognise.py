"""GFPGAN's arguments, read from the shapes of its tensors."""

from __future__ import annotations

from typing import Any

from operators.networks.layout import Layout, counted, shape_at
from operators.widths import arguments_of


def clean_arguments(layout: Layout) -> dict[str, Any]:
    """Arguments of the clean layout.

    Raises:
        LookupError: a tensor that tells one is missing.
        ValueError: what the tensors tell cannot be.
    """
    shape_at(layout, "conv_body_first.weight", 4)
    found = _common(layout)
    # An activation stands between two linear layers.
    found["num_mlp"] = counted(layout, "stylegan_decoder.style_mlp.", first=1, step=2)
    return found


def v1_arguments(layout: Layout) -> dict[str, Any]:
    """Arguments of the paper's layout; the bilinear variant has the same names and shapes.

    Raises:
        LookupError: a tensor that tells one is missing.
        ValueError: what the tensors tell cannot be.
    """
    shape_at(layout, "conv_body_first.0.weight", 4)
    found = _common(layout)
    found["num_mlp"] = counted(layout, "stylegan_decoder.style_mlp.", first=1)
    found["resampling"] = "fir"
    found["lr_mlp"] = 0.01
    return found


def _common(layout: Layout) -> dict[str, Any]:
    decoder = "stylegan_decoder."
    convolutions = counted(layout, f"{decoder}style_convs.")
    channels = {4: shape_at(layout, f"{decoder}constant_input.weight", 4)[1]}
    for index in range(0, convolutions, 2):
        channels[8 << index // 2] = shape_at(layout, f"{decoder}style_convs.{index}.modulated_conv.weight", 5)[1]
    multiplier, narrow = arguments_of(channels)
    features = shape_at(layout, f"{decoder}style_conv1.modulated_conv.modulation.weight", 2)[1]
    codes = shape_at(layout, "final_linear.weight", 2)[0]
    latents = convolutions + 2
    if codes not in {features, features * latents}:
        raise ValueError(f"final_linear.weight makes {codes} values, and {features} or {features * latents} are needed")
    transformed, inner = shape_at(layout, "condition_scale.0.2.weight", 4)[:2]
    return {
        "out_size": 4 << convolutions // 2,
        "num_style_feat": features,
        "channel_multiplier": multiplier,
        "narrow": narrow,
        "different_w": codes == features * latents,
        # Not told by shapes. The released models have both, the published constructor's defaults neither.
        "input_is_latent": codes == features * latents,
        "sft_half": transformed == inner,
        "stored_noise": any(name.startswith(f"{decoder}noises.") for name in layout),
    }
