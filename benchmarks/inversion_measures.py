"""What `benchmarks.inversion` compares: observations, results of plain methods, measures, sheets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image as Pillow
from torch import Tensor

from benchmarks.inversion_inputs import Faces
from benchmarks.inversion_plan import FACTOR, HOLE
from operators.features.contract import FeatureNetwork
from operators.features.perceptual import perceptual_distance
from operators.inversion.finish import taken
from operators.inversion.resampling import resized
from operators.inversion.steps import Step
from operators.inversion.tasks import Task, steps_of
from operators.restorers.contract import FaceContext

Pixels = NDArray[np.float32]
TILE, HEAD = 256, 28
SEEN = 256
"""Side at which pictures are compared by features."""


@dataclass(frozen=True)
class Column:
    """What one method has made of all faces.

    Attributes:
        label: of the method.
        pixels: (N, S, S, 3) float32 in [0, 1]; views of them for sheets once measured.
        psnr: of each face in dB, within the hole where there is one.
        distance: perceptual, of each face.
    """

    label: str
    pixels: Pixels
    psnr: list[float] = field(default_factory=list)
    distance: list[float] = field(default_factory=list)


@dataclass
class Case:
    """A task with what was observed of all faces.

    Attributes:
        steps: of its degradation.
        observed: as it is shown.
        known: (N, S, S) float32, 1 where the face is known; None where all of it is.
        baseline: a plain method; None where the task has none.
        columns: of the runs so far.
    """

    task: Task
    steps: tuple[Step, ...]
    observed: Column
    known: Pixels | None
    baseline: Column | None
    columns: list[Column] = field(default_factory=list)

    def measure_baseline(self, faces: Pixels, features: FeatureNetwork) -> None:
        """Fill in the measures of the plain method, once."""
        if self.baseline is not None and not self.baseline.psnr:
            self.baseline = _compared(self.baseline.label, self.baseline.pixels, faces, self.known, features)


def case_of(task: Task, faces: Pixels) -> Case:
    """The task for faces (N, S, S, 3)."""
    side = faces.shape[1]
    steps = steps_of(task, FACTOR, "area")
    if task == "super_resolve":
        small = round(side / FACTOR)
        low = [cv2.resize(face, (small, small), interpolation=cv2.INTER_AREA) for face in faces]
        shown = [cv2.resize(face, (side, side), interpolation=cv2.INTER_NEAREST) for face in low]
        return Case(task, steps, _column("observed", shown), None, _column("bicubic", [_bicubic(x, side) for x in low]))
    if task == "colorize":
        grey = [np.repeat(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY)[..., None], 3, 2) for face in faces]
        return Case(task, steps, _column("observed", grey), None, _column("grey as it is", grey))
    if task == "inpaint":
        known = np.ones(faces.shape[:3], np.float32)
        first, width = round(side * (1 - HOLE) / 2), round(side * HOLE)
        known[:, first : first + width, first : first + width] = 0.0
        holes = [_filled(face, mask) for face, mask in zip(faces, known, strict=True)]
        return Case(task, steps, _column("observed", faces * known[..., None]), known, _column("Telea", holes))
    return Case(task, steps, _column("observed", faces), None, None)


def measured(label: str, pictures: Tensor, faces: Pixels, case: Case, features: FeatureNetwork) -> Column:
    """Finish what a search has found, and compare it."""
    made = ((pictures.clamp(-1.0, 1.0) + 1.0) * 0.5).permute(0, 2, 3, 1).cpu().numpy()
    done = []
    for index, (face, picture) in enumerate(zip(faces, made, strict=True)):
        mask = None if case.known is None else 1.0 - case.known[index]
        seen = case.observed.pixels[index] if case.task == "colorize" else face
        context = FaceContext(np.zeros((5, 2)), gray=False, reduction=1.0, seed=index, mask=mask)
        done.append(taken(seen, np.ascontiguousarray(picture), context, case.task, keep_tone=case.task == "colorize"))
    return _compared(label, np.stack(done), faces, case.known, features)


def _compared(label: str, made: Pixels, faces: Pixels, known: Pixels | None, features: FeatureNetwork) -> Column:
    counted = np.ones(faces.shape[:3], np.float32) if known is None else 1.0 - known
    error = np.square(made - faces).mean(3)
    mean = (error * counted).sum((1, 2)) / counted.sum((1, 2))
    device = next(iter(features.buffers())).device
    with torch.no_grad():
        seen, wanted = (to_range(_seen(to_tensor(pixels, device))) for pixels in (made, faces))
        distance = perceptual_distance(features, seen, wanted).tolist()
    psnr = [round(float(value), 2) for value in -10.0 * np.log10(np.maximum(mean, 1e-12))]
    return Column(label, made, psnr, [round(value, 4) for value in distance])


def sheet(task: str, case: Case, faces: Faces) -> bytes:
    """A JPEG with a row for each face: as it was, as observed, the plain method, each run."""
    columns = [_column("portrait", faces.pixels), case.observed, *([case.baseline] if case.baseline else [])]
    columns += case.columns
    if task == "reconstruct":
        columns.pop(1)
    height, width = HEAD + TILE * len(faces.names), TILE * len(columns)
    page = np.full((height, width, 3), 255, np.uint8)
    for place, column in enumerate(columns):
        left = place * TILE
        cv2.putText(page, column.label, (left + 6, 19), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 1, cv2.LINE_AA)
        for row, picture in enumerate(column.pixels):
            tile = cv2.resize(picture, (TILE, TILE), interpolation=cv2.INTER_AREA)
            top = HEAD + row * TILE
            page[top : top + TILE, left : left + TILE] = np.round(np.clip(tile, 0, 1) * 255).astype(np.uint8)
    done, data = cv2.imencode(".jpg", page[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])
    if not done:
        raise RuntimeError("OpenCV could not write the sheet")
    return data.tobytes()


def table(rows: Sequence[Mapping[str, Any]], cases: Mapping[str, Case]) -> str:
    """The results as a Markdown table: means over the faces."""
    lines = [
        "| task | method | PSNR dB | distance | observation dB | iterations | seconds |",
        "|---|---|---|---|---|---|---|",
    ]
    for task, case in cases.items():
        if case.baseline is not None:
            psnr, distance = np.mean(case.baseline.psnr), np.mean(case.baseline.distance)
            lines.append(f"| {task} | {case.baseline.label} | {psnr:.2f} | {distance:.3f} | | | |")
        for row in (row for row in rows if row["task"] == task):
            if "left_out" in row:
                lines.append(f"| {task} | {row['label']} | left out: {row['left_out']} | | | | |")
                continue
            lines.append(
                f"| {task} | {row['label']} | {np.mean(row['psnr']):.2f} | {np.mean(row['distance']):.3f} | "
                f"{np.mean(row['observed_psnr']):.2f} | {row['iterations']} | {row['seconds']:.1f} |"
            )
    return "\n".join(lines) + "\n"


def to_tensor(pixels: Pixels, device: torch.device) -> Tensor:
    """(N, H, W, C) to (N, C, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))).to(device)


def to_range(light: Tensor) -> Tensor:
    """[0, 1] to [-1, 1]."""
    return light * 2.0 - 1.0


def _seen(pictures: Tensor) -> Tensor:
    matrix = torch.from_numpy(resized("area", pictures.shape[2], SEEN)).to(pictures)
    return matrix @ pictures @ matrix.T


def _column(label: str, pictures: Sequence[Pixels] | Pixels) -> Column:
    return Column(label, np.stack(list(pictures)).astype(np.float32))


def _bicubic(small: Pixels, side: int) -> Pixels:
    planes = [
        np.asarray(
            Pillow.fromarray(np.ascontiguousarray(small[..., channel])).resize((side, side), Pillow.Resampling.BICUBIC)
        )
        for channel in range(3)
    ]
    return np.clip(np.stack(planes, axis=2), 0.0, 1.0).astype(np.float32)


def _filled(face: Pixels, known: Pixels) -> Pixels:
    """OpenCV's fast marching (Telea 2004), in 8 bits."""
    levels = np.round(face * 255.0).astype(np.uint8)
    made = cv2.inpaint(levels, (known < 0.5).astype(np.uint8), 3.0, cv2.INPAINT_TELEA)
    return np.where(known[..., None] > 0.5, face, made.astype(np.float32) / np.float32(255.0))
