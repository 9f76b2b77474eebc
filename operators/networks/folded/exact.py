"""Constants that stay float32 when the network around them is cast to a shorter type."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, cat, nn
from torch.nn import functional

from operators.networks.layers.equalised import SLOPE


class Exact(nn.Module):
    """A module whose registered constants follow it to a device, and stay float32 under `half()` and `bfloat16()`."""

    def __init__(self) -> None:
        super().__init__()
        self._exact: set[str] = set()

    def keep(self, name: str, value: Tensor) -> None:
        """Register a constant as a buffer; the tensor is copied.

        Args:
            name: of the attribute.
            value: any shape; kept as float32.
        """
        self.register_buffer(name, value.detach().float().clone())
        self._exact.add(name)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Exact:
        before = {name: self.get_buffer(name) for name in self._exact}
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        for name, value in before.items():
            if self.get_buffer(name).dtype != value.dtype:
                # From the original, since the cast one has lost its digits.
                self._buffers[name] = value.to(self.get_buffer(name).device)
        return self


class ExactLinear(Exact):
    """Fully connected layer in float32.

    Args:
        weight: (O, I).
        bias: (O,).
        activate: leaky ReLU, its gain being in the weight.
    """

    weight: Tensor
    bias: Tensor

    def __init__(self, weight: Tensor, bias: Tensor, *, activate: bool = False) -> None:
        super().__init__()
        self.keep("weight", weight)
        self.keep("bias", bias)
        self.activate = activate

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., I) float32 to (..., O) float32."""
        y = functional.linear(x, self.weight, self.bias)
        return functional.leaky_relu(y, SLOPE) if self.activate else y


class PerLatent(nn.Module):
    """Styles where every layer has a latent of its own.

    Args:
        layers: one for each style.
        places: which latent each takes.
    """

    def __init__(self, layers: list[ExactLinear], places: list[int]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.places = places

    def forward(self, latents: Tensor) -> list[Tensor]:
        """Map (N, L, D) float32 to the styles, each (N, I)."""
        return [layer(latents[:, place]) for layer, place in zip(self.layers, self.places, strict=True)]


class Together(nn.Module):
    """Styles that all follow from one vector, by one matrix product.

    Args:
        weights: (I, D) for each style.
        biases: (I,) for each style.
    """

    def __init__(self, weights: list[Tensor], biases: list[Tensor]) -> None:
        super().__init__()
        self.layer = ExactLinear(cat(weights), cat(biases))
        self.widths = [len(bias) for bias in biases]

    def forward(self, code: Tensor) -> list[Tensor]:
        """Map (N, D) float32 to the styles, each (N, I)."""
        return list(self.layer(code).split(self.widths, 1))
