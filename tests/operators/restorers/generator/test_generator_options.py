import dataclasses

import pytest

from operators.engines.options import EngineOptions
from operators.restorers.contract import Equipment
from operators.restorers.generator.options import GfpganOptions, GpenOptions
from operators.restorers.generator.restorer import GfpganRestorer, GpenRestorer
from operators.restorers.table import create

GIVEN = {"model": "some-model", "sha256": "0123456789abcdef" * 4}
EQUIPMENT = Equipment(files=None)


def test_defaults_are_those_of_the_published_models():
    gfpgan, gpen = GfpganOptions(**GIVEN), GpenOptions(**GIVEN)
    assert (gfpgan.template, gfpgan.size, gfpgan.fidelity, gfpgan.sft_strength) == ("ffhq", 512, 0.0, 1.0)
    assert (gpen.template, gpen.size, gpen.fidelity, gpen.task) == ("gpen", 512, 0.0, "restore")
    assert gfpgan.keep_tone and gpen.keep_tone
    assert gfpgan.engine == gpen.engine == EngineOptions()
    with pytest.raises(dataclasses.FrozenInstanceError):
        gpen.size = 256


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"model": ""}, "model: '' found, expected the name"),
        ({"sha256": "ABC"}, "sha256: 'ABC' found, expected 64"),
        ({"sha256": "A" * 64}, "lower-case"),
        ({"template": "arcface"}, "template: 'arcface' found, expected one of ffhq, gpen"),
        ({"size": 500}, "size: 500 found, expected a power of two from 8 to 4096"),
        ({"size": True}, "size: True"),
        ({"size": 512.0}, "size: 512.0"),
        ({"size": 8192}, "size: 8192"),
        ({"fidelity": 1.5}, "fidelity: 1.5 found, expected a number from 0 to 1"),
        ({"fidelity": float("nan")}, "fidelity: nan"),
        ({"fidelity": True}, "fidelity: True"),
        ({"keep_tone": "yes"}, "keep_tone: 'yes' found, expected true or false"),
        ({"engine": "eager"}, "engine: 'eager' found, expected EngineOptions"),
    ],
)
def test_values_that_are_not_allowed_are_named(changed, words):
    for options in (GfpganOptions, GpenOptions):
        with pytest.raises(ValueError) as caught:
            options(**{**GIVEN, **changed})
        assert words in str(caught.value)


def test_values_of_one_family():
    with pytest.raises(ValueError, match=r"sft_strength: -0\.1 found"):
        GfpganOptions(**GIVEN, sft_strength=-0.1)
    with pytest.raises(ValueError, match="task: 'enhance' found, expected one of restore, colorize, inpaint, seg2face"):
        GpenOptions(**GIVEN, task="enhance")
    with pytest.raises(ValueError, match=r"fidelity: 0\.2 found with task seg2face"):
        GpenOptions(**GIVEN, task="seg2face", fidelity=0.2)


def test_the_table_makes_both_with_equipment():
    assert isinstance(create("gfpgan", GIVEN, EQUIPMENT), GfpganRestorer)
    assert isinstance(create("gpen", {**GIVEN, "task": "colorize"}, EQUIPMENT), GpenRestorer)
    assert create("classic", None, EQUIPMENT).info.name == "classic"


@pytest.mark.parametrize(
    ("name", "options", "equipment", "words"),
    [
        ("gfpgan", GIVEN, None, "restorer 'gfpgan' has weights: expected equipment"),
        ("gpen", {"size": 512}, EQUIPMENT, "restorer 'gpen' needs model and sha256"),
        ("gpen", {"model": "m"}, EQUIPMENT, "restorer 'gpen' needs sha256"),
        ("gpen", {**GIVEN, "sft_strength": 1.0}, EQUIPMENT, "restorer 'gpen' has no option 'sft_strength'"),
        ("gfpgan", {**GIVEN, "fidelty": 1.0}, EQUIPMENT, "did you mean fidelity?"),
        ("gfpga", {}, EQUIPMENT, "did you mean gfpgan?"),
    ],
)
def test_the_table_says_what_is_missing_or_misspelt(name, options, equipment, words):
    with pytest.raises(ValueError) as caught:
        create(name, options, equipment)
    assert words in str(caught.value)
