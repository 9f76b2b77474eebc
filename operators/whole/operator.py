"""Whole pictures through a network with weights, on the best engine there is: enlarged, cleaned or translated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from operators.restorers.contract import Equipment, Execution
from operators.restorers.generator.loading import load_network
from operators.whole.networks import WholeNetwork, architectures, whole_network
from operators.whole.options import WholeOptions, halved, tiling
from operators.whole.samples import Readable, Writable
from operators.whole.tiled import laid_out, tiled

if TYPE_CHECKING:
    from operators.engines.contract import Network
    from operators.whole.execution import Executor
    from operators.whole.windows import Tiling

VERSION = "1"
"""Raised when the same picture would give other pixels."""
TILE_HALVED = "tile_halved"


@dataclass(frozen=True)
class WholeInfo:
    """What goes into the record of every picture that the operator made.

    Attributes:
        name: of the model.
        version: changes whenever the same picture would give other pixels.
        weights_sha256: content hash of the weights.
        parameters: every setting that changes the output.
    """

    name: str
    version: str
    weights_sha256: str
    parameters: Mapping[str, Any]


class WholeImage:
    """Runs whole pictures through one network. Deterministic, and picklable until `setup`. Not thread-safe.

    Args:
        options: the model and how it is used.
        equipment: model files, and where compiled engines are kept.
    """

    def __init__(self, options: WholeOptions, equipment: Equipment) -> None:
        self._options = options
        self._equipment = equipment
        self._network: Network | None = None
        self._about: WholeNetwork | None = None
        self._geometry: Tiling | None = None
        self._executor: Executor | None = None
        self._smallest = False
        self._events: Counter[str] = Counter()

    @property
    def info(self) -> WholeInfo:
        """Description for records, run identity and report; needs no file and no network."""
        options = self._options
        engine = options.engine
        return WholeInfo(
            name=options.model,
            version=VERSION,
            weights_sha256=options.sha256,
            parameters={
                "tile": options.tile,
                "overlap": options.overlap,
                "engine": engine.engine,
                "precision": engine.precision,
                "device": engine.device,
                "batch": engine.profile.best,
            },
        )

    @property
    def network(self) -> WholeNetwork:
        """What is known of the network: its scale, its reach.

        Raises:
            RuntimeError: `setup` was not called.
        """
        if self._about is None:
            raise RuntimeError(f"{self._options.model} was not set up: call setup() first")
        return self._about

    def setup(self) -> None:
        """Read and recognise the checkpoint, and prepare the engine; called once in the process that will `enlarge`.

        Raises:
            CheckpointError: the file is refused, or holds no network for whole pictures.
            ValueError: tile and overlap do not suit the network, or it is none for pictures in colour.
            operators.models.ModelFileError: the file cannot be had.
            operators.engines.errors.EngineError: no engine that the options allow can run it.
        """
        options = self._options
        network = load_network(
            self._equipment.files, options.model, options.sha256, architectures(), "the operator for whole pictures"
        )
        about = whole_network(network.architecture, network.arguments)
        self._network, self._about = network, about
        self._geometry = tiling(about, options.tile, options.overlap)
        self._prepare()

    def enlarge(self, source: Readable, target: Writable) -> None:
        """Run a picture; memory does not grow with its size.

        Args:
            source: (H, W, 3) RGB; uint8, uint16 or float in [0, 1]; an array, a memory map, whatever gives windows.
            target: (s H, s W, 3), any of these types, in memory of its own. When an error is raised it is in part
                written.

        Raises:
            RuntimeError: `setup` was not called.
            ValueError: a shape or a type is another.
            OperatorError: `not_finite` when the network's result holds NaN or infinity.
            operators.engines.errors.EngineError: no engine can run the network any more.
        """
        from operators.engines.errors import EngineMemoryError  # noqa: PLC0415 - imports torch

        while True:
            executor, geometry = self._executor, self._geometry
            if executor is None or geometry is None:
                raise RuntimeError(f"{self._options.model} was not set up: call setup() first")
            places = laid_out(source, target, geometry)
            try:
                run = executor.runs(source, places)
                tiled(run, source, target, replace(geometry, batch=executor.batch))
                return
            except EngineMemoryError as error:
                self._shrink(error)

    def execution(self) -> Execution:
        """What executed the last picture; resets the events. Empty before `setup`.

        Among the events, beside an engine's, is `tile_halved`. The engine's description has the tiles it ran, too.
        """
        if self._executor is None or self._geometry is None:
            return Execution()
        events = self._events + Counter(self._executor.events())
        self._events = Counter()
        tiles = {"tile": self._geometry.tile, "overlap": self._geometry.margin}
        return Execution(engine={**self._executor.description, "tiles": tiles}, events=dict(events))

    def _prepare(self) -> None:
        """Make the executor, with smaller tiles where memory does not suffice."""
        from operators.engines.errors import EngineMemoryError  # noqa: PLC0415 - imports torch
        from operators.whole.execution import executor  # noqa: PLC0415

        options, network, about = self._options, self._network, self._about
        assert network is not None
        assert about is not None
        while self._executor is None:
            assert self._geometry is not None
            try:
                self._executor = executor(
                    network,
                    about,
                    self._geometry,
                    options.engine,
                    self._equipment.artifacts,
                    options.model,
                    hold=not self._smallest,
                )
            except EngineMemoryError as error:
                self._make_smaller(error)

    def _shrink(self, error: Exception) -> None:
        """Go on with smaller tiles after an engine ran out of memory."""
        if self._executor is not None:
            self._events += Counter(self._executor.events())
            self._executor.close()
            self._executor = None
        self._make_smaller(error)
        self._prepare()

    def _make_smaller(self, error: Exception) -> None:
        """Halve the tiles; where they are as small as can be, let the engines be changed; and then give up."""
        assert self._geometry is not None
        smaller = halved(self._geometry)
        if smaller is not None:
            self._geometry = smaller
            self._events[TILE_HALVED] += 1
        elif self._smallest or self.network.reach is None:
            raise error
        else:
            self._smallest = True
