"""PyYAML's syntax errors in the words of a job file's user."""

from __future__ import annotations

import re
from typing import Any

import yaml

from jobs.spec.problems import Mark, shown

NO_ANCHOR = "found an alias ('*name') without an anchor ('&name') before it; quote a leading '*'"

# Pattern of PyYAML's problem, pattern of its context, whether the context's place is the better one, and the message.
WORDS: tuple[tuple[str, str, bool, str], ...] = (
    (r"'\\t'", "", False, "found a tab, expected spaces: YAML is indented with spaces only"),
    ("", "expected a single document", False, "found a second document after '---', expected one job a file"),
    (
        "mapping values are not allowed",
        "",
        False,
        "found ': ' inside a value; put the value in quotes, or check the indentation and the ':' of the line before",
    ),
    ("could not find expected ':'", "", True, "found no ':' after this key, expected 'key: value'"),
    ("end of stream", "quoted scalar", True, "found a quote that is never closed"),
    ("<stream end>|<document end>", "flow", True, "found a bracket that is never closed"),
    (
        r"expected ',' or '[\]}]'",
        "",
        False,
        "found a value after a value inside brackets, expected ',' or the closing bracket; quote values with ','",
    ),
    (
        "expected <block end>",
        "",
        False,
        "found something that does not belong to this block; check the indentation, and quotes that end too early",
    ),
    (
        "unknown escape",
        "",
        False,
        "found an unknown escape after a backslash; single quotes take backslashes as they are",
    ),
    ("cannot start any token", "", False, "found a character that cannot begin a value; put the value in quotes"),
    (
        "undefined alias",
        "",
        False,
        "found an alias ('*name') without an anchor ('&name') before it; quote a leading '*'",
    ),
)


def mark_of(mark: Any) -> Mark:
    """PyYAML's place, which counts from 0; the start of the file where it has none."""
    return Mark(mark.line + 1, mark.column + 1) if mark else Mark(1, 1)


def explain_syntax(error: yaml.MarkedYAMLError) -> tuple[Mark, str]:
    """Where the error is, and what was found and expected."""
    problem, context = error.problem or "", error.context or ""
    for in_problem, in_context, at_context, message in WORDS:
        if re.search(in_problem, problem) and re.search(in_context, context):
            places = (error.context_mark, error.problem_mark)
            return mark_of((places[0] or places[1]) if at_context else (places[1] or places[0])), message
    text = f"not YAML: {shown(f'{problem} {context}'.strip() or 'unreadable', 200)}"
    return mark_of(error.problem_mark or error.context_mark), f"{text}; check quotes, brackets and indentation here"
