"""A run's data for the report, with pictures made from scikit-image's portrait."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from jobs.estimate.fact import Comparison, Row
from jobs.report.data import (
    Distribution,
    GateSummary,
    QuarantineRow,
    ReportData,
    Sample,
    Throughput,
    Totals,
)
from jobs.report.measures import MEASURES
from jobs.report.scores import ScoreAccumulator

FACE = (slice(40, 240), slice(130, 330))


@pytest.fixture(scope="session")
def report_data() -> ReportData:
    """A finished run of 12,480 records with 9 in quarantine."""
    return make_report_data()


@pytest.fixture(scope="session")
def unfinished(report_data: ReportData) -> ReportData:
    totals = replace(report_data.totals, units_committed=120, records_ok=3740, records_quarantined=9)
    return replace(report_data, state="incomplete", totals=totals)


def make_report_data() -> ReportData:
    return ReportData(
        name="glass-negatives",
        run_id="4f0c2a97d1b86e35",
        state="complete",
        created="2026-11-19T08:02:41Z",
        updated="2026-11-19T11:31:07Z",
        facejobs_version="0.1.0",
        totals=Totals(
            units_planned=400,
            units_committed=400,
            records_planned=12480,
            records_ok=12471,
            records_quarantined=9,
            images_changed=9033,
            images_unchanged=3438,
            faces_found=15211,
            faces_restored=14602,
            faces_kept={"gate": 311, "too_large": 224, "too_small": 74},
            bytes_in=1_484_231_992_110,
            bytes_out=1_502_118_203_774,
        ),
        throughput=Throughput(
            wall_seconds=12506.0,
            images_per_second=0.998,
            faces_per_second=1.216,
            stage_seconds={
                "read": 812.0,
                "decode": 9120.4,
                "detect": 11310.2,
                "align": 640.0,
                "restore": 18804.7,
                "score": 7342.1,
                "gate": 3.2,
                "paste": 905.5,
                "encode": 12250.0,
                "write": 1101.9,
            },
        ),
        scores=make_scores(),
        gate=GateSummary(
            decisions={"paste": 14602, "keep_original": 311}, reasons={"identity": 204, "niqe": 88, "sharpness": 31}
        ),
        samples=(*make_samples("image", 3), *make_samples("face", 6)),
        quarantine=make_quarantine(),
        quarantine_by_code={"truncated": 4, "not_an_image": 2, "empty_file": 2, "multi_page": 1},
        settings={
            "job": "restore",
            "source": {
                "kind": "files",
                "uri": "s3://museum/scans/**/*.tif",
                "include": ["*.tif", "*.tiff", "*.jpg"],
                "limits": {"max_bytes": 2147483648, "max_pixels": 1000000000},
            },
            "detect": {"min_confidence": 0.7, "min_eye_distance": 10.0, "max_faces": None, "quarter_turns": "never"},
            "restore": {"model": "classic", "options": {}, "oversize": "keep", "strength": 1.0},
            "score": {"measures": list(MEASURES), "gate": {"min_identity": 0.6, "on_fail": "keep_original"}},
            "output": {"layout": "mirror", "format": "same", "quality": None, "mark": True},
            "run": {"seed": 0},
        },
        versions={"facejobs": "0.1.0", "opencv-python-headless": "5.0.0", "onnxruntime": "1.31.0", "python": "3.11.2"},
        hashes={"plan": "9d" * 32, "yunet": "49f000ec" * 8, "sface": "fb143eea" * 8},
        warnings=("The store refuses conditional puts: this run was written in single-writer mode.",),
        source="s3://museum/scans/**/*.tif",
        output="s3://museum/restored/",
        comparison=make_comparison(),
    )


def make_comparison() -> Comparison:
    """Facts inside, above and below their ranges, in every way that a number is written."""
    return Comparison(
        made="2026-11-19T07:58:10Z",
        sampled=24,
        confidence=0.9,
        place="cluster",
        partial=False,
        currency="EUR",
        rows=(
            Row("working time", 9100.0, 10400.0, 11700.0, 12506.0, "duration"),
            Row("pictures a second", 1.07, 1.2, 1.37, 0.998, "number"),
            Row("worker hours", 54000.0, 62000.0, 70000.0, 61377.9, "hours"),
            Row("in quarantine", 0.0, 0.0, 1294.0, 9.0, "count"),
            Row("output", 1.4e12, 1.5e12, 1.6e12, 1_502_118_203_774.0, "bytes"),
            Row("machines while at work", 6.1, 6.93, 7.8, 8.34, "money"),
        ),
        reasons=("There were 1.22 faces a picture, and 1.05 in the sample: a larger sample would have come closer.",),
    )


def make_scores() -> dict[str, Distribution]:
    random = np.random.default_rng(7)
    faces = 14913
    before = {
        "sharpness": random.lognormal(-2.6, 0.4, faces),
        "noise": random.gamma(3.0, 3.0, faces),
        "niqe": random.normal(8.0, 2.0, faces),
        "confidence": 1 - random.beta(1.2, 12, faces),
        "brightness": random.normal(0.5, 0.1, faces),
        "identity": np.full(faces, np.nan),
    }
    after = {
        "sharpness": before["sharpness"] * random.normal(1.2, 0.1, faces),
        "noise": before["noise"] * random.normal(0.5, 0.1, faces),
        "niqe": before["niqe"] - random.normal(1.2, 0.8, faces),
        "confidence": np.minimum(before["confidence"] + random.normal(0.01, 0.02, faces), 1.0),
        "brightness": before["brightness"] + random.normal(0.0, 0.005, faces),
        "identity": 1 - random.beta(1.5, 14, faces),
    }
    distributions = {}
    for name in MEASURES:
        if name in before:
            accumulator = ScoreAccumulator(MEASURES[name])
            accumulator.add_many(before[name], after[name])
            distributions[name] = accumulator.distribution()
    return distributions


def make_samples(kind: str, number: int) -> tuple[Sample, ...]:
    photo = astronaut()[..., ::-1]
    picture = photo[FACE] if kind == "face" else photo
    samples = []
    for index in range(number):
        after = np.ascontiguousarray(np.roll(picture, index, axis=1))
        if kind == "image" and index == 1:
            after = np.ascontiguousarray(after[:, :300])
        if kind == "face":
            after = cv2.resize(after, (384, 384), interpolation=cv2.INTER_CUBIC)
        noise = np.random.default_rng(index).normal(0, 18, after.shape)
        before = np.clip(cv2.GaussianBlur(after, (0, 0), 1.8) + noise, 0, 255).astype(np.uint8)
        samples.append(
            Sample(
                kind=kind,
                key=f"box{index % 3 + 1}/plate-{index:04d}.tif",
                caption=f"Face {index + 1} of {number}" if kind == "face" else "1 face restored",
                before=jpeg(before),
                after=jpeg(after),
                width=after.shape[1],
                height=after.shape[0],
                facts={"identity": 0.93, "decision": "paste"}
                if kind == "face"
                else {"size": "4096 by 4096", "depth": 16},
            )
        )
    return tuple(samples)


def jpeg(pixels: np.ndarray) -> bytes:
    return cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()


def make_quarantine() -> tuple[QuarantineRow, ...]:
    reasons = {
        "truncated": ("the JPEG ends after 61,203 bytes inside the scan; expected an end marker", "decode", 4),
        "not_an_image": ("the first bytes read 'Index of plates'; expected an image", "decode", 2),
        "empty_file": ("0 bytes found; expected an image", "read", 2),
        "multi_page": ("the TIFF holds 12 pages; expected one", "decode", 1),
    }
    return tuple(
        QuarantineRow(
            f"box{index}/{code}-{index}.tif", code, message, stage, f"s3://museum/scans/box{index}/{code}-{index}.tif"
        )
        for code, (message, stage, number) in reasons.items()
        for index in range(number)
    )


@dataclass(frozen=True)
class Hostile:
    """Text that would break a careless page, and what must not be in the page for it (empty: see its elements)."""

    text: str
    forbidden: str


HOSTILE = {
    "script": Hostile("<script>window.broken = 1</script>.tif", "<script>window.broken"),
    "attribute": Hostile('" onmouseover="window.broken = 1" x=".tif', ""),
    "single quote": Hostile("' onmouseover='window.broken = 1' x='.tif", ""),
    "closes title": Hostile("</title><img src=x onerror=window.broken=1>.tif", "<img src=x"),
    "lines": Hostile("a\r\nb\tc\x00d\x1b[31m.tif", "a\r\nb"),
    "direction": Hostile("invoice\u202efit.exe\u2066\u200b", "\u202e"),
    "surrogate": Hostile("caf\udce9.tif", "\udce9"),
    "template": Hostile("{{ 7 * 191 }}{% raw %}", "1337"),
    "long": Hostile("x" * 10_000, "x" * 2_000),
}


@pytest.fixture(scope="session", params=HOSTILE)
def hostile(request: pytest.FixtureRequest) -> Hostile:
    return HOSTILE[request.param]
