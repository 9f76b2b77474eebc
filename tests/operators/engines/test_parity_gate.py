"""What the gate refuses: everything that is not the network, however finite."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from operators.engines.artifacts import FolderArtifacts
from operators.engines.eager import DTYPES, EagerEngine
from operators.engines.errors import EngineError, EngineRefusedError
from operators.engines.gate import LIMITS, Verdict, check, check_reference
from operators.engines.options import EngineOptions
from operators.engines.reference import Reference, reference

from .tiny import GENERATORS, network_of, tiny_network

PRECISIONS = tuple(LIMITS)


@pytest.fixture(scope="module")
def network():
    return tiny_network()


@pytest.fixture(scope="module")
def found(network):
    return reference(network, 3, "cpu", 0, None)


def wrong_with(share, module):
    """The network with noise of a share of each output's range."""

    def run(batch):
        outputs = module(batch)
        noise = torch.randn(outputs.shape, generator=torch.Generator().manual_seed(0))
        width = outputs.flatten(1).amax(1) - outputs.flatten(1).amin(1)
        return outputs + noise * width[:, None, None, None] * share

    return run


def seldom(values):
    """One value in each output that is not finite."""
    values = values.clone()
    values[:, 0, 3, 5] = math.nan
    return values


PLANTED = {
    "one constant": lambda net, batch: torch.full_like(net(batch), 0.3),
    "one colour for each face": lambda net, batch: net(batch).mean((2, 3), keepdim=True).expand(-1, -1, 32, 32),
    "zero": lambda net, batch: torch.zeros_like(net(batch)),
    "nothing finite": lambda net, batch: net(batch) * math.nan,
    "infinite": lambda net, batch: net(batch) / 0,
    "one value not finite": lambda net, batch: seldom(net(batch)),
    "the batch upside down": lambda net, batch: net(batch).flip(0),
    "always the first face": lambda net, batch: net(batch)[:1].expand(len(batch), -1, -1, -1),
    "channels swapped": lambda net, batch: net(batch).flip(1),
    "mirrored": lambda net, batch: net(batch).flip(3),
    "moved by a pixel": lambda net, batch: net(batch).roll(1, 3),
    "half the scale": lambda net, batch: net(batch) * 0.5,
    "a fifth too large": lambda net, batch: net(batch) * 1.2,
    "not shifted back": lambda net, batch: net(batch) * 0.5 + 0.5,
    "clamped hard": lambda net, batch: net(batch).clamp(-0.1, 0.1),
    "the input": lambda net, batch: batch,
    "faces leak into each other": lambda net, batch: net(batch) * 0.8 + net(batch).mean(0, keepdim=True) * 0.2,
    "normalised over the batch": lambda net, batch: net(batch) / net(batch).std() * 0.9,
    "another shape": lambda net, batch: net(batch)[..., :16],
    "a channel less": lambda net, batch: net(batch)[:, :2],
}


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("bucket", [1, 2])
@pytest.mark.parametrize("kind", PLANTED)
def test_planted_faults_are_refused(kind, bucket, precision, network, found):
    def run(batch):
        return PLANTED[kind](network.module, batch)

    if bucket == 1 and kind in ("the batch upside down", "always the first face", "faces leak into each other"):
        check(run, found, 1, precision, bitwise=True)  # nothing is wrong where a face is alone
    else:
        with pytest.raises(EngineRefusedError, match="gate: "):
            check(run, found, bucket, precision, bitwise=False)


@pytest.mark.parametrize("bucket", [1, 2, 3, 8])
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("architecture", GENERATORS)
def test_the_network_itself_passes(architecture, precision, bucket):
    network = tiny_network(architecture)
    engine = EagerEngine(precision, "cpu", EngineOptions())
    engine.prepare(network)
    verdict = check(engine.run, reference(network, 3, "cpu", 0, None), bucket, precision, bitwise=True)
    assert verdict.psnr > LIMITS[precision].psnr
    assert verdict.exact


@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_limit_is_where_it_is_said_to_be(precision, network, found):
    limit = LIMITS[precision].psnr
    for above in (2.0, -2.0):
        share = 10 ** (-(limit + above) / 20)
        run = wrong_with(share, network.module)
        if above > 0:
            verdict = check(run, found, 1, precision, bitwise=False)
            assert abs(verdict.psnr - limit - above) < 1
        else:
            with pytest.raises(EngineRefusedError, match="PSNR"):
                check(run, found, 1, precision, bitwise=False)


def test_a_weak_face_counts_as_much_as_a_strong_one(network):
    """The error of one output is not measured against another's range."""
    scale = torch.tensor([1.0, 100.0])[:, None, None, None]
    inputs = reference(network, 2, "cpu", 0, None).inputs
    outputs = network.module(inputs) * scale
    found = Reference(inputs, outputs, stored=False, digest="")

    def run(batch):
        index = 0 if torch.equal(batch[0], inputs[0]) else 1
        return outputs[index : index + 1] + (0.2 * outputs[0].std() if index == 0 else 0)

    with pytest.raises(EngineRefusedError, match="PSNR"):
        check(run, found, 1, "bf16", bitwise=False)


def test_other_bits_beside_other_faces_are_seen(network, found):
    def run(batch):
        outputs = network.module(batch)
        return outputs + batch.mean() * 1e-7 * outputs.abs().max()

    verdict = check(run, found, 2, "bf16", bitwise=False)
    assert not verdict.exact
    with pytest.raises(EngineRefusedError, match="other bits"):
        check(run, found, 2, "bf16", bitwise=True)


def test_a_result_that_depends_on_the_run_before_is_seen(network, found):
    last = []

    def run(batch):
        last.append(network.module(batch))
        return last[-2] if len(last) > 2 else last[-1]

    with pytest.raises(EngineRefusedError, match="gate: "):
        check(run, found, 1, "fp32", bitwise=True)


def test_it_runs_the_one_batch_size_and_every_face(network, found):
    sizes = []

    def run(batch):
        sizes.append(len(batch))
        return network.module(batch)

    for bucket in (1, 2, 8):
        sizes.clear()
        assert isinstance(check(run, found, bucket, "fp32", bitwise=False), Verdict)
        assert set(sizes) == {bucket}
        assert sum(sizes) >= 3


class Broken(nn.Module):
    def __init__(self, value):
        super().__init__()
        self.value = nn.Parameter(torch.tensor(value))

    def forward(self, faces):
        return faces * 0 + self.value


@pytest.mark.parametrize("value", [math.nan, math.inf, 0.0, 0.7, 1000.1])
def test_a_network_broken_by_itself_is_named_as_such(value):
    found = reference(network_of(Broken(value)), 2, "cpu", 0, None)
    with pytest.raises(EngineRefusedError, match="the network itself"):
        check_reference(found)


def test_a_reference_is_computed_once_and_then_read(tmp_path, network):
    store = FolderArtifacts(tmp_path)
    first = reference(network, 2, "cpu", 0, store)
    again = reference(network, 2, "cpu", 0, store)
    assert (first.stored, again.stored) == (False, True)
    assert torch.equal(first.outputs, again.outputs)
    for other in (tiny_network("gpen"), tiny_network(push=3.0)):
        assert not reference(other, 2, "cpu", 0, store).stored
    assert not reference(network, 3, "cpu", 0, store).stored
    file = tmp_path / f"{first.digest}.engine"
    file.write_bytes(file.read_bytes()[:-7])
    assert not reference(network, 2, "cpu", 0, store).stored
    assert reference(network, 2, "cpu", 0, store).stored


def test_a_network_whose_output_has_another_shape_than_it_says_is_an_error():
    network = network_of(nn.Conv2d(3, 5, 1))
    with pytest.raises(EngineError, match=r"\(2, 5, 32, 32\)"):
        reference(network, 2, "cpu", 0, None)


@pytest.mark.parametrize("architecture", GENERATORS)
def test_styles_300_times_larger_survive_fp16_or_are_refused(architecture):
    network = tiny_network(architecture, push=300.0)
    found = reference(network, 2, "cpu", 0, None)
    engine = EagerEngine("fp16", "cpu", EngineOptions())
    engine.prepare(network)
    assert next(engine._module.parameters()).dtype == DTYPES["fp16"]
    assert check(engine.run, found, 1, "fp16", bitwise=True).psnr > 45
