"""What docs/recipes.md says is so."""

import re
from pathlib import Path

import pytest

from operators.degradations.problems import RecipeError
from operators.degradations.reading import parse
from operators.degradations.shipped import names
from operators.degradations.table import DEGRADATIONS

PAGE = (Path(__file__).parents[3] / "docs" / "recipes.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)


def test_the_code_works_as_it_stands():
    space = {}
    for block in blocks("python"):
        exec(compile(block, "docs/recipes.md", "exec"), space)
    assert space["degraded"].shape == space["target"].shape == (256, 256, 3)
    assert space["sheet"].shape[1] == 3 * 512 + 4 * 8


def test_the_recipe_is_one():
    (text,) = blocks("yaml")
    assert parse(text).recipe == "mine"


def test_the_messages_are_those_shown():
    (text,) = blocks("yaml")
    wrong = text.replace("log_uniform: [0.3, 5]", "log_uniform: [0.3, 80]").replace(
        "  - one_of:", "  - {use: fodl}\n  - one_of:"
    )
    with pytest.raises(RecipeError) as caught:
        parse(wrong, "mine.yaml")
    (shown,) = blocks("text")
    assert str(caught.value) == shown.strip()


def test_every_recipe_and_degradation_is_named():
    for name in (*names(), *DEGRADATIONS):
        assert f"`{name}`" in PAGE, name
