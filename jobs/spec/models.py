"""The block `models`: where weights and compiled engines are kept."""

from __future__ import annotations

from pydantic import Field

from jobs.spec.common import Block, StorageOptions, Text, Texts


class Models(Block):
    """Files of the models that jobs name, and leave to use those that need it."""

    cache: Text | None = None
    """Folder on each machine for models and compiled engines; null is $FACEJOBS_CACHE, else ~/.cache/facejobs."""
    source: Text | None = None
    """Folder or URL that holds the models' files, for machines whose cache has none; null fetches nothing."""
    artifacts: Text | None = None
    """Folder or URL where workers share compiled engines; null keeps them in each machine's cache."""
    storage_options: StorageOptions = Field(default={})
    """Options for the storage of source and artifacts; values may hold ${NAME} or ${NAME:-default}."""
    accept_noncommercial: Texts = Field(default=())
    """Models, by name, whose licence allows no commercial use, and that are used all the same."""
