"""Rendering a report: one HTML file that asks nothing of any network."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from jobs.report import limits, text
from jobs.report.advice import advise
from jobs.report.data import ReportData
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
    environment = _environment()
    style = _asset(environment, "report.css")
    script = _asset(environment, "report.js")
    rows = data.quarantine[: limits.QUARANTINE_ROWS]
    filters = sorted({row.code for row in rows})
    shown, left_out = pictures(data.samples)
    return environment.get_template("report.html.j2").render(
        data=data,
        verdict=judge(data),
        style=style,
        script=script,
        policy=_policy(style, script),
        faces=[picture for picture in shown if picture.sample.kind == "face"],
        images=[picture for picture in shown if picture.sample.kind == "image"],
        samples_left_out=left_out,
        kept=bar_rows(data.totals.faces_kept, text.count),
        scores=score_views(data.scores),
        decisions=bar_rows(data.gate.decisions, text.count),
        reasons=bar_rows(data.gate.reasons, text.count),
        codes=sorted(data.quarantine_by_code.items(), key=lambda entry: (-entry[1], entry[0])),
        filters=filters,
        rows=[(row, filters.index(row.code)) for row in rows],
        stages=bar_rows(data.throughput.stage_seconds, text.duration),
        engines=bar_rows(data.throughput.engines, text.count),
        engine_events=bar_rows(data.throughput.engine_events, text.count),
        settings=setting_blocks(data.settings),
        limits=limits,
    )


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("jobs.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_harmless,
    )
    environment.filters.update(
        advise=advise,
        bytes=text.size,
        clip=text.clip,
        commands=_commands,
        count=text.count,
        duration=text.duration,
        fact=text.fact,
        moment=text.moment,
        number=text.number,
        percent=text.percent,
        place=text.clip_middle,
        words=text.words,
    )
    return environment


def _commands(sentence: str) -> Markup:
    """Set what stands between backticks as code; the sentence is escaped first."""
    parts = text.visible(sentence).split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if odd % 2 else part for odd, part in enumerate(parts)
    )


def _harmless(value: Any) -> Any:
    """Last net under every printed text; escaping follows it."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return text.clip(value, limits.TEXT_CHARS)


def _asset(environment: Environment, name: str) -> Markup:
    """A style sheet or script of this package, as it stands."""
    assert environment.loader is not None
    return Markup(environment.loader.get_source(environment, name)[0])  # noqa: S704  our own file


def _policy(style: str, script: str) -> Markup:
    """Content Security Policy Level 3, with the hashes of the inline style and script (section 6.6.2)."""
    sources = f"img-src data:; style-src {_csp_hash(style)}; script-src {_csp_hash(script)}"
    return Markup(f"default-src 'none'; {sources}; base-uri 'none'; form-action 'none'")  # noqa: S704  our own text


def _csp_hash(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
