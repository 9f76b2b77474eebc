"""A job file to a job: the way in."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jobs.spec.checks import (
    check_detect,
    check_output_keys,
    check_restore,
    check_runner,
    check_score,
    check_source_keys,
)
from jobs.spec.document import Document, DocumentError, parse
from jobs.spec.generator_checks import check_engine, check_generator, check_models
from jobs.spec.job import RestoreJob, Spec
from jobs.spec.located import located
from jobs.spec.model_names import ModelNames, names_for
from jobs.spec.overlap import overlap
from jobs.spec.problems import Finding, JobFileError, KeyPath, Problem, dotted, shown
from jobs.spec.restore import GeneratorRestore
from jobs.spec.secrets import scrub_urls
from jobs.spec.validate import Blocks, validate
from jobs.spec.variables import UnsetVariableError, expand, has_reference

MAX_BYTES = 256 * 1024


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
    folder = (folder or Path.cwd()).absolute()
    names = names_for(document.data, folder)
    blocks, findings = validate(document.data, names)
    blocks, more = located(blocks, folder)
    findings = [*document.findings, *_variables(document.data, known), *findings, *more, *_combinations(blocks, names)]
    if findings:
        raise JobFileError(_problems(name, document, findings))
    return RestoreJob.model_validate({"job": document.data["job"], "name": document.data["name"], **vars(blocks)})


def _read(name: str) -> str:
    try:
        with Path(name).open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise _whole(name, "no such file; `facejobs init restore` writes an example") from None
    except IsADirectoryError:
        raise _whole(name, "found a folder, expected a job file") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a possible file name"
        raise _whole(name, f"cannot be read: {reason}") from None
    if len(data) > MAX_BYTES:
        raise _whole(name, f"found more than {MAX_BYTES // 1024} KiB, expected a short YAML file")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        start = data.rfind(b"\n", 0, error.start) + 1
        column = len(data[start : error.start].decode("utf-8", "replace")) + 1
        message = f"found the byte 0x{data[error.start]:02X}, which is not UTF-8; save the file as UTF-8 text"
        raise JobFileError([Problem(shown(name, 4096), line, column, "", message)]) from None


def _whole(name: str, message: str) -> JobFileError:
    return JobFileError([Problem(shown(name, 4096), 0, 0, "", message)])


def _problems(name: str, document: Document, findings: list[Finding]) -> list[Problem]:
    """In file order, the first of each place."""
    problems: dict[tuple[int, int, str], Problem] = {}
    for finding in findings:
        mark, path = document.place(finding), dotted(finding.path)
        problem = Problem(name, *mark, path, scrub_urls(finding.message))
        problems.setdefault((*mark, path), problem)
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
        if path[1:2] != ("storage_options",):
            yield Finding(path, "found '${'; environment variables work in storage_options only")
            return
        try:
            expand(value, environment)
        except (UnsetVariableError, ValueError) as error:
            yield Finding(path, str(error))


def _combinations(blocks: Blocks, names: ModelNames) -> Iterator[Finding]:
    """What is wrong between keys, as far as the blocks could be read."""
    if blocks.source:
        yield from check_source_keys(blocks.source)
    if blocks.detect:
        yield from check_detect(blocks.detect)
    if blocks.restore:
        yield from check_restore(blocks.restore)
    if isinstance(blocks.restore, GeneratorRestore):
        yield from check_generator(blocks.restore, blocks.models, names)
        yield from check_engine(blocks.restore.engine, blocks.run)
    if blocks.models:
        yield from check_models(blocks.models, names)
    if blocks.score:
        yield from check_score(blocks.score)
    if blocks.output:
        yield from check_output_keys(blocks.output)
    if blocks.source and blocks.output:
        options = (blocks.source.storage_options, blocks.output.storage_options)
        if problem := overlap(blocks.source.uri, blocks.output.uri, options):
            yield Finding(("output", "uri"), problem)
        if blocks.run:
            yield from check_runner(blocks.source, blocks.output, blocks.run)
