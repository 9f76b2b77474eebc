"""The data of a training, read from folders and from the output of a pairs job."""

from __future__ import annotations

import io
import pickle
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from PIL import Image
from skimage import data as pictures
from typer.testing import CliRunner

from jobs.errors import CommandError
from jobs.exits import Exit
from jobs.main import app
from jobs.spec import TrainJob, loads
from jobs.train.data import Gathered, gather
from operators.training.data.samples import Paired
from pipeline.errors import RecordError, SourceError

ASTRONAUT = pictures.astronaut()
GPEN = {"kind": "gpen", "size": 64}
COMPLETION = {"kind": "completion", "size": 32}
GROWN = {"fading": 10, "steady": 10}
FACES = {"kind": "faces", "uri": "in/", "recipes": {"gpen": 1}, "held_out": 0}


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    return buffer.getvalue()


def portrait(shade: int) -> np.ndarray:
    """A portrait that is the same person every time, and other bytes."""
    face = ASTRONAUT[10:290, 90:370].copy()
    face[:6, :6] = shade
    return face


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six portraits in two folders, a copy of one, a scene without a face, and a file that is no picture."""
    for place, shade in (("a/1", 0), ("a/2", 40), ("a/3", 80), ("b/4", 120), ("b/5", 160), ("b/6", 200)):
        path = tmp_path / "in" / f"{place}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(portrait(shade)))
    shutil.copy(tmp_path / "in" / "a" / "1.png", tmp_path / "in" / "b" / "copy.png")
    (tmp_path / "in" / "scene.png").write_bytes(png(pictures.coffee()[:120, :160]))
    (tmp_path / "in" / "text.jpg").write_text("no picture")
    return tmp_path


def job(folder: Path, **blocks: Any) -> TrainJob:
    written = {"job": "train", "name": "x", "data": FACES, "model": GPEN, "output": {"uri": "out/"}} | blocks
    found = loads(yaml.safe_dump(written), folder=folder)
    assert isinstance(found, TrainJob)
    return found


def made(folder: Path, **blocks: Any) -> Gathered:
    return gather(job(folder, **blocks))


def refused(folder: Path, **blocks: Any) -> str:
    with pytest.raises(CommandError) as caught:
        gather(job(folder, **blocks))
    assert caught.value.code == Exit.BAD_JOB
    return caught.value.message


def test_faces_are_found_aligned_and_counted(folder: Path) -> None:
    found = made(folder)
    assert found.samples.count == 6
    assert found.held_out is None
    batch = found.samples.batch(range(6))
    assert batch["degraded"].shape == batch["truth"].shape == (6, 64, 64, 3)
    # Eyes, nose and mouth lie where the template has them: all faces are one person's, moved by a few pixels.
    mean = batch["truth"].astype(float).mean(axis=0)
    assert np.abs(batch["truth"] - mean).mean() < 30
    assert found.left_out == {
        "its bytes are those of another picture": ("b/copy.png",),
        "no face was found; see data.cut.min_confidence": ("scene.png",),
        "it cannot be read (not_an_image)": ("text.jpg",),
    }
    assert "left out 1 picture (text.jpg): it cannot be read (not_an_image)" in found.notes


def test_the_same_everywhere(folder: Path) -> None:
    data = FACES | {"include": ["b/*"]}
    one = made(folder, data=data)
    other = made(folder, data=data, run={"data_workers": 2, "runner": "ray"}, output={"uri": "elsewhere/"})
    assert one.fingerprint == other.fingerprint
    batches = [pickle.loads(pickle.dumps(each)).samples.batch([5, 0, 9]) for each in (one, other)]
    assert all(np.array_equal(batches[0][name], batches[1][name]) for name in batches[0])
    shutil.move(folder / "in", folder / "moved")
    assert made(folder, data=data | {"uri": "moved/", "align": False}).fingerprint == one.fingerprint


def test_changed_data_have_another_fingerprint(folder: Path) -> None:
    data = FACES | {"align": False}
    prints = [made(folder, data=each).fingerprint for each in (data, data | {"held_out": 0.5})]
    (folder / "in" / "a" / "2.png").write_bytes(png(portrait(7)))
    prints.append(made(folder, data=data).fingerprint)
    (folder / "in" / "a" / "2.png").rename(folder / "in" / "a" / "0.png")
    prints.append(made(folder, data=data).fingerprint)
    (folder / "in" / "a" / "0.png").unlink()
    prints.append(made(folder, data=data).fingerprint)
    assert len(set(prints)) == len(prints)


def test_squares_are_taken_as_they_are(folder: Path) -> None:
    data = FACES | {
        "align": False,
        "jitter": dict.fromkeys(("scale", "turn", "shift", "gain", "gamma"), 0),
        "mirror": 0,
    }
    data = {key: value for key, value in data.items() if key != "recipes"} | {"cut": {"oversampling": 1}}
    found = made(folder, data=data, model={"kind": "completion", "size": 64}, schedule=GROWN)
    assert found.samples.count == 6
    assert found.left_out["it is no square, which data.align: false expects"] == ("scene.png",)
    expected = cv2.resize(portrait(0), (64, 64), interpolation=cv2.INTER_AREA)[2:, 2:]
    truths = found.samples.batch(range(6))["truth"]
    assert all(np.array_equal(truth[2:, 2:], expected) for truth in truths)


def test_tones_are_kept_where_the_job_says_so(folder: Path) -> None:
    data = FACES | {"align": False, "recipes": {"archival-negative": 1}, "held_out": 0.5}
    plain, kept = (made(folder, data=data | {"keep_tone": keep}) for keep in (False, True))
    for samples, others in ((plain.samples, kept.samples), (plain.held_out, kept.held_out)):
        assert samples is not None
        assert others is not None
        colours = [np.ptp(one.batch([0])["truth"].astype(int), axis=3).mean() for one in (samples, others)]
        assert colours[1] < 0.5 * colours[0]


def test_a_share_is_held_out_by_name(folder: Path) -> None:
    data = FACES | {"held_out": 0.5, "align": False}
    found = made(folder, data=data)
    assert found.held_out is not None
    assert found.samples.count + found.held_out.count == 6
    assert 1 <= found.held_out.count <= 5
    before = {truth.tobytes() for truth in found.held_out.batch(range(found.held_out.count))["truth"]}
    (folder / "in" / "c.png").write_bytes(png(portrait(222)))
    after = made(folder, data=data)
    assert after.held_out is not None
    # What was held out stays so when others come.
    assert before <= {truth.tobytes() for truth in after.held_out.batch(range(after.held_out.count))["truth"]}


def test_a_list_is_held_out_and_never_trained_on(folder: Path) -> None:
    (folder / "list.txt").write_text("# never\na/2.png\n\n5.png\nnot-there.png\n")
    flat = {"a/1": 0, "a/2": 40, "a/3": 80, "b/4": 120, "b/5": 160, "b/6": 200}
    for place, shade in flat.items():
        (folder / "in" / f"{place}.png").write_bytes(png(np.full((64, 64, 3), shade, np.uint8)))
    data = {"kind": "faces", "uri": "in/", "align": False, "held_out": "list.txt", "jitter": {"gain": 0, "gamma": 0}}
    data["exclude"] = ["copy.png"]
    found = made(folder, data=data, model=COMPLETION, schedule=GROWN)
    assert found.held_out is not None
    held = found.held_out.batch(range(2))["truth"][:, 16, 16, 0].tolist()
    trained = found.samples.batch(range(40))["truth"][:, 16, 16, 0].tolist()
    assert sorted(held) == [40, 160]
    assert set(trained) == {0, 80, 120, 200}


def test_wrong_lists_and_shares(folder: Path) -> None:
    (folder / "list.txt").write_text("1.jpg\n")
    data = FACES | {"align": False}
    assert "none of its 1 names is that of a picture" in refused(folder, data=data | {"held_out": "list.txt"})
    (folder / "list.txt").write_text("".join(f"{one}.png\n" for one in range(1, 7)))
    message = refused(folder, data=data | {"held_out": "list.txt"})
    assert message == "data.held_out: all of 6 pictures are held out, and none is left to train on"


def test_nothing_to_train_on(folder: Path) -> None:
    message = refused(folder, data=FACES | {"include": ["scene.png", "text.jpg"]})
    assert message.startswith(f"data.uri: {folder}/in/: none of 2 pictures can be used")
    assert "1 picture (scene.png): no face was found" in message
    with pytest.raises(SourceError, match="nowhere"):
        made(folder, data=FACES | {"uri": "nowhere/"})
    small = FACES | {"align": False, "cut": {"max_enlargement": 1}}
    assert "data.size" in refused(folder, data=small, model={"kind": "gpen", "size": 512})


def test_memory_has_a_limit(folder: Path) -> None:
    message = refused(folder, data=FACES | {"memory": "100 kB"})
    assert "9 pictures take about" in message
    assert "data.memory allows" in message
    two = {"kind": "unpaired", "first": "in/a/", "second": "in/b/", "size": 64, "memory": "1 MB"}
    assert "data.second" in refused(folder, data=two, model={"kind": "cyclegan"})


def test_pictures_are_cut_and_reduced(folder: Path) -> None:
    data = {"kind": "pictures", "uri": "in/", "held_out": 0, "reduce_to": 100}
    found = made(folder, data=data, model={"kind": "srgan"})
    assert found.samples.count == 7
    batch = found.samples.batch(range(14))
    assert (batch["degraded"].shape, batch["truth"].shape) == ((14, 24, 24, 3), (14, 96, 96, 3))
    assert len({one.tobytes() for one in batch["truth"]}) > 8
    assert made(folder, data=data | {"size": 112, "reduce_to": 120}, model={"kind": "srgan", "size": 112}).samples


def test_a_style_picture(folder: Path) -> None:
    data = {"kind": "pictures", "uri": "in/", "held_out": 0, "style": "in/scene.png", "size": 96}
    model = {"kind": "transform", "size": 96}
    found = made(folder, data=data, model=model)
    assert np.array_equal(found.pictures["style"], pictures.coffee()[:120, :160])
    assert set(found.samples.batch([0])) == {"truth"}
    other = made(folder, data=data | {"style": "in/a/1.png"}, model=model)
    assert other.fingerprint != found.fingerprint
    assert "expected a picture" in refused(folder, data=data | {"style": "in/text.jpg"}, model=model)


def test_two_domains(folder: Path) -> None:
    data = {"kind": "unpaired", "first": "in/a/", "second": "in/b/", "size": 64, "held_out": 0.4}
    found = made(folder, data=data, model={"kind": "cyclegan"})
    assert {name: array.shape for name, array in found.samples.batch([0, 1]).items()} == {
        "first": (2, 64, 64, 3),
        "second": (2, 64, 64, 3),
    }
    turned = made(folder, data=data | {"first": "in/b/", "second": "in/a/"}, model={"kind": "cyclegan"})
    assert turned.fingerprint != found.fingerprint


def completion(folder: Path, **attributes: Any) -> Gathered:
    data = {"kind": "faces", "uri": "in/", "align": False, "held_out": 0, "attributes": attributes}
    return made(folder, data=data, model=COMPLETION, schedule=GROWN)


def test_attributes_from_a_catalogue(folder: Path) -> None:
    rows = "key,smiling,note,male\n1.png,1,x,0\na/2.png,true,,no\n3.png,,x,1\n4.png,0.5,x,-1\n9.png,1,x,1\n"
    (folder / "faces.csv").write_text(rows)
    found = completion(folder, uri="faces.csv", columns=["male", "smiling"])
    assert found.attributes == ("male", "smiling")
    values = {tuple(row) for row in found.samples.batch(range(3))["attributes"].tolist()}
    assert values == {(0.0, 1.0), (0.0, 0.5)}
    assert found.samples.count == 3
    why = "data.attributes has no row for it, or one with a value missing"
    assert found.left_out[why] == ("a/3.png", "b/5.png", "b/6.png")
    (folder / "faces.csv").write_text(rows.replace("4.png,0.5", "4.png,0.6"))
    assert completion(folder, uri="faces.csv", columns=["male", "smiling"]).fingerprint != found.fingerprint


def test_attributes_from_parquet(folder: Path) -> None:
    names = [f"{one}.png" for one in range(1, 7)]
    pq.write_table(pa.table({"name": names, "old": [0.0, 1, 0, 1, 0, 1], "glad": [True] * 6}), folder / "f.parquet")
    found = completion(folder, uri="f.parquet", key_column="name")
    assert found.attributes == ("old", "glad")
    assert found.samples.batch(range(6))["attributes"].sum(axis=0).tolist() == [3, 6]


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("key,a\n1.png,5\n", {}, "row 1 (1.png): the catalogue has '5'"),
        ("key,a\n1.png,1\n1.png,0\n", {}, "row 2 is the second for '1.png'"),
        ("key,a\n,1\n", {}, "row 1 has nothing in the column 'key'"),
        ("name,a\n1.png,1\n", {}, "it has no column 'key'; there are name, a"),
        ("key,a\n1.png,1\n", {"columns": ["b"]}, "it has no column 'b'"),
        ("key,a b\n1.png,1\n", {}, "the column 'a b' cannot name an attribute"),
        ("key\n1.png\n", {}, "no column besides the key's"),
        ("key,a\n9.png,1\n", {}, "none of 6 pictures, such as a/1.png, has a whole row there"),
        ("\xff", {}, "it is no CSV in UTF-8"),
    ],
)
def test_wrong_catalogues(text: str, options: dict[str, Any], message: str, folder: Path) -> None:
    (folder / "faces.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(CommandError) as caught:
        completion(folder, uri="faces.csv", **options)
    assert caught.value.message.startswith("data.attributes: ")
    assert message in caught.value.message


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Outputs of pairs jobs of 12 pairs in two parts, a folder for each format."""
    root = tmp_path_factory.mktemp("pairs")
    (root / "good").mkdir()
    for number in range(6):
        picture = np.roll(ASTRONAUT[:96, 100:196], 16 * number, axis=1)
        picture[:8, :8] = 40 * number
        (root / "good" / f"{number}.png").write_bytes(png(picture))
    for name in ("webdataset", "folders", "aligned", "unpaired"):
        written = {
            "job": "pairs",
            "name": name,
            "source": {"kind": "files", "uri": "good/"},
            "samples": {"kind": "images", "size": 64},
            "filter": {"duplicates": "keep"},
            "degrade": {"recipe": "gpen", "variants": 2},
            "split": {"parts": {"train": 2, "val": 1}},
            "output": {"uri": f"{name}/", "format": name, "shard_pairs": 3},
            "run": {"runner": "local", "isolate": False},
        }
        (root / f"{name}.yaml").write_text(yaml.safe_dump(written))
        done = CliRunner().invoke(app, ["run", str(root / f"{name}.yaml")])
        assert done.exit_code == 0, done.output
    return root


def of_pairs(root: Path, name: str, **data: Any) -> Gathered:
    return made(root, data={"kind": "pairs", "uri": f"{name}/"} | data, model=GPEN)


def test_pairs_are_the_same_from_every_format(pairs: Path) -> None:
    found = {name: of_pairs(pairs, name, mirror=0) for name in ("webdataset", "folders", "aligned")}
    assert {(one.samples.count, one.held_out.count) for one in found.values() if one.held_out} == {(8, 4)}
    assert found["webdataset"].fingerprint == found["folders"].fingerprint
    for which in ("samples", "held_out"):
        batches = [pickle.loads(pickle.dumps(getattr(one, which))).batch(range(4)) for one in found.values()]
        assert batches[0]["degraded"].shape == (4, 64, 64, 3)
        for other in batches[1:]:
            assert all(np.array_equal(other[side], batches[0][side]) for side in ("degraded", "truth"))
    lists = sorted((pairs / "folders" / "train" / "gt").iterdir())
    stored = {cv2.imread(str(path))[..., ::-1].tobytes() for path in lists}
    assert {truth.tobytes() for truth in found["webdataset"].samples.batch(range(8))["truth"]} == stored


def test_parts_of_pairs(pairs: Path) -> None:
    turned = of_pairs(pairs, "folders", part="val", held_out="none")
    assert (turned.samples.count, turned.held_out) == (4, None)
    assert turned.fingerprint != of_pairs(pairs, "folders").fingerprint
    kept = of_pairs(pairs, "folders", keep_tone=True)
    assert all(isinstance(one, Paired) and one.keep_tone for one in (kept.samples, kept.held_out))
    data = {"kind": "pairs", "uri": "folders/"}
    assert "has no part 'trian'; there are train, val" in refused(pairs, data=data | {"part": "trian"}, model=GPEN)
    assert "has no part 'test'" in refused(pairs, data=data | {"held_out": "test"}, model=GPEN)


def test_pairs_of_another_size(pairs: Path) -> None:
    message = refused(pairs, data={"kind": "pairs", "uri": "webdataset/"}, model={"kind": "gpen", "size": 32})
    assert message.startswith("data.uri: ") and "64 x 64 pixels, expected 32 x 32" in message
    cut = made(pairs, data={"kind": "pairs", "uri": "webdataset/", "crop": True}, model={"kind": "gpen", "size": 32})
    assert cut.samples.batch([0, 1])["truth"].shape == (2, 32, 32, 3)


def test_what_is_no_output_of_a_pairs_job(pairs: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    data = {"kind": "pairs", "uri": "empty/"}
    assert "holds no run; expected the output of a pairs job" in refused(tmp_path, data=data, model=GPEN)
    message = refused(pairs, data=data | {"uri": "unpaired/"}, model=GPEN)
    assert "holds pairs of format unpaired; it is for data.kind: unpaired" in message
    shutil.copytree(pairs / "folders", tmp_path / "broken")
    for manifest in (tmp_path / "broken").rglob("manifest.json"):
        manifest.unlink()
    assert "has not come to its end" in refused(tmp_path, data=data | {"uri": "broken/"}, model=GPEN)


def test_pairs_that_changed_since(pairs: Path, tmp_path: Path) -> None:
    shutil.copytree(pairs / "folders", tmp_path / "p")
    found = made(tmp_path, data={"kind": "pairs", "uri": "p/"}, model=GPEN)
    for path in (tmp_path / "p" / "train" / "lq").iterdir():
        path.write_bytes(png(np.zeros((64, 64, 3), np.uint8)))
    with pytest.raises(RecordError, match="other bytes than the run's table says"):
        found.samples.batch([0])
    shutil.rmtree(tmp_path / "p" / "train" / "lq")
    with pytest.raises(RecordError, match="there is no such object"):
        found.samples.batch([0])
    shutil.copytree(pairs / "aligned", tmp_path / "a")
    found = made(tmp_path, data={"kind": "pairs", "uri": "a/"}, model=GPEN)
    for path in (tmp_path / "a" / "train").glob("*.png"):
        path.write_bytes(png(np.zeros((64, 128, 3), np.uint8)))
    with pytest.raises(RecordError, match="other bytes than the run's table says"):
        found.samples.batch([0])
    shutil.copytree(pairs / "webdataset", tmp_path / "w")
    next((tmp_path / "w").glob("train-*.tar")).unlink()
    with pytest.raises((CommandError, SourceError), match="train-"):
        made(tmp_path, data={"kind": "pairs", "uri": "w/"}, model=GPEN)


def test_unpaired_output_of_a_pairs_job(pairs: Path) -> None:
    data = {"kind": "unpaired", "first": "unpaired/trainA/", "second": "unpaired/trainB/", "size": 64, "held_out": 0}
    found = made(pairs, data=data, model={"kind": "cyclegan"})
    assert set(found.samples.batch([0])) == {"first", "second"}
