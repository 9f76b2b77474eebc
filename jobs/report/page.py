"""What every HTML page of facejobs shares: templates, foreign text made harmless, a policy that loads nothing."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from jobs.report import limits, text
from jobs.report.advice import advise


def environment(*packages: str) -> Environment:
    """The templates of packages, and those of the reports behind them.

    Args:
        packages: each has a folder `templates`.
    """
    made = Environment(
        loader=ChoiceLoader([PackageLoader(package) for package in (*packages, "jobs.report")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_harmless,
    )
    made.filters.update(
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
    return made


def asset(templates: Environment, name: str) -> Markup:
    """A style sheet or script of this package, as it stands."""
    assert templates.loader is not None
    return Markup(templates.loader.get_source(templates, name)[0])  # noqa: S704  our own file


def policy(style: str, script: str = "") -> Markup:
    """Content Security Policy Level 3, with the hashes of the inline style and script (section 6.6.2).

    Args:
        style: the page's one style sheet.
        script: its one script; empty where it has none, and then none is allowed.
    """
    sources = f"img-src data:; style-src {_hash(style)}" + (f"; script-src {_hash(script)}" if script else "")
    return Markup(f"default-src 'none'; {sources}; base-uri 'none'; form-action 'none'")  # noqa: S704  our own text


def picture(data: bytes, form: str) -> Markup:
    """A picture as a `data:` URI.

    Args:
        data: the file.
        form: `jpeg` or `png`.
    """
    # Base64 needs no escaping.
    return Markup(f"data:image/{form};base64,") + base64.b64encode(data).decode("ascii")  # noqa: S704


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


def _hash(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
