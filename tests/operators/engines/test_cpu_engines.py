"""Every CPU engine against the network itself, and against itself."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from operators.engines import graphs, onnxruntime, openvino
from operators.engines.artifacts import FolderArtifacts
from operators.engines.errors import EngineError, EngineMemoryError, EngineUnavailableError
from operators.engines.obtain import keep
from operators.engines.options import EngineOptions
from operators.engines.precision import cpu_kind
from operators.engines.table import BACKENDS, ORDER

from .tiny import GENERATORS, pictures, tiny_network

KINDS = [(name, precision) for name in ORDER["cpu"] for precision in BACKENDS[name].precisions]
CLOSENESS = {"fp32": 1e-5, "bf16": 0.1, "fp16": 0.02}


@pytest.fixture
def store(engine_store: FolderArtifacts) -> FolderArtifacts:
    return engine_store


def prepared(name, precision, store, architecture="gfpgan_clean", **options):
    engine = BACKENDS[name].build(precision, "cpu", EngineOptions(**options), store)
    engine.prepare(tiny_network(architecture))
    return engine


@pytest.mark.parametrize("architecture", GENERATORS)
@pytest.mark.parametrize(("name", "precision"), KINDS)
def test_it_gives_what_the_network_gives(name, precision, architecture, store):
    network, batch = tiny_network(architecture), pictures(3)
    expected = network.module(batch)
    found = prepared(name, precision, store, architecture).run(batch)
    assert (found.dtype, found.shape, found.device.type) == (torch.float32, expected.shape, "cpu")
    assert found.is_contiguous()
    difference = float((found - expected).abs().max() / (expected.max() - expected.min()))
    assert difference < CLOSENESS[precision]
    if precision != "fp32":
        assert difference > 1e-6  # it did compute in that precision


@pytest.mark.parametrize(("name", "precision"), KINDS)
def test_equal_bits_run_after_run_and_whoever_is_beside(name, precision, store):
    engine, batch = prepared(name, precision, store), pictures(4)
    first = engine.run(batch)
    assert torch.equal(engine.run(batch), first)
    others = torch.cat([batch[:1], pictures(3, seed=5)])
    assert torch.equal(engine.run(others)[0], first[0])
    turned = engine.run(batch.flip(0))
    assert torch.equal(turned[3], first[0])
    again = prepared(name, precision, store)
    assert torch.equal(again.run(batch), first)


@pytest.mark.parametrize(("name", "precision"), KINDS)
def test_earlier_results_stay_as_they_are_and_the_input_too(name, precision, store):
    engine = prepared(name, precision, store)
    batch = pictures(2)
    kept = batch.clone()
    first = engine.run(batch)
    copied = first.clone()
    engine.run(-batch)
    assert torch.equal(first, copied)
    assert torch.equal(batch, kept)
    first.zero_()
    assert torch.equal(engine.run(batch), copied)


@pytest.mark.parametrize(("name", "precision"), KINDS)
def test_the_network_is_not_changed(name, precision, store):
    network = tiny_network()
    before = copy.deepcopy(network.module.state_dict())
    engine = BACKENDS[name].build(precision, "cpu", EngineOptions(), store)
    engine.prepare(network)
    engine.run(pictures(1))
    after = network.module.state_dict()
    for key, value in before.items():
        assert after[key].dtype == value.dtype
        assert after[key].stride() == value.stride()
        assert torch.equal(after[key], value)


@pytest.mark.parametrize(("name", "precision"), KINDS)
def test_a_closed_engine_says_so_and_can_be_prepared_again(name, precision, store):
    engine = BACKENDS[name].build(precision, "cpu", EngineOptions(), store)
    with pytest.raises(EngineError, match="before prepare"):
        engine.run(pictures(1))
    engine.prepare(tiny_network())
    first = engine.run(pictures(1))
    engine.close()
    with pytest.raises(EngineError, match="before prepare"):
        engine.run(pictures(1))
    engine.prepare(tiny_network())
    assert torch.equal(engine.run(pictures(1)), first)


@pytest.mark.parametrize(("name", "precision"), KINDS)
def test_it_describes_itself(name, precision, store):
    about = prepared(name, precision, store).describe()
    assert (about.engine, about.precision, about.device) == (name, precision, cpu_kind())
    assert about.version[0].isdigit()
    assert (about.artifact is None) == (name == "eager")


@pytest.mark.parametrize("name", ORDER["cpu"])
def test_a_wrong_shape_is_an_engine_error_and_no_crash(name, store):
    engine = prepared(name, "fp32", store)
    with pytest.raises(EngineError, match=name):
        engine.run(torch.zeros(1, 4, 32, 32))


@pytest.mark.parametrize("name", ["onnxruntime", "openvino"])  # torch cuts convolutions up by its threads
def test_the_number_of_threads_changes_no_bit(name, store):
    one, two = (prepared(name, "fp32", store, threads=threads) for threads in (1, 2))
    assert torch.equal(one.run(pictures(2)), two.run(pictures(2)))


def test_eager_leaves_the_process_s_threads_as_they_were(store):
    before = torch.get_num_threads()
    seen = []
    engine = prepared("eager", "fp32", store, threads=before + 1)
    engine._module.register_forward_hook(lambda *_: seen.append(torch.get_num_threads()))
    engine.run(pictures(1))
    assert seen == [before + 1]
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("name", ["onnxruntime", "openvino"])
def test_threads_follow_the_process_unless_said_otherwise(name, store):
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        inner = prepared(name, "fp32", store)
    finally:
        torch.set_num_threads(before)
    said = prepared(name, "fp32", store, threads=2)
    assert [threads_of(name, engine) for engine in (inner, said)] == [1, 2]


def threads_of(name, engine):
    if name == "openvino":
        return engine._compiled.get_property("INFERENCE_NUM_THREADS")
    return engine._session.get_session_options().intra_op_num_threads


def test_openvino_pins_no_thread(store):
    # Pinned, the workers of one machine would all sit on its first cores.
    assert prepared("openvino", "fp32", store)._compiled.get_property("ENABLE_CPU_PINNING") is False


SIGNALLED = """
import faulthandler, os, signal, sys
from operators.engines.artifacts import FolderArtifacts
from pathlib import Path
from operators.engines.options import EngineOptions
from operators.engines.table import BACKENDS
from tests_of_engines.tiny import pictures, tiny_network
faulthandler.enable()  # it is what asks for signals to be taken on a stack of their own
engines = [BACKENDS["openvino"].build("fp32", "cpu", EngineOptions(), FolderArtifacts(Path(sys.argv[1]))) for _ in "ab"]
for engine in engines:
    engine.prepare(tiny_network())
while engines:
    engines.pop(0).close()
heard = []
signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
os.kill(os.getpid(), signal.SIGTERM)
print("heard", len(heard))
"""


def run_alone(code, store, tmp_path):
    """Output of a program in a process of its own, which has the helpers of these tests."""
    (tmp_path / "tests_of_engines").symlink_to(Path(__file__).parent)
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[3])])
    environment = {**os.environ, "PYTHONPATH": path, "HOME": str(tmp_path), "CI": ""}
    done = subprocess.run(
        [sys.executable, "-c", code, str(store.path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=environment,
    )
    assert done.returncode == 0, (done.returncode, done.stderr)
    return done.stdout.strip().splitlines()[-1]


def test_a_signal_after_engines_were_closed_is_heard(store, tmp_path):
    """Each `openvino.Core` would leave the process without a stack to take signals on: a crash, and no drain."""
    assert run_alone(SIGNALLED, store, tmp_path) == "heard 1"


def test_both_onnx_engines_share_one_stored_graph(store, tmp_path):
    digest = prepared("openvino", "bf16", store).describe().artifact
    shared = FolderArtifacts(tmp_path)
    shared.save(digest, store.load(digest), {})
    for name, precision in KINDS:
        if name != "eager":
            assert prepared(name, precision, shared).describe().artifact == digest
    assert len(list(tmp_path.glob("*.engine"))) == 1


def test_a_damaged_graph_is_made_anew(store, tmp_path):
    engine = prepared("onnxruntime", "fp32", store)
    digest, expected = engine.describe().artifact, engine.run(pictures(1))
    kept = FolderArtifacts(tmp_path)
    kept.save(digest, store.load(digest), {})
    file = tmp_path / f"{digest}.engine"
    file.write_bytes(file.read_bytes()[:-1000])
    assert torch.equal(prepared("onnxruntime", "fp32", kept).run(pictures(1)), expected)
    assert kept.load(digest) == store.load(digest)


def test_a_graph_that_is_whole_and_does_not_load_is_made_anew(store, tmp_path):
    network = tiny_network()
    digest = prepared("openvino", "fp32", store).describe().artifact
    kept = FolderArtifacts(tmp_path)
    key = graphs._key(network)
    keep(kept, key, {"engine": key.engine, "version": key.version}, b"no graph at all")
    prepared("openvino", "fp32", kept)
    assert kept.load(digest) == store.load(digest)


@pytest.mark.parametrize(("module", "name"), [(onnxruntime, "onnxruntime"), (openvino, "openvino")])
def test_a_missing_library_is_named(module, name, monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    assert name in module.available("cpu")
    with pytest.raises(EngineUnavailableError, match=f"{name} is not installed"):
        BACKENDS[name].build("fp32", "cpu", EngineOptions(), None).prepare(tiny_network())


@pytest.mark.parametrize(("name", "precision"), [("onnxruntime", "bf16"), ("openvino", "fp16")])
def test_a_precision_it_lacks_is_refused(name, precision):
    with pytest.raises(EngineUnavailableError, match=precision):
        BACKENDS[name].build(precision, "cpu", EngineOptions(), None).prepare(tiny_network())


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
@pytest.mark.parametrize("name", BACKENDS)
def test_without_cuda_nothing_is_available_there_and_the_reason_is_said(name):
    assert BACKENDS[name].available("cuda")


def test_what_ran_out_of_memory_is_told_from_other_failures(store):
    engine = prepared("eager", "fp32", store)
    engine._module = lambda _: (_ for _ in ()).throw(RuntimeError("DefaultCPUAllocator: can't allocate memory"))
    with pytest.raises(EngineMemoryError):
        engine.run(pictures(1))
    engine._module = lambda _: (_ for _ in ()).throw(RuntimeError("shapes differ"))
    with pytest.raises(EngineError, match="shapes differ") as caught:
        engine.run(pictures(1))
    assert not isinstance(caught.value, EngineMemoryError)


WATCHED = """
import sys
calls = []
def hook(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.exec", "os.posix_spawn"):
        calls.append((event, str(arguments)[:200]))
from tests_of_engines.tiny import pictures, tiny_network  # torch's own start-up calls programs
from pathlib import Path
from operators.engines.artifacts import FolderArtifacts
from operators.engines.options import EngineOptions
from operators.engines.table import BACKENDS
sys.addaudithook(hook)
for name in ("openvino", "onnxruntime"):
    engine = BACKENDS[name].build("fp32", "cpu", EngineOptions(), FolderArtifacts(Path(sys.argv[1])))
    engine.prepare(tiny_network())
    engine.run(pictures(1))
print(calls, sys.modules.get("openvino_telemetry"))
"""


def test_no_library_calls_home(store, tmp_path):
    """`import openvino` alone would write an identifier into the home folder and send an event."""
    assert run_alone(WATCHED, store, tmp_path) == "[] None"
    assert not (tmp_path / "intel").exists()
