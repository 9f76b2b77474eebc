"""Which names a run accepts and which it writes: safe keys, output names from a template, collision folding."""

from __future__ import annotations

import re
import string
import unicodedata
from pathlib import PurePosixPath

from pipeline.errors import RecordError

RESERVED = "_facejobs"
TEMPLATE_FIELDS = ("parent", "stem", "ext", "key")
DEFAULT_TEMPLATE = "{parent}/{stem}.{ext}"

# NAME_MAX of Linux file systems, and the longest object key of S3; both in bytes of UTF-8.
MAX_PART_BYTES = 255
MAX_KEY_BYTES = 1024
# What this project itself adds to an output's name: `.json` for the record beside an image.
ADDED_BYTES = len(".json")

_DRIVE = re.compile(r"^[A-Za-z]:")


def check_key(key: str) -> str:
    """Why a key cannot name a record, or an empty string.

    A key is safe when it stays below any root on POSIX, on Windows and in an object store: relative, forward slashes,
    no empty, `.` or `..` part, no drive letter, no backslash, no control character, valid Unicode, each part within
    255 bytes of UTF-8 and the whole within 1024, and not inside `_facejobs`, where a run keeps its ledger.

    Returns:
        `bad_key: what is wrong and what to do`, as `Record.problem` takes it.
    """
    fault = _fault(key)
    return f"bad_key: {fault}; rename the object or give the record another key" if fault else ""


def check_template(template: str) -> str:
    """Why a name template cannot be used, or an empty string.

    Only the plain fields {parent}, {stem}, {ext} and {key} are known; without {stem} or {key} all records would share
    one name.
    """
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as error:
        return f"{error}; write a literal brace as {{{{ or }}}}"
    fields = []
    for _, name, spec, conversion in parts:
        if name is None:
            continue
        if name not in TEMPLATE_FIELDS or spec or conversion:
            known = ", ".join(f"{{{field}}}" for field in TEMPLATE_FIELDS)
            return f"{{{name}}} is not a field of a name template; the fields are {known}, without format or index"
        fields.append(name)
    if not {"stem", "key"} & set(fields):
        return "every record would get the same name; use {stem} or {key}"
    return ""


def output_name(key: str, template: str, extension: str) -> str:
    """The name of a record's output, relative to the output root.

    Args:
        key: a key that `check_key` accepts.
        template: with the fields {parent} (folder of the key, may be empty), {stem} (last part without its last
            extension), {ext} (`extension` without its dot) and {key} (the whole key).
        extension: of the output format, with or without the dot; empty drops a dot that the template left at the end.

    Raises:
        RecordError: `bad_name` when the result would be no safe name (see `check_key`), or would leave no room for the
            `.json` that is put beside an image.
        ValueError: the template is not one that `check_template` accepts.
    """
    if fault := check_template(template):
        raise ValueError(f"name template {template!r}: {fault}")
    path = PurePosixPath(key)
    parent = "" if str(path.parent) == "." else str(path.parent)
    filled = template.format(parent=parent, stem=path.stem, ext=extension.removeprefix("."), key=key)
    name = "/".join(part for part in filled.split("/") if part)
    if not extension:
        name = name.removesuffix(".")
    fault = _fault(name)
    if not fault and len(name.rsplit("/", 1)[-1].encode()) > MAX_PART_BYTES - ADDED_BYTES:
        fault = f"its last part is longer than {MAX_PART_BYTES - ADDED_BYTES} bytes"
    if fault:
        raise RecordError(
            "bad_name", f"the output of {key!r} would be named {name[:300]!r}: {fault}; change `output.name`"
        )
    return name


def printable(text: str) -> str:
    """The text with what is not valid Unicode written as escapes.

    A POSIX file name may hold any bytes, which Python shows as lone surrogates (PEP 383); JSON may hold them too.
    """
    return text.encode("utf-8", "backslashreplace").decode()


def fold(name: str) -> str:
    """The form in which two names collide on a file system that ignores case or normalises Unicode.

    Case folding between two NFC normalisations, as in the Unicode Standard, section 3.13, definition D145 (with
    canonical composition in place of decomposition).
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _fault(key: str) -> str:
    """What makes a name unsafe, in words that continue a sentence; empty when nothing does."""
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        return "the name is not valid Unicode"
    parts = key.split("/")
    faults = (
        (not key, "the name is empty"),
        (any(unicodedata.category(character) == "Cc" for character in key), "it holds a control character"),
        ("\\" in key, "it holds a backslash"),
        (key.startswith("/"), "it is absolute"),
        (_DRIVE.match(key), f"it begins with {key[:2]!r} like a drive of Windows"),
        (size > MAX_KEY_BYTES, f"it is {size} bytes long and {MAX_KEY_BYTES} are allowed"),
        ("" in parts, "it has an empty part"),
        (not {".", ".."}.isdisjoint(parts), "it has a part `.` or `..`"),
        (max(len(part.encode()) for part in parts) > MAX_PART_BYTES, f"it has a part over {MAX_PART_BYTES} bytes"),
        (fold(parts[0]) == RESERVED, f"`{RESERVED}` is where a run keeps its ledger"),
    )
    return next((words for wrong, words in faults if wrong), "")
