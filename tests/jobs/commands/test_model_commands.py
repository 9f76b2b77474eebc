"""`facejobs models` and `facejobs compile`: what they print, and with which exit code they end."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parents[2] / "operators" / "models"))
import tiny_models as tiny

from jobs.exits import Exit
from jobs.main import app
from operators.engines.tensorrt.flavours import FLAVOURS, missing
from operators.models import CHECKPOINTS
from operators.models.cache import Cache

FILE = "GPEN-BFR-256.pth"
NAME = "gpen-bfr-256"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache that all commands of a test use."""
    monkeypatch.setenv("FACEJOBS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def call(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def models(*arguments: str | Path) -> Any:
    return call("models", *arguments)


def test_importing_the_command_line_loads_no_network_library() -> None:
    code = (
        "import sys, jobs.main, operators.models.cache, jobs.models.resolve\n"
        "heavy = {'torch', 'openvino', 'onnxscript', 'tensorrt', 'aiohttp'}\n"
        "sys.exit(str(sorted(heavy & set(sys.modules)) or '') or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_list_names_every_model_and_what_is_here(tmp_path: Path, folder: Path) -> None:
    assert models("add", tiny.save(tmp_path / FILE, "gpen", 256)).exit_code == 0
    assert models("add", tiny.save(tmp_path / "w.pth"), "--name", "mine", "--licence", "CC0-1.0").exit_code == 0
    result = models("list")
    assert result.exit_code == 0
    lines = {line.split()[0]: line for line in result.stdout.splitlines() if line}
    assert set(CHECKPOINTS) | {"mine"} <= set(lines)
    assert re.match(rf"{NAME}\s+yes\s+yes\s+restore\s+256\s.*non-commercial", lines[NAME])
    assert re.match(r"mine\s+yes\s+yes\s+restore\s+16\s.*CC0-1.0", lines["mine"])
    assert re.match(r"codeformer\s+-\s+no\s+restore\s+512\s.*S-Lab", lines["codeformer"])
    found = json.loads(models("list", "--json").stdout)
    assert found["cache"] == str(folder / "models")
    entries = {entry["name"]: entry for entry in found["models"]}
    assert entries[NAME]["in_cache"]["path"] == str(folder / "models" / NAME / FILE)
    assert entries["mine"]["published"] is False
    assert entries["gfpgan-1.4"]["in_cache"] is None
    assert entries["gfpgan-1.4"]["sha256"].startswith("e2cd4703")


def test_show_tells_terms_and_places_and_how_to_get_it(tmp_path: Path) -> None:
    result = models("show", "codeformer")
    for words in ("NON-COMMERCIAL", "S-Lab", "kept, not run", "https://github.com/sczhou", "models pull codeformer"):
        assert words in result.stdout
    models("add", tiny.save(tmp_path / FILE, "gpen", 256))
    assert str(tmp_path / FILE) in models("show", NAME).stdout
    assert json.loads(models("show", NAME, "--json").stdout)["in_cache"]["held_to"] == "first use"
    unknown = models("show", "gfpgan1.4")
    assert unknown.exit_code == Exit.USAGE
    assert "gfpgan-1.4" in unknown.stderr


def test_pull_from_a_folder_says_the_terms(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "usb").mkdir()
    tiny.save(tmp_path / "usb" / FILE, "gpen", 256)
    result = models("pull", NAME, "--from", tmp_path / "usb")
    assert result.exit_code == 0, result.output
    for words in (str(folder / "models" / NAME / FILE), "NON-COMMERCIAL", f"accept_noncommercial: [{NAME}]"):
        assert words in result.stdout
    again = models("pull", NAME, "--from", tmp_path / "gone")
    assert again.exit_code == 0
    assert "already in the cache" in again.stdout


def test_pull_goes_on_after_a_failure_and_says_it_by_its_exit_code(tmp_path: Path) -> None:
    (tmp_path / "usb").mkdir()
    tiny.save(tmp_path / "usb" / FILE, "gpen", 256)
    result = models("pull", "gfpgan-1.4", NAME, "--from", tmp_path / "usb")
    assert result.exit_code == Exit.STORAGE
    assert "GFPGANv1.4.pth: there is no such file" in result.stderr
    assert "models add GFPGANv1.4.pth" in result.stderr
    assert f"{NAME}: " in result.stdout
    assert models("pull", "nobody").exit_code == Exit.USAGE
    assert models("pull", "a", "b", "--sha256", "0" * 64).exit_code == Exit.USAGE


def test_a_wrong_file_is_refused_with_its_own_exit_code(tmp_path: Path, folder: Path) -> None:
    class Mine:
        def __reduce__(self) -> Any:
            return os.system, (f"touch {tmp_path / 'executed'}",)

    usb = tmp_path / "usb"
    usb.mkdir()
    torch.save(Mine(), usb / "GFPGANv1.4.pth")
    for result in (
        models("pull", "gfpgan-1.4", "--from", usb),
        models("add", usb / "GFPGANv1.4.pth"),
        models("add", usb / "GFPGANv1.4.pth", "--name", "mine"),
    ):
        assert result.exit_code == Exit.BAD_JOB
        assert "e2cd4703" in result.stderr or "posix.system" in result.stderr
        assert "Traceback" not in result.output
    assert Cache(folder).names() == ()
    assert not (tmp_path / "executed").exists()


def test_add_finds_the_name_and_takes_what_is_said(tmp_path: Path, folder: Path) -> None:
    path = tiny.save(tmp_path / "w.pth")
    nameless = models("add", path)
    assert nameless.exit_code == Exit.USAGE
    assert "--name" in nameless.stderr
    result = models(
        "add", path, "--name", "colours", "--task", "colorize", "--template", "ffhq", "--size", "16", "--noncommercial"
    )
    assert result.exit_code == 0, result.output
    assert "NON-COMMERCIAL" in result.stdout
    found = Cache(folder).find("colours")
    assert found is not None
    about = found.checkpoint
    assert (about.task, about.template, about.size, about.noncommercial) == ("colorize", "ffhq", 16, True)


def test_a_gpen_of_unknown_terms_counts_as_non_commercial(tmp_path: Path, folder: Path) -> None:
    path = tiny.save(tmp_path / "w.pth", "gpen")
    result = models("add", path, "--name", "unsaid")
    assert "accept_noncommercial: [unsaid]" in result.stdout
    assert "--licence LICENCE" in result.stdout
    assert "NON-COMMERCIAL" not in models("add", path, "--name", "said", "--licence", "MIT").stdout
    other = tiny.save(tmp_path / "other.pth", "gfpgan_clean")
    assert "NON-COMMERCIAL" not in models("add", other, "--name", "other").stdout
    here = {model.checkpoint.name: model.checkpoint.noncommercial for model in Cache(folder).list()}
    assert here == {"unsaid": True, "said": False, "other": False, "compact": False}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--name", "Bad Name"], "is no name"),
        (["--name", "mine", "--task", "shred"], "colorize"),
        (["--name", "mine", "--template", "arcface"], "ffhq"),
        (["--name", "gfpgan-1.4", "--task", "restore"], "published"),
    ],
)
def test_add_says_what_it_does_not_take(tmp_path: Path, options: list[str], words: str) -> None:
    result = models("add", tiny.save(tmp_path / "w.pth"), *options)
    assert result.exit_code == Exit.USAGE
    assert words in result.stderr
    assert models("add", tmp_path / "gone.pth").exit_code == Exit.USAGE


def test_verify_names_what_changed_and_remove_removes(tmp_path: Path, folder: Path) -> None:
    models("add", tiny.save(tmp_path / "w.pth"), "--name", "mine")
    assert models("verify").exit_code == 0
    path = folder / "models" / "mine" / "w.pth"
    content = bytearray(path.read_bytes())
    content[-1000] ^= 1
    path.write_bytes(content)
    result = models("verify", "mine")
    assert result.exit_code == Exit.MISMATCH
    assert "mine: changed" in result.stdout
    assert json.loads(models("verify", "--json").stdout)[0]["state"] == "changed"
    assert models("verify", "gfpgan-1.4").exit_code == Exit.MISMATCH
    assert models("remove", "mine").exit_code == 0
    assert not path.parent.exists()
    assert models("remove", "mine").exit_code == Exit.USAGE


def test_another_cache_can_be_named(tmp_path: Path) -> None:
    path = tiny.save(tmp_path / "w.pth")
    assert models("add", path, "--name", "mine", "--cache", tmp_path / "other").exit_code == 0
    assert Cache(tmp_path / "other").names() == ("mine",)
    assert json.loads(models("list", "--json").stdout)["models"][-1]["name"] != "mine"


def test_compile_on_this_machine_passes_the_gate_and_keeps_the_engine(tmp_path: Path, folder: Path) -> None:
    models("add", tiny.save(tmp_path / "w.pth"), "--name", "mine")
    shared = tmp_path / "shared"
    result = call("compile", "mine", "--engine", "openvino", "--precision", "fp32", "--artifacts", shared)
    assert result.exit_code == 0, result.output
    for words in ("ready: openvino", "in fp32", "gate: passed", "kept: ", f"and in {shared}"):
        assert words in result.stdout
    digests = re.findall(r"kept: .* ([0-9a-f]{64})", result.stdout)
    assert digests
    for digest in digests:
        assert (folder / "engines" / f"{digest}.engine").is_file()
        (shared / f"{digest}.engine").unlink()
    again = call("compile", "mine", "--engine", "openvino", "--precision", "fp32", "--artifacts", shared)
    assert "nothing new to keep" in again.stdout
    assert all((shared / f"{digest}.engine").is_file() for digest in digests)


def test_compile_without_a_batch_builds_what_jobs_ask_for(tmp_path: Path) -> None:
    models("add", tiny.save(tmp_path / "w.pth", "parsenet", 64), "--name", "sees")
    models("add", tiny.save(tmp_path / "v.pth", "gpen"), "--name", "draws")
    for name, sizes in (("sees", "1, 4, 4"), ("draws", "1, 8, 16")):
        result = call("compile", name, "--engine", "eager", "--precision", "fp32", "--device", "cpu")
        assert result.exit_code == 0, result.output
        assert f"batches {sizes}" in result.stderr
    said = call("compile", "sees", "--engine", "eager", "--precision", "fp32", "--device", "cpu", "--batch", "2")
    assert "batches 1, 2, 4" in said.stderr


def test_compile_ahead_for_a_gpu_that_is_not_here(tmp_path: Path, folder: Path) -> None:
    if reason := missing(FLAVOURS["tensorrt_rtx"]):
        pytest.skip(reason)
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    models("add", tiny.save(tmp_path / "w.pth"), "--name", "mine")
    result = call("compile", "mine", "--engine", "tensorrt_rtx", "--precision", "fp32", "--batch", "1,2,4")
    assert result.exit_code == 0, result.output
    for words in ("built: tensorrt_rtx in fp32", "gate: not run here", "no CUDA device", "kept: tensorrt_rtx fp32"):
        assert words in result.stdout
    again = call("compile", "mine", "--engine", "tensorrt_rtx", "--precision", "fp32", "--batch", "1,2,4")
    assert "was there: tensorrt_rtx" in again.stdout


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--engine", "magic"], Exit.USAGE, "tensorrt"),
        (["--precision", "int4"], Exit.USAGE, "bf16"),
        (["--batch", "8,4,16"], Exit.USAGE, "1,8,16"),
        (["--batch", "many"], Exit.USAGE, "1,8,16"),
        (["--device", "tpu"], Exit.USAGE, "cuda"),
        (["--engine", "openvino", "--device", "cuda"], Exit.FAILED, "runs on cpu"),
    ],
)
def test_compile_says_what_cannot_be_built(tmp_path: Path, options: list[str], code: Exit, words: str) -> None:
    models("add", tiny.save(tmp_path / "w.pth"), "--name", "mine")
    result = call("compile", "mine", *options)
    assert result.exit_code == code
    assert words in result.stderr
    assert "Traceback" not in result.output


def test_compile_of_what_is_not_here_says_how_to_get_it() -> None:
    result = call("compile", "gfpgan-1.4")
    assert result.exit_code == Exit.BAD_JOB
    assert "facejobs models pull gfpgan-1.4" in result.stderr
    assert call("compile", "codeformer").exit_code == Exit.BAD_JOB


@pytest.mark.parametrize("command", ["list", "show", "pull", "add", "verify", "remove"])
def test_every_command_has_help(command: str) -> None:
    result = models(command, "--help")
    assert result.exit_code == 0
    assert "--cache" in result.stdout


def test_a_web_page_under_a_published_name_is_called_one(tmp_path: Path) -> None:
    page = tmp_path / "GFPGANv1.4.pth"
    page.write_text("<!DOCTYPE html><html><head><title>Not the file</title></head></html>")
    result = models("add", page)
    assert result.exit_code == Exit.BAD_JOB
    assert "a web page titled 'Not the file'" in result.stderr
    assert "a name of its own" not in result.stderr
