"""One way of running one generator: ms a face in each precision and at each batch size, and how right the result is."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from benchmarks.gpu.cases import Child
from benchmarks.gpu.networks import Generator, generator
from benchmarks.gpu.results import write
from benchmarks.gpu.timing import timed
from operators.engines import inductor
from operators.engines.aot import AotEngine
from operators.engines.compile import CompileEngine
from operators.engines.contract import Engine
from operators.engines.eager import DTYPES, EagerEngine, exact_arithmetic
from operators.engines.errors import EngineError
from operators.engines.options import EngineName, EngineOptions, Precision, Profile
from operators.engines.table import BACKENDS

Run = Callable[[torch.Tensor], torch.Tensor]
Prepared = tuple[Run, Callable[[], None]]
"""The call, and what frees it."""

_ENGINES: dict[str, EngineName] = {
    "eager": "eager",
    "compile": "compile",
    "compile, autotuned": "compile",
    "aot": "aot",
    "aot, one batch size": "aot",
    "aot, autotuned": "aot",
    "tensorrt": "tensorrt",
    "tensorrt_rtx": "tensorrt_rtx",
}


def measure(child: Child) -> None:
    """Write one row for each setting, in the case's order.

    Args:
        child: what it is told.
    """
    case, device, tiny, results = child.case, child.device, child.tiny, child.results
    given = generator(case.network, tiny=tiny)
    most = max(batch for _, batch in case.settings)
    profile = Profile(1, case.settings[0][1], most)
    reason = _unavailable(case.how, device)
    if reason is not None:
        write(results, {"kind": "left out", "case": case.name, "reason": reason})
        return
    faces = torch.rand(most, *given.network.input_shape, generator=torch.Generator().manual_seed(1)) * 2 - 1
    faces = faces.to(device)
    reference = _reference(given.network.module, faces, device)
    prepared: dict[str, tuple[Prepared, float]] = {}
    for precision, batch in case.settings:
        about = {"case": case.name, "network": case.network, "how": case.how, "precision": precision, "batch": batch}
        try:
            if precision not in prepared:
                prepared[precision] = _prepared(case.how, given, precision, device, profile, batch)  # type: ignore[arg-type]
            (run, _), seconds = prepared[precision]
            row = _row(run, faces[:batch], reference[:batch], device, 0.1 if tiny else 1.5)
            write(results, {"kind": "engine", **about, "prepare_s": round(seconds, 2), **row})
        except (EngineError, RuntimeError) as error:
            write(results, {"kind": "failed", **about, "reason": f"{type(error).__name__}: {str(error)[:600]}"})
    for (_, free), _ in prepared.values():
        free()


def _unavailable(how: str, device: str) -> str | None:
    """Why an engine cannot be used here, or None; on a CPU the compiled ones are tried out too."""
    if how not in _ENGINES:
        return None
    name = _ENGINES[how]
    return inductor.available(device) if name in ("compile", "aot") else BACKENDS[name].available(device)


def _prepared(
    how: str, given: Generator, precision: Precision, device: str, profile: Profile, batch: int
) -> tuple[Prepared, float]:
    """The call ready to run, and the seconds that took."""
    begun = time.perf_counter()
    if how in _ENGINES:
        prepared = _engine(how, given, precision, device, profile, batch)
    else:
        prepared = _module(how, given, precision, device), lambda: None
    return prepared, time.perf_counter() - begun


def _engine(how: str, given: Generator, precision: Precision, device: str, profile: Profile, batch: int) -> Prepared:
    only = EngineOptions(profile=Profile(batch, batch, batch))
    options = EngineOptions(profile=profile)
    engine: Engine
    if how == "compile":
        engine = CompileEngine(precision, device, options)
    elif how == "compile, autotuned":
        engine = CompileEngine(precision, device, only, mode="max-autotune-no-cudagraphs")
    elif how == "aot":
        engine = AotEngine(precision, device, options)
    elif how in ("aot, one batch size", "aot, autotuned"):
        engine = AotEngine(precision, device, only, autotune=how == "aot, autotuned")
    elif how == "eager":
        engine = EagerEngine(precision, device, options)
    else:
        engine = BACKENDS[_ENGINES[how]].build(precision, device, options, None)
    engine.prepare(given.network)
    return engine.run, engine.close


def _module(how: str, given: Generator, precision: Precision, device: str) -> Run:
    """A module without an engine: the published form, TF32, or cuDNN choosing its algorithms by timing."""
    if how == "published":
        module = copy.deepcopy(given.published).to(device=device, dtype=DTYPES[precision])
        return lambda faces: _plain(module, faces.to(DTYPES[precision]))
    form: nn.Module = inductor.compiled_form(given.network, precision, device)
    if how == "compile, cuDNN benchmark":
        form = torch.compile(form, dynamic=False)  # type: ignore[assignment]

    def run(faces: torch.Tensor) -> torch.Tensor:
        with torch.backends.cudnn.flags(enabled=True, benchmark=how != "eager, TF32", allow_tf32=True):
            return _plain(form, faces)

    return run


def _plain(module: nn.Module, faces: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        result: torch.Tensor = module(faces).float()
        return result


def _reference(module: nn.Module, faces: torch.Tensor, device: str) -> torch.Tensor:
    """What fp32 without TF32 gives, face by face."""
    moved = module.to(device)
    with exact_arithmetic():
        found = torch.cat([_plain(moved, face[None]) for face in faces.unbind()])
    module.to("cpu")
    if device != "cpu":
        torch.cuda.empty_cache()
    return found


def _row(run: Run, faces: torch.Tensor, reference: torch.Tensor, device: str, seconds: float) -> dict[str, Any]:
    if device != "cpu":
        torch.cuda.reset_peak_memory_stats()
    first = run(faces)
    timing = timed(lambda: run(faces), device, seconds)
    rolled = run(faces.roll(1, 0)).roll(-1, 0)
    return {
        "ms": timing.median,
        "ms_per_face": timing.median / len(faces),
        "fastest_ms": timing.fastest,
        "slowest_ms": timing.slowest,
        "rounds": timing.rounds,
        "psnr": psnr(first, reference),
        "repeatable": bool(torch.equal(first, run(faces))),
        "position_free": bool(torch.equal(first, rolled)),
        "peak_bytes": 0 if device == "cpu" else torch.cuda.max_memory_allocated(),
    }


def psnr(found: torch.Tensor, reference: torch.Tensor) -> float:
    """Peak signal to noise ratio in dB, the peak being the reference's range; 200 for equal pictures.

    Args:
        found: (N, ...).
        reference: the same shape.
    """
    error = (found - reference).double().square().mean().sqrt()
    span = (reference.max() - reference.min()).double()
    ratio = float(error / span)
    return 200.0 if ratio < 1e-10 else float(-20 * torch.log10(error / span))
