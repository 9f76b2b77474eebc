"""The output of a pairs job, and restorers that are run on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
import yaml
from skimage.metrics import peak_signal_noise_ratio
from typer.testing import CliRunner

from jobs.main import app
from operators.networks import build

from .conftest import Bench, face, picture, put

QUICK = ("--measure", "psnr", "--measure", "ssim")
RESTORERS = ("none", "classic", "bicubic", "median", "bilateral", "non-local-means", "gaussian")


@pytest.fixture
def there(pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """The pairs are read where they lie, and all is written elsewhere."""
    monkeypatch.chdir(pairs)
    return Bench(tmp_path)


def with_all(*names: str) -> list[str]:
    return [part for name in names for part in ("--restorer", name)]


def test_restorers_and_baselines_on_the_degraded_side(there: Bench, pairs: Path) -> None:
    result = there.call("folders", *QUICK, "--measure", "identity", *with_all(*RESTORERS), "--pictures", "2")
    assert result.exit_code == 0, result.output
    found = there.result()
    assert [one["name"] for one in found["methods"]] == ["input", *RESTORERS]
    expected = sorted(path.stem for path in (pairs / "folders/val/gt").iterdir())
    assert list(there.column("psnr", "input")) == [f"val/{name}" for name in expected]
    for name in expected:
        degraded, truth = (picture(pairs / f"folders/val/{side}/{name}.png") for side in ("lq", "gt"))
        for method, made in {"input": degraded, "none": degraded, "median": cv2.medianBlur(degraded, 3)}.items():
            assert there.column("psnr", method)[f"val/{name}"] == pytest.approx(
                peak_signal_noise_ratio(truth, made), rel=1e-5
            )
    psnr = next(one for one in found["measures"] if one["name"] == "psnr")
    assert psnr["differences"]["none"] == psnr["differences"]["bicubic"] == {"mean": 0.0, "low": 0.0, "high": 0.0}
    assert len({psnr["values"][name]["mean"] for name in RESTORERS}) == len(RESTORERS) - 1
    assert "gfpgan" in result.stderr and "Left out: part train" in result.stderr


def test_every_format_gives_the_same_numbers(there: Bench) -> None:
    rows = {}
    for form in ("folders", "webdataset", "parquet", "aligned"):
        assert there.call(form, *QUICK, "--restorer", "median", out=form).exit_code == 0
        rows[form] = (there.root / form / "evaluation.csv").read_bytes()
        sheet = (there.root / form / "sheet.png").read_bytes()
        assert sheet == (there.root / "folders/sheet.png").read_bytes()
    assert len(rows["folders"].splitlines()) > 3 and len(set(rows.values())) == 1
    refused = there.call("lmdb", *QUICK, out="lmdb")
    assert refused.exit_code == 5 and "format lmdb, expected one of webdataset" in refused.stderr


def test_parts(there: Bench) -> None:
    assert there.call("folders", "--measure", "psnr", "--part", "train").exit_code == 0
    train = set(there.column("psnr", "input"))
    assert all(name.startswith("train/") for name in train)
    assert there.call("folders", "--measure", "psnr", "--part", "train", "--part", "val", out="both").exit_code == 0
    both = set(there.column("psnr", "input", "both"))
    assert train < both and len(both) == 8
    refused = there.call("folders", "--measure", "psnr", "--part", "test", out="none")
    assert refused.exit_code == 2 and "it has train, val" in refused.stderr


def restored(root: Path, given: Path, **restore: Any) -> Path:
    """What a job makes of aligned faces."""
    job = {
        "job": "restore",
        "name": "restored",
        "source": {"kind": "files", "uri": str(given)},
        "detect": {"aligned": True},
        "restore": restore.pop("restore"),
        "score": {"measures": [], "gate": {"on_fail": "flag"}},
        "output": {"uri": str(root / "restored"), "format": "png"},
        "run": {"runner": "local", "isolate": False, "samples": 0},
        **restore,
    }
    path = root / "restored.yaml"
    path.write_text(yaml.safe_dump(job))
    result = CliRunner().invoke(app, ["run", str(path)])
    assert result.exit_code == 0, result.output
    return root / "restored"


def test_a_restorer_makes_what_its_job_makes(there: Bench) -> None:
    for number in range(3):
        noise = np.random.default_rng(number).normal(0, 14, face(number).shape)
        put(there.root / f"truth/{number}.png", face(number))
        put(there.root / f"given/{number}.png", np.clip(face(number) + noise, 0, 255).astype(np.uint8))
    folder = restored(there.root, there.root / "given", restore={"model": "classic"})
    places = ("--inputs", str(there.root / "given"), "--truth", str(there.root / "truth"))
    result = there.call(str(folder), *places, "--measure", "psnr", "--restorer", "classic")
    assert result.exit_code == 0, result.output
    job, here, before = (there.column("psnr", name) for name in ("restored", "classic", "input"))
    assert job.keys() == here.keys() == before.keys()
    for name in job:
        # The job pastes, which keeps the outermost pixels, and rounds once more.
        assert here[name] == pytest.approx(job[name], abs=0.1)
        assert here[name] > before[name] + 2.0


def test_a_job_file_with_its_strength(there: Bench) -> None:
    for strength in (0.0, 1.0):
        job = {
            "job": "restore",
            "name": "soft",
            "source": {"kind": "files", "uri": "in"},
            "restore": {"model": "classic", "strength": strength},
            "output": {"uri": "out"},
        }
        (there.root / f"strength-{strength:.0f}.yaml").write_text(yaml.safe_dump(job))
    files = [str(there.root / f"strength-{number}.yaml") for number in (0, 1)]
    arguments = with_all(files[0], f"full={files[1]}", "classic")
    assert there.call("folders", "--measure", "psnr", *arguments).exit_code == 0
    found = {name: there.column("psnr", name) for name in ("input", "strength-0", "full", "classic")}
    assert found["input"] == found["strength-0"]
    assert found["full"] == found["classic"] != found["input"]
    refused = there.call("folders", "--measure", "psnr", "--restorer", "folders.yaml", out="none")
    assert refused.exit_code == 2 and "kind pairs, expected restore" in refused.stderr


def add(cache: Path, name: str, architecture: str, arguments: dict[str, Any], *more: str) -> None:
    torch.manual_seed(0)
    cache.mkdir(exist_ok=True)
    file = cache.parent / f"{name}.pth"
    torch.save(build(architecture, arguments).state_dict(), file)
    result = CliRunner().invoke(app, ["models", "add", str(file), "--name", name, "--cache", str(cache), *more])
    assert result.exit_code == 0, result.output


def test_models_of_the_cache(there: Bench) -> None:
    cache = there.root / "cache"
    gpen = {"in_size": 64, "out_size": 64, "style_dim": 16, "n_mlp": 2, "channel_multiplier": 1, "narrow": 1 / 32}
    add(cache, "small-gpen", "gpen", gpen, "--noncommercial", "--licence", "for study")
    add(cache, "vgg16", "vgg16", {"widths": [4, 4, 4, 4, 4], "hidden": 8, "classes": 5}, "--licence", "ours")
    own = ("--cache", str(cache))
    refused = there.call("folders", *own, "--restorer", "small-gpen")
    assert refused.exit_code == 5 and "non-commercial" in refused.stderr and "--accept small-gpen" in refused.stderr
    accepted = there.call("folders", *own, "--restorer", "small-gpen", "--accept", "small-gpen", "--against", "none")
    assert accepted.exit_code == 2 and "expected one of input, small-gpen" in accepted.stderr
    # The engine that a machine has best would be compiled first.
    job = {
        "job": "restore",
        "name": "eager",
        "source": {"kind": "files", "uri": "in"},
        "restore": {"model": "small-gpen", "engine": {"name": "eager"}},
        "models": {"cache": str(cache), "accept_noncommercial": ["small-gpen"]},
        "output": {"uri": "out"},
    }
    (there.root / "eager.yaml").write_text(yaml.safe_dump(job))
    named = f"small-gpen={there.root / 'eager.yaml'}"
    arguments = ("--restorer", named, "--measure", "psnr", "--measure", "lpips")
    result = there.call("folders", *own, *arguments, "--features", "vgg16:relu3_3")
    assert result.exit_code == 0, result.output
    found = there.result()
    assert found["networks"]["lpips"]["name"] == "vgg16" and found["networks"]["sets"]["layer"] == "relu3_3"
    assert found["sets"]["dimensions"] == 4
    assert there.column("lpips", "small-gpen") and there.column("psnr", "small-gpen") != there.column("psnr", "input")
    (model,) = (one for one in found["methods"] if one["kind"] == "restorer")
    assert len(model["weights_sha256"]) == 64
    # Faces aligned otherwise than the model's are said.
    assert "small-gpen was trained on faces aligned as gpen, these are aligned as ffhq" in result.stderr
    wrong = there.call("folders", *own, "--features", "small-gpen", "--accept", "small-gpen", out="none")
    assert wrong.exit_code == 5 and "small-gpen: no layer is named" in wrong.stderr


def test_a_smaller_input_is_enlarged(there: Bench) -> None:
    for number in range(3):
        put(there.root / f"truth/{number}.png", face(number))
        put(there.root / f"given/{number}.png", cv2.resize(face(number), (32, 32), interpolation=cv2.INTER_AREA))
    arguments = ("--truth", str(there.root / "truth"), "--inputs", str(there.root / "given"), "--measure", "psnr")
    result = there.call(*arguments, "--restorer", "bicubic", "--restorer", "classic")
    assert result.exit_code == 0, result.output
    for number in range(3):
        small = cv2.resize(face(number), (32, 32), interpolation=cv2.INTER_AREA)
        large = cv2.resize(small, (128, 128), interpolation=cv2.INTER_CUBIC)
        expected = peak_signal_noise_ratio(face(number), large)
        assert there.column("psnr", "bicubic")[str(number)] == pytest.approx(expected, rel=1e-5)
    assert np.isfinite(list(there.column("psnr", "classic").values())).all()


def test_a_picture_that_is_no_square_is_not_restored(there: Bench) -> None:
    for folder in ("truth", "given"):
        put(there.root / folder / "wide.png", face(0)[:96])
        put(there.root / folder / "square.png", face(0))
    arguments = ("--truth", str(there.root / "truth"), "--inputs", str(there.root / "given"), "--measure", "psnr")
    result = there.call(*arguments, "--restorer", "classic", "--restorer", "median")
    assert result.exit_code == 3
    errors = {(row["picture"], row["method"], row["error"]) for row in there.rows() if row["error"]}
    assert errors == {("wide", "classic", "not_square")}
