"""The job file's defaults and names are those of the code that does the work."""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from typing import Any, get_args

import numpy as np
import pytest
from pydantic import BaseModel

from jobs.pairs.formats.contract import PairFiles
from jobs.pairs.formats.table import FORMATS, make_format
from jobs.pairs.making import png
from jobs.restore.settings import engine_options
from jobs.spec import loads
from jobs.spec.classic import ClassicSettings
from jobs.spec.detect import Detect
from jobs.spec.engine import Engine
from jobs.spec.generator import TASKS, GeneratorSettings
from jobs.spec.names import BUILT_IN
from jobs.spec.output import Format, Output
from jobs.spec.pairs_checks import WITHOUT_MASKS
from jobs.spec.pairs_output import PairFormatName
from jobs.spec.restore import RESTORES, ClassicRestore, NoneSettings
from jobs.spec.samples import FaceSamples, FaceSearch
from jobs.spec.score import MEASURES, NEEDS, Gate
from jobs.spec.source import IMAGE_SUFFIXES, FilesSource, Limits, ManifestSource
from jobs.spec.uris import has_wildcard
from operators.engines.options import EngineName, EngineOptions, Precision
from operators.engines.table import BACKENDS
from operators.faces.detect import DetectOptions
from operators.faces.guard import SizeGuard
from operators.faces.templates import template_names
from operators.gate import Gate as GateOperator
from operators.gate import GateThresholds
from operators.images.encoders.contract import EncodeOptions, TargetFormat, TiffCompression
from operators.images.limits import Limits as ImageLimits
from operators.models.checkpoint import Task
from operators.restorers import table
from operators.restorers.generator.options import GfpganOptions, GpenOptions
from operators.scoring.scorer import ScoreOptions
from pipeline import sources
from pipeline.sources import patterns


def defaults(model: type[BaseModel]) -> dict[str, Any]:
    return model().model_dump()


def test_detection() -> None:
    detect = defaults(Detect)
    assert detect.pop("aligned") is False
    assert detect == asdict(DetectOptions())


def test_detection_for_pairs() -> None:
    assert defaults(FaceSearch) == asdict(DetectOptions())


def test_templates() -> None:
    assert set(get_args(FaceSamples.model_fields["template"].annotation)) <= set(template_names())


def test_formats_of_pairs() -> None:
    assert set(get_args(PairFormatName)) == set(FORMATS)
    assert [name for name in FORMATS if make_format(name, masks=True).same_size] == ["aligned"]
    assert {name for name in FORMATS if not changes_with_masks(name)} == set(WITHOUT_MASKS)


def changes_with_masks(name: str) -> bool:
    """Whether a format writes something else where masks are wanted."""
    picture = png(np.zeros((8, 8, 3), np.uint8))
    pair = PairFiles("0000000-000", "train", "both", picture, picture, png(np.full((8, 8), 255, np.uint8)), b"{}")
    if not make_format(name, masks=True).paired:
        pair = replace(pair, side="A", target=None)
    on, off = (list(make_format(name, masks=masks).artifacts(pair)) for masks in (True, False))
    return on != off


def test_gate() -> None:
    gate = defaults(Gate)
    assert gate.pop("on_fail") == GateOperator().on_fail
    assert gate == asdict(GateThresholds())
    assert set(NEEDS) == set(gate)
    gate["max_identity"] = 0.3  # off by default, but for faces that nobody may recognise
    for name, measure in NEEDS.items():
        alone = GateThresholds(**{key: value if key == name else None for key, value in gate.items()})
        assert GateOperator(alone).needs() == {measure}


def test_measures() -> None:
    assert list(MEASURES) == [field.name for field in fields(ScoreOptions)]


def test_restorers() -> None:
    assert {*RESTORES, "gfpgan", "gpen"} == set(table.names())
    assert set(RESTORES) == set(BUILT_IN)
    for name, settings in (("classic", ClassicSettings), ("none", NoneSettings)):
        assert defaults(settings) == asdict(table.RESTORERS[name].options())
        table.create(name, defaults(settings))


def test_generators() -> None:
    options = defaults(GeneratorSettings)
    for known in (GfpganOptions, GpenOptions):
        theirs = {field.name: field.default for field in fields(known)}
        own = {"task", "clean_first"}  # null in a job: what goes with the model
        assert own & set(options) == own and options["clean_first"] is None and theirs["clean_first"] == 0.0
        assert {key: theirs[key] for key in options if key in theirs and key not in own} == {
            key: value for key, value in options.items() if key in theirs and key not in own
        }
    assert "sft_strength" in {field.name for field in fields(GfpganOptions)}
    assert get_args(Task) == TASKS


def test_engines() -> None:
    asked = EngineOptions()
    engine = defaults(Engine)
    assert (engine["name"], engine["precision"], engine["device"], engine["strict"]) == (
        asked.engine,
        asked.precision,
        asked.device,
        asked.strict,
    )
    assert get_args(Engine.model_fields["name"].annotation) == ("auto", *get_args(EngineName))
    assert set(get_args(EngineName)) == set(BACKENDS)
    assert get_args(Engine.model_fields["precision"].annotation) == ("auto", *get_args(Precision))
    job = loads(
        "job: restore\nname: a\nsource: {kind: files, uri: i/}\noutput: {uri: o/}\nrestore: {model: gfpgan-1.4}\n"
    )
    assert engine_options(job) == EngineOptions(threads=1)


def test_size_guard() -> None:
    restore, guard = ClassicRestore(model="classic"), SizeGuard()
    assert restore.max_reduction == guard.max_reduction
    assert (restore.oversize, guard.on_larger) == ("keep", "keep_larger")


def test_limits() -> None:
    ours, theirs = defaults(Limits), asdict(ImageLimits())
    assert ours.pop("max_bytes") == sources.SourceSpec("files", "x").max_bytes
    assert theirs.pop("min_side") == 16  # nothing that a job file can set
    assert ours == theirs


def test_where_a_source_may_lead() -> None:
    spec = sources.SourceSpec("files", "x")
    assert FilesSource(kind="files", uri="x").links == spec.links
    assert ManifestSource(kind="manifest", uri="x").schemes == spec.schemes


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
