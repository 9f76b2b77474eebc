"""Pydantic's errors in the words of a job file's user."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from jobs.spec.problems import describe, listed, nearest, shown
from jobs.spec.training.kinds import OBJECTIVES, SCHEDULES

NUMBERS = {"int_type": "a whole number", "int_from_float": "a whole number", "float_type": "a number"}
SHAPES = {
    "tuple_type": "a list such as [a, b]",
    "dict_type": "a mapping of options, such as {anon: true}",
    "model_type": "a mapping of keys",
    "model_attributes_type": "a mapping of keys",
}
BOUNDS = {
    "greater_than_equal": ("at least", "ge"),
    "greater_than": ("more than", "gt"),
    "less_than_equal": ("at most", "le"),
    "less_than": ("less than", "lt"),
}


def explain(error: ErrorDetails, description: str, *, secret: bool = False) -> str:
    """What was found, what was expected, what to do.

    Args:
        error: one error of pydantic, neither about a missing nor about an unknown key.
        description: of the key, from its model; for values that are left empty.
        secret: whether the value must not be repeated.
    """
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    found = "a value" if secret else describe(value)
    if kind == "value_error":
        problem = str(context["error"])
        return f"found {found}; {problem}" if problem.startswith("expected") else problem
    if value is None:
        return f"found nothing; expected a value ({first_sentence(description)}); remove the key for its default"
    if expected := _expected(kind, value, context):
        return f"found {found}, expected {expected}"
    return f"found {found}: {error['msg'][:1].lower()}{error['msg'][1:]}"


def _expected(kind: str, value: Any, context: Mapping[str, Any]) -> str:
    """What pydantic wanted, and how to write it; empty for kinds of error that no key can cause."""
    fixed = {
        **SHAPES,
        "bool_type": f"true or false{_as_bool(value)}",
        "string_type": f"text{_as_text(value)}",
        "finite_number": "a finite number",
        "too_short": f"at least {context.get('min_length')} in the list",
    }
    if kind == "literal_error":
        return _choice(value, re.findall(r"'([^']*)'", str(context["expected"])))
    if kind in NUMBERS:
        return f"{NUMBERS[kind]}{_as_number(value, kind)}"
    if kind in BOUNDS:
        words, key = BOUNDS[kind]
        return f"{words} {_plain(context[key])}"
    return fixed.get(kind, "")


def unknown(known: Sequence[str]) -> str:
    """What to say of a key that is like none of those that can stand there."""
    return f"unknown key; expected {listed(known)}" if known else "unknown key; nothing can be set here"


def for_others(models: Sequence[type[BaseModel]]) -> str:
    """What to say of a key that a block of this kind has not, but blocks of other kinds have."""
    *some, last = map(_kind, models)
    return f"unknown key here; it is for {' and '.join([', '.join(some), last] if some else [last])}"


def _kind(model: type[BaseModel]) -> str:
    """How a job file asks for a block's model: `kind: parquet`."""
    for key in ("kind", "model"):
        if key in model.model_fields:
            values = get_args(model.model_fields[key].annotation)
            return f"{key}: {values[0]}" if values else f"a {key} with weights"
    tables = (OBJECTIVES, SCHEDULES)
    return next((f"model.kind: {kind}" for table in tables for kind in table if table[kind] is model), "other kinds")


def missing(name: str, description: str) -> str:
    """What to say of a key that has to be there."""
    return f"missing; expected '{name}: ...' ({first_sentence(description)})"


def first_sentence(text: str) -> str:
    """Its first sentence or clause, as a clause."""
    clause = re.split(r"[.;:](?:\s|$)", text.strip(), maxsplit=1)[0]
    return clause[:1].lower() + clause[1:]


def _choice(value: Any, names: list[str]) -> str:
    close = nearest(value, names) if isinstance(value, str) else None
    return listed(names) + (f"; did you mean '{close}'?" if close else "")


def _as_number(value: Any, kind: str) -> str:
    if isinstance(value, str):
        bare = value.strip().replace("_", "").replace(",", "")
        if re.fullmatch(r"[-+]?[0-9]{1,30}(\.[0-9]{1,30})?", bare) and (kind == "float_type" or "." not in bare):
            return f"; write {bare} without quotes" if bare == value.strip() else f"; write {bare}"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return f"; write {int(value)}"
    return ""


def _as_bool(value: Any) -> str:
    word = str(value).strip().casefold()
    if word in {"yes", "on", "y", "1", "true"}:
        return "; write true"
    if word in {"no", "off", "n", "0", "false"}:
        return "; write false"
    return ""


def _as_text(value: Any) -> str:
    if isinstance(value, bool | int | float):
        written = str(value).lower() if isinstance(value, bool) else str(value)
        return f"; write '{shown(written, 30)}' in quotes if it is meant as text"
    return ""


def _plain(bound: Any) -> str:
    return f"{bound:g}" if isinstance(bound, float) else str(bound)
