"""State to files and back, to the bit."""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import Any

import pytest
import torch
from torch import nn

from operators.training.packing import TENSORS, TREE, PackingError, finite, packed, unpacked


def same(one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and one.shape == other.shape and torch.equal(one, other)
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return type(one) is type(other) and len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and math.isnan(one):
        return math.isnan(other)
    return type(one) is type(other) and bool(one == other)


@pytest.mark.parametrize(
    "state",
    [
        None,
        {},
        [],
        (),
        {"a": [1, 2.5, "x", None, True, (), {}], 1: (3, [4]), "1": "another", "a/b": {"c": 1}},
        {
            "x": 0.1 + 0.2,
            "big": 2**80,
            "tiny": 5e-324,
            "inf": math.inf,
            "minus": -math.inf,
            "nan": math.nan,
            "zero": -0.0,
        },
        ["tensor", "dict", ["list", [1]]],
        {"a/b": {"c": torch.zeros(1)}, "a": {"b/c": torch.ones(1), "b": {"c": torch.ones(2)}}},
        {"one": torch.arange(6).reshape(2, 3), 1: torch.tensor(2.5), "1": torch.tensor([True]), "e": torch.empty(0, 3)},
        {
            "half": torch.ones(3, dtype=torch.bfloat16),
            "wide": torch.ones(1, dtype=torch.float64),
            "byte": torch.ones(2).byte(),
        },
    ],
)
def test_there_and_back(state: Any) -> None:
    assert same(unpacked(packed(state)), state)


def test_an_optimiser_goes_on_as_it_was() -> None:
    def begun() -> tuple[nn.Linear, torch.optim.Adam]:
        torch.manual_seed(0)
        layer = nn.Linear(3, 2)
        return layer, torch.optim.Adam(
            [{"params": [layer.weight]}, {"params": [layer.bias], "lr": 0.1}], betas=(0.5, 0.9)
        )

    def step(layer: nn.Linear, optimiser: torch.optim.Adam) -> None:
        optimiser.zero_grad()
        layer(torch.ones(1, 3)).square().sum().backward()
        optimiser.step()

    layer, optimiser = begun()
    step(layer, optimiser)
    files = packed({"layer": layer.state_dict(), "optimiser": optimiser.state_dict()})
    other, another = begun()
    state = unpacked(files)
    other.load_state_dict(state["layer"])
    another.load_state_dict(state["optimiser"])
    for _ in range(3):
        step(layer, optimiser)
        step(other, another)
    assert torch.equal(layer.weight, other.weight) and torch.equal(layer.bias, other.bias)
    assert isinstance(state["optimiser"]["param_groups"][0]["betas"], tuple)
    assert list(state["optimiser"]["state"]) == [0, 1]


def test_views_and_shared_tensors_are_kept_as_their_own() -> None:
    whole = torch.arange(12.0).reshape(3, 4)
    state = {
        "whole": whole,
        "same": whole,
        "row": whole[1],
        "turned": whole.t(),
        "last": whole.to(memory_format=torch.contiguous_format),
    }
    files = packed(state)
    assert same(unpacked(files), state)
    assert len(packed({"row": torch.zeros(1000)[:2]})[TENSORS]) < 200


def test_the_same_state_gives_the_same_bytes() -> None:
    state = OrderedDict(b=torch.ones(2), a={"c": torch.zeros(1)})
    assert packed(state) == packed(OrderedDict(b=torch.ones(2), a={"c": torch.zeros(1)}))


def test_what_cannot_be_kept_is_named() -> None:
    with pytest.raises(PackingError, match=r"a/0/b: a set cannot be kept"):
        packed({"a": [{"b": {1, 2}}]})
    with pytest.raises(PackingError, match=r"a: a key of a dict is a word or an integer, found \(1, 2\)"):
        packed({"a": {(1, 2): 3}})


@pytest.mark.parametrize("broken", [TREE, TENSORS])
def test_files_that_are_no_state_are_refused(broken: str) -> None:
    files = packed({"a": torch.ones(1)})
    with pytest.raises(PackingError, match="not the state of a training"):
        unpacked({**files, broken: files[broken][:-3]})
    with pytest.raises(PackingError, match="not the state of a training"):
        unpacked({**files, TREE: b'["set", []]'})


def test_what_is_finite() -> None:
    assert finite({"a": [torch.ones(2), 1, "x", None], "whole": torch.tensor([2**40])})
    assert not finite({"a": [torch.ones(2), (torch.tensor([1.0, math.nan]),)]})
    assert not finite([torch.tensor(math.inf)])
