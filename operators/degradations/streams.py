"""Random numbers that depend on what they are for, and on nothing else."""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.random.bit_generator import ISeedSequence
from numpy.typing import NDArray

SEED_DIGITS = 64
"""Hexadecimal digits of a stream's seed: the 256 bits that PCG64 starts from."""


class Streams:
    """The streams of one pair: a hash of what each is for.

    A step's numbers depend neither on which steps stand before it, nor on workers, order or other pairs.
    """

    def __init__(self, seed: int, key: str, variant: int) -> None:
        """Begin the hash with what all streams of a pair share.

        Args:
            seed: of the job.
            key: of the record.
            variant: which of the pairs made from that record.
        """
        # JSON keeps the parts apart: ["a", "bc"] and ["ab", "c"] must not meet. It has no line break of its own.
        self._begun = blake2b(json.dumps([seed, key, variant]).encode("ascii"), digest_size=SEED_DIGITS // 2)

    def seed_of(self, step: str, purpose: str) -> str:
        """Seed of a stream.

        Args:
            step: the step's id in its recipe.
            purpose: `draw` for parameters, `pixels` for what a degradation draws itself.

        Returns:
            256 bits of BLAKE2b (RFC 7693) in hexadecimal digits.
        """
        hashed = self._begun.copy()
        hashed.update(f"\n{step}\n{purpose}".encode("ascii"))
        return hashed.hexdigest()

    def generator_of(self, step: str, purpose: str) -> np.random.Generator:
        """Generator of a stream."""
        return generator_of(self.seed_of(step, purpose))


def generator_of(seed: str) -> np.random.Generator:
    """PCG64 (O'Neill 2014), its state and increment taken from a stream's seed as it is."""
    # NumPy takes any ISeedSequence; its stubs know only its own.
    return np.random.Generator(np.random.PCG64(_Hashed(seed)))  # type: ignore[arg-type]


class _Hashed(ISeedSequence):
    """Gives a bit generator the words of a hash as they are.

    A hash needs no further mixing, and NumPy's SeedSequence would cost most of a draw.
    """

    def __init__(self, seed: str) -> None:
        self._words = np.frombuffer(bytes.fromhex(seed), dtype="<u8").astype(np.uint64)

    def generate_state(self, n_words: int, dtype: Any = np.uint32) -> NDArray[Any]:
        """The words; PCG64 asks for exactly these."""
        if n_words != self._words.size or np.dtype(dtype) != np.uint64:
            wish = f"{n_words} words of {np.dtype(dtype)}"
            raise ValueError(f"found a wish for {wish}, expected {self._words.size} of 64 bits")
        return self._words
