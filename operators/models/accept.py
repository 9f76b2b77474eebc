"""Whether a file may come into the cache as the model that it is said to be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from operators.checkpoints.errors import RefusedError
from operators.checkpoints.sniff import HEAD_BYTES, sniff
from operators.models.card import CARD, FILE, SHA256, Held
from operators.models.checkpoint import Checkpoint
from operators.models.checkpoints import CHECKPOINTS
from operators.models.errors import ModelRefusedError
from operators.models.examine import Contents, check_against, described


def held_to(wanted: Checkpoint, digest: str, file: Path, given: str | None, place: str) -> Held:
    """What the hash was compared with.

    Raises:
        ModelRefusedError: it is another.
    """
    if given is not None and not SHA256.fullmatch(given):
        raise ModelRefusedError(f"{given!r} is no SHA-256: 64 of 0-9 a-f are")
    for expected, whose in ((given, "was given"), (wanted.sha256, f"is published for {wanted.name}")):
        if expected is not None and digest != expected:
            found = f"{file.stat().st_size} bytes with SHA-256 {digest}"
            raise ModelRefusedError(f"{place}: the file has {found}, but {expected} {whose}; {_evidently(file)}")
    if wanted.sha256 is not None:
        return "table"
    return "given" if given is not None else "first use"


def _evidently(file: Path) -> str:
    """What a file with a wrong hash is, as far as its first bytes tell."""
    with file.open("rb") as opened:
        head = opened.read(HEAD_BYTES)
    try:
        sniff(head, file.stat().st_size)
    except RefusedError as error:
        return error.reason
    return (
        "it is damaged or another file. A file that you trust can be added under a name of its own: "
        "facejobs models add FILE --name NAME"
    )


def complete(wanted: Checkpoint, contents: Contents, digest: str, place: str, *, known: bool) -> Checkpoint:
    """The description of what comes into the cache.

    A copy of a published checkpoint under another name stays under that checkpoint's terms.
    """
    if known:
        check_against(contents, wanted, place)
        return wanted
    about = described(wanted, contents, place)
    twin = next((item for item in CHECKPOINTS.values() if item.sha256 == digest), None)
    if twin is not None:
        about = replace(about, licence=twin.licence, noncommercial=twin.noncommercial, terms=twin.terms)
    return about


def file_name(name: str) -> str:
    """The file's name in the cache; one that no card could hold is replaced."""
    return name if FILE.fullmatch(name) and name != CARD else f"weights{Path(name).suffix}"
