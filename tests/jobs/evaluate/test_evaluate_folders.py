"""Results in folders, beside their truth."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from benchmarks.s3_server import S3Server
from operators.evaluation.bootstrap import intervals

from .conftest import Bench, face, picture, put

QUICK = ("--measure", "psnr", "--measure", "ssim_rgb")


def measured(result: dict, name: str) -> dict:
    return next(one for one in result["measures"] if one["name"] == name)


def test_numbers_are_those_of_scikit_image(bench: Bench) -> None:
    result = bench.call("made", "--truth", "truth", *QUICK)
    assert result.exit_code == 0, result.output
    psnr, ssim = bench.column("psnr", "made"), bench.column("ssim_rgb", "made")
    assert sorted(psnr) == [f"box/{number}" for number in range(5)]
    for name in psnr:
        made, truth = picture(bench.root / f"made/{name}.png"), picture(bench.root / f"truth/{name}.png")
        assert psnr[name] == pytest.approx(peak_signal_noise_ratio(truth, made), rel=1e-5)
        expected = structural_similarity(
            truth, made, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255
        )
        assert ssim[name] == pytest.approx(expected, rel=1e-5)
    one = measured(bench.result(), "psnr")
    values = np.array([psnr[name] for name in sorted(psnr)])
    interval = intervals(values[:, None], seed=0)[0]
    assert one["values"]["made"]["mean"] == pytest.approx(values.mean(), rel=1e-5)
    assert one["values"]["made"]["low"] == pytest.approx(interval.low, rel=1e-4)
    assert one["values"]["made"]["high"] == pytest.approx(interval.high, rel=1e-4)
    assert one["pictures"] == 5 and one["best"] == ["made"]


def test_all_usual_measures_and_forms(bench: Bench) -> None:
    result = bench.call("made", "--truth", "truth", "--inputs", "made", "--restorer", "gaussian:3")
    assert result.exit_code == 0, result.output
    found = bench.result()
    names = ["psnr", "ssim", "perceptual", "identity", "landmarks", "niqe"]
    assert [one["name"] for one in found["measures"]] == names
    assert [one["name"] for one in found["methods"]] == ["input", "made", "gaussian:3"]
    for one in found["measures"]:
        input_, worse = one["values"]["input"]["mean"], one["values"]["gaussian:3"]["mean"]
        assert one["name"] == "landmarks" or (input_ > worse) == (one["better"] == "higher"), one["name"]
        assert one["values"]["made"] == one["values"]["input"]
        assert one["differences"]["gaussian:3"]["mean"] == pytest.approx(worse - input_, abs=1e-4)
    assert measured(found, "niqe")["truth"]["mean"] > 0 and measured(found, "psnr")["truth"] is None
    assert "PSNR (dB)" in result.stdout and "gaussian:3" in result.stdout and "vgg16" in result.stderr
    assert {path.name for path in (bench.root / "out").iterdir()} == {
        "evaluation.csv",
        "evaluation.html",
        "evaluation.json",
        "evaluation.md",
        "sheet.png",
    }


def test_differences_are_picture_by_picture(bench: Bench) -> None:
    # Pictures differ by far more than the methods do: only the paired interval tells them apart.
    for number in range(5):
        made = picture(bench.root / f"made/box/{number}.png").astype(int)
        put(bench.root / f"better/box/{number}.png", np.rint(made + 0.1 * (face(number) - made)).astype(np.uint8))
    result = bench.call("--truth", "truth", "--method", "a=made", "--method", "b=better", *QUICK, "--against", "a")
    assert result.exit_code == 0, result.output
    one = measured(bench.result(), "psnr")
    first, second = (bench.column("psnr", name) for name in "ab")
    apart = np.array([second[name] - first[name] for name in sorted(first)])
    assert one["differences"]["b"]["mean"] == pytest.approx(apart.mean(), rel=1e-3)
    assert one["differences"]["b"]["low"] == pytest.approx(intervals(apart[:, None], 0)[0].low, rel=1e-3)
    assert 0 < one["differences"]["b"]["low"] < one["differences"]["b"]["high"]
    assert one["values"]["a"]["high"] > one["values"]["b"]["low"]


def test_what_cannot_be_measured_is_a_row_and_stops_nothing(bench: Bench) -> None:
    shutil.copytree(bench.root / "made", bench.root / "other")
    data = (bench.root / "other/box/0.png").read_bytes()
    (bench.root / "other/box/0.png").write_bytes(data[: len(data) // 2])
    put(bench.root / "other/box/1.png", face(1)[:100])
    (bench.root / "other/box/2.png").unlink()
    put(bench.root / "other/elsewhere.png", face(1))
    (bench.root / "other/notes.txt").write_text("box 2 was moved")
    put(bench.root / "truth/unused.png", face(1))
    result = bench.call("other", "--truth", "truth", "--method", "made=made", *QUICK)
    assert result.exit_code == 3, result.output
    errors = {row["picture"]: row for row in bench.rows() if row["method"] == "other" and row["error"]}
    assert {name: row["error"] for name, row in errors.items()} == {
        "box/0": "truncated",
        "box/1": "other_size",
        "box/2": "missing",
    }
    assert "128 x 100 pixels, the truth has 128 x 128" in errors["box/1"]["message"]
    assert all(row["psnr"] for row in bench.rows() if row["method"] == "made")
    found = bench.result()
    assert [one["measured"] for one in found["methods"]] == [2, 5]
    # Both methods are averaged over the same two pictures.
    one, made = measured(found, "psnr"), bench.column("psnr", "made")
    assert one["pictures"] == 2 and set(one["best"]) == {"made", "other"}
    assert one["values"]["made"]["mean"] == pytest.approx((made["box/3"] + made["box/4"]) / 2, rel=1e-5)
    assert "1 pictures have no truth and are left out: elsewhere" in result.stderr
    assert "1 pictures of the truth have no result and are left out: unused" in result.stderr
    page = (bench.root / "out/evaluation.html").read_text()
    assert "other_size" in page and "box/1: 128 x 100" in page


def test_a_broken_truth_or_input_is_said_too(bench: Bench) -> None:
    shutil.copytree(bench.root / "made", bench.root / "given")
    (bench.root / "truth/box/0.png").write_bytes(b"no picture")
    (bench.root / "given/box/1.png").write_bytes(b"")
    result = bench.call("made", "--truth", "truth", "--inputs", "given", "--restorer", "median", *QUICK)
    assert result.exit_code == 3
    errors = {(row["picture"], row["method"]): row["error"] for row in bench.rows() if row["error"]}
    assert {key for key in errors if key[0] == "box/0"} == {("box/0", name) for name in ("input", "made", "median")}
    assert all(error.startswith("truth_") for key, error in errors.items() if key[0] == "box/0")
    assert {key for key in errors if key[0] == "box/1"} == {("box/1", "input"), ("box/1", "median")}
    assert all(error.startswith("input_") for key, error in errors.items() if key[0] == "box/1")


def test_resize_brings_results_to_the_truth(bench: Bench) -> None:
    half = cv2.resize(face(1), (64, 64), interpolation=cv2.INTER_AREA)
    put(bench.root / "made/box/1.png", half)
    assert bench.call("made", "--truth", "truth", *QUICK).exit_code == 3
    assert bench.call("made", "--truth", "truth", *QUICK, "--resize", out="resized").exit_code == 0
    back = cv2.resize(half, (128, 128), interpolation=cv2.INTER_CUBIC)
    assert bench.column("psnr", "made", "resized")["box/1"] == pytest.approx(
        peak_signal_noise_ratio(face(1), back), rel=1e-5
    )


def test_other_endings_and_orientations_are_the_same_picture(bench: Bench) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # stored on its side
    Image.fromarray(np.rot90(face(1))).save(bench.root / "made/box/1.tif", exif=exif)
    (bench.root / "made/box/1.png").unlink()
    result = bench.call("made", "--truth", "truth", *QUICK)
    assert result.exit_code == 0, result.output
    assert bench.column("psnr", "made")["box/1"] == 100.0


def test_the_same_bytes_whatever_the_number_of_processes(bench: Bench) -> None:
    (bench.root / "made/box/3.png").write_bytes(b"no picture")
    arguments = ("made", "--truth", "truth", "--inputs", "made", "--restorer", "median", *QUICK, "--features", "sface")
    assert bench.call(*arguments).exit_code == 3
    assert bench.call(*arguments, "--processes", "2", out="two").exit_code == 3
    for path in (bench.root / "out").iterdir():
        assert path.read_bytes() == (bench.root / "two" / path.name).read_bytes(), path.name


def test_an_evaluation_is_not_overwritten_unasked(bench: Bench) -> None:
    assert bench.call("made", "--truth", "truth", *QUICK).exit_code == 0
    before = (bench.root / "out/evaluation.json").read_bytes()
    again = bench.call("made", "--truth", "truth", "--measure", "psnr")
    assert again.exit_code == 2 and "--force" in again.stderr
    assert (bench.root / "out/evaluation.json").read_bytes() == before
    assert bench.call("made", "--truth", "truth", "--measure", "psnr", "--force").exit_code == 0
    assert (bench.root / "out/evaluation.json").read_bytes() != before


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--truth", "truth"), 2, "nothing to evaluate"),
        (("made", "--truth", "truth", "--restorer", "classic"), 2, "--inputs"),
        (("made", "--truth", "truth", "--measure", "pnsr"), 2, "did you mean psnr?"),
        (("made", "--truth", "truth", "--measure", "lpips"), 5, "vgg16 is not in the cache"),
        (("made", "--measure", "psnr"), 2, "--truth"),
        (("made", "--truth", "truth", "--method", "made=truth"), 2, "two methods are called made"),
        (("made", "--truth", "truth", "--method", "truth=made"), 2, "'truth' cannot name a method"),
        (("made", "--truth", "truth", "--method", "made"), 2, "expected NAME=FOLDER"),
        (("made", "--truth", "truth", "--against", "best"), 2, "expected one of made"),
        (("made", "--truth", "truth", "--template", "arcface"), 2, "expected ffhq or gpen or head"),
        (("made", "--truth", "truth", "--part", "val"), 2, "--part"),
        (("made", "--features", "sface"), 2, "--reference"),
        (("made", "--truth", "truth", "--features", "sface:conv_1"), 2, "one layer"),
        (("made", "--truth", "truth", "--features", "nobody"), 5, "model 'nobody' is unknown"),
        (("nowhere", "--truth", "truth"), 5, "there is nothing"),
        (("made", "--truth", "empty"), 5, "no record found there"),
        (("made", "--truth", "strangers"), 5, "no picture has the name of a result"),
        (("made", "--truth", "doubled"), 5, "have one name without their endings"),
        (("made", "--truth", "truth", "--inputs", "made", "--restorer", "gfpgan-1.4"), 5, "gfpgan-1.4"),
        (("made", "--truth", "truth", "--inputs", "made", "--restorer", "median:99"), 2, "strength from 1 to 15"),
    ],
)
def test_what_is_refused(bench: Bench, arguments: tuple[str, ...], code: int, said: str) -> None:
    (bench.root / "empty").mkdir()
    (bench.root / "empty/notes.txt").write_text("none")
    put(bench.root / "strangers/who.png", face(0))
    put(bench.root / "doubled/box/0.png", face(0))
    put(bench.root / "doubled/box/0.jpg", face(0))
    result = bench.call(*arguments)
    assert (result.exit_code, said in result.stderr) == (code, True), result.stderr
    assert not (bench.root / "out").exists()


def test_the_output_lies_in_no_folder_that_is_read(bench: Bench) -> None:
    result = bench.call("made", "--truth", "truth", out="made/evaluation")
    assert result.exit_code == 2 and "put it elsewhere" in result.stderr


def test_nothing_measurable_is_no_evaluation(bench: Bench) -> None:
    for path in (bench.root / "made/box").iterdir():
        path.write_bytes(b"no picture")
    result = bench.call("made", "--truth", "truth", *QUICK)
    assert result.exit_code == 5 and "none of 5 pictures could be measured" in result.stderr
    assert not (bench.root / "out").exists()


@pytest.mark.s3
def test_folders_in_a_bucket(bench: Bench, s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = s3.bucket("evaluate")
    for path in bench.root.rglob("*.png"):
        s3.fs.pipe_file(f"{bucket}/{path.relative_to(bench.root)}", path.read_bytes())
    monkeypatch.setenv("BENCH_SECRET", s3.secret)
    job = _job_with_options(bench.root, {**s3.options, "secret": "${BENCH_SECRET}"}, bucket)
    arguments = (f"{bucket}/made", "--truth", f"{bucket}/truth", *QUICK, "--job", str(job))
    result = bench.call(*arguments, out=f"{bucket}/evaluations/one")
    assert result.exit_code == 0, result.output
    assert bench.call("made", "--truth", "truth", *QUICK, out="local").exit_code == 0
    there = {name: s3.fs.cat_file(f"{bucket}/evaluations/one/{name}") for name in ("evaluation.csv", "evaluation.json")}
    assert there["evaluation.csv"] == (bench.root / "local/evaluation.csv").read_bytes()
    assert s3.secret.encode() not in there["evaluation.json"]
    assert bench.call(*arguments, out=f"{bucket}/evaluations/one").exit_code == 2


def _job_with_options(root: Path, options: dict, bucket: str) -> Path:
    job = {
        "job": "restore",
        "name": "bucket",
        "source": {"kind": "files", "uri": f"{bucket}/made", "storage_options": options},
        "restore": {"model": "none"},
        "output": {"uri": f"{bucket}/restored", "storage_options": options},
    }
    path = root / "bucket.yaml"
    path.write_text(yaml.safe_dump(job))
    return path
