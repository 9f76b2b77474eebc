"""One picture's original, out of its record and with the passcode."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from operators.errors import OperatorError
from operators.images.encode import target_extension
from operators.sealing.content import Content, put_back
from operators.sealing.errors import TamperedError
from operators.sealing.seal import opened, salt_of


@dataclass(frozen=True)
class Revealed:
    """An original.

    Attributes:
        name: of its file: the output's, with the source's extension where the source's own file came back.
        data: its file.
        whole_file: whether that is the source's file byte for byte, and not the output's with the original pixels.
        faces: how many were hidden.
    """

    name: str
    data: bytes
    whole_file: bool
    faces: int


def read_record(data: bytes) -> dict[str, Any]:
    """A record's JSON values.

    Raises:
        TamperedError: it is none.
    """
    try:
        record = json.loads(data, object_pairs_hook=_once, parse_constant=_no_number)
        if isinstance(record, dict) and isinstance(record["key"], str) and isinstance(record["output"]["name"], str):
            return record
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    raise TamperedError("the record is not what facejobs writes")


def _own_salt(record: dict[str, Any]) -> bool:
    """Whether a seal has the salt that belongs to its record, as far as both can be read."""
    try:
        return base64.b64decode(record["sealed"]["kdf"]["salt"]) == salt_of(record["key"], record["source"]["sha256"])
    except (KeyError, TypeError, ValueError):
        return True  # what is wrong is said when the seal is opened


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON; one with a key twice reads differently in another program than in this one."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is there twice")
    return found


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")


def reveal(record: dict[str, Any], picture: bytes, passcode: str) -> Revealed:
    """Give back the original of a picture.

    Args:
        record: with a seal, see `read_record`.
        picture: the file that it tells of.
        passcode: that it was sealed with.

    Raises:
        WrongPasscodeError: the passcode is another.
        TamperedError: picture or record is not what it was; the message says which.
    """
    found, expected = hashlib.sha256(picture).hexdigest(), record["output"].get("sha256")
    if found != expected:
        raise TamperedError(f"the picture was changed: its SHA-256 is {found}, and its record says {expected}")
    bound = {name: value for name, value in record.items() if name != "sealed"}
    if not _own_salt(record):
        raise TamperedError("the seal's salt is not that of this picture: the seal or the record was changed")
    content = Content.unpacked(opened(record["sealed"], passcode, bound))
    try:
        data = put_back(content, picture)
    except (OperatorError, ValueError) as error:
        raise TamperedError(f"the original cannot be put together: {error}") from error
    name = record["output"]["name"]
    if content.form == "file":
        name = str(PurePosixPath(name).with_suffix(target_extension(name, content.format)))
    return Revealed(name, data, content.form == "file", len(record.get("faces", ())))
