"""A plan loaded onto a GPU and run on torch tensors. Everything here needs a CUDA device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from operators.engines.errors import EngineError, EngineMemoryError
from operators.engines.tensorrt.flavours import Flavour, library
from operators.engines.tensorrt.messages import is_memory, messages, said


class LoadedPlan:
    """A deserialised plan with its weights on the GPU; makes one execution context a batch size.

    A context of its own for each size, since a captured graph holds on to the context's state (TensorRT documentation,
    "CUDA Graphs"). Scratch memory is torch's, as large as that batch needs: a smaller batch needs less, and lack of
    memory is torch's own error.
    """

    def __init__(self, flavour: Flavour, plan: memoryview, device: torch.device, kernels: bytes = b"") -> None:
        """Deserialise.

        Args:
            flavour: the library that built the plan.
            plan: what `build` made.
            device: a CUDA device of the kind it was built for.
            kernels: compiled kernels of an earlier process, from `kernels`; TensorRT-RTX checks whether they fit.

        Raises:
            EngineUnavailableError: the library cannot be used.
            EngineMemoryError: not enough memory.
            EngineError: the plan does not load on this device, or is not one of ours.
        """
        self._flavour = flavour
        self._trt = library(flavour)
        self._device = device
        said(flavour)
        with torch.cuda.device(device):
            torch.cuda.current_stream(device).synchronize()  # the library needs the CUDA context that torch makes
            self._runtime = self._trt.Runtime(messages(flavour))
            self._check(plan)
            self._engine = self._runtime.deserialize_cuda_engine(plan)
            if self._engine is None:
                raise self._failure("cannot load the plan")
            self._input, self._output = self._tensors()
            self._settings = self._runtime_settings(kernels)

    def call_at(self, count: int) -> Callable[[torch.Tensor], torch.Tensor]:
        """The network at one batch size.

        Args:
            count: batch size, inside the plan's profile.

        Returns:
            A call from (count, *input_shape) float32, contiguous and on the device, to (count, *output_shape) float32;
            it launches on the current stream and can be captured.

        Raises:
            EngineMemoryError: not enough memory for a batch of this size.
            EngineError: the library refuses it.
        """
        with torch.cuda.device(self._device):
            context = self._context()
            shape = (count, *tuple(self._engine.get_tensor_shape(self._input))[1:])
            if not context.set_input_shape(self._input, shape) or context.infer_shapes():
                raise self._failure(f"does not take a batch of {count}")
            result = tuple(context.get_tensor_shape(self._output))
            needed = context.update_device_memory_size_for_shapes()
            # torch's allocations are aligned to 512 bytes; TensorRT asks for 256.
            scratch = torch.empty(max(int(needed), 1), dtype=torch.uint8, device=self._device)
            context.set_device_memory(scratch.data_ptr(), scratch.numel())
        return _Call(context, (self._input, self._output), scratch, shape, result, self._failure)

    def kernels(self) -> bytes:
        """Kernels that were compiled on this GPU so far, for the next process; empty where the plan holds them."""
        if self._settings is None:
            return b""
        cache = self._settings.get_runtime_cache()
        stored = None if cache is None else cache.serialize()
        return b"" if stored is None else bytes(stored)

    def free(self) -> None:
        """Drop the engine; its memory goes when the last context does."""
        self._settings = None
        self._engine = None
        self._runtime = None

    def _check(self, plan: memoryview) -> None:
        """Ask TensorRT-RTX whether it can load the plan, before it tries; TensorRT tells by not loading it."""
        if not self._flavour.builds_without_gpu:
            return
        validity, reasons = self._runtime.get_engine_validity(plan[: self._runtime.engine_header_size])
        if validity == self._trt.EngineValidity.INVALID:
            known = self._trt.EngineInvalidityDiagnostics.__members__
            names = [name for name, bit in known.items() if int(reasons) & int(bit)]
            raise EngineError(
                f"{self._flavour.name} finds the plan not valid here: {', '.join(names) or said(self._flavour)}"
            )

    def _tensors(self) -> tuple[str, str]:
        """Names of the one input and the one output, both float32."""
        names = [self._engine.get_tensor_name(index) for index in range(self._engine.num_io_tensors)]
        mode = self._trt.TensorIOMode
        inputs = [name for name in names if self._engine.get_tensor_mode(name) == mode.INPUT]
        outputs = [name for name in names if self._engine.get_tensor_mode(name) == mode.OUTPUT]
        types = {self._engine.get_tensor_dtype(name) for name in names}
        if len(inputs) != 1 or len(outputs) != 1 or types != {self._trt.float32}:
            raise EngineError(
                f"expected a plan with one input and one output in float32, found {inputs} to {outputs}, {types}"
            )
        return inputs[0], outputs[0]

    def _runtime_settings(self, kernels: bytes) -> Any:
        """Settings for contexts where kernels are compiled on this GPU, None where they are in the plan."""
        if not self._flavour.builds_without_gpu:
            return None
        settings = self._engine.create_runtime_config()
        settings.set_execution_context_allocation_strategy(self._trt.ExecutionContextAllocationStrategy.USER_MANAGED)
        # The default runs other kernels until the right ones are compiled beside it: results would change in mid-run.
        strategy = self._trt.DynamicShapesKernelSpecializationStrategy
        settings.dynamic_shapes_kernel_specialization_strategy = strategy.EAGER
        cache = settings.create_runtime_cache()
        if cache is not None:
            if kernels:
                cache.deserialize(kernels)
            settings.set_runtime_cache(cache)
        return settings

    def _context(self) -> Any:
        if self._engine is None:
            raise EngineError(f"{self._flavour.name}: the plan was freed")
        if self._settings is not None:
            context = self._engine.create_execution_context(self._settings)
        else:
            context = self._engine.create_execution_context(self._trt.ExecutionContextAllocationStrategy.USER_MANAGED)
        if context is None:
            raise self._failure("cannot make an execution context")
        if context.active_optimization_profile != 0:  # chosen by itself for an engine's first context alone
            stream = torch.cuda.current_stream(self._device)
            if not context.set_optimization_profile_async(0, stream.cuda_stream):
                raise self._failure("cannot choose the profile")
            stream.synchronize()
        return context

    def _failure(self, what: str) -> EngineError:
        text = said(self._flavour)
        kind = EngineMemoryError if is_memory(text) else EngineError
        return kind(f"{self._flavour.name} {self._trt.__version__} {what}: {text}")


class _Call:
    """One context at one batch size, with the scratch memory it works in."""

    def __init__(
        self,
        context: Any,
        names: tuple[str, str],
        scratch: torch.Tensor,
        shape: tuple[int, ...],
        result: tuple[int, ...],
        failure: Callable[[str], EngineError],
    ) -> None:
        self._context = context
        self._input, self._output = names
        self._scratch = scratch
        self._shape = shape
        self._result = result
        self._failure = failure

    def __call__(self, batch: torch.Tensor) -> torch.Tensor:
        """Launch on the current stream; shape and type are checked, since the library would read past the end."""
        if tuple(batch.shape) != self._shape or batch.dtype != torch.float32 or not batch.is_contiguous():
            raise EngineError(f"expected {self._shape} float32 contiguous, found {tuple(batch.shape)} {batch.dtype}")
        output = torch.empty(self._result, dtype=torch.float32, device=batch.device)
        self._context.set_tensor_address(self._input, batch.data_ptr())
        self._context.set_tensor_address(self._output, output.data_ptr())
        if not self._context.execute_async_v3(torch.cuda.current_stream(batch.device).cuda_stream):
            raise self._failure("failed while it ran")
        return output
