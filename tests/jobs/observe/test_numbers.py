"""What receipts and tallies come to as metrics."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.registry import Collector

import jobs.observe.gpu as gpus
from jobs.ended import Ended
from jobs.exits import Exit
from jobs.observe.gpu import Gpus
from jobs.observe.last import LastRun, former
from jobs.observe.metrics import METRICS
from jobs.observe.numbers import MOST_CODES, About, Numbers
from jobs.observe.watch import Watch
from jobs.spec import loads
from pipeline.parcel import Receipt
from pipeline.runners.contract import Depth, Signs
from pipeline.tally import Tally

from .conftest import Samples, parsed, value

ABOUT = About("job", "restore", "r1", "0", "ray", "staged")
DONE = Receipt(
    "u1",
    "done",
    records=4,
    ok=3,
    codes={"truncated": 1},
    counts={
        "faces_found": 5,
        "faces_restored": 2,
        "faces_flagged": 1,
        "faces_kept": 2,
        "faces_kept:gate": 2,
        "faces_by:eager fp32 cpu": 2,
        "faces_by:tensorrt bf16 NVIDIA H100 80GB": 1,
        "engine:batch_halved": 1,
        "images_changed": 2,
        "images_unchanged": 1,
        "bytes_in": 1000,
        "gate:flag": 1,
    },
    seconds=3.0,
    stages={"read": 0.5, "restore": 1.5},
    output_bytes=900,
    attempt=3,
    finished="2026-01-02T03:04:05.500+00:00",
)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Given(Collector):
    def __init__(self, families: Any) -> None:
        self._families = families

    def collect(self) -> Any:
        yield from self._families()


def samples(families: Any) -> Samples:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Given(families))
    return parsed(generate_latest(registry).decode())


@pytest.fixture
def numbers() -> Numbers:
    made = Numbers(ABOUT, Signs, Clock())
    made.add(Tally(3, 10), None)
    return made


def test_nothing_is_said_of_a_run_that_was_not_counted_yet() -> None:
    assert samples(Numbers(ABOUT, Signs).families) == {}


def test_counters_begin_at_zero_where_their_labels_are_known(numbers: Numbers) -> None:
    seen = samples(numbers.families)
    for name, labels in (
        ("faces_found_total", {}),
        ("unit_retries_total", {}),
        ("unit_ends_total", {"state": "error"}),
        ("engine_events_total", {"event": "engine_fallback"}),
        ("records_processed_total", {"outcome": "quarantined"}),
    ):
        assert value(seen, name, **labels) == 0


def test_a_receipt_in_all_its_counters(numbers: Numbers) -> None:
    numbers.add(Tally(3, 10, 1, 3, 1, Counter(truncated=1)), DONE)
    seen = samples(numbers.families)
    expected = [
        (5, "faces_found_total", {}),
        (3, "faces_restored_total", {}),
        (2, "faces_kept_total", {"reason": "gate"}),
        (2, "engine_faces_total", {"engine": "eager", "precision": "fp32", "device": "cpu"}),
        (1, "engine_faces_total", {"engine": "tensorrt", "precision": "bf16", "device": "NVIDIA H100 80GB"}),
        (1, "engine_events_total", {"event": "batch_halved"}),
        (2, "images_total", {"outcome": "changed"}),
        (1, "images_total", {"outcome": "unchanged"}),
        (1000, "input_bytes_total", {}),
        (900, "output_bytes_total", {}),
        (1, "job_counts_total", {"count": "gate:flag"}),
        (2, "unit_retries_total", {}),
        (1.5, "stage_seconds_total", {"stage": "restore"}),
        (3, "records_processed_total", {"outcome": "ok"}),
        (1, "records_processed_total", {"outcome": "quarantined"}),
        (0, "unit_duration_seconds_bucket", {"le": "2.5"}),
        (1, "unit_duration_seconds_bucket", {"le": "5.0"}),
        (1, "unit_duration_seconds_bucket", {"le": "+Inf"}),
        (3.0, "unit_duration_seconds_sum", {}),
        (1767323045.5, "last_unit_timestamp_seconds", {}),
        (6, "records", {"state": "todo"}),
        (1, "quarantined_records", {"code": "truncated"}),
    ]
    for count, name, labels in expected:
        assert value(seen, name, **labels) == count, (name, labels)


def test_what_another_command_has_done_is_no_work_of_this_one(numbers: Numbers) -> None:
    for state in ("already", "lost"):
        numbers.add(Tally(3, 10, 1, 3, 1), Receipt("u", state, 4, 3, counts={"faces_found": 5}, seconds=9, attempt=4))
    seen = samples(numbers.families)
    assert value(seen, "records", state="ok") == 3
    assert value(seen, "records_processed_total", outcome="ok") == 0
    assert value(seen, "faces_found_total") == 0
    assert value(seen, "unit_retries_total") == 0
    assert value(seen, "unit_ends_total", state="already") == 1


def test_units_add_up_whatever_the_runner_knows() -> None:
    signs = Signs({"front": Depth(2, 1), "middle": Depth(1, 0), "back": Depth(0, 1)}, 4.0)
    clock = Clock()
    numbers = Numbers(ABOUT, lambda: signs, clock)
    numbers.add(Tally(8, 10, 2), Receipt("u9", "error", message="x"))
    seen = samples(numbers.families)
    states = {state: value(seen, "units", state=state) for state in ("committed", "in_flight", "waiting", "given_up")}
    assert states == {"committed": 2, "in_flight": 3, "waiting": 2, "given_up": 1}
    assert value(seen, "queue_units", segment="middle", state="waiting") == 1
    assert value(seen, "last_sign_timestamp_seconds") == clock.now - 4
    numbers.close()
    seen = samples(numbers.families)
    assert value(seen, "units", state="waiting") == 5
    assert value(seen, "queue_units", segment="middle", state="waiting") is None


def test_rare_reasons_share_a_series(numbers: Numbers) -> None:
    codes = Counter({f"code_{index:03}": 1000 - index for index in range(MOST_CODES + 10)})
    numbers.add(Tally(3, 10**6, 1, 0, codes.total(), codes), None)
    seen = samples(numbers.families)
    series = {labels: count for (name, labels), count in seen.items() if name == "facejobs_quarantined_records"}
    assert len(series) == MOST_CODES + 1
    assert sum(series.values()) == codes.total()


def test_a_tally_that_goes_on_is_not_read_through(numbers: Numbers) -> None:
    tally = Tally(3, 10)
    numbers.add(tally, None)
    tally.ok = 7
    tally.codes["late"] = 1
    seen = samples(numbers.families)
    assert value(seen, "records", state="ok") == 0
    assert value(seen, "quarantined_records", code="late") is None


class Console:
    """The part of `Output` that observing needs."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def log(self, text: str, level: str = "info") -> None:
        self.said.append(text)


def a_job() -> Any:
    return loads("job: restore\nname: job\nsource: {kind: files, uri: in}\noutput: {uri: out}\n")


def test_what_breaks_while_observing_is_said_once_and_ends_observing_alone() -> None:
    console: Any = Console()
    watch = Watch(a_job(), console)

    def broken() -> Signs:
        raise RuntimeError("no signs")

    numbers = Numbers(ABOUT, broken)
    numbers.add(Tally(3, 10), None)
    watch.begin(numbers)
    assert generate_latest(watch.registry) == b""
    assert generate_latest(watch.registry) == b""
    watch.guarded(lambda: pytest.fail("observing goes on"))
    (said,) = console.said
    assert said.startswith("observing has failed and stops, the run goes on: RuntimeError: no signs")


def test_a_night_is_told_by_reason_and_by_outcome() -> None:
    last = LastRun({})
    night = {
        "number": 12,
        "listed": 100,
        "due": {"new": 3, "changed": 1},
        "planned": 4,
        "unchanged": 96,
        "done": 4,
        "quarantined": 0,
        "why_ended": "time",
    }
    last.ended(Exit.DONE, 100.0, 160.0, Ended(Exit.DONE, night=night))
    seen = samples(lambda: last.families(("job", "restore")))
    assert value(seen, "last_night_number") == 12
    assert value(seen, "last_night_records", state="listed") == 100
    assert value(seen, "last_night_due_records", reason="changed") == 1
    assert value(seen, "last_run_success_timestamp_seconds") == 160


def test_the_last_end_of_another_job_is_not_taken_over(tmp_path: Any) -> None:
    path = tmp_path / "x.prom"
    path.write_text(
        'facejobs_last_run_exit_code{job_name="job",kind="restore"} 3\n'
        'facejobs_last_run_exit_code{job_name="other",kind="restore"} 4\n'
        'facejobs_run_active{job_name="job",kind="restore"} 1\n'
    )
    assert former(path, ("job", "restore")) == {"last_run_exit_code": {(): 3}}
    assert former(tmp_path / "none.prom", ("job", "restore")) == {}


def test_gpus_by_number_and_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """NVML's own answers, since there is no GPU here; the third card has fallen off the bus."""

    def handle(index: int) -> int:
        if index == 2:
            raise gpus.pynvml.NVMLError(gpus.pynvml.NVML_ERROR_GPU_IS_LOST)
        return index

    answers = {
        "nvmlInit": lambda: None,
        "nvmlShutdown": lambda: None,
        "nvmlDeviceGetCount": lambda: 3,
        "nvmlDeviceGetHandleByIndex": handle,
        "nvmlDeviceGetName": lambda device: "NVIDIA H100",
        "nvmlDeviceGetMemoryInfo": lambda device: SimpleNamespace(used=2**30, total=80 * 2**30),
        "nvmlDeviceGetUtilizationRates": lambda device: SimpleNamespace(gpu=75, memory=10),
    }
    for name, answer in answers.items():
        monkeypatch.setattr(gpus.pynvml, name, answer)
    found = Gpus()
    seen = samples(lambda: found.families(("job", "restore")))
    found.close()
    assert {labels for _, labels in seen} == {(("gpu", str(index)), ("model", "NVIDIA H100")) for index in (0, 1)}
    assert value(seen, "gpu_utilization_ratio", gpu="1", model="NVIDIA H100") == 0.75
    assert value(seen, "gpu_memory_total_bytes", gpu="1", model="NVIDIA H100") == 80 * 2**30
    assert samples(lambda: found.families(("job", "restore"))) == {}


def test_names_are_told_apart() -> None:
    names = [metric.full for metric in METRICS]
    assert len(set(names)) == len(names)
    assert all(
        metric.name.endswith("_total") == (metric.kind == "counter") for metric in METRICS if metric.name != "units"
    )
