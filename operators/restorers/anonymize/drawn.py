"""Faces that a generator draws: of nobody, and the same for the same seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from operators.checkpoints.errors import CheckpointError
from operators.restorers.contract import Equipment, Execution

if TYPE_CHECKING:
    from operators.inversion.priors.contract import Prior

_SPACES = ("z", "w", "w+")
"""Spaces of codes, the likeliest to give a face of nobody first."""

PSI = 0.7
"""Truncation of w (Karras et al. 2019, appendix B), where a prior has it: likelier faces, and less various ones."""


class Drawn:
    """A prior that draws faces, one at a time, with torch on the CPU in full precision. Picklable until `setup`.

    Args:
        model: name of the prior's file.
        sha256: content hash that it must have.
        equipment: where it lies.
    """

    def __init__(self, model: str, sha256: str, equipment: Equipment) -> None:
        self._model = model
        self._sha256 = sha256
        self._equipment = equipment
        self._prior: Prior | None = None

    def setup(self) -> None:
        """Read the file.

        Raises:
            CheckpointError: the file is refused, or holds no generator that draws faces from codes.
            operators.models.ModelFileError: the file cannot be had.
        """
        # torch takes seconds; whoever only makes a restorer, to ask for its description, need not wait.
        from operators.checkpoints import read  # noqa: PLC0415
        from operators.inversion.priors import prior_of  # noqa: PLC0415
        from operators.networks import UnknownArchitectureError, from_state_dict  # noqa: PLC0415

        path = self._equipment.files.path(self._model, self._sha256)
        try:
            module = from_state_dict(read(path))
            prior = prior_of(module)
            self._prior = prior_of(module, PSI) if "w" in prior.spaces else prior
        except UnknownArchitectureError as error:
            raise CheckpointError("unknown_architecture", f"{self._model} ({path}): {error}") from error
        except ValueError as error:
            raise CheckpointError(
                "wrong_architecture", f"{self._model} ({path}): draws no faces: {error}; name another prior"
            ) from error

    def face(self, seed: int) -> NDArray[np.float32]:
        """Draw a face.

        Args:
            seed: 64 bits.

        Returns:
            (T, T, 3) float32 in [0, 1], RGB, in the alignment of the prior's training, which is FFHQ's or nearly so.
        """
        import torch  # noqa: PLC0415

        assert self._prior is not None
        space = next(space for space in _SPACES if space in self._prior.spaces)
        generator = torch.Generator().manual_seed(seed & (2**63 - 1))
        with torch.no_grad():
            picture = self._prior.generate(self._prior.start(1, space, generator), space)[0]
        return np.clip(picture.permute(1, 2, 0).numpy() / 2.0 + 0.5, 0.0, 1.0).astype(np.float32)

    def execution(self) -> Execution:
        """It is torch itself, on the CPU."""
        import torch  # noqa: PLC0415

        used = {"engine": "eager", "version": torch.__version__, "device": "cpu", "precision": "fp32"}
        return Execution(engine={"asked": {}, "used": used, "passed_over": []})
