"""`facejobs reveal`: gives back what was sealed, notices what was changed, and overwrites nothing."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from PIL import Image
from skimage.data import astronaut
from typer.testing import CliRunner, Result

from jobs.main import app
from operators.images.decode import decode

PASSCODE = "correct horse battery staple"
KEYS = ("a/print.jpg", "plate.png")


def call(*arguments: object) -> Result:
    return CliRunner().invoke(
        app,
        [str(argument) for argument in arguments],
        env={"PASS": PASSCODE, "BAD": PASSCODE + "?", "LATIN": "passcode \udcfc"},
    )


def reveal(*arguments: object, passcode: str = "PASS") -> Result:
    return call("reveal", *arguments, "--passcode-env", passcode)


def portrait(side: int) -> Image.Image:
    face = cv2.resize(astronaut()[10:290, 90:370], (side, side), interpolation=cv2.INTER_AREA)
    grain = np.random.default_rng(side).normal(0, 6, face.shape)
    return Image.fromarray(np.clip(face + grain, 0, 255).astype(np.uint8))


def run(root: Path, name: str, **output: str) -> None:
    job = {
        "job": "restore",
        "name": name,
        "source": {"kind": "files", "uri": "in"},
        "restore": {"model": "anonymize", "options": {"passcode": "${PASS}"}},
        "score": {"measures": ["identity"]},
        "output": {"uri": name, **output},
        "run": {"runner": "local", "isolate": False},
    }
    (root / f"{name}.yaml").write_text(yaml.safe_dump(job))
    ended = call("run", root / f"{name}.yaml")
    assert ended.exit_code == 0, ended.output


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A source of two portraits and a wall, and outputs of it in each layout."""
    root = tmp_path_factory.mktemp("archive")
    (root / "in/a").mkdir(parents=True)
    portrait(150).save(root / "in/a/print.jpg", quality=90)
    portrait(140).save(root / "in/plate.png")
    Image.fromarray(np.full((60, 80, 3), 128, np.uint8)).save(root / "in/wall.png")
    run(root, "out")
    run(root, "tar", layout="webdataset")
    run(root, "table", layout="parquet")
    return root


@pytest.fixture
def root(archive: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    shutil.copytree(archive, tmp_path / "copy")
    text = (tmp_path / "copy/out.yaml").read_text()
    assert "${PASS}" in text
    return tmp_path / "copy"


def same_pixels(root: Path, back: Path, keys: tuple[str, ...] = KEYS) -> bool:
    written = sorted(str(path.relative_to(back)) for path in back.rglob("*") if path.is_file())
    assert written == sorted(keys)
    return all(
        np.array_equal(decode((root / "in" / key).read_bytes()).pixels, decode((back / key).read_bytes()).pixels)
        for key in keys
    )


@pytest.mark.parametrize("place", ["out", "out.yaml", "tar", "table"])
def test_a_whole_output_comes_back(root: Path, place: str) -> None:
    ended = reveal(root / place, "--to", root / "back")
    assert ended.exit_code == 0, ended.output
    assert "2 revealed, 1 without a seal" in ended.stdout and "bit for bit" in ended.stdout
    assert same_pixels(root, root / "back")


def test_single_pictures_come_back(root: Path) -> None:
    assert reveal(root / "out/a/print.jpg.json", root / "out/plate.png", "--to", root / "back").exit_code == 0
    assert same_pixels(root, root / "back")
    ended = reveal(root / "out", "--key", "plate.png", "--to", root / "one")
    assert ended.exit_code == 0 and same_pixels(root, root / "one", ("plate.png",))
    shard = next((root / "tar").rglob("*.tar"))
    assert reveal(shard, "--key", "a/print.jpg", "--to", root / "two").exit_code == 0
    assert same_pixels(root, root / "two", ("a/print.jpg",))


def test_an_output_without_its_ledger_and_one_behind_a_url(root: Path) -> None:
    shutil.rmtree(root / "out/_facejobs")
    assert reveal(root / "out", "--to", root / "back").exit_code == 0
    assert same_pixels(root, root / "back")
    memory = fsspec.filesystem("memory")
    memory.put(str(root / "out"), "/museum/out", recursive=True)
    ended = reveal("memory://museum/out", "--to", "memory://museum/back")
    assert ended.exit_code == 0, ended.output
    found = decode(memory.cat("/museum/back/plate.png"))
    assert np.array_equal(found.pixels, decode((root / "in/plate.png").read_bytes()).pixels)
    memory.rm("/museum", recursive=True)


def test_a_wrong_passcode_says_so_and_reveals_nothing(root: Path) -> None:
    ended = reveal(root / "out", "--to", root / "back", passcode="BAD")
    assert ended.exit_code == 11
    assert (
        "the passcode is not the one" in ended.stdout and "0 revealed, 2 sealed with another passcode" in ended.stdout
    )
    assert not (root / "back").exists()
    assert PASSCODE not in ended.output


def paint(path: Path) -> None:
    image = np.asarray(Image.open(path)).copy()
    image[:20, :20] = 0
    out = io.BytesIO()
    Image.fromarray(image).save(out, "PNG" if path.suffix == ".png" else "JPEG")
    path.write_bytes(out.getvalue())


def edit(path: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    record = json.loads(path.read_text())
    change(record)
    path.write_text(json.dumps(record, indent=1) + "\n")


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


CHANGES: dict[str, Callable[[Path], Any]] = {
    "picture": lambda out: paint(out / "plate.png"),
    "picture and its hash": lambda out: (
        paint(out / "plate.png"),
        edit(out / "plate.png.json", lambda row: row["output"].update(sha256=sha256_of(out / "plate.png"))),
    ),
    "key": lambda out: edit(out / "plate.png.json", lambda row: row.update(key="another.png")),
    "name": lambda out: edit(out / "plate.png.json", lambda row: row["output"].update(name="../../escaped.png")),
    "source": lambda out: edit(out / "plate.png.json", lambda row: row["source"].update(sha256="0" * 64)),
    "geometry": lambda out: edit(out / "plate.png.json", lambda row: row["faces"][0]["box"].__setitem__(0, 1.0)),
    "a face left out": lambda out: edit(out / "plate.png.json", lambda row: row["faces"].clear()),
    "seal": lambda out: edit(
        out / "plate.png.json", lambda row: row["sealed"].update(data="A" + row["sealed"]["data"][1:])
    ),
    "size": lambda out: edit(out / "plate.png.json", lambda row: row["sealed"].update(bytes=1)),
    "another picture's seal": lambda out: edit(
        out / "plate.png.json",
        lambda row: row.update(sealed=json.loads((out / "a/print.jpg.json").read_text())["sealed"]),
    ),
    "salt": lambda out: edit(
        out / "plate.png.json",
        lambda row: row["sealed"]["kdf"].update(salt=base64.b64encode(bytes(16)).decode()),
    ),
    "check": lambda out: edit(
        out / "plate.png.json", lambda row: row["sealed"].update(check=base64.b64encode(bytes(16)).decode())
    ),
    "no number": lambda out: edit(out / "plate.png.json", lambda row: row.update(note=float("nan"))),
    "a key twice": lambda out: (out / "plate.png.json").write_text(
        '{"key": "another.png",' + (out / "plate.png.json").read_text()[1:]
    ),
    "a well without a bottom": lambda out: (out / "plate.png.json").write_text(
        '{"note": ' + "[" * 100_000 + "]" * 100_000 + "," + (out / "plate.png.json").read_text()[1:]
    ),
    "no JSON": lambda out: (out / "plate.png.json").write_text("{}"),
    "no picture": lambda out: (out / "plate.png").unlink(),
}


@pytest.fixture(params=[True, False], ids=["with ledger", "without"])
def with_ledger(request: pytest.FixtureRequest) -> Iterator[bool]:
    yield request.param


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_changed_is_noticed_and_named(root: Path, change: str, with_ledger: bool) -> None:
    if not with_ledger:
        shutil.rmtree(root / "out/_facejobs")
    CHANGES[change](root / "out")
    ended = reveal(root / "out", "--to", root / "back")
    assert ended.exit_code == 8, ended.output
    assert "plate.png.json: " in ended.stdout and "nothing is revealed" in ended.stdout
    assert "1 revealed, 1 tampered with or damaged" in ended.stdout
    assert same_pixels(root, root / "back", ("a/print.jpg",))


def test_a_record_that_is_gone_is_missed(root: Path) -> None:
    (root / "out/plate.png.json").unlink()
    ended = reveal(root / "out", "--to", root / "back")
    assert ended.exit_code == 8 and "plate.png.json: it is missing" in ended.stdout


def test_a_changed_shard_is_noticed(root: Path) -> None:
    shard = next((root / "tar").rglob("*.tar"))
    data = bytearray(shard.read_bytes())
    data[5000] ^= 1
    shard.write_bytes(bytes(data))
    ended = reveal(root / "tar", "--to", root / "back")
    assert ended.exit_code == 8 and "differs from the ledger's" in ended.stdout
    assert not (root / "back").exists()


@pytest.mark.parametrize(
    ("columns", "code", "said"),
    [
        ({"foo": ["a"]}, 2, "no columns key, image with bytes, and record"),
        ({"key": ["a"], "image": [b"abc"], "record": ["{}"]}, 2, "no columns key"),
        ({"key": ["a"], "image": [{"bytes": b"abc"}], "record": [5]}, 2, "no columns key"),
        ({"key": ["a"], "image": [{"bytes": b"abc"}], "record": [b"{}"]}, 8, "the record is not what facejobs writes"),
        (
            {
                "key": ["a"],
                "image": pa.array([{"bytes": None}], pa.struct([("bytes", pa.binary())])),
                "record": ['{"key": "a", "output": {"name": "a.png"}, "sealed": {}}'],
            },
            8,
            "its picture is missing",
        ),
    ],
)
def test_a_table_from_elsewhere_is_refused(tmp_path: Path, columns: dict[str, Any], code: int, said: str) -> None:
    pq.write_table(pa.table(columns), tmp_path / "other.parquet")
    ended = reveal(tmp_path / "other.parquet", "--to", tmp_path / "back")
    assert ended.exit_code == code and said in ended.output


def test_nothing_is_overwritten(root: Path) -> None:
    (root / "back").mkdir()
    (root / "back/plate.png").write_bytes(b"mine")
    ended = reveal(root / "out", "--to", root / "back")
    assert ended.exit_code == 2 and "it stays" in ended.stdout and "1 revealed" in ended.stdout
    assert (root / "back/plate.png").read_bytes() == b"mine"
    (root / "back/plate.png").unlink()
    assert reveal(root / "out", "--to", root / "back").exit_code == 0
    assert same_pixels(root, root / "back")


@pytest.mark.parametrize("target", ["out", "out/originals", "out/../out/x", "linked/x"])
def test_originals_do_not_go_where_the_faces_are_hidden(root: Path, target: str) -> None:
    (root / "linked").symlink_to(root / "out")
    for place in ("out", "out.yaml", "out/plate.png", "out/a/print.jpg.json", "tar"):
        ended = reveal(root / place, "--to", root / target)
        assert ended.exit_code == 2 and "must not lie beside" in ended.stderr, place


def test_a_folder_that_cannot_be_is_refused(root: Path) -> None:
    ended = reveal(root / "out", "--to", "s4://bucket/originals")
    assert ended.exit_code == 2 and "--to s4://bucket/originals: " in ended.stderr


def test_names_in_an_output_do_not_steer_the_terminal(root: Path) -> None:
    (root / "loose").mkdir()
    (root / "loose/\x1b[31ma\n0 tampered.json").write_text("{}")
    ended = reveal(root / "loose", "--to", root / "back")
    assert ended.exit_code == 8
    assert "\x1b" not in ended.stdout and "\\x1b[31ma\\n0 tampered.json: the record is not" in ended.stdout


def test_where_the_passcode_may_come_from(root: Path) -> None:
    (root / "secret").write_text(f"{PASSCODE}\nnot this line\n")
    assert call("reveal", root / "out", "--to", root / "back", "--passcode-file", root / "secret").exit_code == 0
    for options, said in (
        ((), "no passcode"),
        (("--passcode-env", "NOT_THERE"), "NOT_THERE is not set"),
        (("--passcode-env", "LATIN"), "LATIN is not UTF-8"),
        (("--passcode-file", root / "nowhere"), "cannot be read"),
        (("--passcode-file", root / "secret", "--passcode-env", "PASS"), "one of the two"),
    ):
        ended = call("reveal", root / "out", "--to", root / "other", *options)
        assert ended.exit_code == 2 and said in ended.stderr, options
    assert not (root / "other").exists()


def test_places_with_nothing_to_reveal(root: Path) -> None:
    for place, code, said in (
        (root / "nowhere", 9, "no output"),
        (root / "nowhere.json", 2, "no such file"),
        (root / "in/plate.png", 2, "no record"),
        (root / "out/wall.png", 2, "0 revealed, 1 without a seal"),
    ):
        ended = reveal(place, "--to", root / "back")
        assert ended.exit_code == code, (place, ended.output)
        assert said in ended.output
    ended = reveal(root / "out", "--key", "plate.png", "--key", "lost.png", "--to", root / "back")
    assert ended.exit_code == 2 and "lost.png: there is no record of this key" in ended.stdout
