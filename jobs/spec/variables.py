"""Environment variables in storage options: `${NAME}`, `${NAME:-default}`, and `$${` for a literal `${`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

REFERENCE = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(:-([^{}]*))?\}")


class UnsetVariableError(Exception):
    """A storage option names an environment variable that is not set and gives no default."""


def has_reference(text: str) -> bool:
    """Whether the text holds `${`, well-formed or not."""
    return "${" in text


def expand(text: str, environment: Mapping[str, str]) -> str:
    """The text with its variables filled in; as in a POSIX shell, `:-` also stands in for an empty value.

    Raises:
        UnsetVariableError: a variable is not set and has no default.
        ValueError: `${` without a name and `}`. Neither message repeats the text, which may hold a secret.
    """
    if has_reference(REFERENCE.sub("", text)):
        raise ValueError("found '${' without a name and '}', expected ${NAME} or ${NAME:-default}; a literal is '$${'")
    return REFERENCE.sub(lambda match: _value(match, environment), text)


def _value(match: re.Match[str], environment: Mapping[str, str]) -> str:
    name, default = match[1], match[3]
    if name is None:
        return "${"
    value = environment.get(name)
    if default is not None:
        return value or default
    if value is None:
        raise UnsetVariableError(f"the environment variable {name} is not set; set it, or write ${{{name}:-default}}")
    return value


def resolve_options(options: Mapping[str, Any], environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Storage options with their variables filled in, ready for fsspec.

    Args:
        options: as the job file has them.
        environment: variables; those of this process when None.

    Raises:
        UnsetVariableError: a variable is not set and has no default.
    """
    known = os.environ if environment is None else environment
    return {key: _resolved(value, known) for key, value in options.items()}


def _resolved(value: Any, environment: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return expand(value, environment)
    if isinstance(value, Mapping):
        return {key: _resolved(item, environment) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_resolved(item, environment) for item in value]
    return value
