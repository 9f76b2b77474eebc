"""A summary as an HTML page that loads nothing, and as the body of a mail."""

from __future__ import annotations

from typing import Any

from jobs.report.page import asset, environment, policy
from jobs.summary.data import Summary
from jobs.summary.headline import headline, night_lines, sentence, title, tone
from jobs.summary.rows import REASONS, circumstances, numbers, whereabouts

STATES = {"good": "done", "mixed": "needs a look", "open": "not finished", "bad": "problem"}


def as_page(summary: Summary) -> str:
    """One page on paper; light and dark on a screen."""
    templates = environment("jobs.summary")
    style = asset(templates, "summary.css")
    template = templates.get_template("summary.html.j2")
    return template.render(style=style, policy=policy(style), **_shown(summary))


def as_mail(summary: Summary) -> str:
    """What mail programs show: tables, and every style at its element."""
    return environment("jobs.summary").get_template("mail.html.j2").render(**_shown(summary))


def _shown(summary: Summary) -> dict[str, Any]:
    more = summary.reasons[REASONS:]
    return {
        "summary": summary,
        "title": title(summary),
        "headline": headline(summary),
        "sentence": sentence(summary),
        "tone": tone(summary),
        "label": STATES[tone(summary)],
        "night": night_lines(summary.night) if summary.night is not None else [],
        "numbers": numbers(summary),
        "reasons": summary.reasons[:REASONS],
        "more_reasons": len(more),
        "more_records": sum(reason.count for reason in more),
        "circumstances": circumstances(summary),
        "places": whereabouts(summary),
    }
