"""The recipe of a pairs job: by name, in a file, or written out; a loaded job needs no file for it."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import yaml

from jobs.spec import JobFileError, PairsJob, load, loads, recipe_of
from jobs.spec.canonical import canonical, difference, digest
from jobs.spec.recipe_sizes import other_size
from jobs.spec.recipes import plain, recipe_data
from operators.degradations.drawing import draw
from operators.degradations.reading import from_data
from operators.degradations.shipped import names, shipped, text_of

JOB = "job: pairs\nname: x\nsource: {kind: files, uri: in/}\ndegrade: {recipe: %s}\noutput: {uri: out/}\n"
MINE = """\
recipe: mine
source: of our own
steps:
  - {use: jpeg, parameters: {quality: {choice: [90, 30, 60], weights: [3, 1, 2]}}}
  - {use: flip, probability: 0.5, both: true}
"""


def with_recipe(text: str, folder: Path | None = None) -> PairsJob:
    job = loads(JOB % text, folder=folder)
    assert isinstance(job, PairsJob)
    return job


def inline(text: str) -> PairsJob:
    return with_recipe(json.dumps(yaml.safe_load(text)))


def test_by_name() -> None:
    for name in names():
        job = with_recipe(name)
        assert job.degrade.recipe == name
        assert recipe_of(job) is shipped(name)


def test_by_file(tmp_path: Path) -> None:
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "mine.yaml").write_text(MINE)
    job = with_recipe("recipes/mine.yaml", tmp_path)
    assert recipe_of(job) == from_data(yaml.safe_load(MINE))
    assert [step.use for step in recipe_of(job).steps] == ["jpeg", "flip"]


def test_written_out() -> None:
    assert recipe_of(inline(MINE)) == from_data(yaml.safe_load(MINE))


def test_a_loaded_job_needs_no_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(MINE)
    (tmp_path / "job.yaml").write_text(JOB % "mine.yaml")
    job = load(tmp_path / "job.yaml")
    assert isinstance(job, PairsJob)
    before, identity = recipe_of(job), digest(job)
    file.unlink()
    travelled = pickle.loads(pickle.dumps(job))
    assert travelled == job
    assert recipe_of(travelled) == before
    assert digest(travelled) == identity
    assert draw(recipe_of(travelled), 7, "a", 0) == draw(before, 7, "a", 0)


def test_the_same_recipe_in_three_ways_is_the_same_run(tmp_path: Path) -> None:
    (tmp_path / "copy.yaml").write_text(text_of("gfpgan"))
    digests = {
        digest(loads(JOB % text, folder=tmp_path))
        for text in ("gfpgan", "copy.yaml", json.dumps(yaml.safe_load(text_of("gfpgan"))))
    }
    assert len(digests) == 1


def test_an_edited_file_makes_another_run(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(MINE)
    before = with_recipe("mine.yaml", tmp_path)
    file.write_text(MINE.replace("0.5", "0.25"))
    after = with_recipe("mine.yaml", tmp_path)
    assert digest(before) != digest(after)
    assert difference(canonical(before), canonical(after)) == [
        "degrade.recipe.steps[1].probability: was 0.5, is now 0.25"
    ]


def test_the_canonical_recipe_keeps_its_order_and_names_versions() -> None:
    job = inline(MINE)
    recipe = canonical(job)["degrade"]["recipe"]
    assert [step["use"] for step in recipe["steps"]] == ["jpeg", "flip"]
    assert recipe["steps"][0]["parameters"]["quality"] == {"choice": [90, 30, 60], "weights": [3.0, 1.0, 2.0]}
    assert recipe["degradations"] == {"flip": "1", "jpeg": "1"}
    assert recipe == recipe_data(job)
    head, _, tail = MINE.partition("steps:\n")
    turned = inline(head + "steps:\n" + "\n".join(reversed(tail.splitlines())) + "\n")
    assert digest(turned) != digest(job)


def test_versions_of_degradations_deep_in_groups_count() -> None:
    used = recipe_data(with_recipe("restoreformer++"))["degradations"]
    every = {name for variant in range(200) for name in uses(draw(shipped("restoreformer++"), 0, "k", variant))}
    assert every <= used.keys()
    assert len(used) > 5


def uses(steps: Any) -> set[str]:
    return {step.use for step in steps if not step.use.startswith("uneven")}


def test_a_new_version_of_a_degradation_makes_another_run(monkeypatch: pytest.MonkeyPatch) -> None:
    from operators.degradations.table import DEGRADATIONS

    job = with_recipe("gfpgan")
    before = canonical(job)
    monkeypatch.setattr(DEGRADATIONS["jpeg"], "version", "9")
    assert difference(before, canonical(job)) == ['degrade.recipe.degradations.jpeg: was "1", is now "9"']


def test_what_has_its_default_may_be_left_out() -> None:
    spelt = MINE.replace("{use: jpeg,", "{use: jpeg, probability: 1.0, both: false,")
    assert digest(inline(spelt)) == digest(inline(MINE))


@pytest.mark.parametrize("name", names())
def test_plain_data_makes_the_recipe_again(name: str) -> None:
    data = json.loads(json.dumps(plain(shipped(name))))
    assert from_data(data) == shipped(name)
    assert draw(from_data(data), 3, "k", 1) == draw(shipped(name), 3, "k", 1)


def problems_of(text: str, folder: Path | None = None) -> list[str]:
    with pytest.raises(JobFileError) as caught:
        loads(text, "pairs.yaml", folder)
    return str(caught.value).splitlines()


def test_problems_of_a_file_are_all_said_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(
        MINE.replace("quality", "qality").replace("0.5", "2").replace("source: of", "sauce: of")
    )
    found = problems_of(JOB % "mine.yaml", tmp_path)
    where = "pairs.yaml:4:19: degrade.recipe: mine.yaml: "
    starts = ("source: missing", "steps[1].probability: found 2, ", "sauce: unknown key")
    assert len(found) == len(starts)
    assert all(line.startswith(where + start) for line, start in zip(found, starts, strict=True)), found


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"recipe: [", "mine.yaml: line 1, column 10: "),
        (b"", "mine.yaml: found None, expected a mapping"),
        (b"a: caf\xe9\n", "mine.yaml: line 1, column 7: found the byte 0xE9, which is not UTF-8"),
        (b"#" * 300_000, "mine.yaml: found more than 256 KiB"),
        (b"a: &a [1]\nb: *a\n", "mine.yaml: line 2, column 4: found an alias"),
        (b"a: !!python/name:os.system x\n", "found a tag"),
        (b"[" * 1000, "levels of nesting"),
    ],
)
def test_files_that_are_no_recipe(data: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_bytes(data)
    (line,) = problems_of(JOB % "mine.yaml", tmp_path)
    assert line.startswith("pairs.yaml:4:19: degrade.recipe: mine.yaml: ")
    assert message in line


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (line,) = problems_of(JOB % "pipe.yaml", tmp_path)
    assert "found a pipe or a device" in line


def test_a_file_beside_the_job_file_is_pointed_at(tmp_path: Path) -> None:
    (tmp_path / "mine.yml").write_text(MINE)
    (line,) = problems_of(JOB % "mine", tmp_path)
    assert line.endswith(
        "degrade.recipe: found the text 'mine', which is no shipped recipe; for the file beside the job "
        "file write 'mine.yml'"
    )


def test_places_of_problems_written_out() -> None:
    text = JOB.replace("degrade: {recipe: %s}", "degrade:\n  recipe:\n    recipe: mine\n    source: x\n    steps:\n%s")
    found = problems_of(
        text
        % (
            "      - use: blur\n        parameters:\n          sigma: 80\n"
            "      - use: noise\n"
            "      - use: jpeg\n        parameters:\n          quality:\n            uniform: [-4, 5]\n"
        )
    )
    assert [line.split(": ", 2)[:2] for line in found] == [
        ["pairs.yaml:11:18", "degrade.recipe.steps[0].parameters.sigma"],
        ["pairs.yaml:12:14", "degrade.recipe.steps[1].use"],
        ["pairs.yaml:15:11", "degrade.recipe.steps[2].parameters.quality"],
    ]


def test_what_a_deep_recipe_says(tmp_path: Path) -> None:
    deep = "{steps: [" * 30 + "{use: flip}" + "]}" * 30
    (line,) = problems_of(JOB % f"{{recipe: mine, source: x, steps: [{deep}]}}", tmp_path)
    assert "more than 24 levels of nesting" in line


def test_only_a_recipe_that_always_changes_the_size_cannot_stand_side_by_side() -> None:
    changed = {name for name in names() if other_size(with_recipe(name).degrade)}
    assert changed == {"real-esrgan"}
    sometimes = "{recipe: m, source: x, steps: [{use: resize, probability: 0.5, parameters: {scale: 0.5}}]}"
    back = (
        "{recipe: m, source: x, steps: [{use: resize, parameters: {scale: 0.5}}, "
        "{use: resize, id: back, parameters: {of: original}}]}"
    )
    always = "{recipe: m, source: x, steps: [{use: resize, parameters: {scale: 0.5}}]}"
    both = "{recipe: m, source: x, steps: [{use: resize, both: true, parameters: {scale: 0.5}}]}"
    for recipe in (sometimes, back, both):
        assert other_size(with_recipe(recipe).degrade) == ""
    assert other_size(with_recipe(always).degrade) == "32 x 32 pixels of a target of 64 x 64"
