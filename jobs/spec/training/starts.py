"""What stands at `model.start`: files of weights, or names of models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from jobs.spec.generator_checks import not_accepted
from jobs.spec.model_names import ModelNames
from jobs.spec.models import Models
from jobs.spec.problems import Finding, KeyPath, describe, listed, nearest
from jobs.spec.training.common import ALONE, ModelBlock
from jobs.spec.uris import SCHEME, absolute

ENDINGS = (".safetensors", ".pth", ".pt", ".ckpt", ".bin")


def is_file(text: str) -> bool:
    """Whether a start means a file: by its ending, or because it is a path."""
    return text.lower().endswith(ENDINGS) or "/" in text


def placed_starts(model: ModelBlock, folder: Path) -> tuple[ModelBlock, list[Finding]]:
    """The model with the places of its files absolute, and what is wrong with them.

    Args:
        model: as in the job file.
        folder: absolute, what relative paths are relative to.
    """
    moved: dict[str, str] = {}
    findings: list[Finding] = []
    for name, text in model.start.items():
        if not is_file(text):
            moved[name] = text
            continue
        try:
            path = absolute(text, folder)
            problem = _file_problem(path)
        except ValueError as error:
            path, problem = text, str(error)
        if problem:
            findings.append(Finding(path_of(name), problem))
        else:
            moved[name] = path
    return model.model_copy(update={"start": moved}), findings


def check_starts(model: ModelBlock, models: Models | None, names: ModelNames) -> Iterator[Finding]:
    """Networks that the model has not, models that nobody knows, and licences that have to be accepted."""
    if ALONE in model.start and len(model.start) > 1:
        message = f"'{ALONE}' cannot stand beside other networks; name it, such as '{model.STARTS[0]}'"
        yield Finding(path_of(ALONE), message, at_key=True)
    accepted = models.accept_noncommercial if models is not None else ()
    for name, text in model.start.items():
        if name not in (ALONE, *model.STARTS):
            close = nearest(name, model.STARTS)
            meant = f"; did you mean '{close}'?" if close else f", expected {listed(model.STARTS)}"
            yield Finding(("model", "start", name), f"no network that can begin as something{meant}", at_key=True)
            continue
        if is_file(text):
            continue
        if problem := names.other(text):
            yield Finding(path_of(name), _or_file(problem))
            continue
        known = names.checkpoint(text)
        if known is not None and known.noncommercial and text not in accepted:
            yield Finding(path_of(name), not_accepted(text, known.licence))


def path_of(name: str) -> KeyPath:
    """Where the start of a network stands."""
    return ("model", "start") if name == ALONE else ("model", "start", name)


def _or_file(problem: str) -> str:
    return f"{problem}; a file of weights is named by a path or an ending such as '.safetensors'"


def _file_problem(path: str) -> str:
    if SCHEME.match(path) or "::" in path:
        return "found a URL, expected a file of this machine, or the name of a model"
    try:
        if Path(path).is_dir():
            return "found a folder there, expected a file of weights"
        if not Path(path).is_file():
            return f"found {describe(path)}, where there is no file; expected a file of weights, or the name of a model"
    except (OSError, ValueError):
        return "not a possible file name"
    return ""
