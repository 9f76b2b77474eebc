"""From a model's name to a network that an engine can take. Importing this is quick; calling it imports torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from operators.checkpoints.errors import CheckpointError
from operators.restorers.contract import ModelFiles

if TYPE_CHECKING:
    from operators.engines.contract import Network


def load_network(
    files: ModelFiles,
    model: str,
    sha256: str,
    architectures: tuple[str, ...],
    user: str,
    variant: Mapping[str, Any] | None = None,
) -> Network:
    """Read a checkpoint, recognise what it is, and bring it into the form for inference.

    Args:
        files: where model files lie.
        model: name of the file.
        sha256: content hash that it must have.
        architectures: those that the caller can use, as `operators.networks.recognise` names them.
        user: the caller, for messages.
        variant: what is baked into the inference form, as `operators.networks.inference_form` takes it.

    Returns:
        The network.

    Raises:
        CheckpointError: the file is refused, is no known network (`unknown_architecture`), or one that the caller
            cannot use (`wrong_architecture`).
        operators.models.ModelFileError: there is no such file to be had.
    """
    # torch takes seconds; whoever only makes a restorer, to ask for its description, need not wait.
    from operators.checkpoints import read  # noqa: PLC0415
    from operators.engines.contract import Network  # noqa: PLC0415
    from operators.networks import (  # noqa: PLC0415
        FORMULATION,
        UnknownArchitectureError,
        from_state_dict,
        inference_form,
    )
    from operators.networks.load import recognised_of  # noqa: PLC0415

    path = files.path(model, sha256)
    try:
        module = from_state_dict(read(path))
    except UnknownArchitectureError as error:
        raise CheckpointError("unknown_architecture", f"{model} ({path}): {error}") from error
    recognised = recognised_of(module)
    if recognised.architecture not in architectures:
        raise CheckpointError(
            "wrong_architecture",
            f"{model} ({path}) holds a network {recognised.architecture}, and {user} runs "
            f"{' or '.join(architectures)}: name another model",
        )
    variant = dict(variant or {})
    return Network(
        module=inference_form(module, **variant),
        architecture=recognised.architecture,
        arguments=recognised.arguments,
        formulation=FORMULATION,
        weights_sha256=sha256,
        input_shape=recognised.input_shape,
        output_shape=recognised.output_shape,
        variant=variant,
    )
