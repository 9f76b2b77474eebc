"""Names of the attributes of a network that completes faces: shapes tell how many there are, and not what they mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from operators.checkpoints.sniff import HEAD_BYTES, sniff
from operators.models.errors import ModelRefusedError

KEY = "attributes"
"""In the metadata of a safetensors file: the names, in the order of the input, with commas between them."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def split_names(text: str) -> tuple[str, ...]:
    """Names out of `smiling, male`; spaces around them do not count."""
    return tuple(name.strip() for name in text.split(",")) if text.strip() else ()


def attributes_in(path: Path) -> tuple[str, ...]:
    """The names that a file gives its attributes; empty for one that is not safetensors, or gives none.

    Args:
        path: of a file that has been read as a checkpoint.
    """
    with path.open("rb") as opened:
        head = opened.read(HEAD_BYTES)
    if sniff(head, path.stat().st_size) != "safetensors":
        return ()
    from safetensors import safe_open  # noqa: PLC0415 - with torch

    with safe_open(path, framework="pt") as file:
        return split_names((file.metadata() or {}).get(KEY, ""))


def named_attributes(names: tuple[str, ...], arguments: Mapping[str, Any], place: str) -> tuple[str, ...]:
    """The names, as many as the network has attributes.

    Args:
        names: as they were given, or as the file has them.
        arguments: of the architecture; `attributes` is the count, and no other architecture has that argument.
        place: where the file is, for messages.

    Raises:
        ModelRefusedError: another count, a name that is no word, or one that stands twice.
    """
    count = int(arguments.get("attributes", 0))
    if len(names) != count:
        found = f"{len(names)} names are given ({', '.join(names)})" if names else "no names are given"
        raise ModelRefusedError(
            f"{place}: the network has {count} attributes, and {found}; name each, in the order of its input: "
            "facejobs models add FILE --name NAME --attributes smiling,male"
        )
    for name in names:
        if not NAME.fullmatch(name) or names.count(name) > 1:
            raise ModelRefusedError(
                f"{place}: {name!r} cannot name an attribute: expected letters, digits, '-' and '_', and each name once"
            )
    return names
