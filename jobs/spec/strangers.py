"""What is said of a key that this kind of job has not, where another block or another kind of job has it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType

from pydantic import BaseModel

from jobs.spec.keys import elsewhere, owners
from jobs.spec.kinds import KINDS
from jobs.spec.messages import for_others, unknown
from jobs.spec.problems import nearest

ONE_SLIP = 0.85
"""Likeness of names that differ in a letter: such a key is misspelt rather than another job's."""


def stranger(kind: str, block: str, place: tuple[int | str, ...], holder: type[BaseModel]) -> str:
    """What to say of an unknown key.

    Args:
        kind: of the job.
        block: in which it stands; empty for the top of the file.
        place: way to it inside the block.
        holder: model of the mapping in which it stands.
    """
    name = str(place[-1])
    blocks = KINDS[kind].blocks
    if others := owners(blocks, block, place):
        return for_others(others)
    own = _own(kind, block)
    same = list(_same_place(kind, block, place))
    if name in own:
        further = f", or to {_jobs(same)}" if same else ""
        return f"unknown key here; '{name}' belongs under '{own[name]}'{further}"
    if same:
        return f"unknown key here; '{name}' belongs to {_jobs(same)}, and this is {_jobs([kind])}"
    known = list(holder.model_fields)
    if close := nearest(name, known, ONE_SLIP):
        return f"unknown key; did you mean '{close}'?"
    for other, where in _elsewhere(kind):
        if name in where:
            return f"unknown key here; '{name}' belongs under '{where[name]}' of {_jobs([other])}"
    if close := nearest(name, known):
        return f"unknown key; did you mean '{close}'?"
    if close := nearest(name, list(own)):
        return f"unknown key; did you mean '{close}' under '{own[close]}'?"
    return unknown(known)


def _same_place(kind: str, block: str, place: tuple[int | str, ...]) -> Iterator[str]:
    """Other kinds of job that have the key at just this place."""
    for other, each in KINDS.items():
        if other == kind:
            continue
        top = not block and place[-1] in each.model.model_fields
        if top or owners(each.blocks, block, place):
            yield other


@cache
def _own(kind: str, block: str) -> Mapping[str, str]:
    """Keys of a kind of job that stand elsewhere than directly in a block."""
    return MappingProxyType(elsewhere(KINDS[kind].blocks, block))


def _elsewhere(kind: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Every other kind of job with all keys of its blocks."""
    return ((other, _own(other, "")) for other in KINDS if other != kind)


def _jobs(kinds: list[str]) -> str:
    return " or ".join(f"a {kind} job" for kind in kinds)
