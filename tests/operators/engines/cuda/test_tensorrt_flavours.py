"""What the two TensorRT libraries can do on which machine, and how it is said."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from operators.engines.errors import EngineUnavailableError
from operators.engines.options import EngineOptions
from operators.engines.tensorrt import engine
from operators.engines.tensorrt.flavours import FLAVOURS, PORTABLE, library, missing, target, unsupported, version
from operators.engines.tensorrt.messages import is_memory, messages, said

RTX = FLAVOURS["tensorrt_rtx"]
ABSENT = missing(RTX)
needs_rtx = pytest.mark.skipif(ABSENT is not None, reason=f"TensorRT-RTX cannot be used here: {ABSENT}")


def test_a_library_that_is_not_installed_says_how_to_get_it():
    flavour = replace(RTX, modules=("no_such_library_of_ours",))
    assert "facejobs[tensorrt-rtx]" in missing(flavour)
    with pytest.raises(EngineUnavailableError, match="not installed"):
        version(flavour)


def test_a_library_that_does_not_load_says_why(tmp_path, monkeypatch):
    (tmp_path / "broken_library_of_ours.py").write_text("raise ImportError('libcudart.so.13: cannot open')")
    monkeypatch.syspath_prepend(tmp_path)
    assert "libcudart" in missing(replace(RTX, modules=("broken_library_of_ours",)))


@pytest.mark.parametrize(("found", "old"), [("1.3.0", True), ("1.4.0.1", False), ("2.0", False), ("unknown", True)])
def test_a_library_that_is_too_old_is_refused(tmp_path, monkeypatch, found, old):
    name = f"library_{found.replace('.', '_')}"
    (tmp_path / f"{name}.py").write_text(f"__version__ = {found!r}")
    monkeypatch.syspath_prepend(tmp_path)
    reason = missing(replace(RTX, modules=(name,)))
    assert ("too old" in reason) if old else reason is None


def test_targets():
    assert target(RTX, None) == PORTABLE
    assert target(RTX, (8, 9)) == PORTABLE
    assert target(RTX, (7, 5)) == "sm_75"
    assert target(FLAVOURS["tensorrt"], (9, 0)) == "sm_90"
    with pytest.raises(EngineUnavailableError, match="this machine has none"):
        target(FLAVOURS["tensorrt"], None)


@needs_rtx
@pytest.mark.parametrize(
    ("capability", "supported"),
    [
        ((7, 5), True),
        ((8, 0), True),
        ((8, 6), True),
        ((8, 9), True),
        ((9, 0), False),
        ((10, 0), False),
        ((12, 0), True),
    ],
)
def test_tensorrt_rtx_names_the_gpus_it_has_no_kernels_for(capability, supported):
    reason = unsupported(RTX, capability)
    assert (reason is None) == supported
    if not supported:
        assert f"{capability[0]}.{capability[1]}" in reason


def test_a_gpu_newer_than_all_that_are_known_is_tried():
    if ABSENT is None:
        assert unsupported(RTX, (99, 0)) is None
    assert unsupported(FLAVOURS["tensorrt"], (99, 0)) is None


@pytest.mark.parametrize("flavour", ["tensorrt", "tensorrt_rtx"])
def test_no_flavour_runs_on_a_cpu(flavour):
    assert "CUDA" in engine.available("cpu", flavour)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
@needs_rtx
def test_without_a_gpu_plans_are_built_and_not_run(tiny_generator):
    assert engine.compilable("cuda", "tensorrt_rtx") is None
    assert "CUDA" in engine.available("cuda", "tensorrt_rtx")
    made = engine.TensorRTEngine("bf16", "cuda", EngineOptions(), None, flavour="tensorrt_rtx")
    with pytest.raises(EngineUnavailableError, match="CUDA"):
        made.prepare(tiny_generator("gpen"))


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_tensorrt_is_not_built_without_a_gpu(tiny_generator, tmp_path):
    from operators.engines.artifacts import FolderArtifacts

    assert engine.compilable("cuda", "tensorrt") is not None
    made = engine.TensorRTEngine("bf16", "cuda", EngineOptions(), FolderArtifacts(tmp_path), flavour="tensorrt")
    with pytest.raises(EngineUnavailableError):
        made.compile_ahead(tiny_generator("gpen"))
    assert not list(tmp_path.iterdir())


USED = {
    "Runtime": ("deserialize_cuda_engine", "get_engine_validity", "engine_header_size"),
    "ICudaEngine": (
        "num_io_tensors",
        "get_tensor_name",
        "get_tensor_mode",
        "get_tensor_dtype",
        "get_tensor_shape",
        "create_execution_context",
        "create_runtime_config",
    ),
    "IExecutionContext": (
        "active_optimization_profile",
        "set_optimization_profile_async",
        "set_input_shape",
        "infer_shapes",
        "get_tensor_shape",
        "update_device_memory_size_for_shapes",
        "set_device_memory",
        "set_tensor_address",
        "execute_async_v3",
    ),
    "IRuntimeConfig": (
        "set_execution_context_allocation_strategy",
        "dynamic_shapes_kernel_specialization_strategy",
        "create_runtime_cache",
        "set_runtime_cache",
        "get_runtime_cache",
    ),
    "IRuntimeCache": ("serialize", "deserialize"),
    "ExecutionContextAllocationStrategy": ("USER_MANAGED",),
    "DynamicShapesKernelSpecializationStrategy": ("EAGER",),
    "EngineValidity": ("INVALID",),
    "TensorIOMode": ("INPUT", "OUTPUT"),
}


@needs_rtx
@pytest.mark.parametrize("kind", USED)
def test_what_running_a_plan_uses_is_there(kind):
    assert not [name for name in USED[kind] if not hasattr(getattr(library(RTX), kind), name)]


@needs_rtx
def test_a_plan_is_checked_before_it_is_loaded():
    trt = library(RTX)
    runtime = trt.Runtime(messages(RTX))
    validity, reasons = runtime.get_engine_validity(memoryview(bytes(runtime.engine_header_size)))
    assert validity == trt.EngineValidity.INVALID
    assert reasons & int(trt.EngineInvalidityDiagnostics.MALFORMED_ENGINE)
    assert runtime.deserialize_cuda_engine(memoryview(b"no plan" * 100)) is None
    assert said(RTX) != said(RTX) == "the library gave no reason"


def test_messages_of_too_little_memory_are_known():
    assert is_memory("Error Code 2: OutOfMemory (Requested size was 8589934592 bytes.)")
    assert is_memory("In resizeOutput: Cuda failure: out of memory")
    assert not is_memory("Error Code 4: Internal Error (kernel not found)")


def test_the_building_process_needs_no_torch():
    code = (
        "import sys, operators.engines.tensorrt.isolated as module\n"
        "sys.exit('torch' in sys.modules or 'onnx' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=120).returncode == 0
