"""Reading manifests and judging them by Kubernetes' own schemas."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from .kuberay_schema import RAYJOB

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy" / "kubernetes"
VERSIONS = ("1.31.0", "1.37.0")
"""The oldest Kubernetes that has all that is used, and the newest one known."""
UNITS = {"": 1, "m": 1e-3, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}


class _Strict(yaml.SafeLoader):
    """YAML that refuses a key said twice, as kubectl does."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            raise yaml.constructor.ConstructorError(None, None, f"said twice: {sorted(twice)}", node.start_mark)
        return super().construct_mapping(node, deep)


def documents(path: Path) -> list[dict[str, Any]]:
    """The documents of a file, each of its own: what aliases share is copied, so that a test can change one place."""
    read = yaml.load_all(path.read_text("utf-8"), Loader=_Strict)
    return [json.loads(json.dumps(document)) for document in read if document]


def one(path: Path, kind: str) -> dict[str, Any]:
    """The only document of a kind in a file."""
    (found,) = (document for document in documents(path) if document["kind"] == kind)
    return found


@lru_cache
def _definitions(version: str) -> dict[str, Any]:
    folder = files("kubernetes_validate") / "kubernetes-json-schema" / f"v{version}-local-strict"
    found: dict[str, Any] = json.loads((folder / "_definitions.json").read_text("utf-8"))
    return found


@lru_cache
def _registry(version: str) -> Registry[Any]:
    return Resource.from_contents(_definitions(version)) @ Registry()


def schema_of(document: dict[str, Any], version: str) -> dict[str, Any]:
    """The closed schema of a manifest's kind.

    Raises:
        LookupError: neither Kubernetes nor KubeRay has it.
    """
    group, _, api = str(document.get("apiVersion", "")).rpartition("/")
    if (group, api, document.get("kind")) == ("ray.io", "v1", "RayJob"):
        return RAYJOB
    wanted = {"group": group, "kind": document.get("kind"), "version": api}
    for name, schema in _definitions(version)["$defs"].items():
        if wanted in schema.get("x-kubernetes-group-version-kind", []):
            return {"$ref": f"https://kubernetes.io/api/_definitions.json#/$defs/{name}"}
    raise LookupError(f"Kubernetes {version} has no {document.get('kind')} in {document.get('apiVersion')}")


def faults(
    document: dict[str, Any], version: str = VERSIONS[-1], schema: dict[str, Any] | None = None
) -> Iterator[str]:
    """What a manifest's schema has against it, each as `place: what`."""
    validator = Draft202012Validator(schema or schema_of(document, version), registry=_registry(version))
    for error in validator.iter_errors(document):
        yield f"{error.json_path}: {error.message}"


def amount(quantity: str) -> float:
    """A quantity of Kubernetes as a number of cores or bytes."""
    number = quantity.rstrip("KMGTim")
    return float(number) * UNITS[quantity[len(number) :]]


def pods(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The pods of a RayJob or CronJob, the one with the driver first, workers with their group under `group`.

    Labels and annotations stand under `metadata` where the template has any.
    """
    spec = document["spec"]
    if document["kind"] == "CronJob":
        template = spec["jobTemplate"]["spec"]["template"]
        yield {"group": {}, "metadata": template.get("metadata", {}), **template["spec"]}
        return
    cluster = spec["rayClusterSpec"]
    for group in [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]:
        template = group["template"]
        yield {"group": group, "metadata": template.get("metadata", {}), **template["spec"]}
