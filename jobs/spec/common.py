"""What the blocks of a job file share: strictness, texts, sizes."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

UNITS = {"B": 1}
UNITS |= {f"{prefix}B": 1000**power for power, prefix in enumerate(("k", "M", "G", "T"), start=1)}
UNITS |= {f"{prefix}iB": 1024**power for power, prefix in enumerate(("K", "M", "G", "T"), start=1)}

MAX_TEXT = 4096
"""PATH_MAX of Linux; an object key of S3 is at most 1024 bytes."""


class Block(BaseModel):
    """A mapping of the job file: frozen, strict about types, no unknown keys.

    The text under an attribute is its description in the JSON Schema and in messages.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
        validate_default=True,
    )


def parse_bytes(value: Any) -> Any:
    """Bytes from a count or a text such as `512 MiB`; anything else is returned for pydantic to refuse."""
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"\s*([0-9]{1,15}(?:\.[0-9]{1,6})?)\s*([A-Za-z]+)\s*", value)
    unit = {name.casefold(): size for name, size in UNITS.items()}.get(match[2].casefold()) if match else None
    if match is None or unit is None:
        raise ValueError("expected a count of bytes or a size such as '512 MiB' or '2 GB'")
    return int(float(match[1]) * unit)


def check_text(text: str) -> str:
    """The text, refused when it is blank, longer than any path may be, or longer than one line.

    Raises:
        ValueError: says so.
    """
    if not text.strip():
        raise ValueError("expected some text")
    if len(text) > MAX_TEXT:
        raise ValueError(f"expected at most {MAX_TEXT} characters, found {len(text)}")
    if "\n" in text or "\r" in text or "\t" in text:
        raise ValueError("expected one line of text without tabs")
    return text


Text = Annotated[str, AfterValidator(check_text), Field(json_schema_extra={"pattern": r"\S"})]
Texts = Annotated[tuple[Text, ...], Field(strict=False)]
ByteCount = Annotated[
    int,
    BeforeValidator(parse_bytes),
    Field(ge=1),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1},
                {"type": "string", "pattern": r"^\s*[0-9]{1,15}(\.[0-9]{1,6})?\s*([kKMGTmgt]i?)?[bB]\s*$"},
            ]
        }
    ),
]
StorageOptions = Annotated[dict[str, Any], Field(repr=False)]
