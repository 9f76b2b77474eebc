"""A job file to a job: the way in."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jobs.spec.document import Document, DocumentError, parse
from jobs.spec.files import UnreadableError, read_text
from jobs.spec.job import Spec
from jobs.spec.kind import Around
from jobs.spec.kinds import KINDS, kind_of
from jobs.spec.problems import Finding, JobFileError, KeyPath, Problem, dotted, shown
from jobs.spec.secrets import scrub_urls
from jobs.spec.validate import validate
from jobs.spec.variables import UnsetVariableError, expand, has_reference

_FIRST, *_OTHERS = (f"`facejobs init {kind}`" for kind in KINDS)
WHEN_MISSING = f"{', '.join([_FIRST, *_OTHERS[:-1]])} or {_OTHERS[-1]} writes an example"


def load(path: str | os.PathLike[str], environment: Mapping[str, str] | None = None) -> Spec:
    """Read a job file; relative paths in it are relative to its folder. Needs no network.

    Args:
        path: the file.
        environment: variables for storage options; those of this process when None.

    Returns:
        The job, with absolute URIs and with storage options as written (see `resolve_options`).

    Raises:
        JobFileError: with everything that is wrong.
    """
    name = os.fspath(path)
    return loads(_read(name), name, Path(os.path.abspath(name)).parent, environment)  # noqa: PTH100 (keeps links)


def loads(
    text: str, name: str = "job.yaml", folder: Path | None = None, environment: Mapping[str, str] | None = None
) -> Spec:
    """The same from text.

    Args:
        text: YAML.
        name: what messages call it.
        folder: what relative paths are relative to; the working folder when None.
        environment: variables for storage options; those of this process when None.

    Raises:
        JobFileError: with everything that is wrong.
    """
    name = shown(name, 4096)
    try:
        document = parse(text)
    except DocumentError as failure:
        raise JobFileError([Problem(name, *failure.mark, "", failure.message)]) from None
    known = os.environ if environment is None else environment
    around = Around(document.data, (folder or Path.cwd()).absolute())
    name_of_kind, findings = kind_of(document.data)
    kind = KINDS[name_of_kind]
    parts, wrong = validate(name_of_kind, around)
    parts, misplaced = kind.place(parts, around)
    findings += [*document.findings, *_variables(document.data, known), *wrong, *misplaced, *kind.check(parts, around)]
    if findings:
        raise JobFileError(_problems(name, document, findings))
    job: Spec = kind.model.model_validate({"job": name_of_kind, "name": document.data["name"], **vars(parts)})
    return job


def _read(name: str) -> str:
    try:
        return read_text(name, "a job file", WHEN_MISSING)
    except UnreadableError as error:
        raise JobFileError([Problem(shown(name, 4096), *(error.mark or (0, 0)), "", error.message)]) from None


def _problems(name: str, document: Document, findings: list[Finding]) -> list[Problem]:
    """In file order, the first of each place and key; those of a recipe's file, all at one key, all of them."""
    problems: dict[tuple[int, int, str, str], Problem] = {}
    for finding in findings:
        mark, path = document.place(finding), dotted(finding.path)
        problem = Problem(name, *mark, path, scrub_urls(finding.message))
        problems.setdefault((*mark, path, finding.within), problem)
    return sorted(problems.values(), key=lambda problem: (problem.line, problem.column))


def _variables(value: Any, environment: Mapping[str, str], path: KeyPath = ()) -> Iterator[Finding]:
    """Variables outside storage options, and those that are not set."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if has_reference(key):
                yield Finding((*path, key), "found '${' in a key; variables work in values only", at_key=True)
            yield from _variables(item, environment, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _variables(item, environment, (*path, index))
    elif isinstance(value, str) and has_reference(value):
        passcode = path == ("restore", "options", "passcode")
        if path[1:2] != ("storage_options",) and path[:2] != ("notify", "urls") and not passcode:
            yield Finding(path, "found '${'; environment variables work in storage_options and notify.urls only")
            return
        try:
            expand(value, environment)
        except (UnsetVariableError, ValueError) as error:
            yield Finding(path, str(error))
