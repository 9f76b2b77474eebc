"""Text of a job file to plain data, with the place of each key and value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from jobs.spec.problems import Finding, KeyPath, Mark, shown
from jobs.spec.yaml12 import BOOL, FLOAT, INT, MAX_DEPTH, MAX_NODES, NULL, TEXT, StrictLoader
from jobs.spec.yaml_errors import explain_syntax, mark_of

MAX_DIGITS = 40
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class DocumentError(Exception):
    """The text is not a YAML mapping at all: nothing more can be said of it."""

    def __init__(self, mark: Mark, message: str) -> None:
        super().__init__(message)
        self.mark = mark
        self.message = message


@dataclass(frozen=True)
class Document:
    """Data of a file.

    Attributes:
        data: text, numbers, booleans, None, lists and string-keyed mappings.
        findings: what is wrong with the YAML itself (doubled keys and the like).
        keys: place of each key.
        values: place of each value.
    """

    data: dict[str, Any]
    findings: tuple[Finding, ...]
    keys: Mapping[KeyPath, Mark]
    values: Mapping[KeyPath, Mark]

    def place(self, finding: Finding) -> Mark:
        """Where the finding stands; for a missing key, where the mapping stands that should hold it."""
        if finding.mark:
            return finding.mark
        path = finding.path
        tables = (self.keys, self.values) if finding.at_key else (self.values, self.keys)
        for table in tables:
            if path in table:
                return table[path]
        while path:
            path = path[:-1]
            mark = self.keys.get(path) or self.values.get(path)
            if mark:
                return mark
        return Mark(1, 1)


def parse(text: str) -> Document:
    """Read YAML 1.2.

    Raises:
        DocumentError: when it is not one YAML mapping.
    """
    node = _compose(text)
    if node is None:
        raise DocumentError(Mark(1, 1), "the file is empty; expected at least job, name, source and output")
    if not isinstance(node, yaml.MappingNode):
        kind = "a list" if isinstance(node, yaml.SequenceNode) else "a single value"
        raise DocumentError(mark_of(node.start_mark), f"found {kind}, expected a mapping that starts with 'job: ...'")
    reader = _Reader()
    data = reader.mapping((), node)
    return Document(data, tuple(reader.findings), reader.keys, reader.values)


def _compose(text: str) -> yaml.Node | None:
    loader: StrictLoader | None = None
    try:
        loader = StrictLoader(text)
        return loader.get_single_node()
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        mark = Mark(before.count("\n") + 1, error.position - (before.rfind("\n") + 1) + 1)
        raise DocumentError(mark, f"found the character U+{ord(text[error.position]):04X}, expected text") from None
    except yaml.MarkedYAMLError as error:
        raise DocumentError(*explain_syntax(error)) from None
    except (ValueError, OverflowError):
        # PyYAML lets chr() fail on escapes such as "\UFFFFFFFF" and has no mark for it.
        mark = mark_of(loader.get_mark()) if loader else Mark(1, 1)
        raise DocumentError(mark, "found an escape or number that stands for no character") from None


class _Reader:
    """Turns nodes into data and notes the places."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.keys: dict[KeyPath, Mark] = {}
        self.values: dict[KeyPath, Mark] = {}
        self.nodes = 0

    def mapping(self, path: KeyPath, node: yaml.MappingNode) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self._key(path, key_node)
            if key is None:
                continue
            here = (*path, key)
            mark = mark_of(key_node.start_mark)
            if key in data:
                message = f"this key stands already in line {self.keys[here].line}; keep one of the two"
                self.findings.append(Finding(here, message, at_key=True, mark=mark))
                continue
            self.keys[here] = mark
            data[key] = self._value(here, value_node)
        return data

    def _key(self, path: KeyPath, node: yaml.Node) -> str | None:
        problem = _key_problem(node)
        if problem:
            self.findings.append(Finding(path, problem, mark=mark_of(node.start_mark)))
            return None
        return str(node.value)

    def _value(self, path: KeyPath, node: yaml.Node) -> Any:
        mark = mark_of(node.start_mark)
        self.values[path] = mark
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise DocumentError(mark, f"found more than {MAX_NODES} values, aliases followed; write the file plainly")
        if len(path) > MAX_DEPTH:
            raise DocumentError(mark, "found an alias that contains itself; write the values out")
        if isinstance(node, yaml.MappingNode):
            return self.mapping(path, node)
        if isinstance(node, yaml.SequenceNode):
            return [self._value((*path, index), item) for index, item in enumerate(node.value)]
        return self._scalar(path, node)

    def _scalar(self, path: KeyPath, node: yaml.Node) -> Any:
        text = str(node.value)
        if node.tag == NULL:
            return None
        if node.tag == BOOL:
            return text.lower() == "true"
        if node.tag in (INT, FLOAT):
            return self._number(path, text, node.tag)
        if CONTROL.search(text):
            self.findings.append(Finding(path, "found a control character in the text, expected printable characters"))
            # The file is refused; what follows must not stumble over it (no path may hold NUL or half a surrogate).
            return CONTROL.sub("\ufffd", text)
        return text

    def _number(self, path: KeyPath, text: str, tag: str) -> int | float | str:
        if len(text) > MAX_DIGITS:
            self.findings.append(Finding(path, f"found a number of {len(text)} characters, expected a sensible one"))
            return text
        if tag == FLOAT:
            return float(re.sub(r"\.(?=inf|nan)", "", text.lower()))
        if re.match(r"[-+]?0[0-9]", text):
            message = f"found the number {text} with a leading zero; put it in quotes if it is text, else drop the zero"
            self.findings.append(Finding(path, message))
            return text
        return int(text, 0)


def _key_problem(node: yaml.Node) -> str | None:
    if not isinstance(node, yaml.ScalarNode):
        return "found a list or mapping as a key, expected a name"
    if node.tag != TEXT:
        return f"found '{shown(node.value)}' as a key, expected a name"
    if node.value == "<<":
        return "found a merge key '<<', which YAML 1.2 does not have; write the keys out"
    if CONTROL.search(node.value):
        return "found a control character in a key, expected a name"
    return None
