"""Networks that normalise by the whole picture, run window by window: first the statistics, a layer a pass, then it.

Instance normalisation makes every output pixel depend on every input pixel, but only through a mean and a variance for
each channel. Those of the first such layer are sums over windows; with them given, the second layer's can be summed,
and so on. With all of them given the network sees no further than its convolutions, and is tiled as any other. The
result is that of the whole picture at once, up to the rounding of sums; L layers take about (L + 2) / 2 times as long.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from operators.engines.contract import Network
from operators.engines.eager import device_name, exact_arithmetic, thread_limit
from operators.engines.errors import EngineError
from operators.engines.memory import translated
from operators.engines.options import EngineDescription
from operators.networks.folded.norms import FrozenInstanceNorm
from operators.whole.networks import WholeNetwork
from operators.whole.samples import Readable, Window
from operators.whole.tiled import Place, grouped, read
from operators.whole.values import to_planes, to_windows
from operators.whole.windows import Span, Tiling


class _Taken(Exception):  # noqa: N818 - no error: it ends a pass over a window at the layer that is summed
    """A layer's features were summed, and what lies behind it needs them."""


class _Layer(nn.Module):
    """A normalisation whose statistics are its input's own, summed over windows, or given.

    Args:
        norm: the frozen layer.
    """

    def __init__(self, norm: FrozenInstanceNorm) -> None:
        super().__init__()
        self.norm = norm
        self.places: list[Place] | None = None
        self.given: tuple[Tensor, Tensor] | None = None
        self.count = 0
        self.sums: Tensor | None = None

    def clear(self, places: list[Place] | None) -> None:
        """Forget the statistics; with places, sum over the windows to come, else take each input's own."""
        self.places, self.given, self.count, self.sums = places, None, 0, None

    def settle(self) -> None:
        """Make mean and variance of the sums."""
        assert self.sums is not None
        mean, square = self.sums / self.count
        variance = (square - mean.square()).clamp_min(0.0)
        self.given = mean.float()[None, :, None, None], variance.float()[None, :, None, None]

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) onto itself."""
        if self.given is not None:
            return self.norm.normalised(x.float(), *self.given).to(x.dtype)
        if self.places is None:
            result: Tensor = self.norm(x)
            return result
        for features, (rows, columns) in zip(x, self.places, strict=True):
            kept = features[:, _scaled(rows, x.shape[2]), _scaled(columns, x.shape[3])].double()
            sums = torch.stack((kept.sum((1, 2)), kept.square().sum((1, 2))))
            self.sums = sums if self.sums is None else self.sums + sums
            self.count += kept[0].numel()
        raise _Taken


def _scaled(span: Span, length: int) -> slice:
    """What is kept of a window, in features of another resolution."""
    whole = span.stop - span.start
    return slice((span.first - span.start) * length // whole, (span.last - span.start) * length // whole)


class WholeStatistics:
    """A network that normalises by the whole picture, in torch's eager mode and fp32. Not thread-safe.

    Args:
        network: its inference form.
        about: what is known of it.
        device: `cpu`, `cuda` or `cuda:N`.
        threads: CPU threads; 0 leaves the process's own number.
        name: of the model, for messages.
    """

    def __init__(self, network: Network, about: WholeNetwork, device: str, threads: int, name: str) -> None:
        self._about, self._device, self._threads, self._name = about, device, threads, name
        with translated("eager engine: the network cannot be moved"):
            module = copy.deepcopy(network.module).eval()
            self._layers = _wrapped(module)
            self._module = module.to(device)

    def learn(self, source: Readable, places: list[Place], geometry: Tiling) -> None:
        """Sum a picture's statistics, a layer a pass; with one window, it normalises by itself.

        Args:
            source: (H, W, 3).
            places: the picture's windows.
            geometry: whose `batch` windows are run together.

        Raises:
            EngineMemoryError: not enough memory for the windows.
            EngineError: torch failed.
        """
        for layer in self._layers:
            layer.clear(None)
        if len(places) == 1:
            return
        open_layers = list(self._layers)
        while open_layers:
            for group in grouped(places, geometry.batch):
                for layer in open_layers:
                    layer.places = group
                self._sum(to_planes(read(source, group), self._about.entering))
            reached = [layer for layer in open_layers if layer.count]
            for layer in reached:
                layer.settle()
            open_layers = [layer for layer in open_layers if not layer.count]

    def __call__(self, windows: Window) -> Window:
        """Run windows: (N, T, T', 3) float32 in [0, 1] to the same of s times the size.

        Raises:
            OperatorError: `not_finite`.
            EngineMemoryError: not enough memory for the windows.
            EngineError: torch failed.
        """
        made = self._run(torch.from_numpy(to_planes(windows, self._about.entering)))
        return to_windows(made.float().cpu().numpy(), self._about.leaving, self._name)

    def describe(self) -> EngineDescription:
        """What it is."""
        return EngineDescription("eager", torch.__version__, device_name(self._device), "fp32", (1, 1, 1))

    def _sum(self, planes: object) -> None:
        try:
            self._run(torch.as_tensor(planes))
        except _Taken:
            return
        raise EngineError(f"{self._name}: a layer that normalises was not reached")

    def _run(self, planes: Tensor) -> Tensor:
        with thread_limit(self._threads), exact_arithmetic(), torch.inference_mode():
            try:
                made: Tensor = self._module(planes.to(self._device))
            except _Taken:
                raise
            except Exception as error:
                with translated("eager engine: running failed"):
                    raise error from None
            return made


def _wrapped(module: nn.Module) -> list[_Layer]:
    """Put a `_Layer` around every normalisation of a network."""
    found: list[_Layer] = []
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, FrozenInstanceNorm):
                layer = _Layer(child)
                setattr(parent, name, layer)
                found.append(layer)
    return found
