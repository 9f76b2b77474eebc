"""Where the search for one face has come to: everything that the rest of it depends on, as bytes and back."""

from __future__ import annotations

import io
import zipfile
import zlib
from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from operators.inversion.options import Reason, SearchOptions
from operators.inversion.priors.contract import Prior

Array = NDArray[np.float32]
_FORMAT = 1
_ARRAYS = ("codes", "codes_mean", "codes_square", "alpha", "alpha_mean", "alpha_square")
_NO_STATE = (ValueError, KeyError, TypeError, OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)
"""What reading raises of bytes that were cut off or changed; flags in a zip's headers make RuntimeError of it."""


@dataclass(frozen=True)
class State:
    """One face's variables, and what Adam knows of them.

    Attributes:
        codes: (N, *code_shape) float32.
        codes_mean: Adam's first moment of them.
        codes_square: its second.
        alpha: (N, C) float32, the importance of channels.
        alpha_mean: as of the codes.
        alpha_square: as of the codes.
        iteration: iterations done.
        summed: sum of the losses in the window that is not full yet.
        before: mean loss of the last full window; NaN before there is one.
        ended: why the search ended; None while it goes on.
    """

    codes: Array
    codes_mean: Array
    codes_square: Array
    alpha: Array
    alpha_mean: Array
    alpha_square: Array
    iteration: int = 0
    summed: float = 0.0
    before: float = float("nan")
    ended: Reason | None = None

    def to_bytes(self) -> bytes:
        """In NumPy's own format, without pickled objects."""
        file = io.BytesIO()
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        numbers = np.array([_FORMAT, self.iteration, self.summed, self.before], dtype=np.float64)
        np.savez(file, numbers=numbers, ended=np.array(self.ended or ""), **arrays)
        return file.getvalue()

    @staticmethod
    def from_bytes(data: bytes) -> State | None:
        """The reverse; None for what is no state of this version, or was cut off."""
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as held:
                numbers, arrays = held["numbers"], {name: held[name] for name in _ARRAYS}
                ended = str(held["ended"])
        except _NO_STATE:
            return None
        if numbers.shape != (4,) or numbers[0] != _FORMAT:
            return None
        reason = next((known for known in get_args(Reason) if known == ended), None)
        return State(**arrays, iteration=int(numbers[1]), summed=numbers[2], before=numbers[3], ended=reason)

    def fits(self, prior: Prior, options: SearchOptions) -> bool:
        """Whether it can be a state of such a search, as far as shapes and numbers tell."""
        codes = (options.codes, *prior.code_shape(options.space))
        alpha = (options.codes, prior.channels(options.layer))
        return (
            {values.shape for values in (self.codes, self.codes_mean, self.codes_square)} == {codes}
            and {values.shape for values in (self.alpha, self.alpha_mean, self.alpha_square)} == {alpha}
            and all(getattr(self, name).dtype == np.float32 for name in _ARRAYS)
            and 0 <= self.iteration <= options.iterations
        )
