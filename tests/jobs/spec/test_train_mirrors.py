"""Blocks of a train job have the keys and defaults of the settings that they are made into."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
from pydantic import BaseModel

from jobs.spec.train_settings import filled
from jobs.spec.training import data
from jobs.spec.training.common import CommonSchedule, ModelBlock
from jobs.spec.training.kinds import MODELS, OBJECTIVES, SAMPLES, SCHEDULES
from operators.training.data.masks import Masks
from operators.training.data.moving import Jitter
from operators.training.schedules.contract import Common
from operators.training.schedules.table import SCHEDULES as ENTRIES

PAIRS = [
    *((MODELS[kind], entry.network) for kind, entry in ENTRIES.items()),
    *((OBJECTIVES[kind], entry.objective) for kind, entry in ENTRIES.items()),
    *((SCHEDULES[kind], entry.schedule) for kind, entry in ENTRIES.items()),
    (CommonSchedule, Common),
    (data.Jitter, Jitter),
    (data.Masks, Masks),
]


@pytest.mark.parametrize(("block", "settings"), PAIRS, ids=[one[0].__name__ for one in PAIRS])
def test_names_and_defaults(block: type[BaseModel], settings: type[Any]) -> None:
    own = {"kind", *ModelBlock.model_fields} if issubclass(block, ModelBlock) else set()
    keys = {name: field for name, field in block.model_fields.items() if name not in own}
    assert {name: field.default for name, field in keys.items()} == {
        each.name: each.default for each in fields(settings)
    }
    assert all(field.description for field in keys.values())


def test_every_kind_of_model_is_in_every_table() -> None:
    assert set(MODELS) == set(OBJECTIVES) == set(SCHEDULES) == set(SAMPLES) == set(ENTRIES)
    for kind, model in MODELS.items():
        assert model.model_fields["kind"].annotation.__args__ == (kind,)  # type: ignore[union-attr]  # a Literal
        assert set(ENTRIES[kind].data) <= set(data.DATA)
        assert model.STARTS
        assert len(set(model.STARTS)) == len(model.STARTS)


@pytest.mark.parametrize("kind", MODELS)
def test_defaults_can_be_trained_with(kind: str) -> None:
    entry = ENTRIES[kind]
    model = MODELS[kind].model_validate({"kind": kind})
    assert filled(entry.network, model) == entry.network()
    assert filled(entry.objective, OBJECTIVES[kind]()) == entry.objective()
    assert filled(entry.schedule, SCHEDULES[kind]()) == entry.schedule()
