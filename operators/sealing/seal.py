"""Bytes sealed with a passcode, bound to what they belong to.

AES-256-SIV (RFC 5297) is authenticated encryption without a random nonce: its synthetic one is a keyed hash of all that
is bound and of the bytes themselves. So the same job writes the same sidecar to the bit, and no nonce can ever be used
twice for two contents. What an observer learns from two equal seals is that two equal contents were sealed with one
passcode and salt; the salt comes from the picture (`salt_of`), so that is one picture sealed twice.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from operators.sealing.errors import SealError, TamperedError, WrongPasscodeError
from operators.sealing.keys import SALT_BYTES, Kdf, keys_of, unbase64

VERSION = 1
CIPHER = "AES-256-SIV"
_MOST_BYTES = 2**31 - 64


def salt_of(key: str, source_sha256: str) -> bytes:
    """The salt of a picture's seal: another for every picture, the same for every run over it.

    It need not be secret, only not foreseeable for one who has no sidecar yet: the hash of the source sees to that.

    Args:
        key: of the record.
        source_sha256: of its file, hex.
    """
    return hashlib.sha256(f"facejobs seal 1 salt\0{source_sha256}\0{key}".encode()).digest()[:SALT_BYTES]


def sealed(
    content: bytes, passcode: str, kdf: Kdf, bound: Mapping[str, Any], about: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Seal bytes.

    Args:
        content: what only the passcode gives back.
        passcode: at least 8 characters.
        kdf: with a salt of this picture's own.
        bound: JSON values that the seal is bound to: it opens beside exactly these.
        about: JSON values that stand in the seal for everybody to read, bound as well.

    Returns:
        JSON values, with the content in base 64 under `data`.

    Raises:
        SealError: the passcode is too short, or the content has 2 GiB or more.
    """
    if len(content) > _MOST_BYTES:
        raise SealError(f"{len(content)} bytes are too many for one seal: expected fewer than 2 GiB")
    keys = keys_of(passcode, kdf)
    head = {
        "version": VERSION,
        "cipher": CIPHER,
        "kdf": kdf.as_json(),
        "check": base64.b64encode(keys.check).decode(),
        **(about or {}),
    }
    data = AESSIV(keys.aead).encrypt(content, [_canonical(head), _canonical(bound)])
    return {**head, "data": base64.b64encode(data).decode()}


def opened(seal: Any, passcode: str, bound: Mapping[str, Any]) -> bytes:
    """Give back what was sealed.

    Args:
        seal: what `sealed` gave.
        passcode: the one that it was given.
        bound: the same values as then.

    Raises:
        WrongPasscodeError: the passcode is another.
        TamperedError: the seal or what it is bound to has been changed, or this version does not know such a seal.
    """
    if not isinstance(seal, Mapping) or seal.get("version") != VERSION or seal.get("cipher") != CIPHER:
        raise TamperedError(f"it is no seal of version {VERSION} with {CIPHER}")
    kdf = Kdf.from_json(seal.get("kdf"))
    check, data = unbase64(seal.get("check"), "check"), unbase64(seal.get("data"), "data")
    try:
        keys = keys_of(passcode, kdf)
    except SealError as error:
        raise WrongPasscodeError(str(error)) from error
    head = {name: value for name, value in seal.items() if name != "data"}
    try:
        if hmac.compare_digest(keys.check, check):
            return AESSIV(keys.aead).decrypt(data, [_canonical(head), _canonical(bound)])
        # Either the passcode is another, or the check was changed, and then the right one opens the seal.
        head["check"] = base64.b64encode(keys.check).decode()
        AESSIV(keys.aead).decrypt(data, [_canonical(head), _canonical(bound)])
    except (InvalidTag, ValueError, RecursionError) as error:  # the latter two: no JSON, as NaN is none
        if not hmac.compare_digest(keys.check, check):
            raise WrongPasscodeError("the passcode is not the one that it was sealed with") from error
        raise TamperedError("the seal, or what it is bound to, was changed after it was made") from error
    raise TamperedError("its check was changed after it was made")


def _canonical(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode()
