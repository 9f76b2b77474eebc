"""Where models and compiled engines are kept on a machine unless a job or a person says otherwise."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

VARIABLE = "FACEJOBS_CACHE"
MODELS = "models"
ENGINES = "engines"


def default_folder(environment: Mapping[str, str] | None = None) -> Path:
    """The cache's folder: $FACEJOBS_CACHE, else facejobs in $XDG_CACHE_HOME, else ~/.cache/facejobs.

    A relative $XDG_CACHE_HOME is passed over, as the XDG Base Directory Specification demands.

    Args:
        environment: variables; those of this process when None.
    """
    known = os.environ if environment is None else environment
    if known.get(VARIABLE):
        return Path(known[VARIABLE]).expanduser().absolute()
    shared = known.get("XDG_CACHE_HOME", "")
    base = Path(shared) if shared.startswith("/") else Path("~/.cache").expanduser()
    return base / "facejobs"
