"""Files of models: those that come as data of packages, and published checkpoints in a cache. Free of torch."""

from operators.models.checkpoint import Checkpoint
from operators.models.checkpoints import CHECKPOINTS
from operators.models.errors import ModelFileError, ModelRefusedError, NoModelError
from operators.models.packaged import MODEL_FILES, ModelFile, locate

__all__ = [
    "CHECKPOINTS",
    "MODEL_FILES",
    "Checkpoint",
    "ModelFile",
    "ModelFileError",
    "ModelRefusedError",
    "NoModelError",
    "locate",
]
