"""What a catalogue says of attributes."""

from __future__ import annotations

from typing import Any

import pytest

from jobs.restore.attributes import attributes_of
from operators.errors import OperatorError


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (1, 1.0),
        (0.25, 0.25),
        ("0.25", 0.25),
        (True, 1.0),
        ("No", 0.0),
        (" true ", 1.0),
        (-1, 0.0),
        ("-1", 0.0),
        (0, 0.0),
    ],
)
def test_numbers_and_words_are_values(found: Any, expected: float) -> None:
    assert attributes_of({"mood": found, "other": 5}, {"smiling": "mood"}) == {"smiling": expected}


@pytest.mark.parametrize("found", [None, "", "  "])
def test_nothing_says_nothing(found: Any) -> None:
    assert attributes_of({"mood": found}, {"smiling": "mood", "male": "absent"}) == {}


@pytest.mark.parametrize("found", ["merry", 1.5, "nan", -0.5, [1], "inf"])
def test_anything_else_is_refused_with_what_was_found(found: Any) -> None:
    with pytest.raises(OperatorError) as caught:
        attributes_of({"mood": found}, {"smiling": "mood"})
    assert caught.value.code == "bad_attribute"
    assert repr(found) in caught.value.message
    assert "'mood'" in caught.value.message
