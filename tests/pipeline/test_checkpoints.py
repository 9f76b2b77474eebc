"""Checkpoints: whole or not there, the newest whole one, and those that stay."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.checkpoints import Checkpoints, Kept, Policy
from pipeline.storage import PART, Folder

FILES = {"weights.bin": b"\x00\x01" * 50, "deep/state.json": b"{}"}


@pytest.fixture(params=["disk", "memory"])
def checkpoints(request: pytest.FixtureRequest, tmp_path: Path) -> Checkpoints:
    place = str(tmp_path / "kept") if request.param == "disk" else f"memory://{tmp_path}/kept"
    return Checkpoints(Folder(place))


def filled(checkpoints: Checkpoints, *numbers: int) -> None:
    for number in numbers:
        checkpoints.write(number, {**FILES, "number": str(number).encode()}, {"good": number % 2 == 0})


def newest(checkpoints: Checkpoints, said: list[str] | None = None) -> int | None:
    found = checkpoints.newest((said if said is not None else []).append)
    return found[0].number if found is not None else None


def test_what_was_written_is_read(checkpoints: Checkpoints) -> None:
    assert checkpoints.numbers() == [] and newest(checkpoints) is None
    filled(checkpoints, 0, 500, 1000)
    assert checkpoints.numbers() == [0, 500, 1000]
    found = checkpoints.newest(pytest.fail)
    assert found is not None
    kept, files = found
    assert (kept.number, kept.facts, files) == (1000, {"good": True}, {**FILES, "number": b"1000"})
    assert [one.number for one in checkpoints.all()] == [0, 500, 1000]


def test_the_order_is_that_of_numbers_beyond_nine_digits(checkpoints: Checkpoints) -> None:
    filled(checkpoints, 999_999_999, 1_000_000_000)
    assert newest(checkpoints) == 1_000_000_000


def test_without_its_commit_it_is_none(checkpoints: Checkpoints) -> None:
    filled(checkpoints, 5, 10)
    checkpoints.folder.delete("000000010.json")
    assert newest(checkpoints) == 5
    assert set(checkpoints.remains()) == {"000000010/weights.bin", "000000010/deep/state.json", "000000010/number"}
    checkpoints.remove_above(5)
    assert checkpoints.remains() == {}
    assert newest(checkpoints) == 5


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ({"000000010/weights.bin": b"\x00\x01" * 49}, "weights.bin is damaged (98 bytes that are not the 100"),
        ({"000000010/weights.bin": b"\x00\x02" + b"\x00\x01" * 49}, "weights.bin is damaged (100 bytes"),
        ({"000000010/deep/state.json": None}, "deep/state.json is missing"),
        ({"000000010.json": b'{"facts": {}, "fil'}, "000000010.json: damaged"),
        ({"000000010.json": b'{"facts": {}, "files": {"a": 1}}'}, "000000010.json: damaged"),
    ],
)
def test_a_damaged_one_is_passed_over_and_said(
    checkpoints: Checkpoints, damage: dict[str, bytes | None], said: str
) -> None:
    filled(checkpoints, 5, 10)
    for name, data in damage.items():
        if data is None:
            checkpoints.folder.delete(name)
        else:
            checkpoints.folder.write(name, data)
    heard: list[str] = []
    assert newest(checkpoints, heard) == 5
    (line,) = heard
    assert said in line and line.endswith("the checkpoint before it is taken") and checkpoints.folder.uri in line


def test_only_those_that_are_wanted_are_looked_at(checkpoints: Checkpoints) -> None:
    filled(checkpoints, 2, 3)
    found = checkpoints.newest(pytest.fail, lambda kept: bool(kept.facts["good"]))
    assert found is not None and found[0].number == 2


def test_written_again_it_is_replaced(checkpoints: Checkpoints) -> None:
    filled(checkpoints, 5)
    checkpoints.write(5, {"other": b"1"}, {"again": 1})
    found = checkpoints.newest(pytest.fail)
    assert found is not None and found[1] == {"other": b"1"} and found[0].facts == {"again": 1}


class Torn(Folder):
    """Storage that refuses after so many puts."""

    left = 0

    def write(self, name: str, data: bytes) -> None:
        if type(self).left == 0:
            raise OSError(28, "No space left on device")
        type(self).left -= 1
        super().write(name, data)


@pytest.mark.parametrize("puts", range(4))
@pytest.mark.parametrize("number", [5, 10])
def test_cut_off_at_any_put_the_one_before_is_whole(tmp_path: Path, puts: int, number: int) -> None:
    whole = Checkpoints(Folder(str(tmp_path)))
    filled(whole, 3, 5)
    Torn.left = puts
    with pytest.raises(OSError, match="No space left"):
        Checkpoints(Torn(str(tmp_path))).write(number, {**FILES, "number": b"x"}, {})
    assert newest(whole) == (3 if number == 5 else 5)
    filled(whole, number)
    assert newest(whole) == number


def test_what_stays() -> None:
    there = [0, 100, 200, 300, 350, 400, 450]
    assert Policy(2).staying(there) == {400, 450}
    assert Policy(1, every=200).staying(there) == {200, 400, 450}
    assert Policy(1, also=frozenset({0, 350, 999})).staying(there) == {0, 350, 450}
    assert Policy(0).staying(there) == {450}, "one stays whatever the policy says"
    assert Policy(3).staying([]) == frozenset()


def test_the_others_go_with_their_files(checkpoints: Checkpoints) -> None:
    filled(checkpoints, 1, 2, 3)
    assert checkpoints.prune(Policy(1, also=frozenset({2}))) == [1]
    assert checkpoints.numbers() == [2, 3]
    assert not any(name.startswith("000000001") for name in checkpoints.folder.names())


def test_removed_above_a_number(checkpoints: Checkpoints) -> None:
    filled(checkpoints, 1, 2, 3)
    checkpoints.folder.write("notes.txt", b"of a person")
    checkpoints.remove_above(1)
    assert checkpoints.folder.names() == [
        "000000001.json",
        "000000001/deep/state.json",
        "000000001/number",
        "000000001/weights.bin",
        "notes.txt",
    ]
    checkpoints.remove_above(-1)
    assert checkpoints.folder.names() == ["notes.txt"]


def test_half_written_files_of_a_killed_process_go(tmp_path: Path) -> None:
    checkpoints = Checkpoints(Folder(str(tmp_path)))
    filled(checkpoints, 1)
    (tmp_path / f"000000001/{PART}host-1-abc").write_bytes(b"12")
    assert checkpoints.remains() == {f"000000001/{PART}host-1-abc": 2}
    checkpoints.remove_above(1)
    assert checkpoints.remains() == {} and newest(checkpoints) == 1


def test_the_commit_says_what_it_commits(tmp_path: Path) -> None:
    filled(Checkpoints(Folder(str(tmp_path))), 4)
    raw = json.loads((tmp_path / "000000004.json").read_text())
    assert raw["facts"] == {"good": True}
    assert raw["files"]["deep/state.json"] == {
        "sha256": "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
        "bytes": 2,
    }
    kept = Checkpoints(Folder(str(tmp_path))).kept(4)
    assert isinstance(kept, Kept) and kept.files["deep/state.json"][1] == 2
