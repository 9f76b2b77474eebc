"""SRGAN's discriminator."""

from __future__ import annotations

from torch import Tensor, nn


class VggDiscriminator(nn.Module):
    """Eight convolutions, every second of which halves the size, and two linear layers.

    Ledig et al., "Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network" (2017), figure
    4; its last sigmoid is part of the objective.

    Args:
        size: pixels a side of the pictures, a multiple of 16.
        width: of the first layer; doubled three times.
        hidden: of the linear layer.

    Raises:
        ValueError: the size is no multiple of 16.
    """

    def __init__(self, size: int = 96, width: int = 64, hidden: int = 1024) -> None:
        super().__init__()
        if size % 16:
            raise ValueError(f"pictures of {size} pixels a side: expected a multiple of 16")
        layers: list[nn.Module] = [nn.Conv2d(3, width, 3, 1, 1), nn.LeakyReLU(0.2)]
        before = width
        for number in range(1, 8):
            after = width * 2 ** (number // 2)
            layers += [nn.Conv2d(before, after, 3, 1 + number % 2, 1, bias=False), nn.BatchNorm2d(after)]
            layers.append(nn.LeakyReLU(0.2))
            before = after
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Linear(before * (size // 16) ** 2, hidden), nn.LeakyReLU(0.2), nn.Linear(hidden, 1)
        )

    def forward(self, pictures: Tensor) -> Tensor:
        """Judge (N, 3, size, size): (N, 1), logits."""
        judged: Tensor = self.classifier(self.features(pictures).flatten(1))
        return judged
