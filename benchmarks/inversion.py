"""Inversions with a real prior: PSNR and perceptual distance by task, number of codes and layer of composition.

First, on a machine with the whole package:

    python -m benchmarks.inversion --prepare --portraits FOLDER --names FILE --inputs FOLDER

Then, on any machine with torch, NumPy, OpenCV, ONNX and safetensors:

    python -m benchmarks.inversion --inputs FOLDER --device cuda --out FOLDER --budget-seconds 150

The prior is MobileStyleGAN's FFHQ weights from the package random-face. All faces are searched for together. The number
of iterations is the same for all runs; it is chosen from the speed of two short ones so that the plan fits the budget,
and runs that do not fit are named as left out. Written: `inversion.json`, `inversion.md`, and a sheet for each task.
"""

from __future__ import annotations

import argparse
import gc
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.inversion_inputs import Faces, prepare, read_faces, read_features, read_prior
from benchmarks.inversion_measures import Case, case_of, measured, sheet, table, to_range, to_tensor
from benchmarks.inversion_plan import Run, many, one, plan
from operators.features.contract import FeatureNetwork
from operators.inversion.beginning import first
from operators.inversion.objective import Objective, Observation
from operators.inversion.options import SearchOptions
from operators.inversion.priors.contract import Prior
from operators.inversion.search import Found, search
from operators.inversion.stepping import Stepper

SHARE = 0.8
"""Of the budget that the plan is meant for; the rest is for what was guessed too low."""


@dataclass
class Bench:
    """What all runs share."""

    prior: Prior
    features: FeatureNetwork
    perceptual: FeatureNetwork
    faces: Faces
    device: torch.device
    cases: dict[str, Case]

    def objective(self, run: Run, alone: int | None = None) -> Objective:
        """Of a run, for all faces or one alone."""
        chosen = slice(None) if alone is None else slice(alone, alone + 1)
        case = self.cases[run.task]
        like = torch.zeros((), device=self.device)
        known = None if case.known is None else to_tensor(case.known[chosen, ..., None], self.device)
        observation = Observation(case.steps, self.prior.resolution, known, like)
        target = observation.of_photographs(to_range(to_tensor(self.faces.pixels[chosen], self.device)))
        return Objective(observation, target, self.perceptual, run.feature_weight)

    def found(self, run: Run, seconds: float) -> tuple[Found, Tensor, Tensor]:
        """Search, and what it came to: pictures (N, 3, S, S), and the observation's PSNR (N,)."""
        options = replace(run.options, seconds=seconds)
        objective = self.objective(run)
        states = [first(self.prior, options, seed, self.objective(run, seed)) for seed in range(len(self.faces.names))]
        made = search(self.prior, objective, states, options)
        pictures = Stepper(self.prior, objective, made.states, options, compiled=False).pictures()
        return made, pictures, objective.psnr(pictures)


def main(arguments: Sequence[str] | None = None) -> None:
    """Prepare, or measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=Path, required=True, help="folder of prepared inputs")
    parser.add_argument("--prepare", action="store_true", help="make the inputs and end")
    parser.add_argument("--portraits", type=Path, help="with --prepare: folder of portraits")
    parser.add_argument("--names", type=Path, help="with --prepare: file with the names of those to use")
    parser.add_argument("--count", type=int, default=3, help="with --prepare: how many of them (3)")
    parser.add_argument("--device", default="cuda", help="cuda or cpu")
    parser.add_argument("--out", type=Path, help="folder for results")
    parser.add_argument("--budget-seconds", type=float, default=150.0, help="for everything")
    parser.add_argument("--iterations", type=int, default=600, help="at most")
    parser.add_argument("--runs", type=int, default=0, help="only so many of the plan")
    asked = parser.parse_args(arguments)
    if asked.prepare:
        if asked.portraits is None or asked.names is None:
            parser.error("--prepare needs --portraits and --names")
        prepare(asked.portraits, asked.names, asked.count, asked.inputs)
        return
    if asked.out is None:
        parser.error("--out is needed: where do results go?")
    _measure(asked, time.monotonic() + asked.budget_seconds)


def _measure(asked: argparse.Namespace, end: float) -> None:
    device = torch.device(asked.device)
    asked.out.mkdir(parents=True, exist_ok=True)
    faces = read_faces(asked.inputs)
    prior = read_prior(asked.inputs, device)
    cases = {task: case_of(task, faces.pixels) for task in ("reconstruct", "super_resolve", "colorize", "inpaint")}
    features, deep = read_features(asked.inputs, device), read_features(asked.inputs, device, ("conv_12",))
    bench = Bench(prior, features, deep, faces, device, cases)
    runs = plan()[: asked.runs or None]
    iterations, speeds = _iterations(bench, runs, end, asked.iterations)
    rows: list[dict[str, Any]] = []
    for run in runs:
        left = end - time.monotonic() - 8.0
        if left < 5.0:
            rows.append({"task": run.task, "label": run.label, "left_out": "the budget was used up"})
            continue
        rows.append(_row(bench, replace(run, options=replace(run.options, iterations=iterations)), left))
        print(json.dumps({key: value for key, value in rows[-1].items() if key != "options"}), flush=True)
    _write(asked, bench, rows, iterations, speeds)
    for task, case in cases.items():
        (asked.out / f"inversion-{task}.jpg").write_bytes(sheet(task, case, faces))


def _row(bench: Bench, run: Run, left: float) -> dict[str, Any]:
    began = time.monotonic()
    base = {"task": run.task, "label": run.label, "options": asdict(run.options), "feature_weight": run.feature_weight}
    if bench.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    try:
        made, pictures, observed = bench.found(run, left)
    except torch.OutOfMemoryError as error:
        return {**base, "left_out": str(error).splitlines()[0]}
    finally:
        gc.collect()
        if bench.device.type == "cuda":
            torch.cuda.empty_cache()
    seconds = time.monotonic() - began
    case = bench.cases[run.task]
    shown = measured(run.label, pictures, bench.faces.pixels, case, bench.features)
    case.columns.append(shown)
    return {
        **base,
        "iterations": made.done,
        "ended": [state.ended for state in made.states],
        "seconds": round(seconds, 2),
        "not_compiled": made.not_compiled,
        "observed_psnr": [round(value, 2) for value in observed.tolist()],
        "psnr": shown.psnr,
        "distance": shown.distance,
        "peak_gib": round(torch.cuda.max_memory_allocated() / 2**30, 2) if bench.device.type == "cuda" else None,
    }


def _iterations(bench: Bench, runs: Sequence[Run], end: float, most: int) -> tuple[int, dict[str, float]]:
    """Iterations for every run, from the seconds that one code and twenty take for one iteration."""
    short = 12
    one_code, twenty = (_speed(bench, options, short) for options in (one(), many(20, 9)))
    costs = [one_code + (twenty - one_code) * (run.options.codes - 1) / 19 for run in runs]
    fixed = 2.5 * len(runs)  # capture, first steps, measures
    left = (end - time.monotonic()) * SHARE - fixed
    speeds = {"one_code": round(one_code, 4), "twenty_codes": round(twenty, 4)}
    return max(20, min(most, int(left / sum(costs)))), speeds


def _speed(bench: Bench, options: SearchOptions, steps: int) -> float:
    run = Run("reconstruct", "speed", replace(options, iterations=steps))
    states = [first(bench.prior, run.options, seed) for seed in range(len(bench.faces.names))]
    stepper = Stepper(bench.prior, bench.objective(run), states, run.options, compiled=True)
    count = 2 if bench.device.type == "cpu" else steps
    stepper.step(0.0).tolist()
    began = time.monotonic()
    for _ in range(count):
        stepper.step(0.0)
    stepper.losses.tolist()
    return (time.monotonic() - began) / count


def _write(
    asked: argparse.Namespace, bench: Bench, rows: list[dict[str, Any]], n: int, speeds: dict[str, float]
) -> None:
    for case in bench.cases.values():
        case.measure_baseline(bench.faces.pixels, bench.features)
    on = torch.cuda.get_device_name() if bench.device.type == "cuda" else "cpu"
    about = {
        "device": on,
        "torch": torch.__version__,
        "faces": dict(zip(bench.faces.names, np.round(bench.faces.reductions, 3).tolist(), strict=True)),
        "iterations": n,
        "seconds_an_iteration": speeds,
        "features": bench.features.name,
    }
    baselines = {
        task: {"label": case.baseline.label, "psnr": case.baseline.psnr, "distance": case.baseline.distance}
        for task, case in bench.cases.items()
        if case.baseline is not None
    }
    whole = {**about, "baselines": baselines, "runs": rows}
    (asked.out / "inversion.json").write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    (asked.out / "inversion.md").write_text(table(rows, bench.cases), encoding="utf-8")


if __name__ == "__main__":
    main()
