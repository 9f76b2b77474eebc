"""What can be wrong with the file of a model. The installation is at fault, not an image."""

from __future__ import annotations


class ModelFileError(RuntimeError):
    """A model's file is missing, cannot be had, or is not the one that is meant; the message says what to do."""


class NoModelError(ModelFileError):
    """There is no such model: the name is unknown, or nothing by that name is in the cache."""


class ModelRefusedError(ModelFileError):
    """A file was looked at and is not the one that is meant: another hash, size, architecture, or what may not be."""
