"""What is missing in a face, seen in its crop: damage of the photograph, or things in front of the face."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from operators.checkpoints.errors import CheckpointError
from operators.completion.regions import Region, grown, without_specks
from operators.damage.detector import DamageDetector, DamageOptions
from operators.engines.options import Profile
from operators.errors import OperatorError
from operators.restorers.completion.options import EVEN, SeeingOptions
from operators.restorers.contract import Equipment, Execution, Faces
from operators.restorers.generator.arrays import to_batch
from operators.restorers.generator.loading import load_network

if TYPE_CHECKING:
    from operators.engines.choose import Runner

PROFILE = Profile(1, 4, 4)
"""Faces at once, as for face parsing."""

SMALLEST = 64
"""Side below which no crop is brought for the search, however small its face."""


class Eye(Protocol):
    """Sees one kind of thing in crops."""

    def setup(self) -> None:
        """Load what it needs."""
        ...

    def seen(self, faces: Faces, reductions: Sequence[float]) -> list[Region]:
        """Where it is: for (N, S, S, 3) float32 in [0, 1] and N source pixels per crop pixel, N of (S, S) bool."""
        ...

    def execution(self) -> Execution:
        """What executed the last batch; resets the events."""
        ...


class Seer:
    """Finds what is missing in crops. Picklable until `setup`; not thread-safe.

    Args:
        options: what is looked for.
        equipment: model files, and where compiled engines are kept.
    """

    def __init__(self, options: SeeingOptions, equipment: Equipment) -> None:
        self._options = options
        self._eye: Eye = OcclusionEye(options, equipment)
        if options.source == "damage":
            self._eye = DamageEye(options, equipment)

    def setup(self) -> None:
        """Load what it needs.

        Raises:
            CheckpointError: the file is refused, or is another network.
            operators.models.ModelFileError: the file cannot be had.
            operators.engines.errors.EngineError: no engine that the options allow can run it.
        """
        self._eye.setup()

    def regions(self, faces: Faces, reductions: Sequence[float]) -> list[Region]:
        """See what is missing: pixels as likely as the options ask, without specks, grown.

        Args:
            faces: (N, S, S, 3) float32 in [0, 1], RGB.
            reductions: source pixels per crop pixel, N of them.

        Returns:
            N of (S, S) bool.

        Raises:
            RuntimeError: `setup` was not called.
            OperatorError: `not_finite` when the network's result holds NaN or infinity.
            operators.engines.errors.EngineError: no engine can run the network any more.
        """
        specks, grow = self._options.specks, self._options.grow
        return [grown(without_specks(region, specks), grow) for region in self._eye.seen(faces, reductions)]

    def execution(self) -> Execution:
        """What executed the last batch; resets the events."""
        return self._eye.execution()


class DamageEye:
    """The detector of damage that comes with the package.

    Args:
        options: with the kinds of damage.
        equipment: where compiled engines are kept.
    """

    def __init__(self, options: SeeingOptions, equipment: Equipment) -> None:
        self._options = options
        engine = replace(options.engine, precision="fp32")
        self._detector = DamageDetector(DamageOptions(engine=engine), equipment.artifacts)

    def setup(self) -> None:
        """Prepare the detector."""
        self._detector.setup()

    def seen(self, faces: Faces, reductions: Sequence[float]) -> list[Region]:
        """Damage of the wanted kinds.

        A crop that enlarges its face is looked at in the face's own size: damage that is blurred looks like none.
        """
        side = faces.shape[1]
        found = []
        for face, reduction in zip(faces, reductions, strict=True):
            own = min(side, max(SMALLEST, math.ceil(side * reduction)))
            mask = self._detector.detect(scaled(face, own)).mask(self._options.kinds, self._options.certainty)
            found.append(scaled(mask.astype(np.float32), side) >= np.float32(0.5))
        return found

    def execution(self) -> Execution:
        """What executed the last batch; resets the events."""
        return self._detector.execution()


class OcclusionEye:
    """A face parser of any classes, some of which hide a face.

    Args:
        options: with the model and its classes.
        equipment: model files, and where compiled engines are kept.
    """

    def __init__(self, options: SeeingOptions, equipment: Equipment) -> None:
        self._options = options
        self._equipment = equipment
        self._runner: Runner | None = None
        self._side = 0

    def setup(self) -> None:
        """Read and recognise the checkpoint, and prepare the engine."""
        from operators.engines.choose import Runner  # noqa: PLC0415 - imports torch

        options, files = self._options, self._equipment.files
        network = load_network(files, options.model, options.sha256, ("parsenet",), "the search for occlusions")
        classes = network.output_shape[0]
        if max(options.classes) >= classes or network.output_shape[1:] != network.input_shape[1:]:
            raise CheckpointError(
                "wrong_classes",
                f"{options.model} tells {classes} classes, numbered from 0, for {network.input_shape[-1]} pixels a "
                f"side in and {network.output_shape[-1]} out; classes {list(options.classes)} were asked for",
            )
        runner = Runner(network, replace(options.engine, profile=PROFILE), self._equipment.artifacts)
        runner.prepare()
        self._runner, self._side = runner, network.input_shape[-1]

    def seen(self, faces: Faces, reductions: Sequence[float]) -> list[Region]:
        """Pixels at which the probabilities of the classes that hide a face add up to enough."""
        least = np.float32(EVEN if self._options.certainty is None else self._options.certainty)
        found: list[Region] = []
        for start in range(0, len(faces), PROFILE.best):
            part = self._likely(faces[start : start + PROFILE.best])
            found += [scaled(plane, faces.shape[1]) >= least for plane in part]
        return found

    def execution(self) -> Execution:
        """What executed the last batch; resets the events. Empty before `setup`."""
        if self._runner is None:
            return Execution()
        return Execution(engine=dict(self._runner.description), events=dict(self._runner.events()))

    def _likely(self, faces: Faces) -> NDArray[np.float32]:
        """(N, side, side) float32 in [0, 1] for at most a batch of faces."""
        import torch  # noqa: PLC0415 - seconds; see `setup`

        if self._runner is None:
            raise RuntimeError(f"the search for occlusions by {self._options.model} was not set up: call setup() first")
        batch = to_batch([scaled(face, self._side) for face in faces], (-1.0, 1.0))
        logits = self._runner.run(torch.from_numpy(batch))
        if not bool(logits.isfinite().all()):
            raise OperatorError("not_finite", f"{self._options.model} returned NaN or infinity: try precision fp32")
        likely: NDArray[np.float32] = logits.double().softmax(1)[:, list(self._options.classes)].sum(1).float().numpy()
        return likely


def scaled(pixels: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """A square plane or picture at another side: averaged when it shrinks, linear when it grows."""
    if pixels.shape[0] == side:
        return pixels
    method = cv2.INTER_AREA if pixels.shape[0] > side else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, (side, side), interpolation=method), dtype=np.float32)
