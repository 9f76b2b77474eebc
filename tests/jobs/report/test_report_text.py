from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.report import text
from jobs.report.text import NOTHING

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("box1/plate 07.tif", "box1/plate 07.tif"),
        ("a\nb", "a[U+000A]b"),
        ("fit\u202egpj", "fit[U+202E]gpj"),
        ("caf\udce9", "caf[U+DCE9]"),
        ("Zoë 東京 שלום", "Zoë 東京 שלום"),
        ("\u0645\u06cc\u200c\u062e\u0648", "\u0645\u06cc\u200c\u062e\u0648"),
    ],
)
def test_invisible_characters_are_written_out_and_others_kept(raw: str, shown: str) -> None:
    assert text.visible(raw) == shown


@given(ANY_TEXT)
def test_visible_text_can_be_stored_and_stays_on_one_line(raw: str) -> None:
    shown = text.visible(raw)
    shown.encode()
    assert len(shown.splitlines()) <= 1
    assert not {unicodedata.category(sign) for sign in shown} & {"Cc", "Cs", "Zl", "Zp"}


@given(ANY_TEXT, st.integers(1, 60))
def test_clipped_text_is_short_and_says_what_is_missing(raw: str, limit: int) -> None:
    note = 40
    for shown in (text.clip(raw, limit), text.clip_middle(raw, limit)):
        assert len(shown) <= limit + note
        if len(text.visible(raw)) <= limit:
            assert shown == text.visible(raw)
        else:
            assert "characters)" in shown


def test_a_message_loses_its_end_and_a_key_its_middle() -> None:
    assert text.clip("abcdefghij", 4) == "abcd … (6 more characters)"
    assert text.clip_middle("abcdefghij", 5) == "abc … (5 characters) … ij"


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [
        (0, 0, NOTHING),
        (0, 5, "0.0 %"),
        (1, 10_000, "< 0.1 %"),
        (9_999, 10_000, "> 99.9 %"),
        (5, 5, "100 %"),
        (1, 3, "33 %"),
        (1, 30, "3.3 %"),
    ],
)
def test_percent_never_rounds_to_all_or_nothing(part: int, whole: int, shown: str) -> None:
    assert text.percent(part, whole) == shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1 kB"),
        (999_600, "1 MB"),
        (1_484_231_992_110, "1.48 TB"),
        (10**18, "1,000 PB"),
    ],
)
def test_size(number: int, shown: str) -> None:
    assert text.size(number) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, NOTHING),
        (float("nan"), NOTHING),
        (0.0123, "0.0123 s"),
        (59.97, "1 min 0 s"),
        (3599.7, "1 h 0 min"),
        (12506, "3 h 28 min"),
        (200_000, "2 d 8 h"),
    ],
)
def test_duration(seconds: float | None, shown: str) -> None:
    assert text.duration(seconds) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, NOTHING), (float("inf"), NOTHING), (0.0, "0"), (0.12345, "0.123"), (12345.6, "12,346"), (2e-7, "2.00e-07")],
)
def test_number(value: float | None, shown: str) -> None:
    assert text.number(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "not set"),
        (True, "yes"),
        (2147483648, "2147483648"),
        (0.7, "0.7"),
        ([], "none"),
        (["a", 1], "a, 1"),
        ("x", "x"),
    ],
)
def test_fact(value: object, shown: str) -> None:
    assert text.fact(value) == shown


@pytest.mark.parametrize(
    ("stamp", "shown"),
    [
        ("2026-11-20T05:29:11Z", "2026-11-20 05:29 UTC"),
        ("2026-11-20T05:29:11.123456+00:00", "2026-11-20 05:29 UTC"),
        ("2026-11-20T05:29:11+01:00", "2026-11-20T05:29:11+01:00"),
        ("yesterday", "yesterday"),
    ],
)
def test_moment_claims_utc_only_where_it_is(stamp: str, shown: str) -> None:
    assert text.moment(stamp) == shown
