"""An evaluation as one HTML file that asks nothing of any network and needs no script."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jobs.evaluate.chart import chart
from jobs.evaluate.foot import foot
from jobs.evaluate.gather import Shown
from jobs.evaluate.sheet import columns_of
from jobs.evaluate.tables import heading, tables_of
from jobs.pairs.making import png
from jobs.report.page import asset, environment, picture, policy
from jobs.versions import facejobs_version


def page(result: Mapping[str, Any], shown: list[Shown]) -> str:
    """Draw an evaluation.

    Args:
        result: from `jobs.evaluate.account.account`.
        shown: pictures with their versions.

    Returns:
        An HTML document; write it as UTF-8.
    """
    templates = environment("jobs.evaluate")
    style = asset(templates, "report.css") + asset(templates, "evaluation.css")
    against = result["settings"]["against"]
    charts = [(one, chart(one, against, f"chart-{one['name']}")) for one in result["measures"]]
    columns = columns_of(shown)
    return templates.get_template("evaluation.html.j2").render(
        result=result,
        style=style,
        policy=policy(style),
        version=facejobs_version(),
        tables=tables_of(result),
        charts=[(heading(one), drawn) for one, drawn in charts if drawn is not None],
        foot=foot(result),
        columns=columns,
        rows=[
            (one.name, [picture(png(one.pictures[name]), "png") if name in one.pictures else None for name in columns])
            for one in shown
        ],
        examples=[
            (method["name"], code, count, method["examples"].get(code, ""))
            for method in result["methods"]
            for code, count in method["errors"].items()
        ],
    )
