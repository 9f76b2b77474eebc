"""Rendering the report of a training."""

from __future__ import annotations

from jobs.report import limits
from jobs.report.page import asset, environment, policy
from jobs.report.text import number
from jobs.report.view import bar_rows, setting_blocks
from jobs.train.artefacts.facts import ReportFacts
from jobs.train.artefacts.report.verdict import judge
from jobs.train.artefacts.report.view import HAPPENINGS, TROUBLE, measure_views, pace_view, sheet_views, term_views


def report(facts: ReportFacts) -> str:
    """Draw a report.

    Args:
        facts: of a finished or unfinished training. All text in it is foreign: it is escaped, made visible and
            abbreviated.

    Returns:
        An HTML document; write it as UTF-8. It has no script, and its content security policy allows none.

    Raises:
        ValueError: a sheet is no PNG.
    """
    templates = environment("jobs.train.artefacts.report")
    style = asset(templates, "report.css") + asset(templates, "train.css")
    sheets, sheets_left_out = sheet_views(facts.sheets)
    terms, terms_left_out = term_views(facts)
    return templates.get_template("train.html.j2").render(
        data=facts,
        verdict=judge(facts),
        style=style,
        policy=policy(style),
        terms=terms,
        terms_left_out=terms_left_out,
        both_scales=any(term.logarithmic for term in terms),
        measures=measure_views(facts.held_out, facts.done),
        sheets=sheets,
        sheets_left_out=sheets_left_out,
        rate=facts.done / facts.seconds if facts.seconds else None,
        pace=pace_view(facts),
        happenings=facts.happenings[-HAPPENINGS:],
        trouble=TROUBLE,
        recipes=bar_rows(facts.data.recipes, number),
        settings=setting_blocks(facts.settings),
        limits=limits,
    )
