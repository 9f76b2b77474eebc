"""Measures one picture after the other: reads the truth, makes or reads what each method has of it, compares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from jobs.evaluate.methods import Method
from jobs.evaluate.plan import Network, Plan, Task
from jobs.evaluate.restoring import FaceRestorer
from jobs.evaluate.sides import Picture, Side, SideReader
from jobs.opencv import settle_opencv
from jobs.pairs.preview import shown_at
from operators.engines.errors import EngineError
from operators.errors import OperatorError
from operators.evaluation.baselines import baseline, enlarged
from operators.models import ModelFileError
from pipeline.errors import RecordError, StorageError
from pipeline.retries import is_storage

if TYPE_CHECKING:
    from torch import nn

    from operators.evaluation.measures import Measures, Truth
    from operators.evaluation.vectors import Vectors

Vector = NDArray[np.float32]


@dataclass
class Row:
    """What came of one picture by one method.

    Attributes:
        values: by the measure's name; None where it cannot be taken.
        face: how its face was found; empty where nobody looked.
        error: a code, empty where it was measured.
        message: about the error.
        vector: features, for distances between sets.
        shown: the picture, reduced, for the sheet.
    """

    values: dict[str, float | None] = field(default_factory=dict)
    face: str = ""
    error: str = ""
    message: str = ""
    vector: Vector | None = None
    shown: Picture | None = None


@dataclass
class Looked:
    """What came of a task.

    Attributes:
        name: of the picture.
        rows: one a method.
        truth: of the truth itself; of a picture of the reference set that.
        given: the input, reduced, for the sheet.
        is_reference: whether the picture is of the reference set.
    """

    name: str
    rows: list[Row] = field(default_factory=list)
    truth: Row | None = None
    given: Picture | None = None
    is_reference: bool = False


class Worker:
    """Measures pictures in one process.

    Args:
        plan: without lists.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._settings = plan.settings
        self._truth = _reader(plan.truth)
        self._given = _reader(plan.inputs)
        self._reference = _reader(plan.reference)
        self._readers = [_reader(method.side) for method in plan.methods]
        self._makers = [_maker(method, plan) for method in plan.methods]
        self._measures: Measures | None = None
        self._vectors: Vectors | None = None

    def setup(self) -> None:
        """Load networks.

        Raises:
            operators.models.ModelFileError: a model's file is missing or not the expected one.
            CheckpointError: a model's file is refused.
            ValueError: a network has not the layer that is asked for.
        """
        import torch  # noqa: PLC0415  takes seconds

        from operators.evaluation.measures import Measures  # noqa: PLC0415
        from operators.features import vgg_features  # noqa: PLC0415
        from operators.networks.vgg16.network import Vgg16  # noqa: PLC0415

        settle_opencv()
        torch.set_num_threads(1)
        network = None
        if self._settings.vgg is not None:
            module = _module(self._settings.vgg)
            if not isinstance(module, Vgg16):
                raise ValueError(f"{self._settings.vgg.name}: is no VGG-16, which LPIPS needs")
            network = vgg_features(module, self._settings.vgg.sha256)
        self._measures = Measures(self._settings.measures, network, self._settings.template)
        self._measures.setup()
        self._vectors = _vectors(self._settings.features)
        for maker in self._makers:
            if isinstance(maker, FaceRestorer):
                maker.setup()

    def look(self, task: Task) -> Looked:
        """Measure one picture; whatever is wrong with it or one of its versions is said in rows.

        Raises:
            StorageError: storage refuses.
        """
        if task.reference is not None:
            return Looked(task.name, truth=self._of_reference(task), is_reference=True)
        assert self._measures is not None
        looked = Looked(task.name)
        try:
            truth = self._look_at_truth(task)
        except Exception as error:  # noqa: BLE001  one picture never stops the rest
            looked.truth = failed(error)
            code, message = looked.truth.error, f"truth: {looked.truth.message}"
            looked.rows = [Row(error=f"truth_{code}", message=message) for _ in self._makers]
            return looked
        if truth is not None:
            looked.truth = self._measured(truth.pixels, None, task.shown)
        given, wrong = self._input(task, truth)
        if given is not None and task.shown:
            looked.given = shown_at(given, self._settings.shown_side)
        looked.rows = [self._row(place, task, truth, given, wrong) for place in range(len(self._makers))]
        return looked

    def _look_at_truth(self, task: Task) -> Truth | None:
        if self._truth is None:
            return None
        if task.truth is None:
            raise RecordError("missing", f"{self._truth.side.place}: there is none of that name")
        assert self._measures is not None
        return self._measures.look(self._truth.read(task.truth))

    def _input(self, task: Task, truth: Truth | None) -> tuple[Picture | None, Row]:
        """What restorers are given, at the truth's size; or what is wrong with it."""
        if self._given is None:
            return None, Row()
        if task.given is None:
            return None, Row(error="missing", message=f"{self._given.side.place}: there is none of that name")
        try:
            given = self._given.read(task.given)
        except Exception as error:  # noqa: BLE001  likewise
            wrong = failed(error)
            return None, Row(error=f"input_{wrong.error}", message=f"input: {wrong.message}")
        if truth is not None:
            given = enlarged(given, truth.pixels.shape[1], truth.pixels.shape[0])
        return given, Row()

    def _row(self, place: int, task: Task, truth: Truth | None, given: Picture | None, wrong: Row) -> Row:
        reader, maker, record = self._readers[place], self._makers[place], task.made[place]
        try:
            if reader is not None:
                if record is None:
                    raise RecordError("missing", f"{reader.side.place}: there is none of that name")
                made = self._fitted(reader.read(record), truth)
            elif given is None:
                return Row(error=wrong.error, message=wrong.message)
            else:
                made = maker(given, task.name)
            return self._measured(made, truth, task.shown)
        except Exception as error:  # noqa: BLE001  likewise
            return failed(error)

    def _fitted(self, made: Picture, truth: Truth | None) -> Picture:
        if truth is None or made.shape == truth.pixels.shape:
            return made
        height, width = truth.pixels.shape[:2]
        if not self._settings.resize:
            raise RecordError(
                "other_size",
                f"{made.shape[1]} x {made.shape[0]} pixels, the truth has {width} x {height}; --resize brings it there",
            )
        return enlarged(made, width, height)

    def _measured(self, made: Picture, truth: Truth | None, shown: bool) -> Row:
        assert self._measures is not None
        found = self._measures.compare(made, truth)
        return Row(
            found.values,
            found.face or "",
            vector=None if self._vectors is None else self._vectors.of(made),
            shown=shown_at(made, self._settings.shown_side) if shown else None,
        )

    def _of_reference(self, task: Task) -> Row:
        assert self._reference is not None and self._vectors is not None and task.reference is not None
        try:
            return Row(vector=self._vectors.of(self._reference.read(task.reference)))
        except Exception as error:  # noqa: BLE001  likewise
            return failed(error)


def failed(error: Exception) -> Row:
    """What is said of a picture that could not be measured.

    Raises:
        Exception: the same, where storage, an engine or a model is at fault and not the picture.
    """
    if isinstance(error, RecordError | OperatorError):
        return Row(error=error.code, message=error.message)
    if isinstance(error, StorageError | EngineError | ModelFileError) or is_storage(error):
        raise error
    return Row(error="failed", message=f"{type(error).__name__}: {error}")


def _reader(side: Side | None) -> SideReader | None:
    return None if side is None else SideReader(side)


def _maker(method: Method, plan: Plan) -> Callable[[Picture, str], Picture]:
    """What makes a method's picture of an input and a name."""
    if method.kind == "restorer":
        assert method.settings is not None
        return FaceRestorer(method.settings, plan.settings.template, plan.settings.seed, plan.truth is not None)
    if method.kind == "baseline":
        smooth = baseline(method.baseline)
        return lambda given, _: smooth(given)
    return lambda given, _: given


def _module(network: Network) -> nn.Module:
    from operators.checkpoints import read  # noqa: PLC0415
    from operators.networks import from_state_dict  # noqa: PLC0415

    return from_state_dict(read(network.path))


def _vectors(features: Network | str | None) -> Vectors | None:
    if features is None:
        return None
    from operators.evaluation.vectors import module_vectors, sface_vectors  # noqa: PLC0415

    if isinstance(features, Network):
        return module_vectors(features.name, features.sha256, _module(features), features.layer)
    return sface_vectors()
