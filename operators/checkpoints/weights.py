"""Which of the things in a checkpoint are the weights, and whether they are numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from operators.checkpoints.errors import RefusedError, printable
from operators.checkpoints.values import TensorRef

if TYPE_CHECKING:
    import torch

WRAPPERS = ("params_ema", "params", "g_ema", "state_dict")
"""Keys under which trainers put the weights, the first that is there is taken: BasicSR's moving average before its last
step's weights, the moving average of the StyleGAN2 family, PyTorch Lightning's."""

AVERAGE = "latent_avg"
"""The mean of w, which StyleGAN2's checkpoints have beside `g_ema`, and which belongs to it."""

PARALLEL = "module."
"""What torch.nn.DataParallel puts before every name."""

SHOWN = 6


def weights_in(value: Any) -> dict[str, TensorRef]:
    """The weights in what was saved.

    Args:
        value: as read from the file's pickle.

    Returns:
        Descriptions by name; numbers and texts beside them (an epoch, a version) are left out.

    Raises:
        RefusedError: there are none, or they stand where they are not looked for.
    """
    if not isinstance(value, dict):
        kind = "a single tensor" if isinstance(value, TensorRef) else f"a {type(value).__name__}"
        raise RefusedError("no_weights", f"the file holds {kind}, expected weights by name (a state dict)")
    inner = next((value[key] for key in WRAPPERS if isinstance(value.get(key), dict)), value)
    found = {key: item for key, item in inner.items() if isinstance(item, TensorRef)}
    if found and inner is value.get("g_ema") and isinstance(value.get(AVERAGE), TensorRef):
        found[AVERAGE] = value[AVERAGE]
    if not all(isinstance(key, str) for key in found):
        raise RefusedError("no_weights", "the file holds tensors by number, expected weights by name (a state dict)")
    nested = [key for key, item in inner.items() if isinstance(item, dict) and item]
    if not found:
        held = ", ".join(printable(str(key), 40) for key in list(inner)[:SHOWN]) or "nothing"
        wanted = ", ".join(WRAPPERS)
        raise RefusedError(
            "no_weights",
            f"the file holds no weights but {held}; expected names of tensors, or them under one of {wanted}",
        )
    if nested and inner is value:
        held = ", ".join(printable(str(key), 40) for key in nested[:SHOWN])
        raise RefusedError(
            "no_weights", f"the file holds both tensors and groups ({held}); save the one group that is the network"
        )
    return found


def bare_names(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The tensors without `module.` before their names, if it stands before all of them."""
    if tensors and all(name.startswith(PARALLEL) for name in tensors):
        return {name.removeprefix(PARALLEL): tensor for name, tensor in tensors.items()}
    return dict(tensors)


def check_finite(tensors: Mapping[str, torch.Tensor]) -> None:
    """Refuse weights that are not numbers.

    Raises:
        RefusedError: a tensor holds NaN or infinity; the reason names the first and how many of its values.
    """
    wrong: list[tuple[str, int]] = []
    for name, tensor in tensors.items():
        # A finite sum had finite terms, and adding up is several times quicker than looking at each; a sum that is not
        # finite may just have grown too large.
        if tensor.is_floating_point() and not tensor.sum().isfinite():
            bad = int((~tensor.isfinite()).sum())
            if bad:
                wrong.append((name, bad))
    if wrong:
        name, bad = wrong[0]
        others = f", and {len(wrong) - 1} more tensors hold such" if len(wrong) > 1 else ""
        raise RefusedError(
            "not_finite",
            f"tensor {printable(name)} holds {bad} values that are NaN or infinite, of "
            f"{tensors[name].numel()}{others}; training broke, or the file is damaged",
        )
