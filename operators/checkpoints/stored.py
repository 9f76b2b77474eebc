"""What both of torch's file formats come to: a value, and where its storages lie in the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Span:
    """Bytes of the file, from `start`, so many."""

    start: int
    length: int


@dataclass(frozen=True)
class Stored:
    """A file of torch, taken apart.

    Attributes:
        value: what was saved, as `pickles.Pickle.value` describes.
        spans: where each storage lies, by key.
    """

    value: Any
    spans: Mapping[str, Span]
