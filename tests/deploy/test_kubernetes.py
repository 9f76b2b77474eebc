"""The manifests: by Kubernetes' closed schemas, and by what their numbers have to do with each other."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from jobs.exits import Exit
from jobs.spec import Spec, loads
from jobs.spec.observe import listening

from .kube import FOLDER, ROOT, VERSIONS, amount, documents, faults, one, pods
from .kuberay_schema import crd_schema

GIB = 2**30
ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret"}
CRD_FOLDER = "FACEJOBS_KUBERAY_CRDS"
RAYJOBS = ("rayjob-cpu.yaml", "rayjob-gpu.yaml")
RUNS = (*RAYJOBS, "nightly.yaml")
MANIFESTS = sorted(path.name for path in FOLDER.glob("*.yaml"))
RAY_AND_LIBRARIES = 2 * GIB
RAY_METRICS = 8080
NETWORK = 3 * GIB
"""docs/job-file.md: memory of a worker with GFPGAN-512 or GPEN-1024."""

Change = Callable[[dict[str, Any]], None]


def workload(name: str) -> dict[str, Any]:
    return one(FOLDER / name, "CronJob" if name == "nightly.yaml" else "RayJob")


def job_of(name: str) -> Spec:
    text = one(FOLDER / name, "ConfigMap")["data"]["job.yaml"]
    return loads(text, name, environment=ENVIRONMENT)


def volume(pod: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = (each for each in pod["volumes"] if each["name"] == name)
    return dict(found)


def test_all_manifests_are_looked_at() -> None:
    assert set(MANIFESTS) == {"common.yaml", *RUNS}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", MANIFESTS)
def test_the_closed_schemas_accept_it(name: str, version: str) -> None:
    for document in documents(FOLDER / name):
        assert list(faults(document, version)) == []


def misspell(document: dict[str, Any]) -> None:
    spec = document["spec"]
    spec["backofLimit"] = spec.pop("backoffLimit")


def head(document: dict[str, Any]) -> Any:
    return document["spec"]["rayClusterSpec"]["headGroupSpec"]["template"]["spec"]


PLANTED: dict[str, tuple[Change, str]] = {
    "an unknown field of a RayJob": (misspell, "'backofLimit' was unexpected"),
    "an unknown field of a container": (lambda it: head(it)["containers"][0].update(img="x"), "'img' was unexpected"),
    "an unknown field of a security context": (
        lambda it: head(it)["securityContext"].update(runAsNonroot=True),
        "'runAsNonroot' was unexpected",
    ),
    "an unknown autoscaler": (
        lambda it: it["spec"]["rayClusterSpec"]["autoscalerOptions"].update(version="v3"),
        "'v3' is not one of",
    ),
    "a number for a start parameter": (
        lambda it: it["spec"]["rayClusterSpec"]["headGroupSpec"]["rayStartParams"].update({"num-cpus": 0}),
        "0 is not of type 'string'",
    ),
    "text for a count": (lambda it: it["spec"].update(backoffLimit="5"), "'5' is not of type 'integer'"),
    "no head": (lambda it: it["spec"]["rayClusterSpec"].pop("headGroupSpec"), "'headGroupSpec' is a required"),
    "no containers": (lambda it: head(it).pop("containers"), "'containers' is a required"),
    "no size of a group": (
        lambda it: it["spec"]["rayClusterSpec"]["workerGroupSpecs"][0].pop("maxReplicas"),
        "'maxReplicas' is a required",
    ),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_error_is_seen(planted: str) -> None:
    change, said = PLANTED[planted]
    document = workload("rayjob-cpu.yaml")
    change(document)
    found = list(faults(document))
    assert len(found) == 1
    assert said in found[0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda it: it["spec"].update(timezone="Etc/UTC"), "'timezone' was unexpected"),
        (lambda it: it["spec"].update(startingDeadlineSeconds="1h"), "'1h' is not of type"),
        (lambda it: it["spec"].pop("schedule"), "'schedule' is a required"),
        (lambda it: it["spec"]["jobTemplate"]["spec"].update(backofLimit=1), "'backofLimit' was unexpected"),
    ],
)
def test_a_planted_error_in_the_nightly_run_is_seen(change: Change, said: str) -> None:
    document = workload("nightly.yaml")
    change(document)
    (found,) = faults(document)
    assert said in found


def test_a_key_said_twice_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "twice.yaml"
    file.write_text("kind: A\nkind: B\n")
    with pytest.raises(yaml.YAMLError, match="said twice"):
        documents(file)


def test_a_kind_that_nobody_has_is_refused() -> None:
    with pytest.raises(LookupError, match="CronJobs"):
        list(faults({"apiVersion": "batch/v1", "kind": "CronJobs"}))


@pytest.mark.parametrize("name", RAYJOBS)
def test_kuberays_published_definition_accepts_it(name: str) -> None:
    folder = os.environ.get(CRD_FOLDER)
    if not folder:
        pytest.skip(f"{CRD_FOLDER} does not name a folder with KubeRay's ray.io_rayjobs.yaml")
    definition = yaml.safe_load((Path(folder) / "ray.io_rayjobs.yaml").read_text("utf-8"))
    assert list(faults(workload(name), schema=crd_schema(definition))) == []


def test_a_published_definition_is_closed() -> None:
    inner = {
        "type": "object",
        "required": ["size"],
        "properties": {
            "size": {"x-kubernetes-int-or-string": True},
            "names": {"type": "array", "items": {"type": "string"}},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
            "free": {"type": "object", "properties": {}, "x-kubernetes-preserve-unknown-fields": True},
        },
    }
    outer = {
        "type": "object",
        "properties": {"kind": {"type": "string"}, "metadata": {"type": "object"}, "spec": inner},
    }
    versions = [{"name": "v1", "schema": {"openAPIV3Schema": outer}}]
    definition = {"metadata": {"name": "things"}, "spec": {"versions": versions}}
    good = {"size": "1Gi", "names": ["a"], "labels": {"a": "b"}, "free": {"any": 1}}

    def against(**spec: object) -> list[str]:
        document = {"kind": "Thing", "metadata": {"name": "x"}, "spec": {**good, **spec}}
        return list(faults(document, schema=crd_schema(definition)))

    assert against() == []
    assert against(size=3) == []
    assert "'more' was unexpected" in against(more=1)[0]
    assert "not of type 'string'" in against(labels={"a": 1})[0]
    assert "not of type 'string'" in against(names=[1])[0]
    with pytest.raises(ValueError, match="no version v2"):
        crd_schema(definition, "v2")


@pytest.mark.parametrize("name", RUNS)
def test_the_job_file_loads(name: str) -> None:
    job = job_of(name)
    assert job.run.runner == "ray"
    assert job.run.address == (None if name == "nightly.yaml" else "auto")


@pytest.mark.parametrize("name", RUNS)
def test_every_variable_of_the_job_file_is_in_the_secret_that_the_page_makes(name: str) -> None:
    text = one(FOLDER / name, "ConfigMap")["data"]["job.yaml"]
    page = (ROOT / "docs" / "deploy.md").read_text("utf-8")
    assert set(re.findall(r"\$\{(\w+)\}", text)) == set(re.findall(r"--from-literal=(\w+)=", page))
    driver = next(pods(workload(name)))
    assert driver["containers"][0]["envFrom"] == [{"secretRef": {"name": "facejobs-storage"}}]


@pytest.mark.parametrize("name", RUNS)
def test_the_driver_reads_the_mounted_job_file(name: str) -> None:
    document = workload(name)
    driver = next(pods(document))
    (container,) = driver["containers"]
    config = one(FOLDER / name, "ConfigMap")
    assert volume(driver, "job")["configMap"]["name"] == config["metadata"]["name"]
    (mount,) = (each for each in container["volumeMounts"] if each["name"] == "job")
    line = (
        [*container["command"], *container["args"]]
        if name == "nightly.yaml"
        else shlex.split(document["spec"]["entrypoint"])
    )
    assert line == ["facejobs-job", "run", f"{mount['mountPath']}/{next(iter(config['data']))}"]


@pytest.mark.parametrize("name", RUNS)
def test_pods_are_given_longer_than_the_units_under_way(name: str) -> None:
    grace = job_of(name).run.grace_seconds
    for pod in pods(workload(name)):
        assert pod["terminationGracePeriodSeconds"] >= grace + 30


@pytest.mark.parametrize("name", RAYJOBS)
def test_ray_waits_for_the_driver_within_the_pods_own_time(name: str) -> None:
    head = next(pods(workload(name)))
    (wait,) = (each["value"] for each in head["containers"][0]["env"] if each["name"] == "RAY_JOB_STOP_WAIT_TIME_S")
    assert job_of(name).run.grace_seconds < int(wait) < head["terminationGracePeriodSeconds"]


@pytest.mark.parametrize("name", RUNS)
def test_memory_is_limited_to_what_is_asked_for(name: str) -> None:
    for pod in pods(workload(name)):
        for container in pod["containers"]:
            resources = container["resources"]
            assert resources["limits"]["memory"] == resources["requests"]["memory"]


@pytest.mark.parametrize("name", RUNS)
def test_pods_are_hardened(name: str) -> None:
    document = workload(name)
    contexts = [container["securityContext"] for pod in pods(document) for container in pod["containers"]]
    if name in RAYJOBS:
        contexts.append(document["spec"]["rayClusterSpec"]["autoscalerOptions"]["securityContext"])
    for context in contexts:
        assert context["readOnlyRootFilesystem"] is True
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
    image = (ROOT / "deploy" / "Dockerfile").read_text("utf-8")
    for pod in pods(document):
        context = pod["securityContext"]
        assert context["runAsNonRoot"] is True
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        assert f"USER {context['runAsUser']}:{context['runAsGroup']}" in image
        mounted = {mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]}
        assert {"/tmp", "/dev/shm", "/var/cache/facejobs"} <= mounted


@pytest.mark.parametrize("name", RUNS)
def test_mounts_and_volumes_belong_together(name: str) -> None:
    for pod in pods(workload(name)):
        mounted = {mount["name"] for container in pod["containers"] for mount in container["volumeMounts"]}
        assert mounted == {each["name"] for each in pod["volumes"]}


@pytest.mark.parametrize("name", RAYJOBS)
def test_a_worker_pod_holds_its_workers(name: str) -> None:
    job, document = job_of(name), workload(name)
    for pod in list(pods(document))[1:]:
        resources = pod["containers"][0]["resources"]
        start = pod["group"]["rayStartParams"]
        cpus = int(start["num-cpus"])
        assert resources["requests"]["cpu"] == resources["limits"]["cpu"] == str(cpus)
        assert resources["limits"].get("nvidia.com/gpu") == start.get("num-gpus")
        store, shared = int(start["object-store-memory"]), amount(volume(pod, "shm")["emptyDir"]["sizeLimit"])
        assert store < shared
        assert job.run.worker_memory is not None
        network = NETWORK if "num-gpus" in start else 0
        needed = cpus * job.run.worker_memory + shared + network + RAY_AND_LIBRARIES
        assert needed <= amount(resources["limits"]["memory"])


def test_the_nightly_pod_holds_its_workers() -> None:
    job = job_of("nightly.yaml")
    (pod,) = pods(workload("nightly.yaml"))
    limits = pod["containers"][0]["resources"]["limits"]
    assert job.run.workers is not None
    assert job.run.worker_memory is not None
    assert job.run.workers <= amount(limits["cpu"])
    shared = amount(volume(pod, "shm")["emptyDir"]["sizeLimit"])
    assert shared > GIB  # pipeline/runners/ray_cluster.py: the object store of a private cluster
    assert job.run.workers * job.run.worker_memory + shared + RAY_AND_LIBRARIES <= amount(limits["memory"])


@pytest.mark.parametrize("name", RAYJOBS)
def test_the_cluster_is_as_the_run_needs_it(name: str) -> None:
    spec = workload(name)["spec"]
    cluster = spec["rayClusterSpec"]
    assert cluster["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    assert cluster["enableInTreeAutoscaling"] is True
    assert cluster["autoscalerOptions"]["version"] == "v2"
    for group in cluster["workerGroupSpecs"]:
        assert 0 < group["minReplicas"] == group["replicas"] <= group["maxReplicas"]
    assert spec["backoffLimit"] > 0
    assert spec["shutdownAfterJobFinishes"] is True
    assert spec["ttlSecondsAfterFinished"] > 0


def test_nights_do_not_overlap_and_bad_job_files_are_not_tried_again() -> None:
    spec = workload("nightly.yaml")["spec"]
    assert spec["concurrencyPolicy"] == "Forbid"
    job = spec["jobTemplate"]["spec"]
    assert job["activeDeadlineSeconds"] < 24 * 3600
    night = job_of("nightly.yaml")
    assert night.selection is not None
    assert night.selection.budget.hours is not None
    # A night ends by itself, with the units that are under way then, and is not cut off.
    assert night.selection.budget.hours * 3600 + 1800 <= job["activeDeadlineSeconds"]
    (codes,) = (rule["onExitCodes"]["values"] for rule in job["podFailurePolicy"]["rules"] if "onExitCodes" in rule)
    mended_by_another_try = {Exit.FAILED, Exit.STORAGE, Exit.INTERRUPTED}
    assert set(codes) == set(Exit) - mended_by_another_try - {Exit.DONE, Exit.QUARANTINED}


def test_only_ray_nodes_and_the_operator_reach_a_cluster() -> None:
    policy = one(FOLDER / "common.yaml", "NetworkPolicy")["spec"]
    assert policy["policyTypes"] == ["Ingress"]
    cluster, metrics = policy["ingress"]
    assert {next(iter(peer)) for peer in cluster["from"]} == {"podSelector", "namespaceSelector"}
    for peer in (*cluster["from"], *metrics["from"]):
        assert all(peer.values()), "an empty selector lets everybody in"
    # Prometheus reaches ports that only tell, never those that take work.
    served = {listening(job_of(name).observe.metrics or "")[1] for name in RUNS}
    assert {port["port"] for port in metrics["ports"]} == {*served, RAY_METRICS}


@pytest.mark.parametrize("name", RUNS)
def test_prometheus_finds_the_driver_and_nobody_else(name: str) -> None:
    host, port = listening(job_of(name).observe.metrics or "")
    assert host == "0.0.0.0"
    driver, *others = pods(workload(name))
    assert driver["metadata"]["labels"]["app.kubernetes.io/name"] == "facejobs"
    assert driver["metadata"]["annotations"] == {"prometheus.io/scrape": "true", "prometheus.io/port": str(port)}
    (named,) = (each for each in driver["containers"][0]["ports"] if each["containerPort"] == port)
    assert named["name"] == "facejobs"
    monitors = documents(ROOT / "deploy" / "monitoring" / "podmonitor.yaml")
    (monitor,) = (each for each in monitors if each["metadata"]["name"] == "facejobs")
    assert [each["port"] for each in monitor["spec"]["podMetricsEndpoints"]] == [named["name"]]
    assert all(pod["metadata"] == {} for pod in others)
