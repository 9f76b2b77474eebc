"""Where the file of a model may be: what a user names with `--from`, and how addresses are shown."""

from __future__ import annotations

import re
from pathlib import Path

from operators.models.card import CARD
from operators.models.folder import MODELS

ENDINGS = (".pth", ".pt", ".safetensors", ".ckpt", ".bin")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_USERINFO = re.compile(r"(?<=://)[^/@\s'\"]*@")
_QUERY = re.compile(r"(?<=\S)\?[^\s'\"<>)]+")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s'\"<>]+")


def absolute(place: str) -> str:
    """A place as fsspec takes it wherever the process stands: paths are made absolute, URLs left as they are."""
    return place if _SCHEME.match(place) else str(Path(place).expanduser().absolute())


def is_file(place: str) -> bool:
    """Whether a place names one file of weights rather than a folder of them; by its ending, query aside."""
    path = place.partition("?")[0].partition("#")[0] if _SCHEME.match(place) else place
    return path.lower().endswith(ENDINGS)


def files_in(place: str, name: str, file: str) -> tuple[str, ...]:
    """Where a folder or bucket may have a model's file: flat, or laid out as a cache or as its models folder."""
    return tuple(_below(root, file) for root in _roots(place, name))


def cards_in(place: str, name: str) -> tuple[str, ...]:
    """Where a folder or bucket may have a model's card."""
    return tuple(_below(root, CARD) for root in _roots(place, name)[1:])


def shown(place: str) -> str:
    """An address without what may be secret: user and password, query and fragment."""
    if not _SCHEME.match(place):
        return place
    return _USERINFO.sub("", re.split(r"[?#]", place, maxsplit=1)[0])


def scrubbed(text: str) -> str:
    """A message whose URLs are without user, password and query, wherever in it they stand."""
    return _URL.sub(lambda match: _QUERY.sub("?***", _USERINFO.sub("", match[0])), text)


def said_of(error: BaseException) -> str:
    """An exception in one line, without what may be secret."""
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    text = scrubbed(str(error)).replace("\n", " ")
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _roots(place: str, name: str) -> tuple[str, ...]:
    base = absolute(place)
    return (base, _below(base, name), _below(base, f"{MODELS}/{name}"))


def _below(place: str, path: str) -> str:
    """A path below a place; a query, which may hold a signature for the whole folder, stays behind it."""
    base, mark, query = place.partition("?") if _SCHEME.match(place) else (place, "", "")
    return f"{base.rstrip('/')}/{path}{mark}{query}"
