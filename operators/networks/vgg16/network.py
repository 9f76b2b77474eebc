"""VGG-16 in the layout of torchvision's ImageNet weights (Simonyan and Zisserman, 2015, configuration D)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

DEPTHS = (2, 2, 3, 3, 3)
"""Convolutions of the five blocks."""
LAYERS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3")
"""The last activation of each block."""
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet, for RGB in [0, 1]."""


def normalised(pictures: Tensor) -> Tensor:
    """From [-1, 1] to ImageNet's mean and deviation, (N, 3, H, W)."""
    channels = zip(torch.split(pictures, 1, 1), _MEAN, _DEVIATION, strict=True)
    return torch.cat([(x + 1 - 2 * mean) / (2 * deviation) for x, mean, deviation in channels], dim=1)


class Vgg16(nn.Module):
    """The classifier as it was published; `trunk` gives what perceptual losses take of it.

    Args:
        widths: channels of the five blocks.
        hidden: width of the two hidden linear layers.
        classes: of the output.
    """

    def __init__(
        self, widths: Sequence[int] = (64, 128, 256, 512, 512), hidden: int = 4096, classes: int = 1000
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        self.places: dict[str, int] = {}
        for block, (depth, width) in enumerate(zip(DEPTHS, widths, strict=True), start=1):
            for index in range(1, depth + 1):
                layers += [nn.Conv2d(before, width, 3, padding=1), nn.ReLU()]
                self.places[f"relu{block}_{index}"] = len(layers) - 1
                before = width
            layers.append(nn.MaxPool2d(2, 2))
        self.features = nn.Sequential(*layers)
        self.pool = nn.AdaptiveAvgPool2d(7)
        self.classifier = nn.Sequential(
            nn.Linear(before * 49, hidden),
            nn.ReLU(),
            nn.Dropout(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Dropout(),
            nn.Linear(hidden, classes),
        )

    def forward(self, pictures: Tensor) -> Tensor:
        """Classify.

        Args:
            pictures: (N, 3, H, W) RGB in [-1, 1].

        Returns:
            (N, classes), logits.
        """
        scores: Tensor = self.classifier(self.pool(self.features(normalised(pictures))).flatten(1))
        return scores

    def trunk(self, layers: tuple[str, ...] = LAYERS) -> VggMaps:
        """What gives the maps of some activations, without what comes after the last of them; it shares the weights.

        Raises:
            ValueError: no activation has one of the names.
        """
        for name in layers:
            if name not in self.places:
                raise ValueError(f"VGG-16 has no activation {name!r}; it has {', '.join(self.places)}")
        return VggMaps(self, layers)


class VggMaps(nn.Module):
    """Feature maps of a VGG-16.

    Args:
        vgg: the whole network.
        layers: names of activations.
    """

    def __init__(self, vgg: Vgg16, layers: tuple[str, ...]) -> None:
        super().__init__()
        self.names = {vgg.places[name]: name for name in layers}
        self.features = nn.ModuleList(vgg.features.children())[: max(self.names) + 1]

    def forward(self, pictures: Tensor) -> Mapping[str, Tensor]:
        """Map (N, 3, H, W) in [-1, 1]."""
        x, found = normalised(pictures), {}
        for place, layer in enumerate(self.features):
            x = layer(x)
            if place in self.names:
                found[self.names[place]] = x
        return found
