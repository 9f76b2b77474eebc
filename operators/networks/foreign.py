"""Networks that users try to load and that are not among ours, told by the names of their tensors."""

from __future__ import annotations

import re
from collections.abc import Iterable

# Each is told by patterns that must all be found at the beginning of some name.
_FOREIGN: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "SRVGGNetCompact, an upscaler such as realesr-general",
        (r"body\.0\.weight$", r"body\.1\.weight$", r"body\.2\.bias$"),
    ),
    ("CodeFormer", (r"quantize\.embedding\.", r"ft_layers\.\d+\.self_attn\.")),
    ("RestoreFormer", (r"(vqvae\.)?quantize\.embedding\.", r"(vqvae\.)?decoder\.conv_in\.")),
    ("a VQGAN, such as CodeFormer's", (r"quantize\.embedding\.", r"(encoder|generator)\.blocks\.")),
    (
        "a StyleGAN2 discriminator, such as the -D files of GPEN",
        (r"convs\.0\.0\.", r"final_conv\.0\.", r"final_linear\.1\."),
    ),
    (
        "the discriminator of a completion network, which training alone needs",
        (r"from_picture\.\d+\.", r"blocks\.\d+\.first\.", r"realness\."),
    ),
    ("a StyleGAN2 discriminator", (r"conv_body\.0\.0\.", r"final_conv\.0\.", r"final_linear\.1\.")),
    ("a StyleGAN2 generator without an encoder", (r"style_mlp\.1\.", r"constant_input\.", r"to_rgb1\.")),
    ("RetinaFace, a face detector", (r"ClassHead\.0\.", r"BboxHead\.0\.")),
    ("BiSeNet, a face parser", (r"cp\.resnet\.", r"ffm\.")),
    ("a face recognition network such as ArcFace", (r"layer1\.0\.", r"fc5\.")),
    ("a face recognition network such as ArcFace", (r"input_layer\.0\.", r"body\.0\.res_layer\.")),
)


def foreign_family(names: Iterable[str]) -> str | None:
    """What a state dict with these names looks like, None when it looks like none of the known strangers."""
    kept = list(names)
    for family, patterns in _FOREIGN:
        if all(any(re.match(pattern, name) for name in kept) for pattern in patterns):
            return family
    return None
