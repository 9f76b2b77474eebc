"""What runs a picture's windows: an engine for tiles, torch for other sizes, passes for statistics of the whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

import torch

from operators.engines.choose import Runner
from operators.engines.contract import Network
from operators.engines.eager import EagerEngine
from operators.engines.errors import EngineMemoryError
from operators.engines.ladder import ladder
from operators.engines.options import ArtifactStore, EngineDescription, EngineOptions
from operators.whole.networks import WholeNetwork
from operators.whole.samples import Readable, Window
from operators.whole.statistics import WholeStatistics
from operators.whole.tiled import Place, Run
from operators.whole.values import to_planes, to_windows
from operators.whole.windows import Tiling

_PROBE_SIDE = 64


class Executor(Protocol):
    """Runs the windows of one picture after the other."""

    batch: int
    """Windows that it wants together."""

    def runs(self, source: Readable, places: list[Place]) -> Run:
        """Make ready for a picture.

        Args:
            source: (H, W, 3).
            places: its windows.

        Returns:
            What runs them.

        Raises:
            EngineMemoryError: not enough memory for windows of this size.
            EngineError: no engine is left.
        """
        ...

    @property
    def description(self) -> Mapping[str, Any]:
        """What executed the last picture, as `Runner.description` says it."""
        ...

    def events(self) -> Mapping[str, int]:
        """What happened since the last call, by name."""
        ...

    def close(self) -> None:
        """Free the engine."""
        ...


def executor(
    network: Network,
    about: WholeNetwork,
    geometry: Tiling,
    options: EngineOptions,
    store: ArtifactStore | None,
    name: str,
    *,
    hold: bool,
) -> Executor:
    """The executor that a network needs, prepared.

    Args:
        network: its inference form.
        about: what is known of it.
        geometry: tiles.
        options: what is asked of the engine.
        store: for compiled engines.
        name: of the model, for messages.
        hold: raise EngineMemoryError where a single tile is too large, in place of going to the next engine.

    Raises:
        EngineMemoryError: a single tile is too large.
        EngineError: no engine can run it.
    """
    if about.reach is None:
        return _Passes(network, about, geometry, options, name)
    return _Tiles(network, about, geometry, options, store, name, hold=hold)


class _Tiles:
    """A compiled engine for tiles; torch in fp32 where the picture is shorter than a tile, since every size is new.

    Args:
        network: its inference form.
        about: what is known of it.
        geometry: tiles.
        options: what is asked of the engine.
        store: for compiled engines.
        name: of the model, for messages.
        hold: raise EngineMemoryError where a single tile is too large.
    """

    def __init__(
        self,
        network: Network,
        about: WholeNetwork,
        geometry: Tiling,
        options: EngineOptions,
        store: ArtifactStore | None,
        name: str,
        *,
        hold: bool,
    ) -> None:
        shaped = for_side(network, about, geometry.tile)
        self._network, self._about, self._options, self._name = shaped, about, options, name
        self._device = ladder(options).device
        self.batch = _batch(self._device, options)
        self._events: Counter[str] = Counter()
        self._eager: EagerEngine | None = None
        self._last_eager = False
        self._runner = Runner(shaped, options, store, hold=hold, probe=_probe(network, about, geometry, self._device))
        try:
            self._runner.prepare()
        except EngineMemoryError:
            self.close()
            raise

    def runs(self, source: Readable, places: list[Place]) -> Run:
        side = self._network.input_shape[-1]
        rows, columns = places[0]
        self._last_eager = (rows.stop - rows.start, columns.stop - columns.start) != (side, side)
        return self._other_size if self._last_eager else self._tile

    @property
    def description(self) -> Mapping[str, Any]:
        if self._eager is None or not self._last_eager:
            return self._runner.description
        return described(self._options, self._eager.describe(), self.batch)

    def events(self) -> Mapping[str, int]:
        happened = self._events + Counter(self._runner.events())
        self._events.clear()
        return happened

    def close(self) -> None:
        self._runner.close()
        if self._eager is not None:
            self._eager.close()

    def _tile(self, windows: Window) -> Window:
        made = self._runner.run(torch.from_numpy(to_planes(windows, self._about.entering)))
        return to_windows(made.numpy(), self._about.leaving, self._name)

    def _other_size(self, windows: Window) -> Window:
        if self._eager is None:
            engine = EagerEngine("fp32", self._device, self._options)
            engine.prepare(self._network)
            self._eager = engine
        made = self._eager.run(torch.from_numpy(to_planes(windows, self._about.entering)))
        return to_windows(made.cpu().numpy(), self._about.leaving, self._name)


class _Passes:
    """Torch in fp32, for networks that normalise by the whole picture.

    Args:
        network: its inference form.
        about: what is known of it.
        geometry: tiles.
        options: device and threads are taken from here.
        name: of the model, for messages.
    """

    def __init__(
        self, network: Network, about: WholeNetwork, geometry: Tiling, options: EngineOptions, name: str
    ) -> None:
        device = ladder(options).device
        self._options = options
        self.batch = _batch(device, options)
        self._geometry = replace(geometry, batch=self.batch)
        self._statistics = WholeStatistics(network, about, device, options.threads, name)

    def runs(self, source: Readable, places: list[Place]) -> Run:
        self._statistics.learn(source, places, self._geometry)
        return self._statistics

    @property
    def description(self) -> Mapping[str, Any]:
        return described(self._options, self._statistics.describe(), self.batch)

    def events(self) -> Mapping[str, int]:
        return {}

    def close(self) -> None:
        """Nothing is held but the module."""


def described(asked: EngineOptions, used: EngineDescription, batch: int) -> Mapping[str, Any]:
    """What was asked for and what is used, in the form of `Runner.description`, where torch alone was in question.

    Args:
        asked: of the engine.
        used: the engine.
        batch: windows run together.
    """
    return {
        "asked": {
            "engine": asked.engine,
            "precision": asked.precision,
            "device": asked.device,
            "strict": asked.strict,
            "profile": [asked.profile.least, asked.profile.best, asked.profile.most],
        },
        "used": {
            "engine": used.engine,
            "version": used.version,
            "device": used.device,
            "precision": used.precision,
            "batch": batch,
            # On a CPU windows are run one by one; a GPU's kernels may depend on how many there are.
            "exact": batch == 1,
            "details": dict(used.details),
        },
        "passed_over": [],
    }


def for_side(network: Network, about: WholeNetwork, side: int) -> Network:
    """A network for squares of one size, as engines take it.

    Args:
        network: that takes any size.
        about: what is known of it.
        side: input pixels, a multiple of the network's.
    """
    return replace(
        network,
        input_shape=(3, side, side),
        output_shape=(3, side * about.scale, side * about.scale),
        # Compiled engines and references are kept under it, and hold for one size.
        variant={**network.variant, "tile": side},
    )


def _probe(network: Network, about: WholeNetwork, geometry: Tiling, device: str) -> Network | None:
    """The network for a small square, for the gate on a CPU: at the size of a tile it would take many minutes there."""
    side = -(-_PROBE_SIDE // about.multiple) * about.multiple
    return for_side(network, about, side) if device == "cpu" and side < geometry.tile else None


def _batch(device: str, options: EngineOptions) -> int:
    """Windows run together: a batch gains a CPU nothing, and alone in it a window depends on no other."""
    return 1 if device == "cpu" else options.profile.best
