"""What the blocks `model` and `schedule` of all kinds of model share."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from jobs.spec.common import Block, Text

ALONE = "*"
"""Name of the network that a start without names is for; which one that is says `ModelBlock.STARTS`."""


def check_starts(value: Any) -> Any:
    """A mapping of networks, from a mapping or from one text.

    Raises:
        ValueError: says what is expected.
    """
    if isinstance(value, str):
        return {ALONE: value}
    if isinstance(value, dict) and all(isinstance(name, str) for name in value):
        return value
    raise ValueError("expected a file, the name of a model, or a mapping such as {generator: mine.safetensors}")


Starts = Annotated[
    dict[str, Text],
    BeforeValidator(check_starts, json_schema_input_type=Text | dict[str, Text]),
]
"""Files or names of models that networks begin as, by the network's name; one text alone is for the first of them."""


class ModelBlock(Block):
    """What all kinds of model have; a kind adds `kind` and the fields of its network."""

    STARTS: ClassVar[tuple[str, ...]] = ("generator",)
    """Names of the networks that can be begun from a file; a start without a name is for the first."""
    SIDE: ClassVar[int] = 256
    """Side of the samples in pixels, where neither the model has a `size` nor the data says one."""
    MULTIPLE: ClassVar[int] = 1
    """Sides that the network takes are multiples of it."""

    start: Starts = Field(default={})
    """What its networks begin as: a file of weights or a model's name, or a mapping by network; empty draws weights."""

    def starts(self) -> dict[str, str]:
        """Files and names of models by the network that they are for."""
        return {self.STARTS[0] if name == ALONE else name: text for name, text in self.start.items()}

    def sample_side(self) -> int | None:
        """Side of the samples that the network was made for, in pixels; None where any will do."""
        size = getattr(self, "size", None)
        return size if isinstance(size, int) else None

    def scale(self) -> int:
        """How many times smaller, in each direction, what the network is given is than what it makes."""
        return 1


class ObjectiveBlock(Block):
    """What all kinds of objective have: nothing. A kind adds a weight for each term; 0 leaves it out."""


class CommonSchedule(Block):
    """What all kinds of schedule have; see `operators.training.schedules.contract.Common`."""

    steps: int = Field(default=10_000, ge=1, le=1_000_000_000)
    """Steps in all."""
    batch: int = Field(default=8, ge=1, le=65_536)
    """Samples of a step over all workers."""
    accumulate: int = Field(default=1, ge=1, le=4096)
    """Parts that a worker's samples of a step are gone through in, to save memory."""
    rate: float = Field(default=2e-3, gt=0.0, le=10.0)
    """Adam's learning rate."""
    warm: int = Field(default=0, ge=0, le=1_000_000_000)
    """Steps in which the learning rate rises to that."""
    decay: float = Field(default=0.0, ge=0.0, le=1.0)
    """Share of the steps, at the end, in which the learning rate falls to a fiftieth, in a straight line."""
    half_life: float = Field(default=10_000.0, ge=0.0, le=1e12)
    """Samples after which what was counts half in the running mean of weights."""
