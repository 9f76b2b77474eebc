"""A preview as one HTML file that asks nothing of any network and needs no script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from jobs.pairs.making import png
from jobs.pairs.preview import Tried, Variant, Wish, parameter_table, shown_at
from jobs.report.page import asset, environment, picture, policy
from jobs.report.text import fact, percent
from jobs.versions import facejobs_version
from operators.degradations.record import DrawnStep

LONGEST = 1024
"""Longer side of a picture in the page; larger ones are shown reduced, and that is said."""
MASK_COLOUR = (40, 40, 230)  # blue, green, red


@dataclass(frozen=True)
class Shown:
    """A picture in the page.

    Attributes:
        uri: a `data:` URI.
        width: in pixels.
        height: in pixels.
        size: of the picture itself, as text, with a note where it is shown reduced.
    """

    uri: Markup
    width: int
    height: int
    size: str


@dataclass(frozen=True)
class VariantView:
    """One pair in the page.

    Attributes:
        number: from 0.
        degraded: what the recipe made.
        target: where steps for both have changed it; None where it is the sample itself.
        mask: red where damage lies, clear elsewhere; None where the recipe has no masks.
        covered: share of the picture that the mask covers, as text.
        steps: name and parameters of each step.
    """

    number: int
    degraded: Shown
    target: Shown | None
    mask: Shown | None
    covered: str
    steps: list[tuple[DrawnStep, list[tuple[str, str]]]]


@dataclass(frozen=True)
class Row:
    """A line of the comparison.

    Attributes:
        step: the step's id; empty where it is the same as in the row above.
        name: of the parameter.
        values: one a variant.
        same: whether several variants have the step, and all of them this value.
    """

    step: str
    name: str
    values: list[str]
    same: bool


@dataclass(frozen=True)
class TriedView:
    """One sample in the page."""

    name: str
    note: str
    kind: str
    sample: Shown
    variants: list[VariantView]
    rows: list[Row]


def preview_page(tried: Sequence[Tried], wish: Wish, text: str, *, strip: bool) -> str:
    """Draw a preview.

    Args:
        tried: at least one.
        wish: what was asked for.
        text: the recipe as it is written.
        strip: each sample and its pairs in one row, without their parameters.

    Returns:
        An HTML document; write it as UTF-8.
    """
    templates = environment("jobs.pairs")
    style = asset(templates, "report.css") + asset(templates, "preview.css")
    views = [_tried(one) for one in tried]
    return templates.get_template("preview.html.j2").render(
        recipe=wish.recipe,
        seed=wish.seed,
        count=wish.variants,
        lines=[_line(line) for line in text.splitlines()],
        tried=views,
        masks=any(variant.mask for view in views for variant in view.variants),
        strip=strip,
        style=style,
        policy=policy(style),
        version=facejobs_version(),
    )


def _line(line: str) -> str:
    return line.replace("\t", "    ")


def _tried(tried: Tried) -> TriedView:
    return TriedView(
        name=tried.name,
        note=tried.note,
        kind="aligned face" if tried.sample.kind == "face" else "image",
        sample=_shown(tried.pixels),
        variants=[_variant(variant, tried.pixels) for variant in tried.variants],
        rows=_rows(tried.variants),
    )


def _variant(variant: Variant, sample: NDArray[np.uint8]) -> VariantView:
    pair = variant.pair
    return VariantView(
        number=variant.number,
        degraded=_shown(pair.degraded),
        target=None if np.array_equal(pair.target, sample) else _shown(pair.target),
        mask=None if pair.mask is None else _overlay(pair.mask),
        covered="" if pair.mask is None else percent(float(np.count_nonzero(pair.mask)), float(pair.mask.size)),
        steps=[(step, [(name, fact(value)) for name, value in step.parameters.items()]) for step in variant.steps],
    )


def _shown(pixels: NDArray[np.uint8]) -> Shown:
    view = shown_at(pixels, LONGEST)
    height, width = pixels.shape[:2]
    size = f"{width} by {height}" + ("" if view.shape == pixels.shape else ", shown reduced")
    return Shown(picture(png(view), "png"), view.shape[1], view.shape[0], size)


def _overlay(mask: NDArray[np.uint8]) -> Shown:
    """The mask as opacity of one colour, so that it can lie on the picture."""
    view = shown_at(mask, LONGEST)
    layers = np.empty((*view.shape, 4), dtype=np.uint8)
    layers[..., :3], layers[..., 3] = MASK_COLOUR, view
    done, data = cv2.imencode(".png", layers)
    assert done
    return Shown(picture(data.tobytes(), "png"), view.shape[1], view.shape[0], "")


def _rows(variants: Sequence[Variant]) -> list[Row]:
    rows: list[Row] = []
    last = ""
    for step, name, values in parameter_table(variants):
        drawn = [fact(value) for value in values if value is not None]
        texts = ["" if value is None else fact(value) for value in values]
        same = len(drawn) > 1 and len(set(drawn)) == 1
        rows.append(Row("" if step == last else step, name or "done", texts, same))
        last = step
    return rows
