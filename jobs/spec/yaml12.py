"""PyYAML's parser with the scalar rules of YAML 1.2, so that `no`, `on`, `12:30` and dates stay text."""

from __future__ import annotations

import re
from typing import Any

import yaml

from jobs.spec.problems import shown

MAX_DEPTH = 24
"""Nesting that no job file needs; PyYAML composes by recursion, so a limit must stand before Python's own."""

MAX_NODES = 5_000
"""Keys and values that no job file needs, as written, and values once more after aliases are followed."""

BOOL, INT, FLOAT, NULL, TEXT = (f"tag:yaml.org,2002:{name}" for name in ("bool", "int", "float", "null", "str"))


class RefusedError(yaml.MarkedYAMLError):
    """Something that YAML allows and job files do not."""


class StrictLoader(yaml.SafeLoader):
    """Composes nodes by the core schema of YAML 1.2 (section 10.3.2); refuses tags, deep nesting and masses of nodes.

    Raises:
        RefusedError: with the place of what is refused, from `get_single_node`.
    """

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 (PyYAML's own type)

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.depth = self.nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """One node with all below it."""
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if getattr(event, "tag", None) is not None:
            message = f"found the tag {shown(event.tag)}, which job files do not use; text can be put in quotes"
            raise RefusedError(problem=message, problem_mark=event.start_mark)
        self.nodes += 1
        if self.nodes > MAX_NODES:
            message = f"found more than {MAX_NODES} keys and values, expected a short file"
            raise RefusedError(problem=message, problem_mark=event.start_mark)
        self.depth += 1
        if self.depth > MAX_DEPTH:
            message = f"found more than {MAX_DEPTH} levels of nesting; check the brackets"
            raise RefusedError(problem=message, problem_mark=event.start_mark)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _scalars() -> None:
    """Give the loader the patterns of YAML 1.2.2, section 10.3.2."""
    rules: tuple[tuple[str, str, str], ...] = (
        (NULL, r"~|null|Null|NULL|", "~nN\0"),
        (BOOL, r"true|True|TRUE|false|False|FALSE", "tTfF"),
        (INT, r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
        (FLOAT, r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
        (FLOAT, r"[-+]?(\.inf|\.Inf|\.INF)|\.nan|\.NaN|\.NAN", "-+."),
    )
    for tag, pattern, first in rules:
        starts = ["" if character == "\0" else character for character in first]
        StrictLoader.add_implicit_resolver(tag, re.compile(rf"(?:{pattern})\Z"), starts)


_scalars()
