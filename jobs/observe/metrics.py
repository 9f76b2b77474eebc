"""Every metric there is: its name, its kind, its labels and what it says. docs/observability.md has the same table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

PREFIX = "facejobs_"
COMMON = ("job_name", "kind")
"""Labels of every series: the job's name, and what was run: `restore`, `pairs` or `survey`."""

BUCKETS = (1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 3600.0, 7200.0)
"""Upper bounds of the histogram of units, in seconds: from a few small prints to the limit of `run.unit_seconds`."""

Labels = tuple[str, ...]
Values = Mapping[Labels, float]


@dataclass(frozen=True)
class Described:
    """A metric.

    Attributes:
        name: without the prefix.
        kind: as Prometheus names it.
        help: one sentence.
        labels: beside those that all have.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: Labels = ()

    @property
    def full(self) -> str:
        """Its name as Prometheus knows it."""
        return PREFIX + self.name


METRICS: tuple[Described, ...] = (
    Described("run_info", "gauge", "What is run; always 1.", ("run", "version", "runner", "placement")),
    Described("run_active", "gauge", "1 while the run goes on, 0 once the command has left it."),
    Described("run_start_timestamp_seconds", "gauge", "When this command took the run up, Unix time."),
    Described("last_progress_timestamp_seconds", "gauge", "When a worker last had done with a unit, or the start."),
    Described("last_unit_timestamp_seconds", "gauge", "When a unit was last committed, by the worker's clock."),
    Described("last_sign_timestamp_seconds", "gauge", "When a worker was last known to be at work."),
    Described("records_planned", "gauge", "Records of the plan."),
    Described("records", "gauge", "Records by what has become of them, over all commands.", ("state",)),
    Described("quarantined_records", "gauge", "Records in quarantine by reason.", ("code",)),
    Described("units_planned", "gauge", "Units of all rounds of the plan."),
    Described("units", "gauge", "Units by what has become of them, over all commands.", ("state",)),
    Described("queue_units", "gauge", "Units on their way, by part of the workflow.", ("segment", "state")),
    Described("records_processed_total", "counter", "Records decided by this command.", ("outcome",)),
    Described("unit_ends_total", "counter", "Units that workers were done with, by how.", ("state",)),
    Described("unit_retries_total", "counter", "Attempts above the first that committed units have needed."),
    Described("unit_duration_seconds", "histogram", "Wall time of a committed unit in its workers."),
    Described("stage_seconds_total", "counter", "Seconds spent in a stage, summed over threads.", ("stage",)),
    Described("images_total", "counter", "Images finished, by whether a face in them was changed.", ("outcome",)),
    Described("faces_found_total", "counter", "Faces found in finished images."),
    Described("faces_restored_total", "counter", "Faces that were restored and pasted back."),
    Described("faces_kept_total", "counter", "Faces that were left as they were, by reason.", ("reason",)),
    Described("input_bytes_total", "counter", "Bytes of the source files of finished images."),
    Described("output_bytes_total", "counter", "Bytes of the outputs of committed units."),
    Described("job_counts_total", "counter", "What else the kind of job counts.", ("count",)),
    Described(
        "engine_faces_total", "counter", "Faces by what executed the network.", ("engine", "precision", "device")
    ),
    Described("engine_events_total", "counter", "What befell engines: a smaller batch, a slower engine.", ("event",)),
    Described("gpu_utilization_ratio", "gauge", "Share of time a GPU of this machine was busy.", ("gpu", "model")),
    Described("gpu_memory_used_bytes", "gauge", "Memory in use on a GPU of this machine.", ("gpu", "model")),
    Described("gpu_memory_total_bytes", "gauge", "Memory of a GPU of this machine.", ("gpu", "model")),
    Described("last_run_start_timestamp_seconds", "gauge", "When the last command that ended began, Unix time."),
    Described("last_run_end_timestamp_seconds", "gauge", "When the last command ended, however it did."),
    Described("last_run_success_timestamp_seconds", "gauge", "When a command last ended with exit code 0 or 3."),
    Described("last_run_exit_code", "gauge", "Exit code of the last command."),
    Described("last_run_records", "gauge", "Records of the last command's run by what became of them.", ("state",)),
    Described("last_night_number", "gauge", "Number of the last night of a collection."),
    Described("last_night_records", "gauge", "Records of the last night by what became of them.", ("state",)),
    Described("last_night_due_records", "gauge", "Records that were due in the last night, by why.", ("reason",)),
)
BY_NAME: Mapping[str, Described] = {metric.name: metric for metric in METRICS}


@dataclass(frozen=True)
class Spread:
    """A histogram's content.

    Attributes:
        counts: observations by bucket, not cumulated, one more than `BUCKETS`.
        total: sum of all observations.
    """

    counts: Sequence[int]
    total: float


def family(name: str, values: Values, common: Labels) -> Metric:
    """A gauge or counter with its series.

    Args:
        name: of `METRICS`.
        values: by the values of the metric's own labels.
        common: values of `COMMON`.
    """
    known = BY_NAME[name]
    labels = (*COMMON, *known.labels)
    made: GaugeMetricFamily | CounterMetricFamily
    if known.kind == "counter":
        made = CounterMetricFamily(known.full, known.help, labels=labels)
    else:
        made = GaugeMetricFamily(known.full, known.help, labels=labels)
    for own, value in values.items():
        made.add_metric((*common, *own), value)
    return made


def histogram(name: str, spread: Spread, common: Labels) -> Metric:
    """A histogram; `spread` is summed up here, as Prometheus has its buckets."""
    known = BY_NAME[name]
    made = HistogramMetricFamily(known.full, known.help, labels=(*COMMON, *known.labels))
    made.add_metric(common, list(_cumulated(spread.counts)), spread.total)
    return made


def _cumulated(counts: Sequence[int]) -> Iterator[tuple[str, float]]:
    so_far = 0
    for bound, count in zip((*map(str, BUCKETS), "+Inf"), counts, strict=True):
        so_far += count
        yield bound, float(so_far)
