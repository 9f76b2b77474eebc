"""Arguments of pix2pix's U-Net, read from the names and shapes of its tensors."""

from __future__ import annotations

from typing import Any

from operators.networks.layout import Layout, shape_at

_MOST_LEVELS = 12
_OUTERMOST = "model.model"


def pix2pix_arguments(layout: Layout) -> dict[str, Any]:
    """Arguments of `Pix2Pix`.

    Raises:
        LookupError: a tensor that tells one is missing.
        ValueError: what the tensors tell cannot be.
    """
    first, entering = shape_at(layout, f"{_OUTERMOST}.0.weight", 4)[:2]
    leaving = shape_at(layout, f"{_OUTERMOST}.3.weight", 4)[1]
    second = f"{_OUTERMOST}.1.model"
    levels, at = 2, second
    while f"{at}.3.model.1.weight" in layout and levels <= _MOST_LEVELS:
        levels, at = levels + 1, f"{at}.3.model"
    if not 5 <= levels <= _MOST_LEVELS:
        raise ValueError(f"it has {levels} levels; expected 5 to {_MOST_LEVELS}")
    # Without a normalisation there is no bias either, as its authors wrote it.
    without = "instance" if f"{second}.1.bias" in layout else "none"
    norm = "batch" if f"{second}.2.weight" in layout else without
    return {"input_nc": entering, "output_nc": leaving, "num_downs": levels, "ngf": first, "norm": norm}


def pix2pix_dropped(layout: Layout) -> frozenset[str]:
    """Names that the authors' loader leaves out: running statistics of instance normalisation, of older releases."""
    return statistics_without_weight(layout)


def statistics_without_weight(layout: Layout) -> frozenset[str]:
    """Running statistics of layers that have no weight, and so are no batch normalisation."""
    found = set()
    for name in layout:
        layer, _, last = name.rpartition(".")
        if last in {"running_mean", "running_var", "num_batches_tracked"} and f"{layer}.weight" not in layout:
            found.add(name)
    return frozenset(found)
