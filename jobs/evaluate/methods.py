"""What is compared: results that lie in a folder, restorers that are run on the inputs, baselines without any."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from jobs.errors import CommandError
from jobs.evaluate.sides import Side
from jobs.exits import Exit
from jobs.models.addresses import shown
from jobs.restore.settings import RestoreSettings
from jobs.restore.weights import weights_of
from jobs.spec import RestoreJob, load, loads
from jobs.spec.restore import CompletionRestore
from operators.evaluation.baselines import BASELINES, baseline
from operators.models import CHECKPOINTS
from operators.models.cache import Cache

Kind = Literal["folder", "input", "baseline", "restorer", "truth"]
INPUT, TRUTH = "input", "truth"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+-]{0,59}")


@dataclass(frozen=True)
class Method:
    """One row of the tables.

    Attributes:
        name: of the row.
        kind: where its pictures come from.
        about: what they come from, in words.
        side: of a folder.
        baseline: as `operators.evaluation.baselines.baseline` takes it; empty for others.
        settings: of a restorer.
        weights_sha256: content hash of a restorer's weights; empty where it has none.
    """

    name: str
    kind: Kind
    about: str
    side: Side | None = None
    baseline: str = ""
    settings: RestoreSettings | None = None
    weights_sha256: str = ""


@dataclass(frozen=True)
class Models:
    """Where models come from.

    Attributes:
        cache: the cache's folder; None for the usual one.
        accepted: names of non-commercial models whose terms are accepted.
    """

    cache: Path | None = None
    accepted: Collection[str] = ()


def named_folder(text: str) -> tuple[str, str]:
    """Name and folder of `NAME=FOLDER`. Raises CommandError."""
    name, equals, folder = text.partition("=")
    if not equals or not folder:
        raise CommandError(f"--method {text}: expected NAME=FOLDER", Exit.USAGE)
    return checked(name, f"--method {text}"), folder


def folder_name(uri: str) -> str:
    """What the results of a folder are called where nobody says: its last part."""
    last = re.split(r"[/\\]", shown(uri).rstrip("/\\"))[-1]
    return re.sub(r"[^A-Za-z0-9._+-]+", "-", last).strip("-.")[:60] or "results"


def checked(name: str, said: str) -> str:
    """A name that fits into tables. Raises CommandError."""
    if not _NAME.fullmatch(name) or name in (INPUT, TRUTH):
        raise CommandError(
            f"{said}: {name!r} cannot name a method: expected up to 60 of the characters A-Z a-z 0-9 . _ : + -, "
            f"and neither {INPUT} nor {TRUTH}",
            Exit.USAGE,
        )
    return name


def restorer_method(text: str, models: Models) -> Method:
    """What `--restorer` names: a baseline, a restorer, a model, or a job file; `LABEL=` before it gives it a name.

    Raises:
        CommandError: it is none of these, or cannot be run on aligned faces alone.
        JobFileError: the job file is wrong.
        ModelFileError: its model is not there; the message says how to get it.
    """
    label, equals, named = text.partition("=")
    if not equals:
        label, named = "", text
    said = f"--restorer {text}"
    if named.partition(":")[0] in BASELINES:
        try:
            baseline(named)
        except ValueError as error:
            raise CommandError(f"--restorer {error}", Exit.USAGE) from error
        summary = BASELINES[named.partition(":")[0]].summary
        strength = named.partition(":")[2] or f"{BASELINES[named].strength or 0:g}"
        return Method(checked(label or named, said), "baseline", summary.format(strength), baseline=named)
    job = _job(named, said, models)
    weights = weights_of(job)
    if isinstance(job.restore, CompletionRestore) or weights.inpaints:
        raise CommandError(
            f"{said}: makes missing parts anew and has to be told which; run its job, and name the folder of its "
            "results with --method",
            Exit.USAGE,
        )
    settings = RestoreSettings.of(job, weights)
    name = label or (Path(named).stem if _is_file(named) else named)
    about = f"restorer {job.restore.model}" + (f" as in {named}" if _is_file(named) else "")
    digest = weights.restorer.sha256 if weights.restorer else ""
    return Method(checked(name, said), "restorer", about, settings=settings, weights_sha256=digest)


def check_terms(name: str, models: Models) -> None:
    """See that a model's terms are accepted, and say how that is done without a job file. Raises CommandError."""
    found = Cache(models.cache).find(name)
    about = CHECKPOINTS.get(name) or (found.checkpoint if found else None)
    if about is not None and about.noncommercial and name not in models.accepted:
        raise CommandError(
            f"model {name} is for non-commercial use only (licence: {about.licence}). {about.terms} "
            f"If your use is, say --accept {name}",
            Exit.BAD_JOB,
        )


def _is_file(named: str) -> bool:
    return named.lower().endswith((".yaml", ".yml"))


def _job(named: str, said: str, models: Models) -> RestoreJob:
    if _is_file(named):
        job = load(named)
    else:
        check_terms(named, models)
        keys: dict[str, Any] = {"accept_noncommercial": sorted(models.accepted)}
        if models.cache is not None:
            keys["cache"] = str(models.cache)
        document = {
            "job": "restore",
            "name": "evaluate",
            "source": {"kind": "files", "uri": "in"},
            "detect": {"aligned": True},
            "restore": {"model": named},
            "score": {"measures": []},
            "output": {"uri": "out"},
            "models": keys,
        }
        job = loads(yaml.safe_dump(document), said)
    if not isinstance(job, RestoreJob):
        raise CommandError(f"{said}: is a job of the kind {job.job}, expected restore", Exit.USAGE)
    return job
