"""The parts of the page that need more than printing a value: scores, bars, pictures and settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from jobs.report import charts, limits
from jobs.report.data import Distribution, Sample, Series
from jobs.report.measures import MEASURES, Measure
from jobs.report.page import picture
from jobs.report.text import count, fact, percent, words


@dataclass(frozen=True, slots=True)
class ScoreView:
    """One measure's chart and table.

    Attributes:
        measure: how it is described.
        chart: an `svg` element; None when there is no value.
        series: name (`before`, `after`, `similarity`) to values.
        change: how many faces went which way; empty where neither side is better.
        gaps: how many values are missing or outside of the range; empty when none.
    """

    measure: Measure
    chart: Markup | None
    series: Mapping[str, Series]
    change: str
    gaps: str


@dataclass(frozen=True, slots=True)
class BarRow:
    """One row of a table with bars.

    Attributes:
        label: what is counted.
        value: as text.
        share: of the whole, as text.
        bar: an `svg` element.
    """

    label: str
    value: str
    share: str
    bar: Markup


@dataclass(frozen=True, slots=True)
class Picture:
    """A pair of pictures for the page.

    Attributes:
        sample: its texts and sizes.
        before: a `data:` URI.
        after: a `data:` URI.
    """

    sample: Sample
    before: Markup
    after: Markup


def score_views(scores: Mapping[str, Distribution]) -> list[ScoreView]:
    """Prepare all measures.

    Args:
        scores: measure's name to distribution; a name that `MEASURES` does not know is shown under that name.

    Returns:
        One view a measure, in the given order.
    """
    views = []
    for index, (name, distribution) in enumerate(scores.items()):
        measure = MEASURES.get(name) or Measure(
            words(name).capitalize(), distribution.edges[0], distribution.edges[-1], "", ""
        )
        after, before = distribution.after, distribution.before
        empty = after.total == 0 and (before is None or before.total == 0)
        series = {"similarity": after} if before is None else {"before": before, "after": after}
        chart = None if empty else charts.histogram(distribution, measure, f"score-{index}")
        views.append(ScoreView(measure, chart, series, _change(distribution, measure), _gaps(series)))
    return views


def bar_rows(values: Mapping[str, float], text: Callable[[Any], str]) -> list[BarRow]:
    """Prepare a table of words and numbers.

    Args:
        values: word to number, in the order to show them; the first `limits.CODES` are shown and the others are
            added up in a last row.
        text: how a number is written.

    Returns:
        One row a word.
    """
    entries = list(values.items())
    rest = entries[limits.CODES :]
    entries = entries[: limits.CODES]
    if rest:
        entries.append((f"{count(len(rest))} others", sum(value for _, value in rest)))
    whole = sum(value for _, value in entries)
    largest = max((value for _, value in entries), default=0)
    return [
        BarRow(words(word), text(value), percent(value, whole), charts.bar(value, largest)) for word, value in entries
    ]


def pictures(samples: Sequence[Sample]) -> tuple[list[Picture], int]:
    """Choose the pairs that fit and turn them into `data:` URIs.

    Args:
        samples: in order of preference.

    Returns:
        The pairs, and how many were left out to keep the file small.

    Raises:
        ValueError: when a sample is no JPEG; nothing else may be embedded.
    """
    chosen: list[Picture] = []
    spent = 0
    for sample in samples:
        spent += len(sample.before) + len(sample.after)
        if len(chosen) == limits.SAMPLES or spent > limits.SAMPLE_BYTES:
            break
        chosen.append(Picture(sample, _data_uri(sample.before, sample.key), _data_uri(sample.after, sample.key)))
    return chosen, len(samples) - len(chosen)


def setting_blocks(settings: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Flatten nested settings into blocks of dotted paths.

    Args:
        settings: nested mapping without secrets.

    Returns:
        (block, rows of path inside the block and value) pairs: one block without a name for the scalars at the top,
        then one for each nested mapping; `limits.SETTINGS` rows in all.
    """
    blocks: dict[str, list[tuple[str, str]]] = {}
    for index, (path, value) in enumerate(_leaves(settings)):
        if index == limits.SETTINGS:
            blocks[""] = [*blocks.get("", []), ("…", "more settings are in the run's plan")]
            break
        block, name = (path[0], ".".join(path[1:])) if len(path) > 1 else ("", path[0])
        blocks.setdefault(block, []).append((name, fact(value)))
    return sorted(blocks.items(), key=lambda entry: entry[0] != "")


def _leaves(settings: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, value in settings.items():
        here = (*path, str(name))
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, here)
        else:
            yield here, "none" if isinstance(value, Mapping) else value


def _change(distribution: Distribution, measure: Measure) -> str:
    if distribution.before is None or not measure.better:
        return ""
    pairs = min(distribution.before.total, distribution.after.total)
    if pairs == 0:
        return ""
    return (
        f"Better in {count(distribution.improved)} of {count(pairs)} faces ({percent(distribution.improved, pairs)}), "
        f"worse in {count(distribution.worsened)}."
    )


def _gaps(series: Mapping[str, Series]) -> str:
    parts = []
    for name, values in series.items():
        if values.missing:
            parts.append(f"{name}: {count(values.missing)} not computable")
        if values.outside:
            parts.append(f"{name}: {count(values.outside)} beyond the range, drawn at its end")
    return "; ".join(parts)


def _data_uri(jpeg: bytes, key: str) -> Markup:
    if not jpeg.startswith(b"\xff\xd8\xff"):
        raise ValueError(
            f"the sample of {key!r} starts with {jpeg[:4]!r}; a report embeds JPEG only: encode it as JPEG"
        )
    return picture(jpeg, "jpeg")
