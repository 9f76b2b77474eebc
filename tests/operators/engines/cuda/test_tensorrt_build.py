"""TensorRT-RTX parses and builds both generators; plans are kept, found, refused and made anew. No GPU is needed."""

from __future__ import annotations

import logging
import signal
import sys
from dataclasses import replace

import pytest

pytest.importorskip("onnxscript", reason="the ONNX export needs onnxscript")

from operators.engines.artifacts import FolderArtifacts, digest
from operators.engines.envelope import seal, unseal
from operators.engines.errors import EngineError, EngineMemoryError, EngineUnavailableError
from operators.engines.export import to_onnx
from operators.engines.options import EngineOptions, Profile
from operators.engines.tensorrt.build import BuildRequest, build
from operators.engines.tensorrt.deconvolution import without_deconvolutions
from operators.engines.tensorrt.engine import TensorRTEngine
from operators.engines.tensorrt.flavours import FLAVOURS, PORTABLE, missing, version
from operators.engines.tensorrt.isolated import build_isolated, supervise

RTX = FLAVOURS["tensorrt_rtx"]
ABSENT = missing(RTX)
needs_rtx = pytest.mark.skipif(ABSENT is not None, reason=f"TensorRT-RTX cannot be used here: {ABSENT}")
REQUEST = BuildRequest(Profile(1, 8, 16), PORTABLE)


@pytest.fixture(scope="module")
def graphs(tiny_generator):
    """Strongly typed ONNX of both generators, in a precision each."""
    return {
        "gfpgan_clean": to_onnx(tiny_generator("gfpgan_clean"), "fp16"),
        "gpen": without_deconvolutions(to_onnx(tiny_generator("gpen"), "bf16")),
    }


@pytest.fixture(scope="module")
def plans(graphs):
    """Plans of both, built in processes of their own."""
    return {name: build_isolated(RTX, graph, REQUEST).plan for name, graph in graphs.items()}


@needs_rtx
@pytest.mark.parametrize("architecture", ["gfpgan_clean", "gpen"])
def test_a_generator_is_parsed_and_built(plans, graphs, architecture):
    plan = plans[architecture]
    assert len(plan) > 100_000
    assert plan[:16] != graphs[architecture][:16]


@needs_rtx
def test_other_targets_and_batch_sizes_are_built(graphs):
    for request in (
        replace(REQUEST, target="sm_89"),
        replace(REQUEST, target="sm_121"),
        replace(REQUEST, profile=Profile(4, 4, 4)),
        replace(REQUEST, effort=0),
    ):
        assert build_isolated(RTX, graphs["gpen"], request).plan


@needs_rtx
def test_an_unknown_target_is_refused_by_name(graphs):
    with pytest.raises(EngineError, match="sm_90"):
        build_isolated(RTX, graphs["gpen"], replace(REQUEST, target="sm_90"))


@needs_rtx
@pytest.mark.parametrize("data", [b"", b"no model", b"\x08\x0a" + bytes(50)])
def test_what_is_no_model_is_refused(data):
    with pytest.raises(EngineError, match=r"cannot parse|expected one input"):
        build_isolated(RTX, data, REQUEST)


@needs_rtx
def test_a_batch_that_is_not_dynamic_is_refused(graphs):
    import onnx

    model = onnx.load_from_string(graphs["gpen"])
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 4
    with pytest.raises(EngineError, match="batch alone is dynamic"):
        build_isolated(RTX, model.SerializeToString(), REQUEST)


@needs_rtx
def test_what_the_library_says_goes_to_logging(graphs, caplog):
    with caplog.at_level(logging.DEBUG, "operators.engines.tensorrt"):
        assert build(RTX, graphs["gpen"], REQUEST).plan
    assert any("tensorrt_rtx" in record.name and "input" in record.message for record in caplog.records)


def test_a_missing_library_is_told_across_the_process(tmp_path):
    if missing(FLAVOURS["tensorrt"]) is None:
        pytest.skip("TensorRT is installed here")
    with pytest.raises(EngineUnavailableError, match="facejobs\\[tensorrt\\]"):
        build_isolated(FLAVOURS["tensorrt"], b"", REQUEST)


@pytest.mark.parametrize(
    ("ending", "error", "text"),
    [
        (f"os.kill(os.getpid(), {int(signal.SIGKILL)})", EngineMemoryError, "killed"),
        (f"os.kill(os.getpid(), {int(signal.SIGSEGV)})", EngineError, "SIGSEGV"),
        ("sys.exit('no such thing')", EngineError, "no such thing"),
        ("time.sleep(60)", EngineError, "within 2 s"),
    ],
)
def test_a_building_process_that_dies_is_an_error_and_no_more(tmp_path, ending, error, text):
    command = [sys.executable, "-c", f"import os, sys, time; {ending}"]
    with pytest.raises(error, match=text):
        supervise(command, RTX, tmp_path, seconds=2)


class Cached:
    """A folder of artefacts, and an engine over it."""

    def __init__(self, folder, network):
        self.store = FolderArtifacts(folder)
        self.network = network

    def compile(self):
        engine = TensorRTEngine("bf16", "cuda", EngineOptions(), self.store, flavour="tensorrt_rtx")
        return engine.compile_ahead(self.network), engine.origin


@pytest.fixture
def cached(tmp_path, tiny_generator):
    return Cached(tmp_path / "engines", tiny_generator("gpen"))


@needs_rtx
def test_a_plan_is_kept_found_and_made_anew_when_it_does_not_fit(cached):
    name, origin = cached.compile()
    assert origin == "absent"
    made_by = {"library": "tensorrt_rtx", "version": version(RTX), "target": PORTABLE}
    stored = cached.store.load(name)
    plan = bytes(unseal(stored, made_by))
    assert len(plan) > 100_000

    files = {path: path.stat().st_mtime_ns for path in cached.store.path.iterdir()}
    assert cached.compile() == (name, "stored")
    assert {path: path.stat().st_mtime_ns for path in cached.store.path.iterdir()} == files

    cached.store.save(name, seal(plan, {**made_by, "version": "1.0.0"}), {})
    assert cached.compile() == (name, "stale")
    assert cached.compile() == (name, "stored")

    cached.store.save(name, b"ftrt" + plan, {})
    assert cached.compile() == (name, "damaged")

    file = cached.store.path / f"{name}.engine"
    file.write_bytes(file.read_bytes()[:-100])
    assert cached.compile() == (name, "absent")
    assert cached.compile() == (name, "stored")


@needs_rtx
def test_precision_profile_and_weights_have_plans_of_their_own(cached, tiny_generator):
    engines = [
        TensorRTEngine(precision, "cuda", EngineOptions(profile=profile), cached.store, flavour="tensorrt_rtx")
        for precision, profile in (("bf16", Profile(1, 8, 16)), ("fp16", Profile(1, 8, 16)), ("bf16", Profile(1, 4, 4)))
    ]
    keys = [engine._key(cached.network) for engine in engines]
    keys.append(engines[0]._key(replace(cached.network, weights_sha256="f" * 64)))
    keys.append(engines[0]._key(replace(cached.network, variant={"sft_strength": 0.5})))
    keys.append(engines[0]._key(tiny_generator("gfpgan_clean")))
    assert len({digest(key) for key in keys}) == len(keys)
    assert all(version(RTX) in key.version and key.device == PORTABLE for key in keys)


@needs_rtx
def test_compiling_ahead_needs_somewhere_to_keep_the_plan(tiny_generator):
    engine = TensorRTEngine("bf16", "cuda", EngineOptions(), None, flavour="tensorrt_rtx")
    with pytest.raises(EngineError, match="folder"):
        engine.compile_ahead(tiny_generator("gpen"))


def test_an_engine_that_was_not_prepared_says_so(faces32):
    engine = TensorRTEngine("bf16", "cuda", EngineOptions(), None, flavour="tensorrt_rtx")
    with pytest.raises(EngineError, match="before prepare"):
        engine.run(faces32)
    engine.close()
