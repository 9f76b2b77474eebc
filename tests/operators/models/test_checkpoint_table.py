"""The table of published checkpoints is whole, and says nothing that cannot be."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from operators.faces.templates import template_names
from operators.models import CHECKPOINTS
from operators.models.card import FILE, NAME
from operators.models.examine import ROLES, TASKS
from operators.whole.networks import architectures


@pytest.mark.parametrize("name", sorted(CHECKPOINTS))
def test_an_entry_is_consistent(name: str) -> None:
    entry = CHECKPOINTS[name]
    assert entry.name == name
    assert NAME.fullmatch(name) and FILE.fullmatch(entry.file)
    assert entry.sources and not any("?" in source for source in entry.sources)
    if entry.package is None:
        assert all(source.startswith("https://") for source in entry.sources)
        assert entry.sources[0].endswith(f"/{entry.file}")
    else:
        assert len(entry.sources) == 1 and re.fullmatch(r"[a-z-]+==[0-9.]+", entry.package)
        assert entry.sha256 is not None
    assert entry.sha256 is None or re.fullmatch("[0-9a-f]{64}", entry.sha256)
    assert entry.bytes is None or entry.bytes > 1 << 20
    assert entry.purpose and entry.licence
    assert entry.template is None or entry.template in template_names()
    if entry.noncommercial:
        assert "non-commercial" in entry.terms
    if entry.runs:
        role = ROLES[entry.architecture]
        assert (entry.restorer, entry.template) == (role.restorer, role.template)
        # Those for whole pictures have any size.
        assert (entry.size is None) is (entry.architecture in architectures())
        assert entry.task is None or entry.task in TASKS[str(entry.restorer)]
    else:
        assert entry.architecture not in ROLES
        assert entry.restorer is None


def test_hashes_and_files_are_those_of_one_model_each() -> None:
    for values in ([one.sha256 for one in CHECKPOINTS.values()], [one.file for one in CHECKPOINTS.values()]):
        counts = Counter(value for value in values if value is not None)
        assert max(counts.values()) == 1


def test_what_may_not_be_sold_is_marked() -> None:
    marked = {name for name, entry in CHECKPOINTS.items() if entry.noncommercial}
    assert marked == {name for name in CHECKPOINTS if name.startswith("gpen")} | {"codeformer", "mobilestylegan-ffhq"}


def test_every_size_and_task_of_gpen_is_there() -> None:
    gpen = {name: entry for name, entry in CHECKPOINTS.items() if entry.restorer == "gpen"}
    assert {entry.size for entry in gpen.values() if entry.task == "restore"} == {256, 512, 1024, 2048}
    assert {entry.task for entry in gpen.values()} == set(TASKS["gpen"])
