"""Rendering a report: one HTML file that asks nothing of any network."""

from __future__ import annotations

from jobs.report import limits, text
from jobs.report.data import ReportData
from jobs.report.estimates import estimate_rows
from jobs.report.page import asset, environment, policy
from jobs.report.verdict import judge
from jobs.report.view import bar_rows, pictures, score_views, setting_blocks


def render(data: ReportData) -> str:
    """Draw a report.

    The page carries a content security policy that allows its own style and script by their hashes, `data:` pictures,
    and nothing else, so even a mistake in this code could not make it load or send anything.

    Args:
        data: of a finished or unfinished run. All text in it is foreign: it is escaped, made visible and abbreviated.

    Returns:
        An HTML document; write it as UTF-8.

    Raises:
        ValueError: when a sample is no JPEG.
    """
    templates = environment()
    style = asset(templates, "report.css")
    script = asset(templates, "report.js")
    rows = data.quarantine[: limits.QUARANTINE_ROWS]
    filters = sorted({row.code for row in rows})
    shown, left_out = pictures(data.samples)
    return templates.get_template("report.html.j2").render(
        data=data,
        verdict=judge(data),
        style=style,
        script=script,
        policy=policy(style, script),
        faces=[picture for picture in shown if picture.sample.kind == "face"],
        images=[picture for picture in shown if picture.sample.kind == "image"],
        samples_left_out=left_out,
        kept=bar_rows(data.totals.faces_kept, text.count),
        pictures=bar_rows(data.totals.backgrounds, text.count),
        scores=score_views(data.scores),
        decisions=bar_rows(data.gate.decisions, text.count),
        reasons=bar_rows(data.gate.reasons, text.count),
        codes=sorted(data.quarantine_by_code.items(), key=lambda entry: (-entry[1], entry[0])),
        filters=filters,
        rows=[(row, filters.index(row.code)) for row in rows],
        stages=bar_rows(data.throughput.stage_seconds, text.duration),
        engines=bar_rows(data.throughput.engines, text.count),
        backgrounds=bar_rows(data.throughput.backgrounds, text.count),
        engine_events=bar_rows(data.throughput.engine_events, text.count),
        estimates=estimate_rows(data.comparison),
        settings=setting_blocks(data.settings),
        limits=limits,
    )
