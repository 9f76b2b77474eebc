"""A set of strings that costs eight bytes each, for names and keys by the million."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable

import numpy as np


class KeySet:
    """Remembers 64-bit hashes instead of strings.

    Of n remembered strings a stranger is taken for one with probability n / 2^64: 1e-12 at twenty millions.
    """

    def __init__(self, keys: Iterable[str] = ()) -> None:
        self._hashes = np.unique(np.frombuffer(array("Q", map(hash64, keys)), np.uint64))

    def __len__(self) -> int:
        """How many different strings."""
        return int(self._hashes.size)

    def __contains__(self, key: object) -> bool:
        """Whether the string is one of them."""
        value = np.uint64(hash64(str(key)))
        place = int(np.searchsorted(self._hashes, value))
        return place < self._hashes.size and bool(self._hashes[place] == value)


def hash64(text: str) -> int:
    """Eight bytes of BLAKE2b (RFC 7693) as an integer."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
