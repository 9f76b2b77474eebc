"""Jobs that hide faces: nobody can be recognised in what they write, and the passcode gives everything back."""

from __future__ import annotations

import io
import json
import struct
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

from operators.faces.align import align, cut
from operators.faces.geometry import transform
from operators.images.decode import decode
from operators.scoring.identity import IdentityModel

PASSCODE = "a passcode for the tests"
FACES = ("box1/print.jpg", "box1/plate.tif", "box2/miniature.png")
MARK = b"THUMBNAIL-OF-A-FACE"


def exif_with_thumbnail() -> bytes:
    """A little-endian TIFF stream: an empty first directory, and a second one that points to a marked thumbnail."""
    thumbnail = b"\xff\xd8" + MARK * 10 + b"\xff\xd9"
    at = 8 + 6 + 30
    second = struct.pack("<H", 2)
    second += struct.pack("<HHII", 0x0201, 4, 1, at) + struct.pack("<HHII", 0x0202, 4, 1, len(thumbnail))
    return b"II*\0" + struct.pack("<I", 8) + struct.pack("<HI", 0, 14) + second + bytes(4) + thumbnail


def hiding(bench: Any, name: str = "hidden", **blocks: Any) -> Path:
    restore = {"model": "anonymize", **blocks.pop("restore", {})}
    score = {"measures": ["identity"], **blocks.pop("score", {})}
    path: Path = bench.job(name, restore=restore, score=score, **blocks)
    return path


def record(bench: Any, name: str, key: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((bench.root / name / f"{key}.json").read_text())
    return found


@pytest.fixture
def passcode(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("HIDING_PASSCODE", PASSCODE)
    return "${HIDING_PASSCODE}"


def identity_at(found: dict[str, Any], before: bytes, after: bytes) -> float:
    """How like the faces of two pictures are at a place, by a way of our own."""
    landmarks = np.array(found["landmarks"])
    affine = align(landmarks, "ffhq", 256)
    crops = [cut(decode(data), affine, 256).pixels for data in (before, after)]
    at = transform(landmarks, affine)
    value = IdentityModel().similarity(crops[0], crops[1], (at, at))
    assert value is not None
    return value


def test_every_face_is_hidden_sealed_and_given_back(bench: Any, files: dict[str, bytes], passcode: str) -> None:
    job = hiding(bench, restore={"options": {"passcode": passcode}})
    assert bench.call("run", job).exit_code == 3, "what is broken is in quarantine"
    written = bench.outputs("hidden")
    assert written["box2/wall.png"] == files["box2/wall.png"]
    for key in FACES:
        row = record(bench, "hidden", key)
        assert [face["status"] for face in row["faces"]] == ["restored"]
        face = row["faces"][0]
        assert face["gate"]["passed"] and face["scores"]["identity"] <= 0.3
        assert face["hidden"]["checked_identity"] == row["checked"]["max_identity"] <= 0.3
        assert row["checked"]["faces_found"] == 0
        assert identity_at(face, files[key], files[key]) > 0.99
        assert identity_at(face, files[key], written[key]) < 0.36
        assert row["sealed"]["cipher"] == "AES-256-SIV"
    everything = [path for path in (bench.root / "hidden").rglob("*") if path.is_file()]
    assert not [path for path in everything if PASSCODE.encode() in path.read_bytes()], "the passcode is nowhere"
    assert not [path for path in everything if "samples" in path.parts], "no picture shows how it was"
    revealed = bench.call(
        "reveal", bench.root / "hidden", "--to", bench.root / "back", "--passcode-env", "HIDING_PASSCODE"
    )
    assert revealed.exit_code == 0, revealed.stdout
    for key in FACES:
        before, back = decode(files[key]), decode((bench.root / "back" / key).read_bytes())
        assert np.array_equal(before.pixels, back.pixels) and before.pixels.dtype == back.pixels.dtype
        assert not np.array_equal(before.pixels, decode(written[key]).pixels)


def test_the_same_job_writes_the_same_bytes(bench: Any, passcode: str) -> None:
    for name in ("one", "two"):
        bench.call(
            "run", hiding(bench, name, restore={"options": {"passcode": passcode}}, run={"unit_records": len(name)})
        )
    assert bench.outputs("one") == bench.outputs("two")
    assert b'"sealed"' in bench.outputs("one")["box1/print.jpg.json"]


def test_without_a_passcode_nothing_is_sealed(bench: Any) -> None:
    bench.call("run", hiding(bench, restore={"options": {"method": "mean"}}))
    row = record(bench, "hidden", "box1/print.jpg")
    assert "sealed" not in row and row["faces"][0]["restorer"]["parameters"]["sealed"] is False
    assert row["checked"]["faces_found"] >= 1, "a mean face is a face, and not the one that was there"
    assert row["checked"]["max_identity"] <= 0.3


def test_nothing_outside_the_heads_changes(bench: Any, files: dict[str, bytes]) -> None:
    bench.call("run", hiding(bench))
    for key in ("box1/plate.tif", "box2/miniature.png"):
        before, after = (decode(data).pixels for data in (files[key], bench.outputs("hidden")[key]))
        changed = (before != after).any(axis=2)
        assert 0.05 < changed.mean() < 0.8
        assert not changed[[0, -1]].any() or key == "box1/plate.tif"
        if before.shape[2] == 4:
            assert np.array_equal(before[..., 3], after[..., 3])


def test_a_face_that_stays_like_it_becomes_coarser(bench: Any) -> None:
    bench.call("run", hiding(bench, restore={"options": {"cell": 0.25}}, score={"gate": {"max_identity": 0.15}}))
    rows = [record(bench, "hidden", key) for key in FACES if (bench.root / "hidden" / key).exists()]
    steps = [row["faces"][0]["hidden"] for row in rows]
    assert any(one["step"] > 0 and one["shown"] for one in steps)
    assert all(one["checked_identity"] <= 0.15 for one in steps)


def test_what_cannot_be_hidden_is_quarantined_and_never_written(bench: Any) -> None:
    bench.call("run", hiding(bench, score={"gate": {"max_identity": -1.0}}))
    written = bench.outputs("hidden")
    assert set(written) == {"box2/wall.png", "box2/wall.png.json"}
    rows = (next((bench.root / "hidden/_facejobs/runs").iterdir()) / "quarantine.csv").read_text()
    assert rows.count("gate_failed") == len(FACES)
    assert "may still be recognised" in rows


def two_people(side: int = 150) -> bytes:
    face = cv2.resize(astronaut()[10:290, 90:370], (side, side), interpolation=cv2.INTER_AREA)
    wall = np.full((side + 40, 2 * side + 80, 3), 128, np.uint8)
    wall[20 : side + 20, 20 : side + 20] = face
    small = cv2.resize(face[:, ::-1], (side - 30, side - 30), interpolation=cv2.INTER_AREA)
    wall[30:side, side + 60 : 2 * side + 30] = small
    out = io.BytesIO()
    Image.fromarray(wall).save(out, "PNG")
    return out.getvalue()


def test_a_second_look_finds_the_face_that_was_missed(bench: Any, passcode: str) -> None:
    data = two_people()
    (bench.root / "archive/pair.png").write_bytes(data)
    # The first look is told to take one face; the finished picture shows the other, and must not.
    job = hiding(
        bench, source={"include": ["pair.png"]}, detect={"max_faces": 1}, restore={"options": {"passcode": passcode}}
    )
    assert bench.call("run", job).exit_code == 0
    row = record(bench, "hidden", "pair.png")
    assert [face["reason"] for face in row["faces"]] == ["", "second_look"]
    assert row["checked"] == {"faces_found": 0, "faces_found_late": 1, "max_identity": row["checked"]["max_identity"]}
    written = bench.outputs("hidden")["pair.png"]
    assert all(identity_at(face, data, written) < 0.36 for face in row["faces"])
    shown = bench.call(
        "reveal", bench.root / "hidden", "--to", bench.root / "back", "--passcode-env", "HIDING_PASSCODE"
    )
    assert shown.exit_code == 0
    assert np.array_equal(decode((bench.root / "back/pair.png").read_bytes()).pixels, decode(data).pixels)


def test_a_small_and_a_large_face_are_hidden_as_well(bench: Any) -> None:
    face = astronaut()[10:290, 90:370]
    for name, side in (("small.png", 64), ("large.png", 1500)):
        picture = cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA if side < 280 else cv2.INTER_LINEAR)
        framed = cv2.copyMakeBorder(picture, 30, 30, 30, 30, cv2.BORDER_REPLICATE)
        Image.fromarray(framed).save(bench.root / "archive" / name)
    assert bench.call("run", hiding(bench, source={"include": ["small.png", "large.png"]})).exit_code == 0
    distances = []
    for name in ("small.png", "large.png"):
        (found,) = record(bench, "hidden", name)["faces"]
        distances.append(np.hypot(*np.subtract(*found["landmarks"][:2])))
    assert distances[0] < 14 and distances[1] > 200, "smaller than a job that restores looks for, larger than any crop"
    for name in ("small.png", "large.png"):
        assert [face["status"] for face in record(bench, "hidden", name)["faces"]] == ["restored"]


def test_a_picture_that_lies_on_its_side_or_is_mirrored(bench: Any) -> None:
    """As the tag says: the oval has to turn with the face, or it would cover something else."""
    face = Image.fromarray(cv2.resize(astronaut()[10:290, 90:370], (200, 200), interpolation=cv2.INTER_AREA))
    wide = Image.new("RGB", (320, 200), (90, 90, 90))
    wide.paste(face, (0, 0))
    for name, turn, tag in (
        ("side.jpg", Image.Transpose.ROTATE_90, 6),
        ("mirror.jpg", Image.Transpose.FLIP_LEFT_RIGHT, 2),
    ):
        exif = Image.Exif()
        exif[0x0112] = tag
        wide.transpose(turn).save(bench.root / "archive" / name, "JPEG", quality=95, exif=exif)
    assert bench.call("run", hiding(bench, source={"include": ["side.jpg", "mirror.jpg"]})).exit_code == 0
    for name in ("side.jpg", "mirror.jpg"):
        row = record(bench, "hidden", name)
        assert row["source"]["orientation"] > 1 and row["checked"]["faces_found"] == 0
        (found,) = row["faces"]
        before, after = (
            decode(data).pixels.astype(int)
            for data in ((bench.root / "archive" / name).read_bytes(), bench.outputs("hidden")[name])
        )
        for x, y in np.rint(found["landmarks"]).astype(int):
            around = np.s_[y - 3 : y + 4, x - 3 : x + 4]
            assert np.ptp(after[around], axis=(0, 1)).max() <= np.ptp(before[around], axis=(0, 1)).max()
            assert np.abs(after[around] - before[around]).max() > 8


def test_no_thumbnail_leaves_with_a_picture(bench: Any, files: dict[str, bytes]) -> None:
    """Neither where a face was hidden, nor where none is shown: a thumbnail may be older than its picture."""
    segment = b"Exif\0\0" + exif_with_thumbnail()
    head = b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment
    jpeg = files["box1/print.jpg"]
    wall = io.BytesIO()
    Image.fromarray(np.random.default_rng(2).integers(90, 140, (120, 160, 3), dtype=np.uint8)).save(wall, "JPEG")
    for name, data in (("face.jpg", jpeg), ("wall.jpg", wall.getvalue())):
        (bench.root / "archive" / name).write_bytes(data[:2] + head + data[2:] + b"\xff\xd8" + MARK)
    bench.call("run", hiding(bench, source={"include": ["face.jpg", "wall.jpg"]}))
    written = bench.outputs("hidden")
    for name in ("face.jpg", "wall.jpg"):
        assert MARK in (bench.root / "archive" / name).read_bytes()
        assert MARK not in written[name]
        assert any("previews" in note for note in record(bench, "hidden", name)["notes"])
    source = decode((bench.root / "archive/wall.jpg").read_bytes())
    assert np.array_equal(decode(written["wall.jpg"]).pixels, source.pixels)


def test_other_formats_are_sealed_with_the_file_itself(bench: Any, files: dict[str, bytes], passcode: str) -> None:
    job = hiding(
        bench,
        source={"include": ["box2/*.png"]},
        output={"format": "webp", "quality": 80},
        restore={"options": {"passcode": passcode}},
    )
    bench.call("run", job)
    assert record(bench, "hidden", "box2/miniature.webp")["sealed"]["form"] == "file"
    bench.call("reveal", job, "--to", bench.root / "back", "--passcode-env", "HIDING_PASSCODE")
    assert (bench.root / "back/box2/miniature.png").read_bytes() == files["box2/miniature.png"]


def test_a_run_without_its_passcode_ends_before_it_begins(bench: Any, tmp_path: Path) -> None:
    job = hiding(bench, restore={"options": {"passcode_file": "missing.txt"}})
    ended = bench.call("run", job)
    assert ended.exit_code == 5 and "passcode_file" in ended.stderr
    (bench.root / "missing.txt").write_text("short\n")
    ended = bench.call("run", job)
    assert ended.exit_code == 5 and "5 characters" in ended.stderr and "short" not in ended.stderr
    assert not (bench.root / "hidden").exists()
