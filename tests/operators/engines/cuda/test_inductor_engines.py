"""torch.compile and AOTInductor on a CPU: the same code as on a GPU but for the graphs."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from operators.engines import inductor
from operators.engines.aot import AotEngine
from operators.engines.artifacts import FolderArtifacts
from operators.engines.compile import CompileEngine
from operators.engines.contract import Network
from operators.engines.envelope import seal
from operators.engines.errors import EngineError
from operators.engines.options import EngineOptions, Profile

ABSENT = inductor.available("cpu")
needs_compiler = pytest.mark.skipif(ABSENT is not None, reason=f"torch cannot compile here: {ABSENT}")
OPTIONS = EngineOptions(profile=Profile(1, 2, 4), threads=1)


class Two(nn.Module):
    """As little as has a convolution, a style and its normalisation: compiling takes seconds a kernel."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.second = nn.Conv2d(4, 3, 1)

    def forward(self, faces):
        inner = functional.leaky_relu(self.first(faces), 0.2)
        style = inner.float().mean((2, 3))
        style = style / style.abs().amax(1, keepdim=True)
        return self.second(inner * style.to(inner.dtype)[:, :, None, None])


@pytest.fixture(scope="module")
def two():
    torch.manual_seed(2)
    return Network(Two().eval().requires_grad_(False), "two", {}, "two/1", "2" * 64, (3, 8, 8), (3, 8, 8))


@pytest.fixture(scope="module")
def faces8():
    return torch.rand(4, 3, 8, 8, generator=torch.Generator().manual_seed(3)) * 2 - 1


@pytest.fixture(scope="module")
def expected(two, faces8):
    with torch.no_grad():
        return two.module(faces8)


def check(engine, faces, expected, tolerance):
    """All batch sizes, and that no result is another's memory."""
    kept = [engine.run(faces[:count]) for count in (1, 2, 3, 4)]
    for found in kept:
        assert found.dtype == torch.float32
        assert found.is_contiguous()
        assert torch.allclose(found, expected[: len(found)], atol=tolerance)
    assert len({found.data_ptr() for found in kept}) == len(kept)


@needs_compiler
def test_the_compiled_network_equals_the_module(two, faces8, expected):
    engine = CompileEngine("fp32", "cpu", OPTIONS)
    engine.prepare(two)
    check(engine, faces8, expected, 1e-5)
    about = engine.describe()
    assert (about.engine, about.precision, about.profile) == ("compile", "fp32", (1, 2, 4))
    assert about.details == {"mode": "default", "cuda_graphs": False}
    with pytest.raises(EngineError, match="batch of 5"):
        engine.run(torch.zeros(5, 3, 8, 8))
    engine.close()
    with pytest.raises(EngineError, match="before prepare"):
        engine.run(faces8)
    assert two.module.first.weight.dtype == torch.float32


@needs_compiler
def test_the_package_equals_the_module_and_is_found_again(two, faces8, expected, tmp_path):
    store = FolderArtifacts(tmp_path)
    first = AotEngine("bf16", "cpu", OPTIONS, store)
    first.prepare(two)
    assert first.origin == "absent"
    check(first, faces8, expected, 0.02)
    second = AotEngine("bf16", "cpu", OPTIONS, store)
    second.prepare(two)
    assert second.origin == "stored"
    assert torch.equal(second.run(faces8), first.run(faces8))
    name = second.describe().artifact
    assert name == first.describe().artifact == AotEngine("bf16", "cpu", OPTIONS, store).compile_ahead(two)
    first.close()
    with pytest.raises(EngineError, match="before prepare"):
        first.run(faces8)
    assert second.run(faces8).isfinite().all()


@needs_compiler
def test_a_package_that_does_not_load_is_compiled_once_more(two, faces8, expected, tmp_path):
    store = FolderArtifacts(tmp_path)
    engine = AotEngine("fp32", "cpu", OPTIONS, store)
    name = engine.compile_ahead(two)
    store.save(name, seal(b"no package at all", engine._made_by()), {})
    engine.prepare(two)
    assert engine.origin == "unloadable"
    assert torch.allclose(engine.run(faces8), expected, atol=1e-5)
    assert AotEngine("fp32", "cpu", OPTIONS, store).compile_ahead(two) == name


def test_compiling_ahead_needs_a_folder(two):
    with pytest.raises(EngineError, match="folder"):
        AotEngine("fp32", "cpu", OPTIONS, None).compile_ahead(two)


def test_without_a_compiler_the_reason_is_given(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "g++" in inductor.available("cpu")
