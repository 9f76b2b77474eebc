"""What is done to a face before the network sees it: a share of what the classic restorer would do.

A small network that restores takes strong grain, blocks and white lines away only in part, and spends its strength on
them; what measures noise takes it away well, and what is like a face with it. A share of one gives the other less to
do and keeps the likeness (docs/compact.md has what it came to).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from operators.restorers.classic.restorer import ClassicRestorer
from operators.restorers.contract import FaceContext, Faces

CLEANER = f"classic {ClassicRestorer().info.version}"
"""What cleans, for records and run identity."""


def cleaned(faces: Faces, contexts: Sequence[FaceContext], share: float) -> Faces:
    """Faces with a share of their grain, JPEG artefacts and white defects taken away.

    Args:
        faces: (N, S, S, 3) float32 in [0, 1], RGB.
        contexts: N of them.
        share: of what `ClassicRestorer` changes as it is by default, 0 to 1; 0 gives the faces themselves.

    Returns:
        (N, S, S, 3) float32 in [0, 1]; where nothing is found to be taken away, the values that came.

    Raises:
        OperatorError: `not_finite` when a face holds NaN or infinity.
    """
    if share == 0.0:
        return faces
    clean = ClassicRestorer().restore(faces, contexts)
    return np.asarray(faces + np.float32(share) * (clean - faces), dtype=np.float32)
