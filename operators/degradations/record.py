"""A drawn step as data, and its way back from a record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from operators.degradations.checks import refusal
from operators.degradations.contract import Degradation
from operators.degradations.distributions import Constant
from operators.degradations.problems import KeyPath, Problem, RecipeError, meant, shown
from operators.degradations.streams import SEED_DIGITS
from operators.degradations.table import DEGRADATIONS

FORK, AGAIN, JOIN = "uneven-fork", "uneven-again", "uneven-join"
"""What a drawn `uneven` leaves between its steps: keep the picture; begin again from it; lay a square of the first
result on the second."""
_JOIN_PARAMETERS = ("side", "left", "top")


@dataclass(frozen=True)
class DrawnStep:
    """One step as it was drawn. A list of them and the source image make the degraded image, bit for bit.

    Attributes:
        id: in the recipe, with `~2` and so on for repeats.
        use: the degradation's name.
        version: the degradation's, as its pixels were when this was drawn.
        seed: of the generator for its pixels, 64 hexadecimal digits.
        both: whether the target gets the same.
        parameters: every one of them, with those the recipe does not name.
    """

    id: str
    use: str
    version: str
    seed: str
    both: bool
    parameters: Mapping[str, Constant]

    def to_record(self) -> dict[str, Any]:
        """JSON values; floats survive JSON exactly (their shortest repr)."""
        return {**asdict(self), "parameters": dict(self.parameters)}

    def degradation(self) -> Degradation:
        """The degradation with its parameters."""
        return DEGRADATIONS[self.use].model_validate(dict(self.parameters))


def from_record(data: Any, name: str = "record") -> tuple[DrawnStep, ...]:
    """Drawn steps from what `DrawnStep.to_record` gave, through JSON or not.

    Args:
        data: a list of mappings.
        name: what messages call it.

    Raises:
        RecipeError: it is no such list, or was drawn for a version of a degradation that this build does not have.
    """
    if not isinstance(data, Sequence) or isinstance(data, (str, bytes)):
        raise RecipeError(name, [Problem((), f"found {shown(data)}, expected a list of drawn steps")])
    problems = [problem for index, item in enumerate(data) for problem in _check_record((index,), item)]
    if problems:
        raise RecipeError(name, problems)
    return tuple(DrawnStep(**{**item, "parameters": dict(item["parameters"])}) for item in data)


_FORM: dict[str, type] = {"id": str, "use": str, "version": str, "seed": str, "both": bool, "parameters": Mapping}


def _check_record(path: KeyPath, item: Any) -> Iterator[Problem]:
    if not isinstance(item, Mapping) or set(item) != set(_FORM):
        yield Problem(path, f"found {shown(item)}, expected a mapping with {', '.join(_FORM)}")
        return
    for key, form in _FORM.items():
        if not isinstance(item[key], form):
            yield Problem((*path, key), f"found {shown(item[key])}, expected {form.__name__.lower()}")
            return
    if len(item["seed"]) != SEED_DIGITS or set(item["seed"]) - set("0123456789abcdef"):
        yield Problem((*path, "seed"), f"found {shown(item['seed'])}, expected {SEED_DIGITS} hexadecimal digits")
    if item["use"] in (FORK, AGAIN, JOIN):
        yield from _check_marker(path, item)
        return
    degradation = DEGRADATIONS.get(item["use"])
    if degradation is None:
        yield Problem((*path, "use"), f"unknown degradation {shown(item['use'])}{meant(item['use'], DEGRADATIONS)}")
        return
    if item["version"] != degradation.version:
        versions = f"version {shown(item['version'])} of {item['use']}, this build has {degradation.version}"
        message = f"was drawn for {versions}: its pixels would differ; use the build that made the record"
        yield Problem((*path, "version"), message)
    wrong = set(item["parameters"]) ^ set(degradation.model_fields)
    if wrong:
        yield Problem((*path, "parameters"), f"found {shown(sorted(wrong))} too many or missing for {item['use']}")
        return
    for key, value in item["parameters"].items():
        if wrongness := refusal(degradation, key, value):
            yield Problem((*path, "parameters", key), wrongness)


def _check_marker(path: KeyPath, item: Mapping[str, Any]) -> Iterator[Problem]:
    expected = _JOIN_PARAMETERS if item["use"] == JOIN else ()
    found = item["parameters"]
    sound = set(found) == set(expected) and all(
        isinstance(found[key], (int, float)) and not isinstance(found[key], bool) and 0 <= found[key] <= 1
        for key in expected
    )
    names = ", ".join(expected) or "none"
    if not sound:
        yield Problem((*path, "parameters"), f"found {shown(found)}, expected {names} in [0, 1]")
