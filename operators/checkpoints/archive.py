"""The zip format of torch.save (since torch 1.6): one folder with `data.pkl` and the storages under `data/`.

torch writes every entry uncompressed, so that the weights can be mapped into memory. A compressed entry is therefore
refused, and with it every zip bomb; and since entries may not overlap, all of them together are no larger than the
file.
"""

from __future__ import annotations

import mmap
import re
import struct
import zipfile
from collections.abc import Sequence
from pathlib import Path

from operators.checkpoints.errors import RefusedError, printable
from operators.checkpoints.limits import DIRECTORY_BYTES, PICKLE_BYTES
from operators.checkpoints.pickles import read_pickle
from operators.checkpoints.stored import Span, Stored

LOCAL_HEADER = 30
"""Bytes of a local file header before its name (APPNOTE.TXT section 4.3.7)."""

END_RECORD = struct.Struct("<4s4H2LH")
"""End of central directory record (APPNOTE.TXT section 4.3.16)."""

# Absolute, of another drive, through a parent folder, or with a character that some system takes for a separator.
_CLIMBING = re.compile(r"^/|^[A-Za-z]:[/\\]|(^|/)\.\.(/|$)|[\\\0]")

_TRUNCATED = "the zip has no directory at its end: the file is cut short; fetch it again"


def read_archive(path: Path, content: mmap.mmap) -> Stored:
    """Take a zip of torch apart.

    Args:
        path: the file.
        content: the same, mapped.

    Raises:
        RefusedError: it is not what torch writes.
    """
    _check_directory(content)
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error, EOFError) as error:
        raise RefusedError(
            "malformed", f"the zip cannot be read ({printable(str(error))}); fetch the file again"
        ) from None
    prefix = _prefix([entry.filename for entry in entries])
    spans = {entry.filename.removeprefix(prefix): _span(entry, content) for entry in entries if not entry.is_dir()}
    _check_overlap(list(spans.values()))
    order = spans.get("byteorder")
    if order is not None and _bytes(content, order) != b"little":
        raise RefusedError("unsupported", "the weights are stored big-endian; save them again on a common machine")
    pickled = spans["data.pkl"]
    if pickled.length > PICKLE_BYTES:
        raise RefusedError("too_large", f"data.pkl has {pickled.length} bytes, at most {PICKLE_BYTES} are read")
    read = read_pickle(_bytes(content, pickled))
    read.check()
    storages = {name.removeprefix("data/"): span for name, span in spans.items() if name.startswith("data/")}
    return Stored(read.value, storages)


def _check_directory(content: mmap.mmap) -> None:
    """Look at the directory's size before a library reads it into memory."""
    at = content.rfind(b"PK\x05\x06", max(0, len(content) - (1 << 16) - END_RECORD.size))
    if at < 0 or at + END_RECORD.size > len(content):
        raise RefusedError("truncated", _TRUNCATED)
    size = END_RECORD.unpack_from(content, at)[5]
    if size > DIRECTORY_BYTES:
        raise RefusedError(
            "too_large", f"the zip's directory is said to have {size} bytes, at most {DIRECTORY_BYTES} are read"
        )


def _prefix(names: Sequence[str]) -> str:
    """The one folder that holds everything, with a slash.

    Raises:
        RefusedError: names that climb or repeat, a TorchScript archive, or no such folder.
    """
    for name in names:
        if _CLIMBING.search(name):
            raise RefusedError(
                "hostile",
                f"the zip has an entry named {printable(name)}, which leads out of the archive; torch writes no such",
            )
    if len(set(names)) < len(names):
        raise RefusedError("malformed", "the zip has two entries of one name, so it says two things at once")
    pickles = [name for name in names if name.rpartition("/")[2] == "data.pkl"]
    if any(name.rpartition("/")[2] == "constants.pkl" for name in names) or any("/code/" in name for name in names):
        raise RefusedError(
            "torchscript",
            "the file is a TorchScript archive, which holds a program beside its weights; load it with torch.jit.load "
            "where you trust it, and save what its .state_dict() returns",
        )
    if not pickles:
        inside = ", ".join(printable(name, 40) for name in names[:3])
        raise RefusedError(
            "not_a_checkpoint", f"the file is a zip of other things ({inside}, ...): no data.pkl, as torch.save writes"
        )
    if len(pickles) > 1:
        raise RefusedError("malformed", f"the zip has {len(pickles)} entries called data.pkl, expected one")
    prefix = pickles[0].removesuffix("data.pkl")
    strangers = [name for name in names if not name.startswith(prefix)]
    other = [name for name in names if name.endswith((".pkl", ".pickle")) and name != pickles[0]]
    if prefix.count("/") != 1 or strangers or other:
        found = printable((strangers or other or pickles)[0])
        raise RefusedError("malformed", f"the zip holds {found}, where torch.save writes one folder with one pickle")
    return prefix


def _span(entry: zipfile.ZipInfo, content: mmap.mmap) -> Span:
    """Where an entry's bytes lie."""
    name = printable(entry.filename)
    if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
        raise RefusedError(
            "compressed",
            f"the zip's entry {name} is compressed ({entry.compress_size} bytes that unpack to {entry.file_size}); "
            "torch never compresses, so the file was packed again by something else, or it is a zip bomb",
        )
    if entry.flag_bits & 1:
        raise RefusedError("unsupported", f"the zip's entry {name} is encrypted")
    at = entry.header_offset
    if at < 0 or at + LOCAL_HEADER > len(content) or content[at : at + 4] != b"PK\x03\x04":
        raise RefusedError("truncated", f"the zip's entry {name} is not where its directory says; fetch the file again")
    named, extra = struct.unpack_from("<HH", content, at + 26)
    start = at + LOCAL_HEADER + named + extra
    if start + entry.file_size > len(content):
        raise RefusedError(
            "truncated",
            f"the zip's entry {name} is said to have {entry.file_size} bytes, of which the file has "
            f"{max(0, len(content) - start)}; fetch it again",
        )
    return Span(start, entry.file_size)


def _check_overlap(spans: list[Span]) -> None:
    """Refuse entries that share bytes, with which a small file can pretend to be a large one."""
    end = 0
    for span in sorted((span for span in spans if span.length), key=lambda span: span.start):
        if span.start < end:
            raise RefusedError("malformed", "entries of the zip overlap, as in a zip bomb; torch writes no such")
        end = span.start + span.length


def _bytes(content: mmap.mmap, span: Span) -> bytes:
    return content[span.start : span.start + span.length]
