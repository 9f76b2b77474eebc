"""pyproject.toml, constraints.txt and docs/dependencies.md agree."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")


def direct() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return [Requirement(text) for text in project["dependencies"] + project["optional-dependencies"]["dev"]]


def pins(python: str) -> dict[str, str]:
    """Name to version of the constraints that hold for a Python version."""
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    found: dict[str, str] = {}
    for line in lines:
        if not line or line.startswith("#"):
            continue
        pin = Requirement(line)
        if pin.marker is None or pin.marker.evaluate({"python_version": python}):
            name = canonicalize_name(pin.name)
            assert name not in found, f"{name} is pinned twice for Python {python}"
            operator, version = next(iter((spec.operator, spec.version) for spec in pin.specifier))
            assert operator == "==", f"{line}: expected an exact pin"
            found[name] = version
    return found


@pytest.mark.parametrize("python", PYTHONS)
def test_every_direct_dependency_is_pinned_within_its_range(python: str) -> None:
    pinned = pins(python)
    for requirement in direct():
        if requirement.marker is None or requirement.marker.evaluate({"python_version": python}):
            version = pinned.get(canonicalize_name(requirement.name))
            assert version is not None, f"constraints.txt does not pin {requirement.name}"
            assert requirement.specifier.contains(version, prereleases=True), f"{requirement} against {version}"


def test_torch_is_pinned() -> None:
    assert pins("3.11")["torch"] == "2.13.0"


def test_the_page_lists_every_direct_dependency_with_its_pinned_version() -> None:
    page = (ROOT / "docs" / "dependencies.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| ([\w.\[\]-]+)[^|]* \| (\d[\w.]*) \(", page, flags=re.MULTILINE))
    listed = {canonicalize_name(name.split("[")[0]): version for name, version in rows.items()}
    pinned = pins("3.11")
    wanted = {canonicalize_name(requirement.name) for requirement in direct()} | {"pyvips-binary"}
    assert listed == {name: pinned[name] for name in wanted}


def test_nothing_of_one_machine_is_pinned() -> None:
    text = (ROOT / "constraints.txt").read_text("utf-8")
    assert "-e" not in text.split()
    assert " @ " not in text
    assert "+cpu" not in text
