"""Recipes that cannot be, each refused with the key, what was found and what was expected."""

import re

import pytest

from operators.degradations.problems import RecipeError
from operators.degradations.reading import MAX_BYTES, from_data, parse
from operators.degradations.shipped import names, shipped, text_of

HAZE = {"use": "haze", "parameters": {"alpha": 0.5}}


def recipe(*steps, **more):
    return {"recipe": "r", "source": "s", "steps": list(steps), **more}


def haze(alpha):
    return recipe({"use": "haze", "parameters": {"alpha": alpha}})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "recipe: found None, expected a mapping with recipe, source and steps"),
        ({}, "recipe: recipe: missing; this key is needed"),
        (recipe(), "steps: found"),
        (recipe(HAZE, colour=1), "colour: unknown key"),
        (recipe({"haze": 1}), "steps[0]: found {'haze': 1}, expected a mapping with use, steps, one_of"),
        (recipe({"use": "hase"}), "steps[0].use: unknown degradation 'hase'; did you mean 'haze'?"),
        (recipe({"use": "haze"}), "steps[0].parameters.alpha: missing; haze needs it: Share of the picture"),
        (recipe({**HAZE, "probability": 1.5}), "steps[0].probability: found 1.5"),
        (recipe({**HAZE, "both": "yes"}), "steps[0].both: found 'yes'"),
        (recipe({**HAZE, "id": "a b"}), "steps[0].id: found 'a b'"),
        (haze(2), "steps[0].parameters.alpha: found 2, expected less than or equal to 1"),
        (haze("much"), "steps[0].parameters.alpha: found 'much', expected a valid number"),
        (haze(True), "steps[0].parameters.alpha: found True, expected a valid number"),
        (haze(float("nan")), "steps[0].parameters.alpha: found nan, expected a finite number"),
        (haze(None), "steps[0].parameters.alpha: found None, expected a number, a word, or a mapping"),
        (haze({"uniform": [0.5, 1.5]}), "steps[0].parameters.alpha: found 1.5, expected less than or equal to 1"),
        (haze({"uniform": [1, 0]}), "steps[0].parameters.alpha: found {'uniform': [1, 0]}, expected the lower number"),
        (haze({"uniform": [0, 1, 2]}), "steps[0].parameters.alpha.uniform: found [0, 1, 2]"),
        (haze({"uniform": [0, float("inf")]}), "steps[0].parameters.alpha.uniform[1]: found inf"),
        (haze({"uniform": [0, 1], "step": 2}), "steps[0].parameters.alpha.step: unknown key"),
        (
            haze({"log_uniform": [0, 1]}),
            "steps[0].parameters.alpha: found {'log_uniform': [0, 1]}, expected numbers above 0",
        ),
        (
            haze({"normal": [0, 1]}),
            "steps[0].parameters.alpha: found {'normal': [0, 1]}, expected a number, a word, or",
        ),
        (haze({"choice": []}), "steps[0].parameters.alpha.choice: found []"),
        (haze({"choice": [0.1, 7]}), "steps[0].parameters.alpha: found 7"),
        (haze({"choice": [0.1, 0.2], "weights": [1]}), "found 1 weights, expected 2: one for each"),
        (haze({"choice": [0.1, 0.2], "weights": [0, 0]}), "found weights that are all 0"),
        (haze({"choice": [0.1, 0.2], "weights": [-1, 2]}), "steps[0].parameters.alpha.weights[0]: found -1"),
        (haze({"integer": [0, 10**8]}), "expected at most 10000 values"),
        (haze({"integer": [0, 10**400]}), "steps[0].parameters.alpha.integer[1]"),
        (
            recipe({"use": "blur", "parameters": {"sigma": 1, "size": {"integer": [7, 21]}}}),
            "steps[0].parameters.size: found 8, expected an odd number",
        ),
        (
            recipe({"use": "blur", "parameters": {"sigma": 1, "size": {"uniform": [7, 21]}}}),
            "steps[0].parameters.size: found 7.0, expected a valid integer",
        ),
        (
            recipe({"use": "blur", "parameters": {"sigma": 1, "kernel": "round"}}),
            "steps[0].parameters.kernel: found 'round', expected 'iso', 'aniso'",
        ),
        (
            recipe({"use": "blur", "parameters": {"sigma": 1, "sgima": 2}}),
            "steps[0].parameters.sgima: blur has no such parameter; did you mean 'sigma'?",
        ),
        (recipe(HAZE, HAZE), "steps[1]: has the id 'haze', which steps[0] has too; give one of them an id of its own"),
        (recipe({"one_of": [{"weight": 0, "steps": [HAZE]}]}), "steps[0].one_of: found weights that are all 0"),
        (recipe({"one_of": [{"weight": 1, "steps": [{"use": "x"}]}]}), "steps[0].one_of[0].steps[0].use: unknown"),
        (recipe({"shuffle": [{"use": "x"}]}), "steps[0].shuffle[0].use: unknown degradation 'x'"),
        (recipe({"repeat": 9, "steps": [HAZE]}), "steps[0].repeat: found 9, expected a whole number from 0 to 8"),
        (recipe({"repeat": 1.5, "steps": [HAZE]}), "steps[0].repeat: found 1.5, expected a whole number"),
        (recipe({"uneven": 0, "steps": [HAZE]}), "steps[0].uneven: found 0, expected a number above 0, at most 1"),
        (
            recipe(
                {"repeat": 8, "steps": [{"repeat": 8, "id": "b", "steps": [{"repeat": 8, "id": "c", "steps": [HAZE]}]}]}
            ),
            "steps: found up to 512 steps with repeats, expected at most 500",
        ),
    ],
)
def test_each_is_refused_by_key(data, message):
    with pytest.raises(RecipeError, match=re.escape(message)):
        from_data(data)


def test_everything_wrong_is_said_at_once():
    with pytest.raises(RecipeError) as caught:
        from_data(recipe({"use": "hase"}, {"use": "blur"}, haze(3)["steps"][0]))
    assert [problem.path[:2] for problem in caught.value.problems] == [("steps", 0), ("steps", 1), ("steps", 2)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "found None, expected a mapping"),
        ("- 1", "expected a mapping"),
        ("recipe: [", "mine: line 1, column 10: "),
        ("recipe: &a r\nsource: *a\nsteps: []", "line 2, column 9: found an alias; write the values out"),
        ("recipe: !!python/object/apply:os.system [ls]", "line 1, column 9: found a tag"),
        ("recipe: r\nrecipe: q", "line 2, column 1: found the key 'recipe' twice"),
        ("? [a]\n: b", "found a list or mapping as a key"),
        ("a: " + "[" * 40 + "]" * 40, "found more than 24 levels of nesting"),
        ("a: \x00", "cannot be read as YAML"),
        ("a: '" + "x" * MAX_BYTES + "'", "found more than 256 KiB"),
        ("recipe: r\nsource: s\nsteps: [" + "1, " * 20_000 + "1]", "found more than 24 levels or 20000 values"),
    ],
)
def test_hostile_text_is_refused(text, message):
    with pytest.raises(RecipeError, match=re.escape(message)):
        parse(text, "mine")


def test_data_that_holds_itself_is_refused():
    steps: list = []
    steps.append({"steps": steps})
    with pytest.raises(RecipeError, match="found more than 24 levels"):
        from_data({"recipe": "r", "source": "s", "steps": steps})


def test_shipped_recipes_are_those_of_the_list():
    papers = (
        "codeformer-ii codeformer-iii face-completion gfpgan gpen old-photo real-esrgan restoreformer++ strokes vqfr"
    )
    archival = "archival-colour archival-negative archival-newspaper archival-postcard archival-print scratch-repair"
    assert sorted(names()) == sorted((papers + " " + archival).split())
    for name in names():
        assert shipped(name).recipe == name
        assert parse(text_of(name)) == shipped(name)
    with pytest.raises(RecipeError, match="unknown recipe 'gfpgn'; did you mean 'gfpgan'"):
        shipped("gfpgn")
