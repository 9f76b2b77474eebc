"""One picture's original, out of its record and with the passcode."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from operators.errors import OperatorError
from operators.images.encode import target_extension
from operators.sealing.content import Content, put_back
from operators.sealing.errors import TamperedError
from operators.sealing.seal import opened


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
        record = json.loads(data)
        if isinstance(record, dict) and isinstance(record["key"], str) and isinstance(record["output"]["name"], str):
            return record
    except (ValueError, KeyError, TypeError):
        pass
    raise TamperedError("the record is not what facejobs writes")


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
    content = Content.unpacked(opened(record["sealed"], passcode, bound))
    try:
        data = put_back(content, picture)
    except (OperatorError, ValueError) as error:
        raise TamperedError(f"the original cannot be put together: {error}") from error
    name = record["output"]["name"]
    if content.form == "file":
        name = str(PurePosixPath(name).with_suffix(target_extension(name, content.format)))
    return Revealed(name, data, content.form == "file", len(record.get("faces", ())))
