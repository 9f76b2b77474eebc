"""What is said of wrong train jobs: the key, and what was found or expected."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from jobs.spec import JobFileError, loads

FACES = {"kind": "faces", "uri": "in/", "recipes": {"gpen": 1}}
PLAIN = {"kind": "faces", "uri": "in/"}
PICTURES = {"kind": "pictures", "uri": "in/"}
PAIRS = {"kind": "pairs", "uri": "in/"}
TWO = {"kind": "unpaired", "first": "a/", "second": "b/"}
GOOD: dict[str, Any] = {
    "job": "train",
    "name": "x",
    "data": FACES,
    "model": {"kind": "gpen", "size": 64},
    "output": {"uri": "out/"},
}
SRGAN = {"kind": "srgan"}
STYLE = {"kind": "transform"}
GROWN = {"fading": 10, "steady": 10}
OF_COMPLETION = {"model": {"kind": "completion", "size": 32}, "schedule": GROWN}

# What is changed, and for each problem its path and a part of its message.
WRONG: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
    # kinds
    ({"model": {"kind": "gpenn"}}, [("model.kind", "did you mean 'gpen'?")]),
    ({"model": {"size": 64}}, [("model.kind", "missing; expected 'kind: ...' with 'gpen'")]),
    ({"data": {"uri": "in/"}}, [("data.kind", "missing; expected 'kind: ...' with 'faces'")]),
    (
        {"data": PICTURES | {"recipes": {"gpen": 1}}},
        [("data.kind", "model.kind: gpen cannot learn; expected 'faces' or")],
    ),
    ({"data": TWO}, [("data.kind", "expected 'faces' or 'pairs'")]),
    ({"model": {"kind": "cyclegan"}, "data": PAIRS}, [("data.kind", "expected 'unpaired'")]),
    # keys of other kinds
    ({"objective": {"pyramid": 1}}, [("objective.pyramid", "it is for model.kind: gfpgan")]),
    ({"schedule": {"fading": 5}}, [("schedule.fading", "it is for model.kind: completion")]),
    ({"model": {"kind": "gpen", "sft_half": True}}, [("model.sft_half", "it is for kind: gfpgan")]),
    ({"data": FACES | {"crop": True}}, [("data.crop", "it is for kind: pairs")]),
    ({"objective": {"adversaria": 1}}, [("objective.adversaria", "did you mean 'adversarial'?")]),
    ({"run": {"placement": "fused"}}, [("run.placement", "belongs to a restore job or a pairs job")]),
    ({"data": FACES | {"min_confidence": 0.5}}, [("data.min_confidence", "'min_confidence' belongs under 'data.cut'")]),
    ({"objective": None}, [("objective", "found nothing below 'objective:'; remove the line for the defaults")]),
    ({"schedule": []}, [("schedule", "a mapping of keys")]),
    # sizes
    ({"model": {"kind": "gpen", "size": 100}}, [("model.size", "a power of two")]),
    ({"data": FACES | {"size": 128}}, [("data.size", "the model is made for 64 pixels")]),
    ({"data": TWO | {"size": 66}, "model": {"kind": "cyclegan"}}, [("data.size", "expected a multiple of 4")]),
    ({"data": PICTURES, "model": SRGAN | {"size": 100}}, [("model.size", "a multiple of 16")]),
    (
        {"data": PICTURES | {"reduce_to": 64}, "model": SRGAN},
        [("data.reduce_to", "smaller than a sample of 96 pixels")],
    ),
    ({"model": {"kind": "gpen", "size": 64, "skip": 1.0}}, [("model.skip", "less than 1")]),
    ({"model": {"kind": "gpen", "size": 64, "narrow": 0.001}}, [("model.narrow", "leave no channels")]),
    ({"model": {"kind": "gpen", "size": 64, "judge_narrow": 0.001}}, [("model.judge_narrow", "leave no channels")]),
    ({"model": {"kind": "gfpgan", "size": 64, "narrow": 0.003, "sft_half": False}}, [("model.narrow", "0.003: ")]),
    ({"model": {"kind": "gfpgan", "size": 64, "narrow": 0.05}}, [("model.narrow", "25 channels at 8 pixels")]),
    ({"model": {"kind": "gpen", "size": 8}}, [("model.size", "16 pixels a side and more")]),
    ({"data": PLAIN, "model": {"kind": "completion", "channels": [8]}, "schedule": GROWN}, [("model", "expected 7")]),
    # recipes
    ({"data": PLAIN}, [("data.recipes", "missing; expected 'recipes: ...'")]),
    ({"data": PLAIN | {"recipes": None}}, [("data.recipes", "missing; expected 'recipes: ...'")]),
    ({"data": PLAIN | {"recipes": {}}}, [("data.recipes", "expected 1 to 64 recipes")]),
    ({"data": PLAIN | {"recipes": "gpen"}}, [("data.recipes", "write {gpen: 1}")]),
    ({"data": PLAIN | {"recipes": {"gpenn": 1}}}, [("data.recipes.gpenn", "did you mean 'gpen'?")]),
    ({"data": PLAIN | {"recipes": {"gpen": 0}}}, [("data.recipes.gpen", "expected a weight above 0")]),
    ({"data": PLAIN | {"recipes": {"gpen": True}}}, [("data.recipes.gpen", "found 'true'")]),
    ({"data": PLAIN | {"recipes": {"no.yaml": 1}}}, [("data.recipes.no.yaml", "no such file")]),
    ({"data": PLAIN | {"recipes": {"a": {"weight": 1}}}}, [("data.recipes.a", "missing 'recipe: ...'")]),
    ({"data": PLAIN | {"recipes": {"a": {"weight": 1, "recipe": "gpen"}}}}, [("data.recipes.a.recipe", "written out")]),
    (
        {
            "data": PLAIN
            | {"recipes": {"a": {"weight": 1, "recipe": {"recipe": "a", "source": "x", "steps": [{"use": "fodl"}]}}}}
        },
        [("data.recipes.a.recipe.steps[0].use", "did you mean 'fold'?")],
    ),
    ({"data": FACES, **OF_COMPLETION}, [("data.recipes", "is not given degraded pictures")]),
    ({"data": PLAIN | {"keep_tone": True}, **OF_COMPLETION}, [("data.keep_tone", "is not given degraded pictures")]),
    # what a model never sees
    ({"data": FACES | {"masks": {"half": 1}}}, [("data.masks", "model.kind: gpen, which completes nothing")]),
    ({"data": FACES | {"resampler": "area"}}, [("data.resampler", "which enlarges nothing")]),
    ({"data": FACES | {"attributes": {"uri": "a.csv"}}}, [("data.attributes", "which completes nothing")]),
    ({"data": FACES | {"style": "a.jpg"}}, [("data.style", "has no effect with model.kind: gpen")]),
    ({"data": PICTURES, "model": STYLE}, [("data.style", "missing; expected 'style: ...'")]),
    ({"data": PLAIN | {"masks": {"noise": 0}}, **OF_COMPLETION}, [("data.masks", "every weight is 0")]),
    (
        {"data": PLAIN | {"masks": {"least": 0.9}}, **OF_COMPLETION},
        [("data.masks.least", "more than masks.most (0.8)")],
    ),
    (
        {"data": FACES | {"align": False, "cut": {"margin": 0}}},
        [("data.cut.margin", "has no effect with align: false")],
    ),
    ({"data": FACES | {"cut": {"template": "ffhq"}}}, [("data.cut.template", "the model's is 'gpen'")]),
    # what is held out
    ({"data": FACES | {"held_out": 0.7}}, [("data.held_out", "expected a share from 0")]),
    ({"data": FACES | {"held_out": "no.txt"}}, [("data.held_out", "found no such file there")]),
    ({"data": FACES | {"held_out": "."}}, [("data.held_out", "found a folder there")]),
    ({"data": PAIRS | {"held_out": "train"}}, [("data.held_out", "which is trained on")]),
    # attributes
    (
        {"data": PLAIN | {"attributes": {"uri": "a.json"}}, **OF_COMPLETION},
        [("data.attributes.uri", "ends in '.csv' or '.parquet'")],
    ),
    (
        {"data": PLAIN | {"attributes": {"uri": "a.csv", "columns": ["a b", "c", "c", "key"]}}, **OF_COMPLETION},
        [
            ("data.attributes.columns[0]", "expected letters"),
            ("data.attributes.columns[2]", "stands in the list already"),
            ("data.attributes.columns[3]", "is the column with the picture's name"),
        ],
    ),
    # steps and samples
    ({"run": {"workers": 2}}, [("run.workers", "say runner: ray, or workers: 1")]),
    ({"run": {"runner": "ray", "workers": 3}}, [("schedule.batch", "found 8, which 3 workers")]),
    (
        {"run": {"runner": "ray", "workers": 2}, "schedule": {"accumulate": 3}},
        [("schedule.batch", "expected a multiple of 6")],
    ),
    ({"schedule": {"batch": 6}}, [("schedule.batch", "looks at groups of 4")]),
    (
        {"run": {"runner": "ray", "workers": 4}},
        [("schedule.batch", "in 4 workers x 1 parts (schedule.accumulate): expected a multiple of 4 samples in each")],
    ),
    (
        {
            "data": PLAIN,
            "model": {"kind": "completion", "size": 32},
            "schedule": GROWN,
            "objective": dict.fromkeys(("adversarial", "attributes", "reconstruction", "feature", "boundary"), 0),
        },
        [("objective", "no term counts")],
    ),
    ({"schedule": {"steps": 5, "warm": 6}}, [("schedule.warm", "more than schedule.steps (5)")]),
    (
        {"output": {"uri": "out/", "checkpoint_every": 25}},
        [("output.checkpoint_every", "expected a multiple of output.log_every (10)")],
    ),
    (
        {"output": {"uri": "out/", "keep_every": 750}},
        [("output.keep_every", "expected a multiple of output.checkpoint_every (500)")],
    ),
    (
        {"data": PLAIN, "model": {"kind": "completion"}, "schedule": {"steps": 10}},
        [("schedule.steps", "growing from 4")],
    ),
    ({"model": {"kind": "gfpgan", "size": 64}}, [("schedule.prior", "frozen")]),
    ({"objective": {"adversarial": 0}, "schedule": {"prior_steps": 5}}, [("schedule.prior_steps", "discriminator")]),
    ({"objective": {"content": 0, "adversarial": 0}}, [("objective", "weight 0")]),
    # starts
    ({"model": {"kind": "gpen", "size": 64, "start": "no.pth"}}, [("model.start", "where there is no file")]),
    ({"model": {"kind": "gpen", "size": 64, "start": "."}}, [("model.start", "found the text '.'")]),
    ({"model": {"kind": "gpen", "size": 64, "start": "./"}}, [("model.start", "found a folder")]),
    ({"model": {"kind": "gpen", "size": 64, "start": "s3://a/b.pth"}}, [("model.start", "found a URL")]),
    (
        {"model": {"kind": "gpen", "size": 64, "start": {"decodr": "parsenet"}}},
        [("model.start.decodr", "did you mean 'decoder'?")],
    ),
    (
        {"model": {"kind": "gpen", "size": 64, "start": {"generator": "gpen-bfr-256"}}},
        [("model.start.generator", "models.accept_noncommercial: [gpen-bfr-256]")],
    ),
    ({"model": {"kind": "gpen", "size": 64, "start": 5}}, [("model.start", "expected a file")]),
    # places
    ({"output": {"uri": "in/out/"}}, [("output.uri", "the output lies inside the data's prefix")]),
    ({"output": {"uri": "."}}, [("output.uri", "the data lies inside the output")]),
    ({"output": {"uri": "b/"}, "data": TWO, "model": {"kind": "cyclegan"}}, [("output.uri", "lies inside")]),
    ({"output": {"uri": "https://a/b"}}, [("output.uri", "can only be read")]),
    ({"data": PAIRS | {"uri": "in/*"}}, [("data.uri", "found a wildcard")]),
    (
        {"run": {"runner": "ray", "workers": 2}, "output": {"uri": "memory://a"}},
        [("output.uri", "lives in one process")],
    ),
    ({"run": {"address": "auto"}}, [("run.address", "has no effect with runner: local")]),
    ({"models": {"artifacts": "a/"}}, [("models.artifacts", "compiles no engines")]),
    ({"notify": {"summary": "in/s/"}}, [("notify.summary", "only ever read")]),
]


@pytest.mark.parametrize(("blocks", "expected"), WRONG, ids=[f"{row[1][0][0]} {i}" for i, row in enumerate(WRONG)])
def test_refused_at_the_key(blocks: dict[str, Any], expected: list[tuple[str, str]], tmp_path: Path) -> None:
    (tmp_path / "a.csv").touch()
    (tmp_path / "a.jpg").touch()
    with pytest.raises(JobFileError) as caught:
        loads(yaml.safe_dump(GOOD | blocks, sort_keys=False), folder=tmp_path)
    problems = caught.value.problems
    assert [problem.path for problem in problems] == [path for path, _ in expected], str(caught.value)
    for path, fragment in expected:
        assert any(problem.path == path and fragment in problem.message for problem in problems), str(caught.value)
    assert all(problem.line > 0 for problem in problems)


def test_the_good_one_is_good(tmp_path: Path) -> None:
    assert loads(yaml.safe_dump(GOOD), folder=tmp_path).name == "x"


def test_everything_is_said_at_once(tmp_path: Path) -> None:
    text = yaml.safe_dump(
        GOOD
        | {
            "data": FACES | {"held_out": "no.txt", "mirror": 2},
            "schedule": {"batch": 7, "stepps": 1},
            "run": {"runner": "ray", "workers": 2},
            "output": {"uri": "in/", "keep": 0},
        },
        sort_keys=False,
    )
    with pytest.raises(JobFileError) as caught:
        loads(text, folder=tmp_path)
    assert {problem.path for problem in caught.value.problems} == {
        "data.held_out",
        "data.mirror",
        "schedule.batch",
        "schedule.stepps",
        "output.uri",
        "output.keep",
    }
