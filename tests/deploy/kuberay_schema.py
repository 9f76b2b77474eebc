"""A closed JSON Schema of KubeRay's RayJob, written from the fields that its API documents.

KubeRay (https://github.com/ray-project/kuberay, Apache-2.0) publishes a CustomResourceDefinition in which each pod
template is spelt out again. This is the same contract in short: KubeRay's own fields with their types, their values and
what is required, as its Go types (`ray-operator/apis/ray/v1`) and its API reference name them (read on 2026-11-25);
what is Kubernetes' own is taken from Kubernetes' schema by reference. It knows no field that facejobs has no use for:
one that is added to deploy/ and is missing here fails the tests until it is looked up. It says nothing of what the
operator checks beyond types.

`crd_schema` reads the published definition itself, for whoever has it at hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

KUBERNETES = "https://kubernetes.io/api/_definitions.json#/$defs/"


def _kubernetes(name: str) -> dict[str, Any]:
    return {"$ref": f"{KUBERNETES}io.k8s.{name}"}


def _closed(required: tuple[str, ...] = (), **properties: object) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
COUNT = {"type": "integer", "minimum": 0, "maximum": 2**31 - 1}
TEXT, FLAG = {"type": "string"}, {"type": "boolean"}
POD = _kubernetes("api.core.v1.PodTemplateSpec")

AUTOSCALER = _closed(
    version={"enum": ["v1", "v2"]},
    idleTimeoutSeconds=COUNT,
    upscalingMode={"enum": ["Default", "Aggressive", "Conservative"]},
    resources=_kubernetes("api.core.v1.ResourceRequirements"),
    securityContext=_kubernetes("api.core.v1.SecurityContext"),
    env={"type": "array", "items": _kubernetes("api.core.v1.EnvVar")},
    envFrom={"type": "array", "items": _kubernetes("api.core.v1.EnvFromSource")},
)
HEAD = _closed(("rayStartParams", "template"), rayStartParams=TEXTS, template=POD, serviceType=TEXT)
WORKERS = _closed(
    ("groupName", "minReplicas", "maxReplicas", "rayStartParams", "template"),
    groupName=TEXT,
    replicas=COUNT,
    minReplicas=COUNT,
    maxReplicas=COUNT,
    idleTimeoutSeconds=COUNT,
    rayStartParams=TEXTS,
    template=POD,
)
CLUSTER = _closed(
    ("headGroupSpec",),
    rayVersion=TEXT,
    enableInTreeAutoscaling=FLAG,
    autoscalerOptions=AUTOSCALER,
    authOptions=_closed(mode={"enum": ["disabled", "token"]}, secretName=TEXT),
    headGroupSpec=HEAD,
    workerGroupSpecs={"type": "array", "items": WORKERS},
)
JOB = _closed(
    entrypoint=TEXT,
    submissionMode={"enum": ["K8sJobMode", "HTTPMode", "SidecarMode", "InteractiveMode"]},
    backoffLimit=COUNT,
    activeDeadlineSeconds=COUNT,
    shutdownAfterJobFinishes=FLAG,
    ttlSecondsAfterFinished=COUNT,
    suspend=FLAG,
    metadata=TEXTS,
    runtimeEnvYAML=TEXT,
    rayClusterSpec=CLUSTER,
)
RAYJOB = _closed(
    ("apiVersion", "kind", "metadata", "spec"),
    apiVersion={"const": "ray.io/v1"},
    kind={"const": "RayJob"},
    metadata=_kubernetes("apimachinery.pkg.apis.meta.v1.ObjectMeta"),
    spec=JOB,
)


def crd_schema(definition: Mapping[str, Any], version: str = "v1") -> dict[str, Any]:
    """The schema of one version of a CustomResourceDefinition, its objects closed.

    The API server drops unknown fields without a word, so a misspelt one would do nothing. Objects that say that they
    keep unknown fields stay open, and `metadata` is left to Kubernetes' schema.

    Raises:
        ValueError: the definition has no such version.
    """
    for served in definition["spec"]["versions"]:
        if served["name"] == version:
            schema = close(served["schema"]["openAPIV3Schema"])
            schema["properties"]["metadata"] = _kubernetes("apimachinery.pkg.apis.meta.v1.ObjectMeta")
            return schema
    raise ValueError(f"{definition['metadata']['name']} has no version {version}")


def close(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A structural schema of OpenAPI as JSON Schema in which objects take only the properties that they name."""
    closed = {key: value for key, value in schema.items() if key in {"type", "enum", "required", "pattern", "minimum"}}
    if schema.get("x-kubernetes-int-or-string"):
        return {"anyOf": [{"type": "integer"}, {"type": "string"}]}
    if "items" in schema:
        closed["items"] = close(schema["items"])
    if isinstance(schema.get("additionalProperties"), Mapping):
        closed["additionalProperties"] = close(schema["additionalProperties"])
    elif "properties" in schema:
        closed["properties"] = {name: close(value) for name, value in schema["properties"].items()}
        closed["additionalProperties"] = bool(schema.get("x-kubernetes-preserve-unknown-fields", False))
    return closed
