"""Passcodes: where they come from, and which may seal anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.spec.anonymize import AnonymizeSettings
from jobs.spec.passcodes import PasscodeError, passcode_of, read_passcode

GOOD = "correct horse battery"


@pytest.mark.parametrize(
    "data",
    [
        f"{GOOD}\n".encode(),
        f"{GOOD}".encode(),
        f"{GOOD}\r\nanother line\r\n".encode(),
        b"\xef\xbb\xbf" + f"{GOOD}\r\n".encode(),
    ],
)
def test_a_file_s_first_line_is_what_would_be_typed(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "passcode").write_bytes(data)
    assert read_passcode(tmp_path / "passcode") == GOOD
    settings = AnonymizeSettings(passcode_file=str(tmp_path / "passcode"))
    assert passcode_of(settings) == GOOD


@pytest.mark.parametrize(
    ("passcode", "said"),
    [
        ("seven 7", "has 7 characters"),
        ("e\u0301" * 4, "has 4 characters"),
        (f"{GOOD} ", "white space"),
        (f"{GOOD}\n", "white space"),
        (f"\t{GOOD}", "white space"),
        ("correct\x00horse", "control characters"),
        ("correct horse\udcff", "not UTF-8"),
    ],
)
def test_what_could_not_be_typed_again_seals_nothing(passcode: str, said: str) -> None:
    with pytest.raises(PasscodeError, match=said) as refused:
        passcode_of(AnonymizeSettings(passcode="${NAME}"), {"NAME": passcode})
    assert "${NAME}" in str(refused.value) and passcode.strip() not in str(refused.value)


def test_a_file_with_too_little_is_named(tmp_path: Path) -> None:
    (tmp_path / "passcode").write_text("\n" + GOOD)
    with pytest.raises(PasscodeError, match="passcode: the first line has 0 characters"):
        passcode_of(AnonymizeSettings(passcode_file=str(tmp_path / "passcode")))
    for broken in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(PasscodeError, match="cannot be read"):
            read_passcode(broken)
