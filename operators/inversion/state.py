"""Where the search for one face has come to: everything that the rest of it depends on, as bytes and back."""

from __future__ import annotations

import io
import zipfile
import zlib
from dataclasses import dataclass
from typing import get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from operators.inversion.objective import Objective
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


def first(prior: Prior, options: SearchOptions, seed: int, objective: Objective | None = None) -> State:
    """Where a search begins: codes as the prior starts them, each with its share of the importance.

    `alpha` is 1 / N, as in the authors' code; that code divides the sum by N once more, which the paper does not.

    Args:
        prior: whose codes are searched.
        options: of the search.
        seed: of the face; 64 bits. Drawn on the CPU, so that every device begins with the same codes.
        objective: of this face alone; with it, a single code is the nearest of `options.starts`.

    Raises:
        ValueError: the prior has no such space or layer.
    """
    generator = torch.Generator().manual_seed(seed % 2**63)
    tries = options.starts if options.codes == 1 and objective is not None else 1
    drawn = prior.start(options.codes * tries, options.space, generator).detach()
    if objective is not None and tries > 1:
        drawn = _nearest(prior, drawn, options, objective)
    codes = np.array(drawn.cpu().numpy(), dtype=np.float32)
    channels = prior.channels(options.layer)
    alpha = np.full((options.codes, channels), 1.0 / options.codes, dtype=np.float32)
    return State(codes, np.zeros_like(codes), np.zeros_like(codes), alpha, np.zeros_like(alpha), np.zeros_like(alpha))


def _nearest(prior: Prior, drawn: Tensor, options: SearchOptions, objective: Objective) -> Tensor:
    """The code (1, *code_shape) of several with the least loss; each is tried by itself, the first of equals wins."""
    with torch.no_grad():
        losses = [objective(prior.generate(code[None], options.space)).total.item() for code in drawn]
    best = int(np.argmin(losses))
    return drawn[best : best + 1]
