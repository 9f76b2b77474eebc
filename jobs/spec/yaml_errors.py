"""PyYAML's syntax errors in the words of a job file's user."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import yaml

from jobs.spec.problems import Mark, shown
from jobs.spec.yaml12 import RefusedError


class Rule(NamedTuple):
    """When to say what.

    Attributes:
        message: what was found, what was expected, what to do.
        problem: pattern of what PyYAML calls the problem.
        context: pattern of what it was doing.
        at_context: whether the place where it began doing so is the better one to name.
    """

    message: str
    problem: str = ""
    context: str = ""
    at_context: bool = False


NO_ANCHOR = "found an alias ('*name') without an anchor ('&name') before it; quote a leading '*'"
RULES = (
    Rule("found a tab, expected spaces: YAML is indented with spaces only", problem=r"'\\t'"),
    Rule("found a second document after '---', expected one job a file", context="expected a single document"),
    Rule(
        "found ': ' inside a value; put the value in quotes, or check the indentation and the ':' of the line before",
        problem="mapping values are not allowed",
    ),
    Rule("found no ':' after this key, expected 'key: value'", problem="could not find expected ':'", at_context=True),
    Rule("found a quote that is never closed", "end of stream", "quoted scalar", at_context=True),
    Rule("found a bracket that is never closed", "<stream end>|<document end>", "flow", at_context=True),
    Rule(
        "found a value after a value inside brackets, expected ',' or the closing bracket; quote values with ','",
        problem=r"expected ',' or '[\]}]'",
    ),
    Rule(
        "found something that does not belong to this block; check the indentation, and quotes that end too early",
        problem="expected <block end>",
    ),
    Rule(
        "found an unknown escape after a backslash; single quotes take backslashes as they are",
        problem="unknown escape",
    ),
    Rule("found a character that cannot begin a value; put the value in quotes", problem="cannot start any token"),
    Rule(NO_ANCHOR, problem="undefined alias"),
    Rule(NO_ANCHOR, context="scanning an alias", at_context=True),
)


def mark_of(mark: Any) -> Mark:
    """PyYAML's place, which counts from 0; the start of the file where it has none."""
    return Mark(mark.line + 1, mark.column + 1) if mark else Mark(1, 1)


def explain_syntax(error: yaml.MarkedYAMLError) -> tuple[Mark, str]:
    """Where the error is, and what was found and expected."""
    problem, context = error.problem or "", error.context or ""
    at, before = error.problem_mark or error.context_mark, error.context_mark or error.problem_mark
    if isinstance(error, RefusedError):
        return mark_of(at), problem
    for rule in RULES:
        if re.search(rule.problem, problem) and re.search(rule.context, context):
            return mark_of(before if rule.at_context else at), rule.message
    text = shown(f"{problem} {context}".strip() or "unreadable", 200)
    return mark_of(at), f"not YAML: {text}; check quotes, brackets and indentation here"
