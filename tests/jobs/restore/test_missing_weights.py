"""What is said when a job's model is not there, may not be used, or is not what it was: always what to do about it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from .small_models import add_generator
from .test_generator_jobs import generator_job, record

if TYPE_CHECKING:
    from .conftest import Bench


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with a small model of each kind."""
    folder = tmp_path_factory.mktemp("stocked") / "cache"
    add_generator(folder, "small-gfpgan")
    add_generator(folder, "small-gpen", "gpen", "--noncommercial", "--licence", "for study only")
    return folder


@pytest.fixture
def cache(stocked: Path, tmp_path: Path) -> Path:
    """A copy of it, which a test may change."""
    return Path(shutil.copytree(stocked, tmp_path / "own" / "cache"))


@pytest.mark.parametrize("command", ["run", "plan"])
def test_the_demo_job_says_how_to_get_its_model(bench: Bench, command: str) -> None:
    demo = yaml.safe_load((Path(__file__).parents[3] / "examples" / "archive.yaml").read_text())
    demo["source"]["uri"], demo["output"]["uri"] = "archive", "restored"
    demo["restore"] = {"model": "gfpgan-1.4"}
    job = bench.root / "demo.yaml"
    job.write_text(yaml.safe_dump(demo))
    validated = bench.call("validate", job)
    assert validated.exit_code == 0
    assert "note: the weights of gfpgan-1.4 are not in this machine's cache" in validated.stdout
    result = bench.call(command, job)
    assert result.exit_code == 5
    for hint in ("facejobs models pull gfpgan-1.4", "facejobs models add GFPGANv1.4.pth", "models.source"):
        assert hint in result.stderr
    assert "Traceback" not in result.output
    assert not (bench.root / "restored").exists()


def test_a_model_of_ones_own_that_is_not_there_is_an_unknown_name(bench: Bench, cache: Path) -> None:
    result = bench.call("run", generator_job(bench, cache, restore={"model": "small-gfpgam"}))
    assert result.exit_code == 5
    assert "did you mean 'small-gfpgan'?" in result.stderr
    assert ": restore.model: " in result.stderr


def test_terms_are_accepted_by_name(bench: Bench, cache: Path) -> None:
    refused = bench.call("run", generator_job(bench, cache, restore={"model": "small-gpen"}))
    assert refused.exit_code == 5
    assert "for study only" in refused.stderr
    assert "models.accept_noncommercial: [small-gpen]" in refused.stderr
    accepted = generator_job(
        bench, cache, restore={"model": "small-gpen"}, models={"accept_noncommercial": ["small-gpen"]}
    )
    assert bench.call("run", accepted).exit_code == 3


def test_options_are_held_to_the_kind_of_a_model_of_ones_own(bench: Bench, cache: Path) -> None:
    for restore, key in (
        ({"model": "small-gfpgan", "options": {"task": "inpaint"}}, "restore.options.task"),
        ({"model": "small-gpen", "options": {"sft_strength": 0.5}}, "restore.options.sft_strength"),
    ):
        job = generator_job(bench, cache, restore=restore, models={"accept_noncommercial": ["small-gpen"]})
        result = bench.call("validate", job)
        assert result.exit_code == 5
        assert f": {key}: " in result.stderr


def test_a_source_of_models_fills_the_cache(bench: Bench, cache: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    job = generator_job(bench, empty, models={"source": str(cache)}, run={"placement": "staged"})
    assert f"they will be taken from {cache}" in bench.call("validate", job).stdout
    assert bench.call("run", job).exit_code == 3
    assert (empty / "models" / "small-gfpgan" / "model.json").is_file()
    terms = generator_job(bench, tmp_path / "other", restore={"model": "small-gpen"}, models={"source": str(cache)})
    result = bench.call("run", terms)
    assert result.exit_code == 5
    assert "accept_noncommercial: [small-gpen]" in result.stderr
    unfit = generator_job(
        bench,
        tmp_path / "third",
        restore={"model": "small-gpen", "options": {"sft_strength": 1}},
        models={"source": str(cache), "accept_noncommercial": ["small-gpen"]},
    )
    result = bench.call("run", unfit)
    assert result.exit_code == 5
    assert "it is for gfpgan models" in result.stderr


def test_a_source_without_the_model_says_so(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    job = generator_job(bench, tmp_path / "own", models={"source": str(tmp_path / "nothing")})
    result = bench.call("run", job)
    assert result.exit_code in (5, 6)
    assert "small-gfpgan" in result.stderr
    assert str(tmp_path / "nothing") in result.stderr
    assert not (bench.root / "job").exists()


RUNS = [
    pytest.param({}, id="local"),
    pytest.param({"placement": "staged"}, id="local-staged"),
    pytest.param({"runner": "ray"}, id="ray", marks=pytest.mark.ray),
    pytest.param({"runner": "ray", "placement": "staged"}, id="ray-staged", marks=pytest.mark.ray),
]


@pytest.mark.parametrize("run", RUNS)
def test_a_file_that_was_changed_ends_the_run_which_can_be_resumed(
    bench: Bench, cache: Path, run: dict[str, Any]
) -> None:
    folder = cache / "models" / "small-gfpgan"
    (file,) = folder.glob("*.pth")
    whole = file.read_bytes()
    file.write_bytes(whole[:-100] + bytes(100))
    job = generator_job(bench, cache, run=run)
    result = bench.call("run", job)
    assert result.exit_code == 1, result.output
    assert "was planned with" in result.stderr
    assert "facejobs models verify small-gfpgan" in result.stderr
    assert "run the same command again to continue" in result.stderr
    assert bench.status(job)["records_quarantined"] == 0
    file.write_bytes(whole)
    assert bench.call("run", generator_job(bench, cache)).exit_code == 3  # here, whatever runner began it
    assert record(bench, "job", "box2/miniature.png")["faces"][0]["status"] == "restored"


def test_a_damaged_cache_is_no_other_model(bench: Bench, cache: Path) -> None:
    (file,) = (cache / "models" / "small-gfpgan").glob("*.pth")
    file.write_bytes(file.read_bytes()[:-1])
    result = bench.call("run", generator_job(bench, cache))
    assert result.exit_code == 5
    assert "small-gfpgan" in result.stderr
    assert not (bench.root / "job").exists()


def test_strictness_ends_the_run_where_the_engine_is_not_to_be_had(bench: Bench, cache: Path) -> None:
    engine = {"name": "tensorrt", "device": "cuda", "strict": True}
    job = generator_job(bench, cache, restore={"engine": engine})
    result = bench.call("run", job)
    assert result.exit_code == 1
    assert "tensorrt" in result.stderr
    assert bench.status(job)["records_todo"] == 7
    # Another engine may give other pixels, so asking for one makes another run.
    assert bench.call("run", generator_job(bench, cache)).exit_code == 7


def test_a_run_that_did_nothing_gives_way_without_loss(bench: Bench, cache: Path) -> None:
    strict = generator_job(bench, cache, restore={"engine": {"name": "tensorrt", "device": "cuda", "strict": True}})
    assert bench.call("run", strict).exit_code == 1
    refused = bench.call("run", generator_job(bench, cache))
    assert refused.exit_code == 7
    assert "has done nothing yet" in refused.stderr
    assert "restore.engine.name: was" in refused.stderr
    assert "restorer.parameters" not in refused.stderr, "which say the same again"
    assert "output.existing: replace once" in refused.stderr
    assert bench.call("run", generator_job(bench, cache, output={"existing": "replace"})).exit_code == 3
    again = bench.call("run", generator_job(bench, cache))
    assert again.exit_code == 3
    assert "nothing to do" in again.stdout


def test_a_run_that_is_done_needs_no_model(bench: Bench, stocked: Path, cache: Path) -> None:
    shared = Path(shutil.copytree(stocked, bench.root / "shared"))
    job = generator_job(bench, cache, models={"source": str(shared)})
    assert bench.call("run", job).exit_code == 3
    shutil.rmtree(cache)
    done = bench.call("run", job)
    assert done.exit_code == 3
    assert "nothing to do" in done.stdout
    assert not cache.exists()
    shutil.rmtree(shared)
    changed = generator_job(bench, cache, models={"source": str(shared)}, restore={"strength": 0.5})
    assert bench.call("run", changed).exit_code in (5, 6)
    (commit,) = sorted((bench.root / "job").glob("_facejobs/runs/*/commits/*.json"))[:1]
    commit.unlink()
    (manifest,) = (bench.root / "job").glob("_facejobs/runs/*/manifest.json")
    manifest.unlink()
    lost = bench.call("run", generator_job(bench, cache, models={"source": str(shared)}))
    assert lost.exit_code in (5, 6)
    assert "small-gfpgan" in lost.stderr


def test_a_damaged_model_is_not_called_unknown(bench: Bench, cache: Path) -> None:
    (file,) = (cache / "models" / "small-gpen").glob("*.pth")
    file.write_bytes(b"cut")
    job = generator_job(bench, cache, restore={"model": "small-gpen"}, models={"accept_noncommercial": ["small-gpen"]})
    noted = bench.call("validate", job)
    assert noted.exit_code == 0
    result = bench.call("run", job)
    assert result.exit_code == 5
    for said in (noted.stdout, result.stderr):
        assert "the file has 3 bytes" in said
        assert "facejobs models remove small-gpen" in said


def test_what_was_run_can_be_looked_at_without_the_model(bench: Bench, stocked: Path, cache: Path) -> None:
    shared = Path(shutil.copytree(stocked, bench.root / "shared"))
    job = generator_job(bench, cache, models={"source": str(shared)})
    assert bench.call("run", job).exit_code == 3
    shutil.rmtree(cache)
    assert bench.status(job)["state"] == "complete"
    assert bench.call("verify", job).exit_code == 0
    assert bench.call("report", job).exit_code == 0
    assert not cache.exists()  # looking fetches nothing
    shutil.rmtree(shared)
    retried = bench.call("retry", job)
    assert retried.exit_code in (5, 6)
    assert "small-gfpgan" in retried.stderr


def test_another_file_under_the_same_name_is_another_run(bench: Bench, cache: Path, tmp_path: Path) -> None:
    assert bench.call("run", generator_job(bench, cache)).exit_code == 3
    other = tmp_path / "second" / "cache"
    add_generator(other, "small-gfpgan", seed=1)
    result = bench.call("run", generator_job(bench, other))
    assert result.exit_code == 7
    assert "restorer.weights_sha256: was" in result.stderr


def test_secrets_of_the_models_storage_are_hidden(bench: Bench, cache: Path) -> None:
    job = generator_job(bench, cache, models={"storage_options": {"secret": "hunter2hunter2"}})
    result = bench.call("run", job)
    assert result.exit_code == 3
    ledger = bench.root / "job" / "_facejobs"
    texts = [path.read_bytes() for path in ledger.rglob("*") if path.is_file()]
    assert not any(b"hunter2" in text for text in texts)
    header = json.loads(next(ledger.glob("runs/*/run.json")).read_text())
    assert "cache" not in header["job"].get("models", {})
