"""The choice of an engine, and what happens when it fails."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, replace

import pytest
import torch
from torch import nn

from operators.engines import climb, ladder
from operators.engines.artifacts import FolderArtifacts
from operators.engines.choose import Runner
from operators.engines.errors import (
    EngineError,
    EngineMemoryError,
    EngineRefusedError,
    EngineUnavailableError,
)
from operators.engines.options import EngineOptions, Profile
from operators.engines.table import BACKENDS, ORDER, Backend

from .tiny import Around, network_of, pictures, tiny_network

CPU = EngineOptions(device="cpu")
FP32 = replace(CPU, precision="fp32")


@dataclass(frozen=True)
class Planted(Backend):
    """A backend around a function of module and batch."""

    function: object = None
    reason: str | None = None
    made: list[Around] = field(default_factory=list)

    def available(self, device):
        return self.reason

    def build(self, precision, device, options, store):
        engine = Around(self.function, precision, self.name)
        engine.profile = options.profile
        self.made.append(engine)
        return engine


def right(module, batch):
    return module(batch)


def colour(module, batch):
    return torch.full_like(module(batch), 0.5)


def broken(module, batch):
    raise EngineError("it broke")


class Cramped:
    """Runs batches up to a size, and only so many times."""

    def __init__(self, most, times=10**9, error=EngineMemoryError):
        self.most, self.times, self.error = most, times, error

    def __call__(self, module, batch):
        self.times -= 1
        if len(batch) > self.most or self.times < 0:
            raise self.error("no room")
        return module(batch)


@pytest.fixture
def plant(monkeypatch):
    """Put planted backends in the place of real ones; `bucket` is what a CPU's batch is."""

    def put(bucket=1, **functions):
        made = {}
        for name, function in functions.items():
            reason = function if isinstance(function, str) else None
            real = BACKENDS[name]
            made[name] = Planted(real.name, real.devices, real.precisions, "", "", {}, function, reason)
        table = {**BACKENDS, **made}
        monkeypatch.setattr(climb, "BACKENDS", table)
        monkeypatch.setattr(ladder, "BACKENDS", table)
        monkeypatch.setattr(climb, "CPU_BUCKET", bucket)
        return made

    return put


def passed_over(runner):
    return [(item["engine"], item["precision"]) for item in runner.description["passed_over"]]


def reasons(runner):
    return [item["reason"] for item in runner.description["passed_over"]]


def alike(found, expected):
    return float((found - expected).abs().max()) < 1e-4 * float(expected.max() - expected.min())


# What is chosen


def test_the_real_engines_of_this_machine(engine_store):
    network, batch = tiny_network(), pictures(5)
    expected = network.module(batch)
    for name in ORDER["cpu"]:
        runner = Runner(network, replace(FP32, engine=name, strict=True), engine_store)
        assert runner.description["used"] is None
        runner.prepare()
        used = runner.description["used"]
        assert (used["engine"], used["precision"], used["batch"], used["exact"]) == (name, "fp32", 1, True)
        found = runner.run(batch)
        assert (found.dtype, found.device.type, found.shape) == (torch.float32, "cpu", expected.shape)
        assert alike(found, expected)
        assert runner.verdict.psnr > 80
        assert json.loads(json.dumps(runner.description)) == runner.description
        assert runner.events() == {}


@pytest.mark.parametrize("name", ORDER["cpu"])
def test_a_face_has_the_same_bits_whatever_comes_with_it(name, engine_store):
    runner = Runner(tiny_network(), replace(CPU, engine=name), engine_store)
    batch = pictures(5)
    together = runner.run(batch)
    for index in (0, 3):
        assert torch.equal(runner.run(batch[index : index + 1])[0], together[index])
    assert torch.equal(runner.run(batch.flip(0)).flip(0), together)
    assert torch.equal(runner.run(torch.cat([batch[:2], pictures(3, seed=8)]))[:2], together[:2])


def test_auto_takes_the_first_that_is_there(plant):
    plant(openvino="not here", onnxruntime=right, eager=right)
    runner = Runner(tiny_network(), CPU, None)
    runner.prepare()
    assert runner.description["used"]["engine"] == "onnxruntime"
    assert passed_over(runner)[0][0] == "openvino"
    assert reasons(runner) == ["not here"]


def test_a_named_engine_comes_first_and_the_others_follow(plant):
    plant(eager="not here", openvino=right)
    runner = Runner(tiny_network(), replace(FP32, engine="eager"), None)
    runner.prepare()
    assert runner.description["used"]["engine"] == "openvino"
    assert passed_over(runner) == [("eager", "fp32")]


def test_auto_precision_takes_each_engine_s_best_first(plant, monkeypatch):
    monkeypatch.setattr("operators.engines.precision.has_bf16", lambda _: True)
    plant(openvino=colour, onnxruntime=colour, eager=colour)
    runner = Runner(tiny_network(), CPU, None)
    with pytest.raises(EngineRefusedError):
        runner.prepare()
    tried = [("openvino", "bf16"), ("openvino", "fp32"), ("onnxruntime", "fp32"), ("eager", "bf16"), ("eager", "fp32")]
    assert passed_over(runner) == tried


def test_what_is_missing_is_said_once(plant, monkeypatch):
    monkeypatch.setattr("operators.engines.precision.has_bf16", lambda _: True)
    plant(openvino="not here", onnxruntime="nor here", eager="nor there")
    runner = Runner(tiny_network(), CPU, None)
    with pytest.raises(EngineUnavailableError):
        runner.prepare()
    assert passed_over(runner) == [("openvino", "bf16"), ("onnxruntime", "fp32"), ("eager", "bf16")]


def test_a_precision_nobody_has_here_falls_to_fp32_unless_strict(plant):
    plant(openvino=right, onnxruntime=right, eager=right)
    runner = Runner(tiny_network(), replace(CPU, precision="fp16"), None)
    runner.prepare()
    assert runner.description["used"]["precision"] == "fp32"
    assert passed_over(runner) == [(name, "fp16") for name in ORDER["cpu"]]
    with pytest.raises(EngineUnavailableError, match="fp16"):
        Runner(tiny_network(), replace(CPU, precision="fp16", strict=True), None).prepare()


def test_fp16_is_audited_before_it_is_tried(plant):
    made = plant(eager=right)
    module = tiny_network().module
    large = nn.Sequential(nn.Conv2d(3, 3, 1), module)
    nn.init.constant_(large[0].weight, 1e5)
    with pytest.raises(EngineRefusedError, match="range audit"):
        Runner(network_of(large), replace(CPU, engine="eager", precision="fp16", strict=True), None).prepare()
    assert made["eager"].made == []
    Runner(network_of(module), replace(CPU, engine="eager", precision="fp16", strict=True), None).prepare()
    assert len(made["eager"].made) == 1


class Scale(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, faces):
        return faces * self.factor


# The gate


def test_an_engine_that_gives_one_colour_is_not_used(plant):
    made = plant(openvino=colour, onnxruntime=right)
    runner = Runner(tiny_network(), FP32, None)
    runner.prepare()
    assert runner.description["used"]["engine"] == "onnxruntime"
    assert "PSNR" in reasons(runner)[0]
    assert made["openvino"].made[0].closed == 1


def test_strict_refuses_with_the_gate_s_reason(plant):
    plant(openvino=colour, onnxruntime=right)
    for engine in ("openvino", "auto"):
        with pytest.raises(EngineRefusedError, match=r"openvino in fp32: gate: .*PSNR"):
            Runner(tiny_network(), replace(FP32, engine=engine, strict=True), None).prepare()


def test_strict_auto_passes_over_what_is_not_there(plant):
    plant(openvino="not here", onnxruntime=right)
    runner = Runner(tiny_network(), replace(FP32, strict=True), None)
    runner.prepare()
    assert runner.description["used"]["engine"] == "onnxruntime"


def test_strict_names_what_is_missing(plant):
    plant(openvino="not here")
    with pytest.raises(EngineUnavailableError, match="openvino in fp32: not here"):
        Runner(tiny_network(), replace(FP32, engine="openvino", strict=True), None).prepare()


def test_when_nothing_is_left_every_reason_is_given(plant):
    plant(openvino="not here", onnxruntime=broken, eager=colour)
    with pytest.raises(EngineRefusedError, match=r"not here.*it broke.*PSNR"):
        Runner(tiny_network(), FP32, None).prepare()


def test_a_broken_network_ends_the_search_at_once(plant):
    made = plant(openvino=right, onnxruntime=right, eager=right)
    module = nn.Sequential(tiny_network().module, Scale(math.nan))
    with pytest.raises(EngineRefusedError, match="the network itself"):
        Runner(network_of(module), FP32, None).prepare()
    assert [len(made[name].made) for name in ORDER["cpu"]] == [1, 0, 0]


def test_nothing_is_refused_on_the_word_of_a_stored_reference(plant, tmp_path):
    """A network under the name of another: what is stored for it does not fit, and its engines are right."""
    plant(openvino=right)
    store = FolderArtifacts(tmp_path)
    Runner(network_of(tiny_network("gpen").module), FP32, store).prepare()
    runner = Runner(network_of(tiny_network("gfpgan_clean").module), FP32, store)
    runner.prepare()
    assert passed_over(runner) == []
    assert runner.verdict.psnr > 80


def test_the_reference_is_computed_once_for_all_engines_and_processes(plant, tmp_path, monkeypatch):
    plant(openvino=colour, onnxruntime=right)
    calls = []
    real = climb.reference
    monkeypatch.setattr(climb, "reference", lambda *given: calls.append(real(*given)) or calls[-1])
    Runner(tiny_network(), FP32, None).prepare()
    assert len(calls) == 1
    store = FolderArtifacts(tmp_path)
    for stored in (False, True):
        calls.clear()
        Runner(tiny_network(), replace(FP32, engine="onnxruntime"), store).prepare()
        assert [found.stored for found in calls] == [stored]


# Batches


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 9])
def test_every_run_has_the_one_size(plant, count):
    made = plant(bucket=4, openvino=right)
    network = tiny_network()
    runner = Runner(network, FP32, None)
    runner.prepare()
    engine = made["openvino"].made[0]
    engine.batches.clear()
    batch = pictures(count)
    assert alike(runner.run(batch), network.module(batch))
    assert engine.batches == [4] * math.ceil(count / 4)
    assert runner.description["used"]["batch"] == 4


def test_the_batch_is_halved_until_it_fits_and_stays_so(plant):
    function = Cramped(8)
    made = plant(bucket=8, openvino=function)
    network = tiny_network()
    runner = Runner(network, FP32, None)
    batch = pictures(11)
    runner.run(batch[:1])
    function.most = 2
    assert alike(runner.run(batch), network.module(batch))
    assert runner.events() == {"batch_halved": 2}
    assert runner.events() == {}
    assert runner.description["used"]["batch"] == 2
    assert passed_over(runner) == []
    made["openvino"].made[0].batches.clear()
    runner.run(batch)
    assert set(made["openvino"].made[0].batches) == {2}


def test_at_one_it_falls_to_the_next_engine(plant):
    function = Cramped(8)
    made = plant(bucket=4, openvino=function, onnxruntime=right)
    network = tiny_network()
    runner = Runner(network, FP32, None)
    runner.prepare()
    function.most = 0
    batch = pictures(6)
    assert alike(runner.run(batch), network.module(batch))
    assert runner.events() == {"batch_halved": 2, "engine_fallback": 1}
    assert runner.description["used"]["engine"] == "onnxruntime"
    assert runner.description["used"]["batch"] == 4
    assert "given up while in use" in reasons(runner)[0]
    assert made["openvino"].made[0].closed == 1


def test_what_does_not_fit_at_preparation_is_built_smaller(plant):
    function = Cramped(2)
    made = plant(bucket=8, openvino=function)
    runner = Runner(tiny_network(), replace(FP32, profile=Profile(1, 8, 16)), None)
    runner.prepare()
    assert runner.description["used"]["batch"] == 2
    assert runner.events() == {"batch_halved": 2}
    assert [engine.profile for engine in made["openvino"].made] == [
        Profile(1, 8, 16),
        Profile(1, 4, 4),
        Profile(1, 2, 2),
    ]
    assert [engine.closed for engine in made["openvino"].made] == [1, 1, 0]


def test_what_does_not_even_fit_alone_is_passed_over(plant):
    plant(bucket=4, openvino=Cramped(0), onnxruntime=right)
    runner = Runner(tiny_network(), FP32, None)
    runner.prepare()
    assert runner.description["used"]["engine"] == "onnxruntime"
    assert "no room" in reasons(runner)[0]


def test_an_engine_that_fails_midway_is_replaced_and_its_results_stay(plant):
    function = Cramped(1, error=EngineError)
    made = plant(openvino=function, onnxruntime=right)
    network = tiny_network()
    runner = Runner(network, FP32, None)
    runner.prepare()
    function.times = 2
    batch = pictures(5)
    assert alike(runner.run(batch), network.module(batch))
    assert runner.events() == {"engine_fallback": 1}
    after_gate = made["onnxruntime"].made[0].batches[3:]  # the gate runs two faces and one again
    assert after_gate == [1, 1, 1]


def test_strict_does_not_replace_an_engine_midway(plant):
    function = Cramped(1, error=EngineError)
    plant(openvino=function, onnxruntime=right)
    runner = Runner(tiny_network(), replace(FP32, strict=True), None)
    runner.prepare()
    function.times = 0
    with pytest.raises(EngineError, match="given up while in use: no room"):
        runner.run(pictures(2))
    with pytest.raises(EngineError, match="strict"):
        runner.run(pictures(2))


def test_a_smaller_batch_has_to_pass_the_gate_too(plant):
    def wrong_when_small(module, batch):
        if len(batch) > most[0]:
            raise EngineMemoryError("no room")
        return module(batch) if len(batch) == 4 else colour(module, batch)

    most = [4]
    plant(bucket=4, openvino=wrong_when_small, onnxruntime=right)
    runner = Runner(tiny_network(), FP32, None)
    runner.prepare()
    most[0] = 2
    runner.run(pictures(3))
    assert runner.description["used"]["engine"] == "onnxruntime"
    assert "PSNR" in reasons(runner)[0]


# What is given


@pytest.mark.parametrize("shape", [(0, 3, 32, 32), (1, 3, 32, 31), (3, 32, 32), (1, 1, 32, 32), (2, 3, 32, 32, 1)])
def test_a_batch_of_another_shape_is_refused(shape, plant):
    plant(openvino=right)
    with pytest.raises(ValueError, match=r"expected \(N, 3, 32, 32\)"):
        Runner(tiny_network(), FP32, None).run(torch.zeros(shape))


@pytest.mark.parametrize(
    "options",
    [
        {"engine": "fast"},
        {"precision": "int8"},
        {"device": "tpu"},
        {"device": "cpu:1"},
        {"device": "cuda:x"},
        {"profile": Profile(4, 2, 8)},
        {"profile": Profile(0, 1, 1)},
    ],
)
def test_options_that_mean_nothing_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options)).title() if "profile" in options else "unknown"):
        Runner(tiny_network(), EngineOptions(**options), None)


def test_any_float_type_and_layout_of_the_input(plant):
    plant(openvino=right)
    network = tiny_network()
    runner = Runner(network, FP32, None)
    batch = pictures(2)
    expected = runner.run(batch)
    assert torch.equal(runner.run(batch.double()), expected)
    assert torch.equal(runner.run(batch.contiguous(memory_format=torch.channels_last)), expected)
    assert torch.equal(runner.run(batch.requires_grad_()), expected)


def test_a_closed_runner_begins_with_the_engine_it_had(plant):
    made = plant(openvino="not here", onnxruntime=right, eager=right)
    runner = Runner(tiny_network(), FP32, None)
    first = runner.run(pictures(1))
    runner.close()
    runner.close()
    assert made["onnxruntime"].made[0].closed == 1
    assert runner.description["used"] is None
    assert torch.equal(runner.run(pictures(1)), first)
    assert runner.description["used"]["engine"] == "onnxruntime"
    assert reasons(runner) == ["not here"]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_gpu_engine_without_a_gpu_falls_to_the_cpu_s_and_says_why(plant):
    plant(openvino=right)
    runner = Runner(tiny_network(), EngineOptions(engine="tensorrt", precision="fp32"), None)
    runner.prepare()
    assert runner.description["used"]["engine"] == "openvino"
    assert "cuda" in reasons(runner)[0]
    with pytest.raises(EngineUnavailableError, match="CUDA"):
        Runner(tiny_network(), EngineOptions(device="cuda"), None).prepare()
