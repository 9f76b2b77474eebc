"""Every engine that a CUDA machine has, against eager fp32 there."""

from __future__ import annotations

import gc

import pytest
import torch
from torch import nn
from torch.nn import functional

from operators.engines.aot import AotEngine
from operators.engines.artifacts import FolderArtifacts
from operators.engines.choose import Runner
from operators.engines.compile import CompileEngine
from operators.engines.cuda_graphs import Bucketed
from operators.engines.eager import EagerEngine
from operators.engines.errors import EngineMemoryError
from operators.engines.options import EngineOptions, Profile
from operators.engines.overlap import Overlap
from operators.engines.table import BACKENDS
from operators.engines.tensorrt.engine import TensorRTEngine

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA device"),
]

OPTIONS = EngineOptions(device="cuda", profile=Profile(1, 4, 8))
COMPILED = ("compile", "aot", "tensorrt", "tensorrt_rtx")


def engine_of(name, precision, store=None, graphs=True):
    """An engine of the table, with or without CUDA graphs; skips where this machine does not have it."""
    reason = BACKENDS[name].available("cuda")
    if reason is not None:
        pytest.skip(reason)
    if name == "compile":
        return CompileEngine(precision, "cuda", OPTIONS, store, graphs=graphs)
    if name == "aot":
        return AotEngine(precision, "cuda", OPTIONS, store, autotune=False, graphs=graphs)
    return TensorRTEngine(precision, "cuda", OPTIONS, store, flavour=name, graphs=graphs)


def psnr(found, expected):
    error = (found - expected).double().square().mean().sqrt()
    return float(20 * torch.log10((expected.max() - expected.min()) / error))


@pytest.fixture(scope="module", params=["gfpgan_clean", "gpen"])
def network(request, tiny_generator):
    return tiny_generator(request.param)


@pytest.fixture(scope="module")
def faces():
    return torch.rand(8, 3, 32, 32, generator=torch.Generator().manual_seed(9)) * 2 - 1


@pytest.fixture(scope="module")
def expected(network, faces):
    engine = EagerEngine("fp32", "cuda", OPTIONS)
    engine.prepare(network)
    return engine.run(faces)


@pytest.mark.parametrize(("precision", "least"), [("fp32", 90.0), ("bf16", 30.0), ("fp16", 45.0)])
@pytest.mark.parametrize("name", COMPILED)
def test_an_engine_gives_what_eager_gives(name, precision, least, network, faces, expected):
    engine = engine_of(name, precision)
    engine.prepare(network)
    for count in (1, 2, 3, 4, 5, 8):
        found = engine.run(faces[:count])
        assert found.device.type == "cuda"
        assert found.shape == (count, *network.output_shape)
        assert psnr(found, expected[:count]) > least
    engine.close()


@pytest.mark.parametrize("name", COMPILED)
def test_a_graph_gives_what_the_plain_run_gives(name, network, faces):
    outputs = []
    for graphs in (False, True):
        engine = engine_of(name, "bf16", graphs=graphs)
        engine.prepare(network)
        outputs.append([engine.run(faces[:count]) for count in (4, 1, 8, 4)])
        engine.close()
    if name != "tensorrt":  # it times kernels while it builds, and may build the two differently
        assert all(torch.equal(plain, captured) for plain, captured in zip(*outputs, strict=True))
    assert all(psnr(captured, plain) > 40 for plain, captured in zip(*outputs, strict=True))


@pytest.mark.parametrize("name", COMPILED)
def test_results_are_not_aliased_and_repeat_and_do_not_depend_on_their_place(name, network, faces):
    engine = engine_of(name, "bf16")
    engine.prepare(network)
    first = engine.run(faces[:4])
    kept = first.clone()
    engine.run(faces[4:])
    engine.run(faces[:1])
    assert torch.equal(first, kept)
    assert torch.equal(engine.run(faces[:4].cuda()), kept)
    assert torch.equal(engine.run(faces[:4].flip(0)).flip(0), kept)
    engine.close()


@pytest.mark.parametrize("name", ["aot", "tensorrt", "tensorrt_rtx"])
def test_a_second_process_finds_the_artefact(name, network, faces, tmp_path):
    outputs = []
    for origin in ("absent", "stored"):
        engine = engine_of(name, "bf16", FolderArtifacts(tmp_path))
        engine.prepare(network)
        assert engine.origin == origin
        outputs.append(engine.run(faces[:4]))
        engine.close()
    assert torch.equal(*outputs)


class Wide(nn.Module):
    """400 MB of weights, so that one copy of them left behind is seen."""

    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(3 * 32 * 32, 16384)
        self.outer = nn.Linear(16384, 3 * 32 * 32)

    def forward(self, faces):
        return self.outer(functional.leaky_relu(self.inner(faces.flatten(1)), 0.2)).unflatten(1, (3, 32, 32))


@pytest.mark.parametrize("name", COMPILED)
def test_a_closed_engine_gives_its_memory_back_and_can_be_prepared_again(name, wrapped, faces):
    network = wrapped(Wide().eval().requires_grad_(False), "wide")
    with torch.no_grad():
        expected = network.module(faces)
    engine = engine_of(name, "fp32")
    torch.zeros(1, device="cuda")
    free = []
    for _ in range(2):
        engine.prepare(network)
        assert psnr(engine.run(faces).cpu(), expected) > 80
        engine.close()
        gc.collect()
        torch.cuda.synchronize()
        torch.cuda.empty_cache()
        free.append(torch.cuda.mem_get_info()[0])
    assert free[0] - free[1] < 200 << 20


def test_copies_beside_the_computation_change_nothing(network, faces):
    engine = engine_of("compile", "bf16")
    engine.prepare(network)
    batches = [faces.roll(shift, 0)[:4] for shift in range(6)]
    plain = [engine.run(batch).cpu() for batch in batches]
    overlap = Overlap(engine.run, "cuda")
    given = [batches[0], batches[1], None, batches[2], batches[3], batches[4], None, batches[5]]
    beside = [result.clone() for result in overlap(given)]
    assert all(torch.equal(*pair) for pair in zip(plain, beside, strict=True))
    assert overlap.busy_ms > 0
    engine.close()


def test_too_large_a_batch_is_lack_of_memory_and_a_smaller_one_passes():
    free, _ = torch.cuda.mem_get_info()

    def call(batch):
        scratch = torch.empty(int(free * 0.6) * len(batch) // 2, dtype=torch.uint8, device="cuda")
        return batch + scratch[:1].float() * 0

    class Greedy:
        """An engine's use of memory without its network."""

        def __init__(self):
            self.sizes = Bucketed(lambda _: call, Profile(1, 4, 4), torch.device("cuda"), graphs=True)

        def run(self, batch):
            from operators.engines.memory import translated

            with translated("greedy"):
                return self.sizes.run(batch)

    engine = Greedy()
    with pytest.raises(EngineMemoryError):
        engine.run(torch.ones(4, 3))
    assert torch.equal(engine.run(torch.ones(1, 3)).cpu(), torch.ones(1, 3))
    engine.sizes.free()
    torch.cuda.empty_cache()


def test_the_runner_takes_batches_of_any_size(network, faces, expected):
    runner = Runner(
        network, EngineOptions(engine="compile", precision="fp32", device="cuda", profile=Profile(1, 4, 8)), None
    )
    runner.prepare()
    assert psnr(runner.run(faces), expected.cpu()) > 90
    assert runner.description["used"]["engine"] == "compile"
    runner.close()


def test_auto_takes_the_first_engine_that_this_machine_has(network, faces, expected):
    runner = Runner(network, EngineOptions(device="cuda", profile=Profile(1, 4, 8)), None)
    runner.prepare()
    order = [
        name for name in ("tensorrt", "tensorrt_rtx", "aot", "compile") if BACKENDS[name].available("cuda") is None
    ]
    assert runner.description["used"]["engine"] in (*order, "eager")
    assert psnr(runner.run(faces), expected.cpu()) > 30
    runner.close()
