"""The parity gate: an engine is used only when it gives what the network gives in eager fp32.

Finite numbers alone prove nothing: the published form of modulated convolution collapses to one colour in fp16 while
every value stays finite. So each probe face is compared in PSNR and in standard deviation, and faces are run again in
other places of the batch and beside other faces.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch

from operators.engines.errors import EngineRefusedError
from operators.engines.options import Precision
from operators.engines.reference import Reference

Run = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Limits:
    """What a precision must reach; where the numbers come from is in docs/engines.md.

    Attributes:
        psnr: dB against the reference, of the worst face; the peak is the range of that face's reference.
        deviation: by how much the standard deviation of a face may differ from the reference's, as a share.
        repeat: dB between two outputs for one face in different places of the batch.
    """

    psnr: float
    deviation: float
    repeat: float


_FLAT = 1e-6
"""Standard deviation over largest magnitude below which an output is one constant and rounding errors."""

LIMITS: Mapping[Precision, Limits] = MappingProxyType(
    {
        "fp32": Limits(psnr=80.0, deviation=0.001, repeat=90.0),
        "fp16": Limits(psnr=45.0, deviation=0.02, repeat=60.0),
        "bf16": Limits(psnr=35.0, deviation=0.1, repeat=45.0),
    }
)


@dataclass(frozen=True)
class Verdict:
    """What the gate measured on an engine that passed.

    Attributes:
        psnr: dB of the worst face against the reference; infinite when all are equal.
        deviation: largest relative difference of a face's standard deviation.
        exact: a face's result had the same bits in every place of the batch and beside every other face.
    """

    psnr: float
    deviation: float
    exact: bool


def check_reference(found: Reference) -> None:
    """Refuse a network that is broken by itself.

    Args:
        found: its outputs in fp32.

    Raises:
        EngineRefusedError: they are not finite, or one of them is constant.
    """
    if not bool(found.outputs.isfinite().all()):
        raise EngineRefusedError(
            "gate: the network itself gives values that are not finite, in fp32 on drawn faces; "
            "its weights are damaged or belong to another architecture: verify the model's file"
        )
    if bool((_deviation(found.outputs) <= _FLAT * found.outputs.abs().flatten(1).amax(1)).any()):
        raise EngineRefusedError(
            "gate: the network itself gives one constant value, in fp32 on drawn faces; "
            "its weights are damaged or belong to another architecture: verify the model's file"
        )


def check(run: Run, found: Reference, bucket: int, precision: Precision, bitwise: bool) -> Verdict:
    """Run the probe faces through an engine and compare.

    Args:
        run: the engine, from (bucket, *input_shape) to (bucket, *output_shape).
        found: reference that `check_reference` accepts.
        bucket: batch size that the engine will always be run with.
        precision: decides the limits.
        bitwise: refuse an engine that does not give the same bits for a face wherever it stands in the batch.

    Returns:
        What was measured.

    Raises:
        EngineRefusedError: the output is not what the network gives; the message says in what it differs.
        EngineMemoryError: not enough memory for the batch.
        EngineError: the engine failed.
    """
    limits = LIMITS[precision]
    seen: dict[int, torch.Tensor] = {}
    worst, widest, exact = math.inf, 0.0, True
    for row in _rows(len(found.inputs), bucket):
        outputs = run(found.inputs[row].contiguous()).float().cpu()
        expected = found.outputs[row]
        _check_form(outputs, expected)
        psnr = min(_psnr(output, own) for output, own in zip(outputs, expected, strict=True))
        deviation = float((_deviation(outputs) / _deviation(expected) - 1.0).abs().max())
        worst, widest = min(worst, psnr), max(widest, deviation)
        if psnr < limits.psnr or deviation > limits.deviation:
            raise EngineRefusedError(
                f"gate: in {precision} the output differs from eager fp32: PSNR {psnr:.1f} dB (expected "
                f"{limits.psnr:.0f} or more), standard deviation off by {deviation:.1%} "
                f"(expected {limits.deviation:.1%} or less)"
            )
        for index, output in zip(row, outputs, strict=True):
            first = seen.setdefault(index, output)
            exact = exact and torch.equal(first, output)
            if _psnr(output, first) < limits.repeat:
                raise EngineRefusedError(
                    f"gate: one face gives different results in two runs: PSNR {_psnr(output, first):.1f} dB between "
                    f"them (expected {limits.repeat:.0f} or more)"
                )
        if bitwise and not exact:
            raise EngineRefusedError("gate: one face gives other bits in another run, expected the same")
    return Verdict(worst, widest, exact)


def _rows(count: int, bucket: int) -> Iterator[list[int]]:
    """Which probes go into which batch: all of them in turn, then one batch in which each has moved."""
    for start in range(0, count, bucket):
        yield [(start + place) % count for place in range(bucket)]
    shift = 1 if bucket > 1 else 0
    yield [(shift + place) % count for place in range(bucket)]


def _check_form(outputs: torch.Tensor, expected: torch.Tensor) -> None:
    if outputs.shape != expected.shape:
        raise EngineRefusedError(f"gate: output of shape {tuple(outputs.shape)}, expected {tuple(expected.shape)}")
    if not bool(outputs.isfinite().all()):
        share = float((~outputs.isfinite()).float().mean())
        raise EngineRefusedError(f"gate: {share:.1%} of the output's values are not finite")


def _deviation(outputs: torch.Tensor) -> torch.Tensor:
    """Standard deviation of each output: (N,) float64."""
    return outputs.double().flatten(1).std(1, correction=0)


def _error(output: torch.Tensor, expected: torch.Tensor) -> float:
    """Root mean square of the difference of two single outputs."""
    return float((output.double() - expected.double()).square().mean().sqrt())


def _psnr(output: torch.Tensor, expected: torch.Tensor) -> float:
    """Peak signal-to-noise ratio of a single output against the range of what is expected, dB."""
    error = _error(output, expected)
    return math.inf if error == 0 else 20.0 * math.log10(float(expected.max() - expected.min()) / error)
