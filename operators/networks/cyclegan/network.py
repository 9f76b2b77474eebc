"""CycleGAN's generator as it is trained, with the parameter names of pytorch-CycleGAN-and-pix2pix."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from operators.networks.pix2pix.network import Normalisation, normalisation

Padding = Literal["reflect", "zero"]
DOWNS = 2


class Block(nn.Module):
    """Residual block of two convolutions.

    Args:
        channels: of the features.
        norm: kind of normalisation.
        padding: mirrored, or zeros.
        dropout: drop half of the features between the convolutions, in training.
    """

    def __init__(self, channels: int, *, norm: Normalisation, padding: Padding, dropout: bool) -> None:
        super().__init__()
        mirrored = padding == "reflect"

        def conv() -> list[nn.Module]:
            made = nn.Conv2d(channels, channels, 3, padding=0 if mirrored else 1, bias=norm == "instance")
            return [*([nn.ReflectionPad2d(1)] if mirrored else []), made, normalisation(norm, channels)]

        between: list[nn.Module] = [nn.ReLU(), *([nn.Dropout(0.5)] if dropout else [])]
        self.conv_block = nn.Sequential(*conv(), *between, *conv())

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, channels, H, W) onto itself."""
        result: Tensor = x + self.conv_block(x)
        return result


class CycleGan(nn.Module):
    """Two halvings, residual blocks, two doublings.

    Args:
        input_nc: channels of the input picture.
        output_nc: of the output.
        ngf: channels at full resolution.
        n_blocks: residual blocks; 9 as published for 256 pixels, 6 for 128.
        norm: kind of normalisation.
        padding: of the residual blocks.
        use_dropout: whether the blocks drop features in training; they have other names then.

    Raises:
        ValueError: padding or normalisation is not known.
    """

    def __init__(
        self,
        input_nc: int = 3,
        output_nc: int = 3,
        *,
        ngf: int = 64,
        n_blocks: int = 9,
        norm: Normalisation = "instance",
        padding: Padding = "reflect",
        use_dropout: bool = False,
    ) -> None:
        super().__init__()
        if padding not in ("reflect", "zero"):
            raise ValueError(f"padding is {padding!r}; expected reflect or zero")
        bias = norm == "instance"
        parts: list[nn.Module] = [nn.ReflectionPad2d(3), nn.Conv2d(input_nc, ngf, 7, bias=bias)]
        parts += [normalisation(norm, ngf), nn.ReLU()]
        for level in range(DOWNS):
            wide = ngf << (level + 1)
            parts += [nn.Conv2d(wide // 2, wide, 3, 2, 1, bias=bias), normalisation(norm, wide), nn.ReLU()]
        for _ in range(n_blocks):
            parts.append(Block(ngf << DOWNS, norm=norm, padding=padding, dropout=use_dropout))
        for level in range(DOWNS):
            wide = ngf << (DOWNS - level)
            up = nn.ConvTranspose2d(wide, wide // 2, 3, 2, 1, output_padding=1, bias=bias)
            parts += [up, normalisation(norm, wide // 2), nn.ReLU()]
        parts += [nn.ReflectionPad2d(3), nn.Conv2d(ngf, output_nc, 7), nn.Tanh()]
        self.model = nn.Sequential(*parts)

    def forward(self, x: Tensor) -> Tensor:
        """Translate.

        Args:
            x: (N, input_nc, H, W) in [-1, 1], RGB; H and W multiples of 4.

        Returns:
            (N, output_nc, H, W) in [-1, 1].
        """
        result: Tensor = self.model(x)
        return result
