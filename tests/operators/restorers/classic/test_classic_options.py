import math

import pytest

from operators.restorers.classic.options import ClassicOptions


def test_yaml_booleans_mean_the_words_they_were_written_as():
    assert ClassicOptions(denoise=False, deblock=True, scratches=False, dust=True, fading=False) == ClassicOptions(
        denoise="off", deblock="auto", scratches="off", dust="auto", fading=0.0
    )


def test_numbers_become_floats():
    assert ClassicOptions(denoise=3).denoise == 3.0
    assert type(ClassicOptions(fading=1).fading) is float


@pytest.mark.parametrize(
    "bad",
    [
        {"denoise": -1},
        {"denoise": 101},
        {"denoise": "yes"},
        {"denoise": math.nan},
        {"deblock": None},
        {"scratches": 1},
        {"dust": "some"},
        {"fading": 1.5},
        {"fading": "auto"},
        {"fading": True},
    ],
)
def test_bad_values_are_refused_with_their_name(bad):
    with pytest.raises(ValueError, match=f"^{next(iter(bad))}: "):
        ClassicOptions(**bad)
