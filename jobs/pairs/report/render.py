"""Rendering the report of a pairs run: one HTML file that asks nothing of any network."""

from __future__ import annotations

from jobs.pairs.report.data import PairsReport
from jobs.pairs.report.verdict import judge
from jobs.pairs.report.view import funnel, pair_views, step_views
from jobs.report import limits, text
from jobs.report.estimates import estimate_rows
from jobs.report.page import asset, environment, policy
from jobs.report.view import bar_rows, setting_blocks

MOST_LINES = 2000
"""Of the recipe."""


def render(data: PairsReport) -> str:
    """Draw a report.

    Args:
        data: of a finished or unfinished run. All text in it is foreign: it is escaped, made visible and abbreviated.

    Returns:
        An HTML document; write it as UTF-8.

    Raises:
        ValueError: when a picture is no JPEG.
    """
    templates = environment("jobs.pairs.report")
    style = asset(templates, "report.css") + asset(templates, "pairs.css")
    script = asset(templates, "report.js")
    rows = data.quarantine[: limits.QUARANTINE_ROWS]
    filters = sorted({row.code for row in rows})
    pairs, left_out = pair_views(data.views)
    return templates.get_template("pairs.html.j2").render(
        data=data,
        verdict=judge(data),
        style=style,
        script=script,
        policy=policy(style, script),
        noun="pairs" if data.kind == "pairs" else "images",
        pairs=pairs,
        pairs_left_out=left_out,
        funnel=funnel(data.selection) if data.selection else [],
        steps=step_views(data.draws),
        recipe=data.recipe.splitlines()[:MOST_LINES],
        codes=sorted(data.quarantine_by_code.items(), key=lambda entry: (-entry[1], entry[0])),
        filters=filters,
        rows=[(row, filters.index(row.code)) for row in rows],
        stages=bar_rows(data.stage_seconds, text.duration),
        rate=data.totals.records_ok / data.wall_seconds if data.wall_seconds else None,
        estimates=estimate_rows(data.comparison),
        settings=setting_blocks(data.settings),
        limits=limits,
    )
