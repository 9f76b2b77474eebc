"""From ONNX to a serialised plan. Needs no torch; TensorRT-RTX needs no GPU for it either."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from operators.engines.errors import EngineError, EngineMemoryError
from operators.engines.options import Profile
from operators.engines.tensorrt.flavours import PORTABLE, Flavour, library
from operators.engines.tensorrt.messages import is_memory, messages, said

GIBIBYTE = 1 << 30


@dataclass(frozen=True)
class BuildRequest:
    """How a plan is to be built; all of it stands in the artefact's key.

    Attributes:
        profile: batch sizes.
        target: kind of GPU, as `flavours.target` gives it.
        workspace: bytes of scratch memory that a layer may use.
        effort: the builder's optimisation level, 0 to 5; None takes the library's own.
    """

    profile: Profile
    target: str
    workspace: int = 8 * GIBIBYTE
    effort: int | None = None


@dataclass(frozen=True)
class Built:
    """A plan and what was learnt while it was built.

    Attributes:
        plan: serialised engine.
        timings: the timing cache, of use for the next build on the same kind of GPU; empty where the library has none.
    """

    plan: bytes
    timings: bytes = b""


def build(flavour: Flavour, onnx: bytes, request: BuildRequest, timings: bytes = b"") -> Built:
    """Parse a strongly typed ONNX graph and build a plan of it.

    The graph's own types are kept (no precision is chosen by the builder), and TF32 is off: what the graph computes in
    float32 stays float32.

    Args:
        flavour: which library.
        onnx: serialised model with one input and one output, the first dimension of both being the batch.
        request: how.
        timings: timing cache of an earlier build, or nothing.

    Returns:
        The plan.

    Raises:
        EngineUnavailableError: the library cannot be used here.
        EngineMemoryError: not enough memory.
        EngineError: the graph cannot be parsed or built.
    """
    trt = library(flavour)
    said(flavour)
    builder = trt.Builder(messages(flavour))
    network = builder.create_network(_strongly_typed(trt))
    parser = trt.OnnxParser(network, messages(flavour))
    if not parser.parse(onnx):
        reasons = "; ".join(str(parser.get_error(index)) for index in range(parser.num_errors))
        raise EngineError(f"{flavour.name} cannot parse the network: {reasons or said(flavour)}")
    config = builder.create_builder_config()
    _configure(trt, flavour, config, request)
    config.add_optimization_profile(_profile(builder, network, request.profile))
    cache = _timing_cache(config, flavour, timings)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        text = said(flavour)
        raise (EngineMemoryError if is_memory(text) else EngineError)(
            f"{flavour.name} {trt.__version__} cannot build the network for {request.target}: {text}"
        )
    return Built(bytes(plan), b"" if cache is None else bytes(cache.serialize()))


def _strongly_typed(trt: Any) -> int:
    """The creation flag; from TensorRT 11 on every network is strongly typed and the flag may go."""
    flag = getattr(trt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED", None)
    return 0 if flag is None else 1 << int(flag)


def _configure(trt: Any, flavour: Flavour, config: Any, request: BuildRequest) -> None:
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, request.workspace)
    config.clear_flag(trt.BuilderFlag.TF32)
    if request.effort is not None:
        config.builder_optimization_level = request.effort
    # A TensorRT-RTX plan is portable unless it names a GPU; Turing must be named.
    if flavour.builds_without_gpu and request.target != PORTABLE:
        name = request.target.upper().replace("_", "")
        if name not in trt.ComputeCapability.__members__:
            raise EngineError(f"{flavour.name} {trt.__version__} does not know the target {request.target}")
        config.num_compute_capabilities = 1
        config.set_compute_capability(trt.ComputeCapability.__members__[name], 0)


def _profile(builder: Any, network: Any, profile: Profile) -> Any:
    if network.num_inputs != 1 or network.num_outputs != 1:
        raise EngineError(f"expected one input and one output, found {network.num_inputs} and {network.num_outputs}")
    tensor = network.get_input(0)
    shape = tuple(tensor.shape)
    if shape[0] != -1 or any(size < 1 for size in shape[1:]):
        raise EngineError(f"expected an input whose batch alone is dynamic, found {tensor.name} {shape}")
    sizes = ((count, *shape[1:]) for count in (profile.least, profile.best, profile.most))
    made = builder.create_optimization_profile()
    made.set_shape(tensor.name, *sizes)
    return made


def _timing_cache(config: Any, flavour: Flavour, timings: bytes) -> Any:
    """A timing cache in use by `config`; None where kernels are not timed at this step."""
    if flavour.builds_without_gpu:
        return None
    cache = config.create_timing_cache(timings)
    if cache is None or not config.set_timing_cache(cache, ignore_mismatch=False):
        cache = config.create_timing_cache(b"")
        if cache is None or not config.set_timing_cache(cache, ignore_mismatch=False):
            return None
    return cache
