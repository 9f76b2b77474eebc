from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import jobs
import operators
import pipeline
from jobs.report.advice import ADVICE, UNKNOWN, advise

ERRORS = {"OperatorError", "RecordError", "Failure"}
NO_QUARANTINE = {"train", "evaluate"}
"""Folders of `jobs` whose codes stand in no quarantine: trainings and evaluations say them in words of their own."""


def codes_in_the_code() -> Iterator[str]:
    """Codes written as a word where an error is made; those that are computed are not seen here."""
    for package in (jobs, operators, pipeline):
        root = Path(package.__path__[0])
        for path in root.rglob("*.py"):
            if package is jobs and path.relative_to(root).parts[0] in NO_QUARANTINE:
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ERRORS:
                    code = node.args[0] if node.args else None
                    if isinstance(code, ast.Constant):
                        yield code.value


def test_every_code_that_facejobs_gives_has_its_sentence() -> None:
    codes = set(codes_in_the_code())
    assert {"not_an_image", "missing", "out_of_memory"} <= codes
    assert codes - set(ADVICE) == set()


@pytest.mark.parametrize("code", ADVICE)
def test_a_sentence_is_one_sentence(code: str) -> None:
    assert advise(code).endswith(".")
    assert advise(code).count("`") % 2 == 0


def test_an_unknown_code_gets_a_general_sentence() -> None:
    assert advise("never_seen") == UNKNOWN
