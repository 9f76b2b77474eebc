"""The table, the precision policy, the drawn faces, and telling lack of memory from other failures."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from typing import get_args

import numpy as np
import pytest
import torch

from operators.engines import precision
from operators.engines.errors import EngineError, EngineMemoryError, EngineRefusedError
from operators.engines.ladder import Rung, ladder
from operators.engines.memory import is_memory_error, translated
from operators.engines.options import EngineName, EngineOptions
from operators.engines.probe_faces import probe_faces, probe_vectors
from operators.engines.reference import probes
from operators.engines.table import BACKENDS, ORDER
from operators.faces.yunet import YuNet

from .tiny import tiny_network


def test_the_table_has_every_engine_and_the_order_the_issue_asks_for():
    assert set(BACKENDS) == set(get_args(EngineName))
    assert ORDER["cpu"] == ("openvino", "onnxruntime", "eager")
    assert ORDER["cuda"] == ("tensorrt", "tensorrt_rtx", "aot", "compile", "eager")
    for kind, names in ORDER.items():
        assert {name for name, backend in BACKENDS.items() if kind in backend.devices} == set(names)
    assert all(name == backend.name and "fp32" in backend.precisions for name, backend in BACKENDS.items())


@pytest.mark.parametrize("name", BACKENDS)
def test_every_entry_leads_to_a_module_and_a_class(name):
    device = BACKENDS[name].devices[0]
    assert BACKENDS[name].available(device) is None or isinstance(BACKENDS[name].available(device), str)
    made = BACKENDS[name].build("fp32", device, EngineOptions(), None)
    assert callable(made.prepare)
    other = "cpu" if device == "cuda" else "cuda:1"
    if other.partition(":")[0] not in BACKENDS[name].devices:
        assert other in BACKENDS[name].available(other)


LIGHT = """
import sys
import operators.engines.options, operators.engines.table, operators.engines.errors, operators.engines.precision
import operators.engines.artifacts, operators.engines.ladder
from operators.engines.options import EngineOptions
operators.engines.ladder.ladder(EngineOptions(device="cpu"))
print(sorted({"torch", "openvino", "onnxruntime", "onnxscript", "onnx", "tensorrt"} & set(sys.modules)))
"""


def test_what_a_job_file_needs_imports_no_heavy_library():
    done = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "[]"


# Precision

X86 = "processor\t: 0\nflags\t\t: fpu avx2 avx512f {}\n\nprocessor\t: 1\nflags\t\t: none\n"


@pytest.mark.parametrize(
    ("text", "kind", "bf16"),
    [
        (X86.format("avx512_bf16"), "avx512_bf16", True),
        (X86.format("avx512_bf16 amx_bf16 amx_tile"), "amx_bf16", True),
        (X86.format(""), "avx512f", False),
        ("flags : fpu avx2\n", "avx2", False),
        ("Features\t: fp asimd bf16 sve\n", "bf16", True),
        ("Features\t: fp asimd\n", "asimd", False),
        ("nothing of the kind\n", "generic", False),
        ("", "generic", False),
    ],
)
def test_what_a_cpu_has_is_read_from_its_flags(text, kind, bf16, monkeypatch):
    flags = precision.read_flags(text)
    assert precision.cpu_kind(flags).split(":")[0::2] == ["cpu", kind]
    monkeypatch.setattr(precision, "cpu_flags", lambda: flags)
    assert precision.has_bf16("cpu") is bf16
    assert precision.resolve("auto", "cpu") == ("bf16" if bf16 else "fp32")
    for asked in ("fp32", "bf16", "fp16"):
        assert precision.resolve(asked, "cpu") == asked


def test_an_unknown_precision_is_refused():
    with pytest.raises(ValueError, match=r"int8.*auto, fp32, bf16, fp16"):
        precision.resolve("int8", "cpu")


def test_a_machine_without_bf16_climbs_in_fp32(monkeypatch):
    monkeypatch.setattr(precision, "cpu_flags", lambda: frozenset({"avx2"}))
    expected = tuple(Rung(name, "fp32") for name in ORDER["cpu"])
    assert ladder(EngineOptions(device="cpu")).rungs == expected


def test_on_a_cpu_an_engine_is_tried_in_fp32_before_a_slower_one(monkeypatch):
    monkeypatch.setattr(precision, "cpu_flags", lambda: frozenset({"avx512_bf16"}))
    steps = [(rung.engine, rung.precision) for rung in ladder(EngineOptions(device="cpu")).rungs]
    assert steps == [
        ("openvino", "bf16"),
        ("openvino", "fp32"),
        ("onnxruntime", "fp32"),
        ("eager", "bf16"),
        ("eager", "fp32"),
    ]
    asked = ladder(EngineOptions(device="cpu", precision="bf16")).rungs
    assert [(rung.engine, rung.precision) for rung in asked if rung.reason is None][:2] == [
        ("openvino", "bf16"),
        ("eager", "bf16"),
    ]


def test_strict_leaves_what_was_asked_for():
    asked = EngineOptions(engine="onnxruntime", precision="fp32", strict=True)
    assert ladder(asked) == ladder(EngineOptions(engine="onnxruntime", precision="fp32", strict=True, device="cpu"))
    assert ladder(asked).rungs == (Rung("onnxruntime", "fp32"),)


# Drawn faces


def test_the_faces_are_the_same_each_time():
    batch = probe_faces(5, 64)
    assert (batch.shape, batch.dtype) == ((5, 3, 64, 64), torch.float32)
    assert torch.equal(batch, probe_faces(5, 64))
    assert torch.equal(batch[:2], probe_faces(2, 64))
    levels = ((batch.double() + 1) * 127.5).numpy()
    assert np.abs(levels - np.rint(levels)).max() < 1e-4
    assert levels.min() >= 0
    assert levels.max() <= 255
    drawn = hashlib.sha256(np.rint(levels).astype(np.uint8).tobytes()).hexdigest()
    assert drawn == "7ca6dd7b54e3e0610bed8474daedb41edea7b9bb7e82fdf88e52b44fdf756435", (
        "another picture needs another probe_faces.VERSION"
    )


def test_the_faces_differ_as_photographs_do():
    batch = probe_faces(5, 256)
    means, deviations = batch.mean((1, 2, 3)), batch.std((1, 2, 3))
    noise = (batch[..., 1:] - batch[..., :-1]).abs().median(-1).values.mean((1, 2))
    assert means.argmin() == 1
    assert means.argmax() == 3
    assert noise.argmax() == 0
    assert deviations.argmin() == 4
    assert float((batch[:, 0] - batch[:, 2]).abs().mean()) > 0.05  # they have colour
    for one in range(5):
        for other in range(one):
            assert float((batch[one] - batch[other]).abs().mean()) > 0.1


def test_a_face_detector_sees_faces():
    for number in (0, 1, 2, 3):
        face = (probe_faces(4, 256)[number].permute(1, 2, 0).numpy() + 1) * 127.5
        framed = np.pad(face.astype(np.uint8), ((128, 128), (128, 128), (0, 0)), mode="edge")
        assert len(YuNet().detect(framed, 0.6)) == 1


@pytest.mark.parametrize("size", [8, 16, 96])
def test_any_size(size):
    assert bool(probe_faces(6, size).isfinite().all())


def test_networks_that_take_no_picture_get_vectors():
    assert probes(tiny_network(), 2).shape == (2, 3, 32, 32)
    for shape in ((512,), (3, 32, 16), (1, 32, 32)):
        vectors = probe_vectors(3, shape)
        assert vectors.shape == (3, *shape)
        assert vectors.dtype == torch.float32
        assert 0.7 < float(vectors.std()) < 1.3


# Memory


@pytest.mark.parametrize(
    ("error", "lack"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), True),
        (RuntimeError("std::bad_alloc"), True),
        (RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("CUDA error: out of memory"), True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), True),
        (RuntimeError("Exception from src/inference: could not allocate buffer"), True),
        (EngineMemoryError("no room"), True),
        (RuntimeError("could not create a primitive"), False),
        (ValueError("shapes differ"), False),
        (EngineRefusedError("PSNR"), False),
    ],
)
def test_lack_of_memory_is_told_from_other_failures(error, lack):
    assert is_memory_error(error) is lack
    with pytest.raises(EngineError) as caught, translated("doing it"):
        raise error
    assert isinstance(caught.value, EngineMemoryError) is lack


def test_errors_of_engines_pass_and_others_are_shortened():
    refused = EngineRefusedError("PSNR")
    with pytest.raises(EngineRefusedError) as caught, translated("doing it"):
        raise refused
    assert caught.value is refused
    with pytest.raises(EngineError) as caught, translated("doing it"):
        raise RuntimeError("first line\n" + "trace\n" * 1000)
    assert str(caught.value).startswith("doing it: RuntimeError: first line")
    assert len(str(caught.value)) < 500


def test_an_interrupt_passes():
    with pytest.raises(KeyboardInterrupt), translated("doing it"):
        raise KeyboardInterrupt
