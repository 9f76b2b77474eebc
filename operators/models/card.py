"""The card beside each file of the cache, `model.json`: what the file is, where it came from, what it was held to."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

from operators.models.checkpoint import Checkpoint, Restorer, Task
from operators.models.errors import ModelFileError

CARD = "model.json"
FORMAT = 1
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,127}")
SHA256 = re.compile(r"[0-9a-f]{64}")
CARD_BYTES = 1 << 20
_LISTS = ("sources", "attributes")

Held = Literal["table", "given", "first use"]
"""What the hash was compared with: the table of published checkpoints, a hash that a person gave, or nothing yet."""


@dataclass(frozen=True)
class Card:
    """What stands in `model.json`.

    Attributes:
        checkpoint: what the file is; its `sha256` and `bytes` are those of the file.
        arguments: of the architecture, as recognised; empty for one that this version cannot run.
        held_to: what the hash was compared with when the file came.
        origin: where it came from, without passwords and query strings.
        added: when, UTC, ISO 8601.
    """

    checkpoint: Checkpoint
    arguments: Mapping[str, Any]
    held_to: Held
    origin: str
    added: str

    def text(self) -> str:
        """The card as JSON."""
        about = asdict(self.checkpoint)
        about |= {key: list(about[key]) for key in _LISTS}
        rest = {"arguments": dict(self.arguments), "held_to": self.held_to, "origin": self.origin, "added": self.added}
        return json.dumps({"format": FORMAT, **about, **rest}, indent=1) + "\n"


def read_card(path: Path) -> Card:
    """Read a card.

    Args:
        path: of a `model.json`.

    Raises:
        FileNotFoundError: there is none.
        ModelFileError: it is damaged; the message names it.
    """
    if path.stat().st_size > CARD_BYTES:
        raise ModelFileError(f"{path}: is too large for a model's card; remove the folder and fetch the model again")
    return parse_card(path.read_bytes(), str(path))


def parse_card(data: bytes, place: str) -> Card:
    """The card in a file's bytes, which may come from anywhere.

    Args:
        data: JSON.
        place: where it was, for messages.

    Raises:
        ModelFileError: it is damaged, or of a later version.
    """
    try:
        found = json.loads(data)
        version = found["format"]
        if version != FORMAT:
            raise ModelFileError(f"{place}: the card has format {version}, this version of facejobs reads {FORMAT}")
        # Cards that were written before networks had attributes do not speak of them.
        found.setdefault("attributes", [])
        about = {field.name: found[field.name] for field in fields(Checkpoint)}
        about |= {key: tuple(about[key]) for key in _LISTS}
        card = Card(Checkpoint(**about), found["arguments"], found["held_to"], found["origin"], found["added"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelFileError(
            f"{place}: the card is damaged ({type(error).__name__}: {error}); remove the model and fetch it again"
        ) from None
    if wrong := _wrong(card):
        raise ModelFileError(f"{place}: the card is damaged: {wrong}; remove the model and fetch it again")
    return card


def _wrong(card: Card) -> str | None:
    """What is wrong with a card's values, None when nothing is."""
    about = card.checkpoint
    said = (about.licence, about.terms, about.architecture, about.purpose, card.origin, card.added)
    texts = (*said, *about.sources, *about.attributes)
    checks = {
        "name": isinstance(about.name, str) and NAME.fullmatch(about.name),
        "file": isinstance(about.file, str) and FILE.fullmatch(about.file),
        "sha256": isinstance(about.sha256, str) and SHA256.fullmatch(about.sha256),
        "bytes": isinstance(about.bytes, int) and about.bytes >= 0,
        "size": about.size is None or (isinstance(about.size, int) and about.size > 0),
        "restorer": about.restorer is None or about.restorer in get_args(Restorer),
        "task": about.task is None or about.task in get_args(Task),
        "template": about.template is None or isinstance(about.template, str),
        "held_to": card.held_to in get_args(Held),
        "arguments": isinstance(card.arguments, dict),
        "noncommercial": isinstance(about.noncommercial, bool) and isinstance(about.runs, bool),
        "texts": all(isinstance(text, str) for text in texts),
    }
    return next((f"'{key}' has no such value" for key, right in checks.items() if not right), None)
