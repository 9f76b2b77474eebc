"""The restorer that changes nothing: faces are found and scored, and no pixel is touched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from operators.restorers.contract import Execution, FaceContext, Faces, RestorerInfo


@dataclass(frozen=True)
class NoneOptions:
    """It has no settings."""


class NoneRestorer:
    """Returns what it is given; for surveys of an archive, and to try a job before it changes anything."""

    def __init__(self, options: NoneOptions | None = None) -> None:
        self._options = options or NoneOptions()

    @property
    def info(self) -> RestorerInfo:
        """Description for records, run identity and report."""
        return RestorerInfo(name="none", version="1", template="ffhq", sizes=(128, 256, 512, 1024, 2048))

    def setup(self) -> None:
        """Nothing to load."""

    def execution(self) -> Execution:
        """No network is run."""
        return Execution()

    def restore(self, faces: Faces, contexts: Sequence[FaceContext]) -> Faces:
        """Return a copy of the faces.

        Args:
            faces: (N, S, S, 3) float32 in [0, 1], RGB.
            contexts: N of them.

        Returns:
            (N, S, S, 3) float32, equal to `faces`.

        Raises:
            ValueError: there are not as many contexts as faces.
        """
        if len(faces) != len(contexts):
            raise ValueError(f"{len(contexts)} contexts for {len(faces)} faces: expected one each")
        return np.array(faces, dtype=np.float32)
