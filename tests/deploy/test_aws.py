"""The cluster launcher's file: by the schema with which Ray itself checks it, and by how its parts fit."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import lru_cache
from importlib.resources import files
from typing import Any

import pytest
from jsonschema import Draft7Validator

from .kube import ROOT, documents

FILE = ROOT / "deploy" / "aws" / "cluster.yaml"


@lru_cache
def schema() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((files("ray") / "autoscaler" / "ray-schema.json").read_text("utf-8"))
    return found


def cluster() -> dict[str, Any]:
    (document,) = documents(FILE)
    return document


def faults(document: dict[str, Any]) -> list[str]:
    return [error.message for error in Draft7Validator(schema()).iter_errors(document)]


def test_rays_own_schema_accepts_it() -> None:
    assert faults(cluster()) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda it: it.update(max_worker=4), "'max_worker' was unexpected"),
        (lambda it: it.update(idle_timeout_minutes="15"), "'15' is not of type"),
        (lambda it: it.pop("provider"), "'provider' is a required"),
        (lambda it: it["available_node_types"]["worker"].pop("resources"), "'resources' is a required"),
        (lambda it: it["available_node_types"]["worker"].update(spot=True), "'spot' was unexpected"),
        (lambda it: it["available_node_types"]["worker"]["resources"].update(GPU=0.5), "0.5 is not of type"),
    ],
)
def test_a_planted_error_is_seen(change: Callable[[dict[str, Any]], None], said: str) -> None:
    document = cluster()
    change(document)
    assert any(said in fault for fault in faults(document))


def test_workers_are_spot_machines_and_the_head_works_for_none() -> None:
    document = cluster()
    head, worker = document["available_node_types"]["head"], document["available_node_types"]["worker"]
    assert document["head_node_type"] == "head"
    assert head["resources"] == {"CPU": 0}
    assert "InstanceMarketOptions" not in head["node_config"]
    assert worker["node_config"]["InstanceMarketOptions"] == {"MarketType": "spot"}
    assert worker["resources"]["GPU"] == 1
    assert worker["min_workers"] == worker["max_workers"] == document["max_workers"] > 0


def test_the_dashboard_is_not_open_to_the_network_and_joining_takes_a_token() -> None:
    (start,) = (line for line in cluster()["head_start_ray_commands"] if "--head" in line)
    assert "--dashboard-host=127.0.0.1" in start
    assert "--num-cpus=0" in start
    assert any("RAY_AUTH_MODE=token" in line for line in cluster()["setup_commands"])
    assert "/home/ubuntu/.ray/auth_token" in cluster()["file_mounts"]


def test_machines_are_installed_under_the_constraints_of_the_copied_sources() -> None:
    mounts = cluster()["file_mounts"]
    (place,) = (remote for remote, local in mounts.items() if local == ".")
    (install,) = (line for line in cluster()["setup_commands"] if "pip install" in line)
    assert f"{place}[notify,tensorrt,traces]" in install
    for named in re.findall(r"--constraint (\S+)", install):
        path = named.replace("~", "/home/ubuntu").removeprefix(f"{place}/")
        assert (ROOT / path).is_file(), named


def test_no_two_types_differ_in_their_image() -> None:
    kinds = cluster()["available_node_types"].values()
    assert len({kind["node_config"]["ImageId"] for kind in kinds}) == 1
