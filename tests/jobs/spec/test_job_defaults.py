"""The job file's defaults and names are those of the code that does the work."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from jobs.spec.classic import ClassicSettings
from jobs.spec.detect import Detect
from jobs.spec.output import Format, Output
from jobs.spec.restore import RESTORES, ClassicRestore, NoneSettings
from jobs.spec.score import MEASURES, NEEDS, Gate
from jobs.spec.source import IMAGE_SUFFIXES, Limits
from jobs.spec.uris import has_wildcard
from operators.faces.detect import DetectOptions
from operators.faces.guard import SizeGuard
from operators.gate import Gate as GateOperator
from operators.gate import GateThresholds
from operators.images.encoders.contract import EncodeOptions, TargetFormat, TiffCompression
from operators.images.limits import Limits as ImageLimits
from operators.restorers import table
from operators.scoring.scorer import ScoreOptions
from pipeline import sources
from pipeline.sources import patterns


def defaults(model: type[BaseModel]) -> dict[str, Any]:
    return model().model_dump()


def test_detection() -> None:
    assert defaults(Detect) == asdict(DetectOptions())


def test_gate() -> None:
    gate = defaults(Gate)
    assert gate.pop("on_fail") == GateOperator().on_fail
    assert gate == asdict(GateThresholds())
    assert set(NEEDS) == set(gate)
    for name, measure in NEEDS.items():
        alone = GateThresholds(**{key: value if key == name else None for key, value in gate.items()})
        assert GateOperator(alone).needs() == {measure}


def test_measures() -> None:
    assert list(MEASURES) == [field.name for field in fields(ScoreOptions)]


def test_restorers() -> None:
    assert set(RESTORES) == set(table.names())
    for name, settings in (("classic", ClassicSettings), ("none", NoneSettings)):
        assert defaults(settings) == asdict(table.RESTORERS[name].options())
        table.create(name, defaults(settings))


def test_size_guard() -> None:
    restore, guard = ClassicRestore(), SizeGuard()
    assert restore.max_reduction == guard.max_reduction
    assert (restore.oversize, guard.on_larger) == ("keep", "keep_larger")


def test_limits() -> None:
    ours, theirs = defaults(Limits), asdict(ImageLimits())
    assert {key: ours[key] for key in ("max_pixels", "max_side", "max_ratio")} == {
        key: theirs[key] for key in ("max_pixels", "max_side", "max_ratio")
    }
    assert ours["max_bytes"] == sources.SourceSpec("files", "x").max_bytes


def test_image_suffixes() -> None:
    assert IMAGE_SUFFIXES == sources.IMAGE_SUFFIXES


def test_encoding() -> None:
    assert get_args(Format) == get_args(TargetFormat)
    assert get_args(Output.model_fields["compression"].annotation) == get_args(TiffCompression)
    output, options = Output(uri="x"), EncodeOptions()
    assert (output.format, output.quality, output.compression) == (options.format, options.quality, options.compression)


@pytest.mark.parametrize("uri", ["a/*.tif", "a/b", "a/[bc]/d", "a/[b/c]", "a[b", "s3://b/x?.tif", "[]", "[]]"])
def test_what_a_glob_is(uri: str) -> None:
    assert has_wildcard(uri) == patterns.has_magic(uri)
