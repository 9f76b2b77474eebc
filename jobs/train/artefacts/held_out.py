"""Measures over held-out samples: how near what was made comes to the truth, beside how near what was given is."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from jobs.train.artefacts.facts import HeldOut, Interval
from operators.evaluation.bootstrap import intervals
from operators.evaluation.table import PICTURE_MEASURES

if TYPE_CHECKING:
    from operators.evaluation.measures import Measures

Pictures = NDArray[np.uint8]

MADE, TRUTH = "made", "truth"
_SEED = 0
"""Of what the bootstrap draws."""


@dataclass(frozen=True, slots=True)
class Words:
    """How a measure is spoken of.

    Attributes:
        label: for people.
        unit: of its numbers; empty for none.
        better: `higher`, `lower`, or empty where that is not known.
        digits: decimals that are worth showing.
        summary: what it is, one sentence; empty where that is not known.
    """

    label: str
    unit: str
    better: str
    digits: int
    summary: str


def measured(step: int, pictures: Mapping[str, Pictures], measures: Measures) -> HeldOut:
    """Measure held-out samples.

    Args:
        step: steps that were done.
        pictures: as a schedule shows them: `made`, and `truth` where there is one; the first of the others is what was
            given; where that is the truth itself, as with networks that translate there and back, it is not measured.
            (N, H, W, 3) uint8 RGB each. What has another size than the truth is brought to it first, by cubic
            interpolation where it is smaller and by area where it is larger.
        measures: set up.

    Returns:
        Means with intervals, of what was made, of what was given, and of the difference between the two.

    Raises:
        ValueError: nothing was made, or the arrays hold different numbers of samples.
    """
    if MADE not in pictures:
        raise ValueError(f"pictures are called {', '.join(pictures)}; expected one of them to be {MADE!r}")
    if len({len(each) for each in pictures.values()}) > 1:
        counts = {name: len(each) for name, each in pictures.items()}
        raise ValueError(f"the pictures of held-out samples differ in number: {counts}; expected the same")
    made, truth = pictures[MADE], pictures.get(TRUTH)
    given = next((each for name, each in pictures.items() if name not in (MADE, TRUTH)), None)
    if given is not None and truth is not None and np.array_equal(given, truth):
        given = None
    of_made: list[dict[str, float | None]] = []
    of_given: list[dict[str, float | None]] = []
    for index in range(len(made)):
        if truth is None:
            of_made.append(measures.measure(made[index]))
            continue
        known = measures.look(truth[index])
        of_made.append(measures.compare(_as_large(made[index], truth[index]), known).values)
        if given is not None:
            of_given.append(measures.compare(_as_large(given[index], truth[index]), known).values)
    return HeldOut(step, len(made), _means(of_made), _means(of_given), _means(_differences(of_made, of_given)))


def interval(values: Sequence[float | None]) -> Interval:
    """The mean of values and its 95 % interval, by the bootstrap as `facejobs evaluate` has it.

    Args:
        values: one a sample; None and what is not finite is left out.
    """
    known = [value for value in values if value is not None and math.isfinite(value)]
    if not known:
        return Interval(None, None, None, 0)
    found = intervals(np.array(known, np.float64)[:, np.newaxis], _SEED)[0]
    return Interval(found.mean, found.low, found.high, found.count)


def written(measured: HeldOut) -> bytes:
    """As JSON, for `samples/<step>.json`."""
    return (json.dumps(asdict(measured), indent=1) + "\n").encode()


def read(data: bytes) -> HeldOut:
    """What `written` wrote.

    Raises:
        ValueError: it is something else.
    """
    try:
        found = json.loads(data)
        made, given, gain = (_intervals(found[name]) for name in ("made", "given", "gain"))
        return HeldOut(int(found["step"]), int(found["samples"]), made, given, gain)
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"these are no measures of held-out samples ({type(error).__name__}: {error})") from None


def words_of(name: str) -> Words:
    """How a measure is spoken of; one that is not known is called by its name."""
    known = PICTURE_MEASURES.get(name)
    if known is None:
        return Words(name.replace("_", " "), "", "", 4, "")
    return Words(known.label, known.unit, known.better, known.digits, known.summary)


def in_words(value: Interval | None, digits: int) -> str:
    """A mean with its interval, such as `24.13 [23.80, 24.51]`; a dash where there is none."""
    if value is None or value.mean is None:
        return "\N{EN DASH}"
    mean = f"{value.mean:.{digits}f}"
    if value.low is None or value.high is None:
        return mean
    return f"{mean} [{value.low:.{digits}f}, {value.high:.{digits}f}]"


def change(name: str, measured: HeldOut) -> str:
    """How what was made stands beside what was given.

    Returns:
        `better` or `worse` where the interval of the difference lies on one side of 0, else `not told apart`; empty
        where nothing is known.
    """
    gain, better = measured.gain.get(name), words_of(name).better
    if gain is None or gain.low is None or gain.high is None or not better:
        return ""
    if gain.low <= 0.0 <= gain.high:
        return "not told apart"
    return "better" if (gain.low > 0.0) == (better == "higher") else "worse"


def _means(values: Sequence[Mapping[str, float | None]]) -> dict[str, Interval]:
    return {name: interval([each[name] for each in values]) for name in (values[0] if values else ())}


def _differences(
    made: Sequence[Mapping[str, float | None]], given: Sequence[Mapping[str, float | None]]
) -> list[dict[str, float | None]]:
    """Made less given, sample by sample."""
    pairs = zip(made, given, strict=False)
    return [{name: _difference(value, before.get(name)) for name, value in after.items()} for after, before in pairs]


def _difference(made: float | None, given: float | None) -> float | None:
    return None if made is None or given is None else made - given


def _as_large(picture: Pictures, truth: Pictures) -> Pictures:
    if picture.shape == truth.shape:
        return picture
    height, width = truth.shape[:2]
    way = cv2.INTER_CUBIC if picture.shape[0] < height or picture.shape[1] < width else cv2.INTER_AREA
    return np.asarray(cv2.resize(picture, (width, height), interpolation=way), np.uint8)


def _intervals(found: Mapping[str, Any]) -> dict[str, Interval]:
    return {str(name): Interval(**value) for name, value in found.items()}
