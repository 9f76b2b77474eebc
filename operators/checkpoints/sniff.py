"""What a file looks like by its first bytes, so that a web page saved as `.pth` is called a web page."""

from __future__ import annotations

import re
from typing import Literal

from operators.checkpoints.errors import RefusedError, printable

HEAD_BYTES = 1024
Kind = Literal["zip", "pickle", "safetensors", "unknown"]

_LFS = b"version https://git-lfs"
_HTML = re.compile(rb"\s*(<!doctype\s+html|<html|<head|<body)", re.IGNORECASE)
_XML = re.compile(rb"\s*<(\?xml|error)", re.IGNORECASE)
_JSON = re.compile(rb"\s*[{\[]\s*[\"}\]]")
_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89HDF\r\n", "an HDF5 file, as Keras writes"),
    (0, b"\x1f\x8b", "a gzip file"),
    (0, b"7z\xbc\xaf", "a 7z archive"),
    (0, b"Rar!", "a RAR archive"),
    (0, b"\x7fELF", "a program"),
    (0, b"MZ", "a program for Windows"),
    (0, b"\x93NUMPY", "a NumPy array"),
    (0, b"GGUF", "a GGUF file"),
    (0, b"\x89PNG", "a PNG image"),
    (0, b"\xff\xd8\xff", "a JPEG image"),
    (0, b"%PDF", "a PDF"),
    (257, b"ustar", "a tar archive"),
)
_EXPECTED = "expected a file written by torch.save, or safetensors"


def sniff(head: bytes, size: int) -> Kind:
    """The kind of checkpoint, by content; the file's ending is not asked.

    Args:
        head: the first `HEAD_BYTES` of the file, or all of it.
        size: of the whole file in bytes.

    Returns:
        Its kind; `unknown` where the bytes say nothing.

    Raises:
        RefusedError: the file is empty or evidently something else; the reason says what.
    """
    if size == 0:
        raise RefusedError("empty", "the file is empty; fetch it again")
    if head.startswith(b"PK\x03\x04"):
        return "zip"
    if head.startswith(b"PK\x05\x06"):
        raise RefusedError("not_a_checkpoint", f"the file is an empty zip, {_EXPECTED}")
    if head.startswith(_LFS):
        raise RefusedError(
            "git_lfs_pointer",
            "the file is a Git LFS pointer, a few lines of text that stand for the weights; "
            "run `git lfs pull` where it came from, or download the file itself",
        )
    if len(head) > 8 and head[8:9] == b"{" and int.from_bytes(head[:8], "little") < max(size, 1 << 32):
        return "safetensors"
    if head[:1] == b"\x80" and head[1:2] in b"\x02\x03\x04\x05":
        return "pickle"
    _refuse_text(head)
    for offset, magic, name in _MAGIC:
        if head[offset : offset + len(magic)] == magic:
            raise RefusedError("not_a_checkpoint", f"the file is {name}, {_EXPECTED}")
    return "unknown"


def unknown(head: bytes) -> RefusedError:
    """The refusal of a file that is none of the known kinds."""
    return RefusedError("not_a_checkpoint", f"the file begins with {head[:8].hex(' ')}, {_EXPECTED}")


def _refuse_text(head: bytes) -> None:
    """Refuse what a server sent in place of a file."""
    if _HTML.match(head):
        title = re.search(rb"<title[^>]*>(.*?)</title", head, re.IGNORECASE | re.DOTALL)
        words = f" titled '{_text(title[1])}'" if title else ""
        raise RefusedError(
            "web_page", f"the file is a web page{words}, not weights; the address was that of a page about the file"
        )
    if _XML.match(head):
        raise RefusedError("web_page", f"the file is XML, mostly a store's error message: '{_text(head)}'")
    if _JSON.match(head):
        raise RefusedError("web_page", f"the file is JSON, mostly a server's error message: '{_text(head)}'")
    if head.startswith((b"Entry not found", b"Invalid ", b"Access ", b"Repository not found", b"Not Found")):
        raise RefusedError("web_page", f"the file is a server's error message: '{_text(head)}'")


def _text(raw: bytes) -> str:
    return printable(" ".join(raw.decode("utf-8", "replace").split()))
