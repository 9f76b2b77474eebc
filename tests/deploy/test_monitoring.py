"""deploy/monitoring: by Prometheus' own tool, and by what a run of facejobs really exports."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families
from skimage.data import astronaut
from typer.testing import CliRunner

from jobs.main import app
from jobs.observe.metrics import COMMON, METRICS, PREFIX

from .kube import ROOT, documents

FOLDER = ROOT / "deploy" / "monitoring"
DASHBOARD = json.loads((FOLDER / "dashboard.json").read_text("utf-8"))
ALERTS = [
    rule for group in yaml.safe_load((FOLDER / "alerts.yaml").read_text("utf-8"))["groups"] for rule in group["rules"]
]
LABELS = {metric.full: {*COMMON, *metric.labels} for metric in METRICS}
LABELS |= {
    metric.full + end: {*COMMON, *metric.labels, *more}
    for metric in METRICS
    if metric.kind == "histogram"
    for end, more in (("_bucket", ("le",)), ("_sum", ()), ("_count", ()))
}
ELSEWHERE = {f"{PREFIX}{name}" for name in ("gpu_utilization_ratio", "gpu_memory_used_bytes", "gpu_memory_total_bytes")}
"""What a run exports on a machine with a GPU only; tests/jobs/observe has them from NVML's answers."""

promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool (Debian's prometheus) is not installed"
)


def check(*arguments: str | Path, stdin: str | None = None, folder: Path = FOLDER) -> tuple[int, str]:
    """Exit code and all that promtool says."""
    command = ["promtool", *map(str, arguments)]
    result = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, cwd=folder)
    return result.returncode, result.stdout + result.stderr


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What a job exported: each of its scrapes while it ran, and its text file at the end."""
    root = tmp_path_factory.mktemp("run")
    (root / "in").mkdir()
    for index in range(3):
        Image.fromarray(astronaut()[10:290, 90:370]).resize((120, 120)).rotate(index).save(root / "in" / f"{index}.png")
    (root / "in" / "notes.jpg").write_bytes(b"none\n")
    left, port = threading.Event(), _free_port()
    texts: list[str] = []

    def read() -> None:
        while not left.wait(0.02):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
                    texts.append(answer.read().decode())
            except OSError:  # noqa: PERF203 - nobody listens yet, or any more
                continue

    job = {
        "job": "restore",
        "name": "plates",
        "source": {"kind": "files", "uri": "in"},
        "restore": {"model": "classic"},
        "selection": {},
        "output": {"uri": "out"},
        "run": {"runner": "local", "isolate": False, "unit_records": 1},
        "observe": {"metrics": f"127.0.0.1:{port}", "textfile": "facejobs.prom"},
    }
    (root / "job.yaml").write_text(yaml.safe_dump(job))
    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    result = CliRunner().invoke(app, ["run", str(root / "job.yaml")])
    left.set()
    thread.join()
    assert result.exit_code == 3, result.output
    return [*texts, (root / "facejobs.prom").read_text()]


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def families(texts: list[str]) -> Iterator[Any]:
    for text in texts:
        yield from text_string_to_metric_families(text)


def queries() -> Iterator[tuple[str, str, str]]:
    """Where each query stands, the query with Grafana's variables filled in, and what is written beside it."""
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            query = target["expr"].replace("$__rate_interval", "1m").replace("$job_name", ".*")
            yield panel["title"], query, target["legendFormat"]
    for rule in ALERTS:
        yield rule["alert"], rule["expr"], "".join(rule["annotations"].values())


QUERIES = list(queries())


def test_a_run_exports_all_metrics_there_are_with_the_labels_they_have(exported: list[str]) -> None:
    found: dict[str, set[str]] = {}
    for family in families(exported):
        name = family.name + ("_total" if family.type == "counter" else "")
        labels = found.setdefault(name, set())
        for sample in family.samples:
            labels.update(set(sample.labels) - {"le"})
    assert set(found) == {metric.full for metric in METRICS} - ELSEWHERE
    for name, labels in found.items():
        assert labels in (set(), LABELS[name]), name  # none where nothing has happened, such as faces by engine


@promtool
def test_promtool_has_nothing_against_the_names(exported: list[str]) -> None:
    for text in (exported[len(exported) // 2], exported[-1]):
        assert check("check", "metrics", stdin=text) == (0, "")
    assert check("check", "metrics", stdin="# TYPE facejobs_x_total gauge\nfacejobs_x_total 1\n")[0] != 0


@promtool
def test_promtool_has_nothing_against_the_rules() -> None:
    code, said = check("check", "rules", "alerts.yaml")
    assert code == 0, said
    assert f"SUCCESS: {len(ALERTS)} rules found" in said
    code, said = check("test", "rules", "alerts_test.yaml")
    assert code == 0, said


@promtool
@pytest.mark.parametrize(
    ("alert", "before", "after"),
    [
        ("FacejobsRunStalled", "> 3600", "> 7200"),
        ("FacejobsRunStalled", "facejobs_run_active == 1", "facejobs_run_active >= 0"),
        ("FacejobsQuarantineRate", ">= 100", ">= 1"),
        ("FacejobsQuarantineRate", "> 0.05", "> 0.5"),
        ("FacejobsRetriesRising", "> 3", "> 30"),
        ("FacejobsUnitsGivenUp", 'state="error"', 'state="done"'),
        ("FacejobsEngineFellBack", 'event="engine_fallback"', 'event="batch_halved"'),
        ("FacejobsNoRunEnded", "26 * 3600", "24 * 3600"),
        ("FacejobsNoRunEnded", "unless on (job_name) facejobs_run_active == 1", ""),
        ("FacejobsRunFailed", "unless facejobs_last_run_exit_code == 3", ""),
        ("FacejobsRunFailed", "unless facejobs_last_run_exit_code == 6", ""),
        ("FacejobsStorageFailed", "== 6", "== 5"),
    ],
)
def test_the_rules_tests_notice_a_changed_rule(alert: str, before: str, after: str, tmp_path: Path) -> None:
    rules = yaml.safe_load((FOLDER / "alerts.yaml").read_text("utf-8"))
    (rule,) = (rule for rule in rules["groups"][0]["rules"] if rule["alert"] == alert)
    assert before in rule["expr"]
    rule["expr"] = rule["expr"].replace(before, after)
    (tmp_path / "alerts.yaml").write_text(yaml.safe_dump(rules))
    shutil.copy(FOLDER / "alerts_test.yaml", tmp_path)
    assert check("test", "rules", "alerts_test.yaml", folder=tmp_path)[0] != 0


@promtool
def test_promtool_reads_every_query_of_the_dashboard(tmp_path: Path) -> None:
    rules = [{"record": f"x:{index}", "expr": query} for index, (_, query, _) in enumerate(QUERIES)]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "x", "rules": rules}]}))
    code, said = check("check", "rules", tmp_path / "rules.yaml")
    assert code == 0, said
    assert f"SUCCESS: {len(QUERIES)} rules found" in said


@promtool
def test_promtool_reads_the_example_configurations() -> None:
    code, said = check("check", "config", "prometheus.yaml")
    assert code == 0, said
    code, said = check("check", "config", "prometheus-kubernetes.yaml")
    if "field kubernetes_sd_configs not found" in said:
        pytest.skip("this promtool was built without Kubernetes, as Debian's is")
    assert code == 0, said


@pytest.mark.parametrize(
    ("title", "query", "beside"), QUERIES, ids=[f"{title}-{i}" for i, (title, *_) in enumerate(QUERIES)]
)
def test_a_query_names_metrics_and_labels_that_there_are(title: str, query: str, beside: str) -> None:
    names = re.findall(r"\bfacejobs_\w+", re.sub(r'"[^"]*"', '""', query))
    assert names
    assert set(names) <= set(LABELS)
    for name, matchers in re.findall(r"(facejobs_\w+)\{([^}]*)\}", query):
        assert set(re.findall(r"(\w+)\s*(?:=~|!=|!~|=)", matchers)) <= LABELS[name]
    together = set.union(*(LABELS[name] for name in names))
    grouped = {
        label.strip()
        for labels in re.findall(r"\b(?:by|on|without|ignoring)\s*\(([^)]*)\)", query)
        for label in labels.split(",")
    }
    assert grouped <= together
    kept = grouped if re.match(r"\s*(?:1 - |time\(\) - )?(?:sum|max|histogram_quantile)\b", query) else together
    shown = set(re.findall(r"\{\{\s*(\w+)\s*\}\}", beside)) | set(re.findall(r"\$labels\.(\w+)", beside))
    assert shown <= kept, "a label that the query does not keep would be empty"


def test_values_that_queries_ask_for_are_exported(exported: list[str]) -> None:
    seen: dict[tuple[str, str], set[str]] = {}
    for family in families(exported):
        for sample in family.samples:
            for label, value in sample.labels.items():
                seen.setdefault((sample.name, label), set()).add(value)
    asked = [
        (name, label, value)
        for _, query, _ in QUERIES
        for name, matchers in re.findall(r"(facejobs_\w+)\{([^}]*)\}", query)
        for label, values in re.findall(r'(\w+)=~?"([^"]*)"', matchers)
        if label != "job_name"
        for value in values.split("|")
    ]
    assert asked
    for name, label, value in asked:
        assert value in seen[name, label], (name, label, value)


def test_every_metric_is_on_the_dashboard() -> None:
    shown = {
        name
        for panel in DASHBOARD["panels"]
        for target in panel.get("targets", ())
        for name in re.findall(r"facejobs_\w+", target["expr"])
    }
    shown |= {name.removesuffix(end) for name in shown for end in ("_bucket", "_sum", "_count")}
    unused = {
        f"{PREFIX}{name}" for name in ("run_start_timestamp_seconds", "last_unit_timestamp_seconds", "units_planned")
    }
    assert {metric.full for metric in METRICS} - shown == unused


def test_the_dashboard_can_be_imported_anywhere() -> None:
    variables = {variable["name"]: variable for variable in DASHBOARD["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    sources = [panel["datasource"] for panel in panels if panel["type"] != "row"]
    sources += [target["datasource"] for panel in panels for target in panel.get("targets", ())]
    assert all(
        source == {"type": "prometheus", "uid": "${datasource}"}
        for source in [*sources, variables["job_name"]["datasource"]]
    )
    assert DASHBOARD["id"] is None
    places = [(panel["gridPos"], panel["title"]) for panel in panels]
    for index, (one, title) in enumerate(places):
        assert one["x"] + one["w"] <= 24
        for other, also in places[:index]:
            apart = (
                one["x"] >= other["x"] + other["w"]
                or other["x"] >= one["x"] + one["w"]
                or one["y"] >= other["y"] + other["h"]
                or other["y"] >= one["y"] + one["h"]
            )
            assert apart, (title, also)
    assert [panel["title"] for panel in panels if panel["type"] == "row"] == [
        "Progress",
        "Throughput",
        "Latency",
        "Quarantine and retries",
        "Engines",
        "GPUs of the driver's machine",
        "Last nights",
    ]


def test_every_alert_says_what_it_means_and_where_to_read_on() -> None:
    names = [rule["alert"] for rule in ALERTS]
    assert len(set(names)) == len(names)
    operations = (ROOT / "docs" / "operations.md").read_text("utf-8")
    page = (ROOT / "docs" / "observability.md").read_text("utf-8")
    for rule in ALERTS:
        assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert rule["annotations"]["runbook_url"] == f"docs/operations.md#{rule['alert'].lower()}"
        assert re.search(rf"^#+ `?{rule['alert']}`?$", operations, flags=re.MULTILINE), (
            f"{rule['alert']} has no section"
        )
        assert f"`{rule['alert']}`" in page


def test_pods_are_found_by_what_the_pages_say_they_have() -> None:
    monitors = documents(FOLDER / "podmonitor.yaml")
    assert [one["spec"]["selector"]["matchLabels"] for one in monitors] == [
        {"app.kubernetes.io/name": "facejobs"},
        {"ray.io/is-ray-node": "yes"},
    ]
    assert [one["spec"]["podMetricsEndpoints"][0]["port"] for one in monitors] == ["facejobs", "metrics"]
    page = (ROOT / "docs" / "observability.md").read_text("utf-8")
    for said in (
        "app.kubernetes.io/name: facejobs",
        "name: facejobs, containerPort: 9464",
        'prometheus.io/port: "9464"',
    ):
        assert said in page
