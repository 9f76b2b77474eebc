"""Reads the recipe that a pairs job names or holds, and says what is wrong with it, each at its key."""

from __future__ import annotations

import functools
import stat
from pathlib import Path
from typing import Any

from jobs.spec.degrade import Degrade
from jobs.spec.files import UnreadableError, read_text
from jobs.spec.problems import Finding, KeyPath, describe, listed, nearest, shown
from jobs.spec.recipes import PATH, plain
from jobs.spec.uris import SCHEME, absolute
from operators.degradations.problems import Problem, RecipeError
from operators.degradations.reading import from_data, parse
from operators.degradations.recipe import Recipe
from operators.degradations.shipped import names


def settled(degrade: Degrade, folder: Path) -> tuple[Degrade, list[Finding]]:
    """Check the recipe, and take into the job what a file holds.

    Args:
        degrade: as in the job file.
        folder: absolute, what relative paths are relative to.

    Returns:
        The block, whose recipe is a mapping or a shipped recipe's name. And what is wrong with the recipe.
    """
    given = degrade.recipe
    if isinstance(given, str) and is_file(given):
        try:
            recipe = _read(given, folder)
        except _RefusedError as refused:
            return degrade, refused.findings
        return degrade.model_copy(update={"recipe": plain(recipe)}), []
    if isinstance(given, str):
        return degrade, [] if given in names() else [Finding(PATH, _unknown(given, folder))]
    try:
        from_data(given, ".".join(PATH))
    except RecipeError as error:
        return degrade, [_finding(given, problem.path, problem.message) for problem in _causes(error)]
    return degrade, []


def is_file(text: str) -> bool:
    """Whether a recipe's text means a file: by its ending, or because it is a path."""
    return text.lower().endswith((".yaml", ".yml")) or "/" in text


class _RefusedError(Exception):
    """A recipe's file that cannot be used."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__()
        self.findings = findings


def _read(given: str, folder: Path) -> Recipe:
    """The recipe in a file.

    Raises:
        _RefusedError: it cannot be read, or is wrong.
    """
    name = shown(given, 200)
    try:
        path = absolute(given, folder)
        if SCHEME.match(path) or "::" in path:
            raise UnreadableError("found a URL, expected a file of this machine; copy the recipe beside the job file")
        if _is_endless(path):
            raise UnreadableError("found a pipe or a device, expected a recipe's YAML file")
        text = read_text(path, "a recipe's YAML file", _when_missing(path))
        return parse(text, name)
    except UnreadableError as error:
        where = f"line {error.mark.line}, column {error.mark.column}: " if error.mark else ""
        raise _RefusedError([Finding(PATH, f"{name}: {where}{error.message}")]) from None
    except RecipeError as error:
        problems = map(str, _causes(error))
        raise _RefusedError([Finding(PATH, f"{name}: {each}", within=each) for each in problems]) from None
    except ValueError as error:
        raise _RefusedError([Finding(PATH, str(error))]) from None


def _is_endless(path: str) -> bool:
    """Whether reading could wait without an end: for what is there and is neither file nor folder."""
    try:
        mode = Path(path).stat().st_mode
    except (OSError, ValueError):
        return False  # said when it is read
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _unknown(given: str, folder: Path) -> str:
    found = f"found {describe(given)}, which is no shipped recipe"
    for beside in (f"{given}.yaml", f"{given}.yml"):
        if _is_there(folder, beside):
            return f"{found}; for the file beside the job file write '{shown(beside)}'"
    if close := nearest(given, list(names())):
        return f"{found}; did you mean '{close}'?"
    return f"{found}; expected {listed(list(names()))}, a file such as 'mine.yaml', or a mapping"


def _is_there(folder: Path, name: str) -> bool:
    try:
        return (folder / name).is_file()
    except (OSError, ValueError):
        return False


def _when_missing(path: str) -> str:
    close = nearest(Path(path).stem, list(names()))
    if close:
        return f"the shipped recipe is '{close}', without a folder and an ending"
    return "a relative path begins at the job file's folder"


def _causes(error: RecipeError) -> list[Problem]:
    """Its problems, but for lists that are too short only because items in them are wrong."""
    paths = [problem.path for problem in error.problems]
    lists = {path[:end] for path in paths for end, part in enumerate(path) if isinstance(part, int)}
    return [problem for problem in error.problems if problem.path not in lists]


def _finding(data: Any, path: KeyPath, message: str) -> Finding:
    """A problem of a recipe that stands in the job file."""
    # A key with a block below it is where the reader looks; a plain value stands for itself.
    at_key = bool(path) and isinstance(path[-1], str) and isinstance(_value_at(data, path), dict | list)
    return Finding((*PATH, *path), message, at_key=at_key)


def _value_at(data: Any, path: KeyPath) -> Any:
    """What stands at a place of the data; None where nothing does."""
    try:
        return functools.reduce(lambda value, part: value[part], path, data)
    except (KeyError, IndexError, TypeError):
        return None
