"""`facejobs reveal`: gives back the originals of pictures in which faces were hidden."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import typer

from jobs.console import Output
from jobs.errors import CommandError
from jobs.exits import Exit
from jobs.locate import locate
from jobs.opencv import settle_opencv
from jobs.revealing.places import Kept, kept_at
from jobs.revealing.reveal import Revealed, read_record, reveal
from jobs.spec import Scrubber
from jobs.spec.overlap import inside
from jobs.spec.passcodes import PasscodeError, read_passcode
from jobs.spec.uris import absolute
from operators.sealing.errors import TamperedError, WrongPasscodeError
from pipeline.layout import CURRENT
from pipeline.storage import Folder

SHOWN = 20


@dataclass(frozen=True)
class Asked:
    """The options, as they were given.

    Attributes:
        to: folder or URL that the originals are written to.
        keys: of the pictures; none for all.
        passcode_file: file whose first line is the passcode.
        passcode_env: variable of the environment that holds it.
    """

    to: str
    keys: tuple[str, ...] = ()
    passcode_file: Path | None = None
    passcode_env: str | None = None


@dataclass
class _Counts:
    revealed: int = 0
    unsealed: int = 0
    locked: int = 0
    tampered: int = 0
    in_the_way: int = 0
    complaints: int = 0
    unknown: set[str] = field(default_factory=set)


def reveal_places(places: Iterable[str], asked: Asked, out: Output) -> Exit:
    """Put the originals of some pictures into a folder of their own.

    Raises:
        CommandError: a place holds nothing of the kind, the passcode cannot be had, or the folder lies in the output.
    """
    settle_opencv()
    places = list(places)
    target = _target(asked.to, places)
    passcode = _passcode(asked)
    out.use(Scrubber([passcode]))
    counts = _Counts(unknown=set(asked.keys))
    folder = Folder(target)
    for place in places:
        for kept in kept_at(place):
            _take(kept, passcode, folder, asked, counts, out)
    return _end(counts, out)


def _target(to: str, places: Sequence[str]) -> str:
    """The folder for originals, made absolute; it lies in no output."""
    try:
        target = absolute(to, Path.cwd())
        outputs = [(place, absolute(place, Path.cwd())) for place in places]
    except ValueError as error:
        raise CommandError(f"--to {to}: {error}", Exit.USAGE) from error
    outputs += [(place, locate(place).run.outputs.uri) for place in places if place.lower().endswith((".yaml", ".yml"))]
    if "://" not in target and "::" not in target:
        folder = Path(target).resolve()
        outputs += [(str(one), str(one)) for one in (folder, *folder.parents) if (one / CURRENT).is_file()]
    for name, output in outputs:
        if inside(target, output):
            message = f"--to {to}: lies in {name}, and originals must not lie beside pictures without faces"
            raise CommandError(f"{message}; name a folder elsewhere", Exit.USAGE)
    return target


def _passcode(asked: Asked) -> str:
    if asked.passcode_file is not None and asked.passcode_env is not None:
        raise CommandError("--passcode-file and --passcode-env: give one of the two", Exit.USAGE)
    try:
        if asked.passcode_file is not None:
            return read_passcode(asked.passcode_file)
    except PasscodeError as error:
        raise CommandError(f"--passcode-file: {error}", Exit.USAGE) from error
    if asked.passcode_env is not None:
        passcode = os.environ.get(asked.passcode_env)
        if not passcode:
            raise CommandError(f"--passcode-env: the variable {asked.passcode_env} is not set", Exit.USAGE)
        if any("\ud800" <= one <= "\udfff" for one in passcode):  # how Python reads what is no UTF-8
            raise CommandError(f"--passcode-env: the variable {asked.passcode_env} is not UTF-8", Exit.USAGE)
        return passcode
    if not sys.stdin.isatty():
        raise CommandError("no passcode: give --passcode-file or --passcode-env, or call it in a terminal", Exit.USAGE)
    return str(typer.prompt("Passcode", hide_input=True, err=True))


def _take(kept: Kept, passcode: str, folder: Folder, asked: Asked, counts: _Counts, out: Output) -> None:
    """Reveal one picture, and say what became of it."""
    if kept.problem and not asked.keys:
        counts.tampered += 1
        _complain(f"{kept.name}: {kept.problem}; nothing is revealed", counts, out)
        return
    try:
        record = read_record(kept.record)
        if asked.keys and record["key"] not in asked.keys:
            return
        counts.unknown.discard(record["key"])
        if kept.problem:
            raise TamperedError(kept.problem)
        if "sealed" not in record:
            counts.unsealed += 1
            return
        found = reveal(record, kept.picture(), passcode)
    except WrongPasscodeError as error:
        counts.locked += 1
        _complain(f"{kept.name}: {error}; nothing is revealed", counts, out)
    except TamperedError as error:
        counts.tampered += 1
        _complain(f"{kept.name}: {error}; nothing is revealed", counts, out)
    except FileNotFoundError:
        counts.tampered += 1
        _complain(f"{kept.name}: its picture is missing; nothing is revealed", counts, out)
    else:
        _write(found, folder, counts, out)


def _write(found: Revealed, folder: Folder, counts: _Counts, out: Output) -> None:
    place = f"{folder.uri.rstrip('/')}/{found.name}"
    parts = PurePosixPath(found.name).parts
    if found.name.startswith("/") or ".." in parts:
        counts.tampered += 1
        _complain(f"{place}: the record names a place outside the folder; nothing is revealed", counts, out)
    elif not folder.create(found.name, found.data):
        same = folder.read(found.name) == found.data
        counts.revealed += same
        counts.in_the_way += not same
        text = "is there already, and is this original" if same else "is there already and is something else; it stays"
        _complain(f"{place}: {text}", counts, out)
    else:
        counts.revealed += 1
        what = "the source's file, byte for byte" if found.whole_file else "all original pixels, bit for bit"
        out.say(f"{place}: {what}; {found.faces} {'face' if found.faces == 1 else 'faces'}")


def _complain(text: str, counts: _Counts, out: Output) -> None:
    counts.complaints += 1
    if counts.complaints <= SHOWN:
        out.say(_printable(text))
    elif counts.complaints == SHOWN + 1:
        out.say("more of the kind are only counted")


def _printable(text: str) -> str:
    """A line with names that came out of files nobody vouches for: what would steer the terminal is written out."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def _end(counts: _Counts, out: Output) -> Exit:
    for key in sorted(counts.unknown):
        out.say(f"{key}: there is no record of this key")
    parts = [f"{counts.revealed} revealed"]
    parts += [f"{counts.locked} sealed with another passcode"] if counts.locked else []
    parts += [f"{counts.tampered} tampered with or damaged"] if counts.tampered else []
    parts += [f"{counts.in_the_way} not written, as another file is in the way"] if counts.in_the_way else []
    parts += [f"{counts.unsealed} without a seal"] if counts.unsealed else []
    out.say(", ".join(parts))
    if counts.tampered:
        return Exit.MISMATCH
    if counts.locked:
        return Exit.LOCKED
    if counts.in_the_way or counts.unknown or not counts.revealed:
        return Exit.USAGE
    return Exit.DONE
