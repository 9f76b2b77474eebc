"""Finds damage on photographs with a small network, tile by tile, and wide damage on a smaller copy.

Importing this is quick; `setup` imports torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from operators.damage.found import Damage
from operators.damage.kinds import KINDS, Kind
from operators.damage.overview import PLACES, enlarged_part, overview_size, reduced
from operators.damage.pixels import Pixels, check_pixels
from operators.damage.tiles import GRID, SMALLEST, Window, core_for, tile_of, windows
from operators.damage.weights import card, load
from operators.engines.options import ArtifactStore, EngineOptions, Profile
from operators.errors import OperatorError
from operators.restorers.contract import Execution

if TYPE_CHECKING:
    from operators.engines.choose import Runner

BORDER = 96
"""Pixels around a tile that the network sees, too: as far as its output can depend on its input, so that no seam shows
(`operators.networks.damage.network.reach`)."""

_ENGINE = EngineOptions(engine="eager", precision="fp32", device="cpu")
_PROFILE = Profile(1, 1, 1)
_FOUR = ((0, False), (0, True), (2, False), (2, True))
_VIEWS = {1: _FOUR[:1], 4: _FOUR, 8: (*_FOUR, (1, False), (1, True), (3, False), (3, True))}
"""Quarter turns, and whether mirrored before."""
_LARGEST = 4096


@dataclass(frozen=True)
class DamageOptions:
    """How the detector works.

    Attributes:
        tile: pixels a side that are found at once, a power of two from 128 to 4096; it decides memory and speed, and
            changes no value but by rounding.
        views: how many ways round each tile is looked at: as it is (1), mirrored and upside down (4), or turned by
            quarters as well (8). Their mean is less often wrong than one (docs/damage.md), and takes as many times as
            long. The shipped thresholds are for 4.
        overview: longer side, pixels, of a smaller copy on which tears and missing corners are looked for, as they are
            too wide to be known at a larger size (docs/damage.md). 128 or more; 0 looks for all kinds at the picture's
            own size. A picture no larger than that has no copy.
        thresholds: by kind, in place of those that come with the weights.
        engine: what executes the network; its profile is not used. Eager fp32 on the CPU by default: it is ready at
            once, and nothing that compiles gained more than a third on a network this small.
    """

    tile: int = 512
    views: int = 4
    overview: int = 512
    thresholds: Mapping[Kind, float] = field(default_factory=dict)
    engine: EngineOptions = _ENGINE


class DamageDetector:
    """Sees scratches, tears, missing corners, stamps, cracks and dust. Picklable until `setup`; not thread-safe.

    Args:
        options: how it works.
        artifacts: where compiled engines are kept; None compiles anew each time.

    Raises:
        ValueError: an option is not one there is.
    """

    def __init__(self, options: DamageOptions | None = None, artifacts: ArtifactStore | None = None) -> None:
        self._options = options or DamageOptions()
        tile = self._options.tile
        if not SMALLEST <= tile <= _LARGEST or tile & (tile - 1):
            raise ValueError(f"found tile {tile}, expected a power of two from {SMALLEST} to {_LARGEST}")
        if self._options.views not in _VIEWS:
            raise ValueError(f"found views {self._options.views}, expected 1, 4 or 8")
        overview = self._options.overview
        if overview != 0 and not SMALLEST <= overview <= _LARGEST:
            raise ValueError(f"found overview {overview}, expected 0, or from {SMALLEST} to {_LARGEST}")
        unknown = set(self._options.thresholds) - set(KINDS)
        if unknown:
            raise ValueError(f"found thresholds of {', '.join(sorted(unknown))}, expected some of {', '.join(KINDS)}")
        for kind, value in self._options.thresholds.items():
            if not 0.0 < value <= 1.0:
                raise ValueError(f"found the threshold {value} of {kind}, expected more than 0 and at most 1")
        self._artifacts = artifacts
        self._runners: dict[int, Runner] | None = None
        self._latest: Runner | None = None

    @property
    def info(self) -> Mapping[str, Any]:
        """What decides the result, for records and run identity; JSON values."""
        known = card()
        return {
            "detector": "damage",
            "version": known.version,
            "weights_sha256": known.sha256,
            "views": self._options.views,
            "overview": self._options.overview,
            "thresholds": dict(self._thresholds()),
        }

    def setup(self) -> None:
        """Read the weights and prepare the engine for full tiles.

        Raises:
            CheckpointError: the package's own weights are damaged.
            operators.engines.errors.EngineError: no engine that the options allow can run the network.
        """
        if self._runners is None:
            self._runners = {}
            self._runner(self._options.tile)

    def detect(self, image: Pixels) -> Damage:
        """Find damage.

        Args:
            image: (H, W, 3) RGB: floats in [0, 1], uint8 or uint16; 16 pixels and more on each side.

        Returns:
            Maps of the image's size.

        Raises:
            RuntimeError: `setup` was not called.
            ValueError: the image is no such array.
            OperatorError: `too_small`: the image is; `not_finite`: it holds NaN or infinity.
            operators.engines.errors.EngineError: no engine can run the network any more.
        """
        check_pixels(image)
        maps = np.empty((len(KINDS), *image.shape[:2]), dtype=np.float32)
        self.scan(image, maps)
        return Damage(dict(zip(KINDS, maps, strict=True)), self._thresholds())

    def scan(self, source: Pixels, target: NDArray[Any]) -> None:
        """Find damage window by window, with no more memory for a large scan than for one tile and the smaller copy.

        Args:
            source: as for `detect`; may be a memory map, which is read a few rows at a time for the copy, and then by
                windows.
            target: (kinds, H, W) float32, or uint8 for values times 255, in the order of `KINDS`; may be a memory map.

        Raises:
            RuntimeError, ValueError, OperatorError, EngineError: as `detect`; ValueError also where the target fits
                not.
        """
        check_pixels(source)
        height, width = source.shape[:2]
        if target.shape != (len(KINDS), height, width) or target.dtype not in (np.float32, np.uint8):
            message = f"found a target of {target.dtype} and shape {target.shape}"
            raise ValueError(f"{message}, expected float32 or uint8 of ({len(KINDS)}, {height}, {width})")
        wide = self._wide(source)
        core = core_for(height, width, self._options.tile)
        for window in windows(height, width, core):
            values = self._values(source, window, core)
            if wide is not None:
                values[PLACES, :, :] = enlarged_part(wide, window, height, width)
            place = np.s_[:, window.top : window.top + window.rows, window.left : window.left + window.columns]
            target[place] = np.rint(values * np.float32(255.0)) if target.dtype == np.uint8 else values

    def execution(self) -> Execution:
        """What executed the last picture; resets the events. Empty before the first."""
        if self._latest is None:
            return Execution()
        return Execution(engine=dict(self._latest.description), events=dict(self._latest.events()))

    def close(self) -> None:
        """Free the engines; `setup` prepares them again."""
        for runner in (self._runners or {}).values():
            runner.close()
        self._runners, self._latest = None, None

    def _thresholds(self) -> Mapping[Kind, float]:
        return {**card().thresholds, **self._options.thresholds}

    def _wide(self, source: Pixels) -> NDArray[np.float32] | None:
        """(wide kinds, h, w) float32: what is found on the smaller picture; None where there is none."""
        size = overview_size(source.shape[0], source.shape[1], self._options.overview)
        if size is None:
            return None
        picture, core = reduced(source, size), core_for(*size, self._options.tile)
        maps = np.empty((len(PLACES), *size), dtype=np.float32)
        for window in windows(*size, core):
            place = np.s_[:, window.top : window.top + window.rows, window.left : window.left + window.columns]
            maps[place] = self._values(picture, window, core)[PLACES, :, :]
        return maps

    def _values(self, source: Pixels, window: Window, core: int) -> NDArray[np.float32]:
        """(kinds, rows, columns) float32 in [0, 1] of one tile."""
        import torch  # noqa: PLC0415 - seconds; see `setup`

        tile, runner = tile_of(source, window, core, BORDER), self._runner(core)
        total = np.zeros((len(KINDS), core, core), dtype=np.float32)
        views = _VIEWS[self._options.views]
        for turns, mirrored in views:
            shown = torch.from_numpy(_turned(tile, turns, mirrored)[None])
            seen = runner.run(shown).numpy()[0, :, BORDER : BORDER + core, BORDER : BORDER + core]
            total += _turned_back(seen, turns, mirrored)
        inner = total[:, : window.rows, : window.columns] / np.float32(len(views))
        if not np.isfinite(inner).all():
            raise OperatorError("not_finite", "the damage network returned NaN or infinity: try precision fp32")
        return np.asarray(1.0 / (1.0 + np.exp(-inner)), dtype=np.float32)

    def _runner(self, core: int) -> Runner:
        """The engine for tiles of one size, prepared when it is first wanted."""
        from operators.engines.choose import Runner  # noqa: PLC0415 - imports torch, which takes seconds

        if self._runners is None:
            raise RuntimeError("the damage detector was not set up: call setup() first")
        if core not in self._runners:
            assert core % GRID == BORDER % GRID == 0
            runner = Runner(load(core + 2 * BORDER), replace(self._options.engine, profile=_PROFILE), self._artifacts)
            runner.prepare()
            self._runners[core] = runner
        self._latest = self._runners[core]
        return self._latest


def _turned(planes: NDArray[np.float32], turns: int, mirrored: bool) -> NDArray[np.float32]:
    """(N, S, S) mirrored left to right, then turned by quarters."""
    flipped = planes[:, :, ::-1] if mirrored else planes
    return np.ascontiguousarray(np.rot90(flipped, turns, (1, 2)))


def _turned_back(planes: NDArray[np.float32], turns: int, mirrored: bool) -> NDArray[np.float32]:
    back = np.rot90(planes, -turns, (1, 2))
    return back[:, :, ::-1] if mirrored else back
