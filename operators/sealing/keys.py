"""From a passcode to keys: Argon2id (RFC 9106), then HKDF (RFC 5869)."""

from __future__ import annotations

import base64
import binascii
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from operators.sealing.errors import SealError, TamperedError

SALT_BYTES = 16
CHECK_BYTES = 16
_AEAD_BYTES = 64
_LEAST = {"memory_kib": 8, "iterations": 1, "lanes": 1}
_MOST = {"memory_kib": 1 << 20, "iterations": 64, "lanes": 16}
"""Bounds on what a sidecar may ask for: a forged one must not take all memory or an hour."""
MIN_PASSCODE = 8


@dataclass(frozen=True)
class Kdf:
    """Parameters of Argon2id. The defaults are RFC 9106's second recommendation, section 4, with one lane.

    Attributes:
        salt: 16 bytes.
        memory_kib: memory in KiB.
        iterations: passes over it.
        lanes: degree of parallelism; one, since a worker has one thread.
    """

    salt: bytes
    memory_kib: int = 65536
    iterations: int = 3
    lanes: int = 1

    def as_json(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "name": "argon2id",
            "memory_kib": self.memory_kib,
            "iterations": self.iterations,
            "lanes": self.lanes,
            "salt": base64.b64encode(self.salt).decode(),
        }

    @staticmethod
    def from_json(value: Any) -> Kdf:
        """Read what `as_json` wrote.

        Raises:
            TamperedError: it is something else, or asks for more than any seal of ours.
        """
        if not isinstance(value, Mapping) or value.get("name") != "argon2id":
            raise TamperedError("its key derivation is not argon2id")
        numbers = {}
        for key, least in _LEAST.items():
            number = value.get(key)
            if not isinstance(number, int) or isinstance(number, bool) or not least <= number <= _MOST[key]:
                raise TamperedError(f"its key derivation asks for {key} {number!r}: expected {least} to {_MOST[key]}")
            numbers[key] = number
        if numbers["memory_kib"] < 8 * numbers["lanes"]:  # RFC 9106, section 3.1
            raise TamperedError(f"its key derivation asks for {numbers}: expected 8 KiB of memory for each lane")
        salt = unbase64(value.get("salt"), "salt")
        if len(salt) != SALT_BYTES:
            raise TamperedError(f"its salt has {len(salt)} bytes: expected {SALT_BYTES}")
        return Kdf(salt, **numbers)


@dataclass(frozen=True, repr=False)
class Keys:
    """Of one seal.

    Attributes:
        aead: 64 bytes, for AES-256-SIV.
        check: 16 bytes that stand in the seal, so that a wrong passcode can be told from a changed seal.
    """

    aead: bytes
    check: bytes


def keys_of(passcode: str, kdf: Kdf) -> Keys:
    """Derive the keys of a seal.

    Args:
        passcode: text; two ways to write the same characters in Unicode are one passcode (NFC).
        kdf: parameters.

    Raises:
        SealError: the passcode is shorter than 8 characters, or no Unicode text.
    """
    text = unicodedata.normalize("NFC", passcode)
    if len(text) < MIN_PASSCODE:
        raise SealError(f"the passcode has {len(text)} characters: expected at least {MIN_PASSCODE}")
    try:
        secret = text.encode()
    except UnicodeEncodeError:
        # From a variable that is not UTF-8. The error itself would repeat the passcode.
        raise SealError("the passcode is no Unicode text: expected UTF-8") from None
    master = Argon2id(
        salt=kdf.salt, length=32, iterations=kdf.iterations, lanes=kdf.lanes, memory_cost=kdf.memory_kib
    ).derive(secret)
    return Keys(_expanded(master, b"aes-256-siv", _AEAD_BYTES), _expanded(master, b"check", CHECK_BYTES))


def _expanded(master: bytes, purpose: bytes, length: int) -> bytes:
    return HKDFExpand(SHA256(), length, b"facejobs seal 1 " + purpose).derive(master)


def unbase64(value: Any, name: str) -> bytes:
    """Bytes of a text in base 64.

    Raises:
        TamperedError: it is none.
    """
    try:
        return base64.b64decode(value, validate=True)
    except (TypeError, ValueError, binascii.Error) as error:
        raise TamperedError(f"its {name} is not base64") from error
