"""A training's state as named tensors and JSON, and back, exactly; nothing that could execute anything is written."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

TENSORS = "state.safetensors"
TREE = "state.json"

_WORDS = {math.inf: "inf", -math.inf: "-inf"}


class PackingError(ValueError):
    """A state holds what cannot be kept, or a file is not what was kept."""


def packed(state: Any) -> dict[str, bytes]:
    """A state as two files, `state.safetensors` and `state.json`.

    Args:
        state: nested dicts (with words or integers as keys), lists and tuples of tensors, numbers, words, booleans and
            None, as the state dicts of modules and optimisers are.

    Raises:
        PackingError: there is something else in it; its place is named.
    """
    tensors: dict[str, Tensor] = {}
    tree = _tree(state, "", tensors)
    text = json.dumps(tree, separators=(",", ":"), allow_nan=False)
    return {TENSORS: save(tensors), TREE: text.encode()}


def unpacked(files: Mapping[str, bytes]) -> Any:
    """The state of two such files; tensors on the CPU.

    Raises:
        PackingError: one of them is not what `packed` makes.
    """
    try:
        return _state(json.loads(files[TREE]), load(files[TENSORS]))
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise PackingError(f"not the state of a training ({type(error).__name__}: {error})") from error


def _tree(value: Any, place: str, tensors: dict[str, Tensor]) -> Any:
    """JSON for a value: plain ones as they are, all else as a list of one word and what belongs to it."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else ["float", _WORDS.get(value, "nan")]
    if isinstance(value, Tensor):
        name = place or "tensor"
        # A copy of its own: what two tensors share would be refused, and views of a whole would be kept as the whole.
        tensors[name] = value.detach().to("cpu", copy=True).contiguous()
        return ["tensor", name]
    if isinstance(value, Mapping):
        return ["dict", [[_key(key, place), _tree(one, _below(place, key), tensors)] for key, one in value.items()]]
    if isinstance(value, list | tuple):
        word = "list" if isinstance(value, list) else "tuple"
        return [word, [_tree(one, _below(place, number), tensors) for number, one in enumerate(value)]]
    raise PackingError(
        f"{place or 'the state'}: a {type(value).__name__} cannot be kept; a state is made of dicts, lists, tensors, "
        "numbers, words and None"
    )


def _key(key: Any, place: str) -> str | int:
    if isinstance(key, str | int) and not isinstance(key, bool):
        return key
    raise PackingError(f"{place or 'the state'}: a key of a dict is a word or an integer, found {key!r}")


def _below(place: str, key: Any) -> str:
    """Another place for the key 1 than for '1', and for dots inside keys than between them."""
    told = json.dumps(key) if not isinstance(key, str) or "/" in key or key.isdigit() else key
    return f"{place}/{told}" if place else told


def _state(tree: Any, tensors: Mapping[str, Tensor]) -> Any:
    if not isinstance(tree, list):
        return tree
    word, held = tree
    match word:
        case "float":
            return float(held)
        case "tensor":
            return tensors[held]
        case "dict":
            return {key: _state(one, tensors) for key, one in held}
        case "list":
            return [_state(one, tensors) for one in held]
        case "tuple":
            return tuple(_state(one, tensors) for one in held)
    raise ValueError(f"an unknown word {word!r}")


def finite(state: Any) -> bool:
    """Whether every number in the tensors of a state is one: no NaN, no infinity."""
    if isinstance(state, Tensor):
        return not state.is_floating_point() or bool(torch.isfinite(state).all())
    if isinstance(state, Mapping):
        return all(finite(one) for one in state.values())
    return all(finite(one) for one in state) if isinstance(state, list | tuple) else True
