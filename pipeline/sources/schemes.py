"""Which storage a catalogue may name: schemes of URIs, every link of a chain among them."""

from __future__ import annotations

import re

from pipeline.sources.spec import SourceSpec
from pipeline.storage import split_chain

LOCAL = "file"
"""Of plain paths and of `file://` and `local://` URIs."""

_NAME = re.compile(r"[a-z]+")
_SAME = {"local": LOCAL, "s3a": "s3", "gs": "gcs", "abfs": "az", "abfss": "az", "adl": "az"}


def schemes_of(uri: str) -> tuple[str, ...]:
    """The schemes that opening a URI would use, in one spelling each.

    `zip://a.jpg::https://host/box.zip` uses `zip` and `https`. A plain path uses `file`, and so does a name that
    merely holds `::`.

    Args:
        uri: absolute, or a path.
    """
    links = uri.split("::") if split_chain(uri) != ("", uri, "") else [uri]
    return tuple(map(_scheme, links))


def refused_scheme(uri: str, spec: SourceSpec) -> str:
    """The first scheme of a URI that the source does not allow, or an empty string.

    Allowed are those that `source.uri` itself uses, and those that the job names.

    Args:
        uri: absolute, as a catalogue names it.
        spec: `uri` and `schemes` are looked at.
    """
    allowed = {*schemes_of(spec.uri), *map(_plain, spec.schemes)}
    return next((scheme for scheme in schemes_of(uri) if scheme not in allowed), "")


def _scheme(link: str) -> str:
    """What fsspec takes a link of a chain for: a URL, a bare name of a file system (`simplecache`), or a path."""
    name, mark, _ = link.partition("://")
    return _plain(name) if mark or _NAME.fullmatch(link) else LOCAL


def _plain(scheme: str) -> str:
    lower = scheme.lower()
    return _SAME.get(lower, lower)
