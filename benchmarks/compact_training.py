"""Trains the small restorer `compact`: `python -m benchmarks.compact_training prepare | train`.

`prepare` cuts aligned faces out of portraits; `train` makes pairs of them on the fly and trains. The second needs torch, numpy, OpenCV,
pydantic, PyYAML, ONNX and safetensors, and nothing else of the package.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

SIZE, MARGIN, STORED = 256, 1 / 16, 432
TEMPLATE = "gpen"
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


def prepare(given: argparse.Namespace) -> None:
    """Cut faces: one JPEG each, (STORED, STORED), with a margin around the template's square."""
    import cv2

    from operators.faces.align import align, cut
    from operators.faces.detect import Detector
    from operators.faces.geometry import compose, scaling, translation
    from operators.images.decode import decode
    from operators.images.reduce import reduce_raster

    cv2.setNumThreads(1)
    left_out = set(given.exclude.read_text().split()) if given.exclude else set()
    given.out.mkdir(parents=True, exist_ok=True)
    detector, count = Detector(), 0
    for path in sorted(given.portraits.iterdir()):
        if path.suffix.lower() not in (".jpg", ".png") or path.name in left_out:
            continue
        raster = decode(path.read_bytes())
        scale = detector.needed_scale(raster.width, raster.height)
        view = reduce_raster(raster, scale)
        found = detector.find(lambda raster=raster: raster, view.pixels, (view.scale_x, view.scale_y), 1)
        if not found:
            continue
        largest = max(found, key=lambda one: np.ptp(one.landmarks[:, 1]))
        margin = SIZE * MARGIN
        affine = compose(
            align(largest.landmarks, TEMPLATE, SIZE), translation(margin, margin), scaling(STORED / (SIZE + 2 * margin))
        )
        crop = np.rint(np.clip(cut(raster, affine, STORED).pixels, 0, 1) * 255).astype(np.uint8)
        cv2.imwrite(str(given.out / f"{path.stem}.jpg"), crop[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, given.quality])
        count += 1
    print(f"{count} faces in {given.out}")


def loaded(folder: Path) -> np.ndarray:
    """(M, STORED, STORED, 3) uint8, RGB."""
    import cv2

    return np.stack([cv2.imread(str(path))[..., ::-1] for path in sorted(folder.glob("*.jpg"))])


def train(given: argparse.Namespace) -> None:
    """Train until the time is over, and write the mean of the weights and how it went."""
    import torch

    from operators.degradations.shipped import shipped
    from operators.faces.templates import template_points
    from operators.features import Embedder, sface_features
    from operators.networks.gpen.network import Gpen
    from operators.networks.widths import widths
    from operators.training.average import Average
    from operators.training.captured import Captured
    from operators.training.crew import Crew
    from operators.training.discriminator import Discriminator
    from operators.training.restoration import Restoration, Weights
    from operators.training.samples import FacePairs, Mixture

    begun = time.monotonic()
    torch.manual_seed(given.seed)
    device = torch.device(given.device)
    faces = loaded(given.faces)
    mixture = Mixture(tuple(shipped(name) for name in MIXTURE), tuple(MIXTURE.values()))
    pairs = FacePairs(faces, MARGIN, SIZE, mixture, given.seed)
    generator = Gpen(**ARGUMENTS).to(device)
    discriminator = Discriminator(widths(SIZE, 1, 0.5)).to(device)
    embedder = Embedder((template_points(TEMPLATE, SIZE) + 0.5) / SIZE).to(device)
    features = sface_features().to(device)
    rate = torch.tensor(given.rate, device=device)
    arithmetic = torch.bfloat16 if device.type == "cuda" else torch.float32
    if device.type == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
        torch.backends.cudnn.benchmark = True
        for module in (generator, discriminator):
            for weight in module.parameters():
                if weight.dim() == 4:
                    weight.data = weight.data.contiguous(memory_format=torch.channels_last)
    content = Restoration(generator, None, features, embedder, Weights(), arithmetic, rate)
    full = Restoration(
        generator, discriminator, features, embedder,
        Weights(adversarial=given.adversarial, matching=given.matching), arithmetic, rate,
    )  # fmt: skip
    average = Average(generator, given.half_life)
    steps = {False: content.step, True: full.step}
    if not given.plain:
        steps = {playing: Captured(one.step, one.drop_gradients) for playing, one in ((False, content), (True, full))}
    rows, step, last, kept = [], 0, time.monotonic(), 0.0
    given.out.parent.mkdir(parents=True, exist_ok=True)
    for batch in Crew(pairs, given.batch, 0, given.workers):
        now = time.monotonic() - begun
        if now > given.seconds:
            break
        share = min(1.0, now / given.seconds)
        rate.fill_(given.rate * min(1.0, (step + 1) / 200) * (1.0 if share < 0.5 else max(0.02, 2 * (1 - share))))
        pictures = torch.from_numpy(batch).to(device, non_blocking=False)
        degraded, truth = pictures.permute(0, 1, 4, 2, 3).float().div_(127.5).sub_(1).unbind()
        if device.type == "cuda":
            degraded, truth = (one.contiguous(memory_format=torch.channels_last) for one in (degraded, truth))
        playing = share >= given.alone and given.adversarial > 0
        terms = steps[playing](degraded, truth)
        if playing and step % full.weights.every == 0:
            terms = {**terms, "penalty": full.regularise(truth)}
        average.update(generator)
        step += 1
        if step % given.say == 0:
            row = {
                "step": step,
                "seconds": round(now, 1),
                **{name: round(float(value), 5) for name, value in terms.items()},
            }
            row["steps_per_second"] = round(given.say / (time.monotonic() - last), 2)
            last = time.monotonic()
            rows.append(row)
            print(json.dumps(row), flush=True)
            if not all(np.isfinite(value) for value in row.values()):
                sys.exit("not finite: stopped")
        if now - kept > 90:
            kept = now
            _write(given, average.module, rows, step, now, len(faces))
    _write(given, average.module, rows, step, time.monotonic() - begun, len(faces))


def _write(given: argparse.Namespace, module, rows, step: int, seconds: float, faces: int) -> None:
    import torch
    from safetensors.torch import save_file

    weights = {name: one.detach().cpu().contiguous().to(torch.float16) for name, one in module.state_dict().items()}
    save_file(weights, str(given.out))
    about = {
        "steps": step, "seconds": round(seconds, 1), "batch": given.batch, "faces": faces, "mixture": MIXTURE, "arguments": ARGUMENTS,
        "torch": torch.__version__, "device": torch.cuda.get_device_name() if given.device != "cpu" else "cpu",
        "options": {name: str(value) for name, value in vars(given).items() if name != "run"}, "rows": rows,
    }  # fmt: skip
    given.out.with_suffix(".json").write_text(json.dumps(about, indent=1))
    print(f"{step} steps in {seconds:.0f} s: {given.out}")


def main() -> int:
    """Parse the command line and do it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compact_training", description=__doc__)
    kinds = parser.add_subparsers(required=True)
    first = kinds.add_parser("prepare")
    first.add_argument("--portraits", type=Path, required=True)
    first.add_argument("--exclude", type=Path, help="file with names that are left out")
    first.add_argument("--out", type=Path, required=True)
    first.add_argument("--quality", type=int, default=95)
    first.set_defaults(run=prepare)
    second = kinds.add_parser("train")
    second.add_argument("--faces", type=Path, required=True)
    second.add_argument("--out", type=Path, required=True, help="file of weights, .safetensors")
    second.add_argument("--seconds", type=float, required=True)
    second.add_argument("--device", default="cpu")
    second.add_argument("--batch", type=int, default=32)
    second.add_argument("--workers", type=int, default=2)
    second.add_argument("--rate", type=float, default=1.5e-3)
    second.add_argument("--adversarial", type=float, default=0.005)
    second.add_argument("--matching", type=float, default=0.0)
    second.add_argument("--alone", type=float, default=0.4, help="share of the time without a discriminator")
    second.add_argument("--half-life", type=float, default=500.0)
    second.add_argument("--plain", action="store_true", help="no CUDA graphs")
    second.add_argument("--seed", type=int, default=0)
    second.add_argument("--say", type=int, default=100)
    second.set_defaults(run=train)
    given = parser.parse_args()
    given.run(given)
    return 0


if __name__ == "__main__":
    sys.exit(main())
