"""`facejobs models`: what models there are, what is here, and how it gets here."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import cast, get_args

from jobs.commands.model_texts import card_lines, entry, summary, table, terms_lines
from jobs.console import Output
from jobs.errors import CommandError
from jobs.exits import Exit
from jobs.models.addresses import shown
from jobs.models.errors import NotFetchedError
from jobs.models.progress import watched
from jobs.models.pull import Wish, pull, unsaid
from jobs.spec import Scrubber
from operators.checkpoints import CheckpointError
from operators.faces.templates import template_names
from operators.models import CHECKPOINTS, Checkpoint, ModelFileError, NoModelError
from operators.models.attributes import split_names
from operators.models.cache import Cache
from operators.models.card import NAME
from operators.models.checkpoint import Task
from operators.models.hashing import sha256_of


@dataclass(frozen=True)
class Said:
    """What a user says of a file; None where he leaves it to the file.

    Attributes:
        name: for the cache.
        task: what its restorer is to do with it.
        template: alignment.
        size: side of the square.
        licence: SPDX expression or words.
        noncommercial: whether jobs have to accept its terms.
        attributes: names of its attributes, with commas between them.
    """

    name: str | None = None
    task: str | None = None
    template: str | None = None
    size: int | None = None
    licence: str | None = None
    noncommercial: bool = False
    attributes: str | None = None

    @property
    def more(self) -> bool:
        """Whether anything beyond the name is said."""
        return self != Said(self.name)


def list_models(folder: Path | None, as_json: bool, out: Output) -> Exit:
    """Every model that is known by name or in the cache."""
    cache = Cache(folder)
    here = {model.checkpoint.name: model for model in cache.list()}
    names = [*CHECKPOINTS, *(name for name in here if name not in CHECKPOINTS)]
    if as_json:
        entries = [entry(name, here.get(name)) for name in names]
        out.say(json.dumps({"cache": str(cache.models), "models": entries}, indent=1))
        return Exit.DONE
    out.say(table([summary(name, here.get(name)) for name in names]))
    out.say(f"\nin the cache: {len(here)} of {len(names)}, at {cache.models}")
    for name in cache.names():
        if name not in here:
            out.say(f"{name} is in the cache and damaged; facejobs models verify {name} says how")
    return Exit.DONE


def show_model(name: str, folder: Path | None, as_json: bool, out: Output) -> Exit:
    """All about one model."""
    cache = Cache(folder)
    _known(name, cache)
    here = cache.find(name)
    if as_json:
        out.say(json.dumps(entry(name, here), indent=1))
    else:
        out.say("\n".join(card_lines(name, here)))
    return Exit.DONE


def pull_models(names: list[str], place: str | None, sha256: str | None, folder: Path | None, out: Output) -> Exit:
    """Fetch models into the cache, each in turn; what fails does not keep the others back."""
    if sha256 is not None and len(names) > 1:
        raise CommandError("--sha256 is the hash of one file; name one model", Exit.USAGE)
    if place is not None and shown(place) != place:
        out.use(Scrubber({place}))
    cache = Cache(folder)
    worst = Exit.DONE
    for name in dict.fromkeys(names):
        code = _pulled(cache, Wish(name, place, sha256.lower() if sha256 else None), out)
        worst = worst or code
    return worst


def add_model(file: Path, said: Said, sha256: str | None, folder: Path | None, out: Output) -> Exit:
    """Take a local file into the cache."""
    if not file.is_file():
        raise CommandError(f"{file}: there is no such file", Exit.USAGE)
    cache = Cache(folder)
    name = said.name or _name_of(file)
    if name in CHECKPOINTS and said.more:
        raise CommandError(
            f"{name} is a published checkpoint, all about which is known; --name is for one of your own",
            Exit.USAGE,
        )
    draft = None if name in CHECKPOINTS else _draft(name, said)
    with cache.lock(name):
        model = cache.add(file, name, draft=draft, sha256=sha256.lower() if sha256 else None)
    _say_here(name, cache, out)
    for line in terms_lines(model.checkpoint):
        out.say(line)
    return Exit.DONE


def verify_models(names: list[str], folder: Path | None, as_json: bool, out: Output) -> Exit:
    """Hash files again."""
    cache = Cache(folder)
    verdicts = [cache.verify(name) for name in names or cache.names()]
    if as_json:
        out.say(json.dumps([vars(verdict) for verdict in verdicts], indent=1))
    else:
        for verdict in verdicts:
            out.say(f"{verdict.name}: {verdict.state} ({verdict.message})")
        wrong = sum(verdict.state != "as recorded" for verdict in verdicts)
        out.say(f"{len(verdicts)} models read, " + (f"{wrong} not as recorded" if wrong else "all as recorded"))
    return Exit.DONE if all(verdict.state == "as recorded" for verdict in verdicts) else Exit.MISMATCH


def remove_models(names: list[str], folder: Path | None, out: Output) -> Exit:
    """Remove models from the cache."""
    cache = Cache(folder)
    absent = [name for name in dict.fromkeys(names) if not cache.remove(name)]
    for name in dict.fromkeys(names):
        if name not in absent:
            out.say(f"{name}: removed from {cache.models}")
    if absent:
        raise CommandError(f"not in {cache.models}: {', '.join(absent)}", Exit.USAGE)
    return Exit.DONE


def _pulled(cache: Cache, wish: Wish, out: Output) -> Exit:
    """Fetch one model; says what went wrong rather than raising it, so that the next one has its turn."""
    before = _there_already(cache, wish.name)
    try:
        model = pull(cache, wish, watched(out))
    except NoModelError as error:
        out.complain(str(error))
        return Exit.USAGE
    except NotFetchedError as error:
        out.complain(str(error))
        return Exit.STORAGE
    except (ModelFileError, CheckpointError) as error:
        out.complain(str(error))
        return Exit.BAD_JOB
    if before:
        out.say(f"{wish.name}: already in the cache, {model.path}")
    else:
        _say_here(wish.name, cache, out)
    for line in terms_lines(model.checkpoint):
        out.say(line)
    return Exit.DONE


def _there_already(cache: Cache, name: str) -> bool:
    try:
        return cache.find(name) is not None
    except ModelFileError:
        return False


def _say_here(name: str, cache: Cache, out: Output) -> None:
    model = cache.find(name)
    assert model is not None
    about = model.checkpoint
    held = {
        "table": "the published one",
        "given": "the one that was given",
        "first use": "recorded now: none is published, so compare it with another copy if it matters"
        if name in CHECKPOINTS
        else "recorded now",
    }[model.card.held_to]
    out.say(f"{name}: {model.path}")
    out.say(f"  {about.architecture}, {(about.bytes or 0) / 1e6:.1f} MB, SHA-256 {model.sha256} ({held})")
    if not about.runs:
        out.say("  kept and checked; this version of facejobs does not run it")


def _known(name: str, cache: Cache) -> None:
    if name in CHECKPOINTS or name in cache.names():
        return
    close = get_close_matches(name, [*CHECKPOINTS, *cache.names()], n=2)
    meant = f"; did you mean {' or '.join(close)}?" if close else ""
    raise CommandError(f"there is no model {name!r}{meant} `facejobs models list` shows all", Exit.USAGE)


def _name_of(file: Path) -> str:
    """The published checkpoint that a file is, by its hash, else by its name.

    Raises:
        CommandError: it is none.
    """
    digest = sha256_of(file)
    for checkpoint in CHECKPOINTS.values():
        if checkpoint.sha256 == digest:
            return checkpoint.name
    for checkpoint in CHECKPOINTS.values():
        if checkpoint.file == file.name:
            return checkpoint.name
    raise CommandError(
        f"{file}: neither its hash nor its name is that of a published checkpoint; give it a name: --name NAME",
        Exit.USAGE,
    )


def _draft(name: str, said: Said) -> Checkpoint:
    if not NAME.fullmatch(name):
        raise CommandError(f"{name!r} is no name of a model: up to 64 of a-z 0-9 . _ - are", Exit.USAGE)
    if said.task is not None and said.task not in get_args(Task):
        raise CommandError(f"--task {said.task}: expected one of {', '.join(get_args(Task))}", Exit.USAGE)
    if said.template is not None and said.template not in template_names():
        raise CommandError(f"--template {said.template}: expected one of {', '.join(template_names())}", Exit.USAGE)
    draft = unsaid(name)
    return replace(
        draft,
        licence=said.licence or draft.licence,
        noncommercial=said.noncommercial,
        attributes=split_names(said.attributes or ""),
        task=cast("Task | None", said.task),
        template=said.template,
        size=said.size,
    )
