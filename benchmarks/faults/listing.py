"""Spoiling a ListObjectsV2 answer (S3 API reference) so that it is well-formed XML and wrong."""

from __future__ import annotations

import re

_CONTENTS = re.compile(rb"<Contents>.*?</Contents>", re.DOTALL)
_TRUNCATED = re.compile(rb"<IsTruncated>\w+</IsTruncated>")
_NEXT = re.compile(rb"<NextContinuationToken>.*?</NextContinuationToken>", re.DOTALL)
_COUNT = re.compile(rb"<KeyCount>(\d+)</KeyCount>")
_END = b"</ListBucketResult>"


def spoil(body: bytes, fault: str, token: str) -> bytes:
    """The answer with a fault in it; the same bytes where it has nothing that can be spoilt so.

    Args:
        body: the XML document.
        fault: `no_token`, `same_token`, `dropped_keys` or `hidden_keys`; see `Rates`.
        token: the continuation token that was asked for, escaped for XML.
    """
    if fault == "no_token":
        return _TRUNCATED.sub(b"<IsTruncated>true</IsTruncated>", _NEXT.sub(b"", body))
    if fault == "same_token":
        again = b"<NextContinuationToken>" + token.encode() + b"</NextContinuationToken>"
        body = _TRUNCATED.sub(b"<IsTruncated>true</IsTruncated>", _NEXT.sub(b"", body))
        return body.replace(_END, again + _END)
    entries = _CONTENTS.findall(body)
    for entry in entries[1::2]:
        body = body.replace(entry, b"", 1)
    if fault == "hidden_keys":
        gone = len(entries) // 2
        body = _COUNT.sub(lambda found: b"<KeyCount>%d</KeyCount>" % (int(found[1]) - gone), body)
    return body
