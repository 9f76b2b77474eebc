"""The whole circle at small size: portraits, pairs, a network trained on them, compiled, run on an archive, measured.

    python examples/whole_circle.py PORTRAITS WORK [--steps 1000]

PORTRAITS is a folder of good portraits, forty or more; the last sixth of them, by name, is never trained on and becomes
the archive. Everything is written below WORK. Each step is a command of facejobs that is printed before it runs, so
that it can be run by hand; run again, the script continues where it stopped. docs/training.md walks through it.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import yaml
from PIL import Image

SIZE = 64
"""Pixels a side of the faces that the network takes."""
WIDTH = 80
"""Pixels of the archive's pictures: a face in a portrait of that width is about as large as the network takes it; a
larger one would be left alone."""
RECIPE = {
    "recipe": "grainy-and-compressed",
    "source": "this script",
    "steps": [
        {"use": "gaussian-noise", "parameters": {"sigma": {"uniform": [10, 30]}}},
        {"use": "jpeg", "parameters": {"quality": {"integer": [60, 90]}}},
    ],
}
"""What has happened to the archive: grain, and compression. Shipped recipes are made for larger faces."""
ENDINGS = (".jpg", ".jpeg", ".png", ".tif", ".tiff")


def facejobs(*words: str, may: tuple[int, ...] = (0,)) -> None:
    """Run a command and stop the script where it fails."""
    print(f"\n$ facejobs {shlex.join(words)}", flush=True)
    begun = time.monotonic()
    code = subprocess.run([sys.executable, "-m", "jobs", *words], check=False).returncode
    print(f"# {time.monotonic() - begun:.0f} s", flush=True)
    if code not in may:
        sys.exit(f"facejobs ended with exit code {code}; docs/command-line.md says what it means")


def write(path: Path, job: dict[str, object]) -> str:
    """Write a job file."""
    path.write_text(yaml.safe_dump(job, sort_keys=False), encoding="utf-8")
    return str(path)


def share_out(portraits: Path, work: Path) -> None:
    """Portraits to train on, and an archive: small, grainy pictures of the others beside what they were."""
    found = sorted(path for path in portraits.iterdir() if path.suffix.lower() in ENDINGS)
    if len(found) < 12:
        sys.exit(f"{portraits}: {len(found)} pictures, expected at least 12 portraits")
    kept_back = set(found[-(len(found) // 6) :])
    for name in ("good", "archive", "truth"):
        (work / name).mkdir(parents=True, exist_ok=True)
    for path in found:
        if path not in kept_back:
            (work / "good" / path.name).write_bytes(path.read_bytes())
            continue
        with Image.open(path) as opened:
            picture = opened.convert("RGB")
        picture = picture.resize((WIDTH, round(WIDTH * picture.height / picture.width)), Image.Resampling.LANCZOS)
        picture.save(work / "truth" / f"{path.stem}.png")
        grain = np.random.default_rng(zlib.crc32(path.name.encode())).normal(0, 20, (picture.height, picture.width, 3))
        poor = Image.fromarray(np.clip(np.asarray(picture) + grain, 0, 255).astype(np.uint8))
        poor.save(work / "archive" / f"{path.stem}.jpg", quality=75)


def main() -> int:
    """Parse the command line and go round."""
    parser = argparse.ArgumentParser(prog="whole_circle.py", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("portraits", type=Path, help="folder of good portraits")
    parser.add_argument("work", type=Path, help="folder for everything that is made")
    parser.add_argument("--steps", type=int, default=1000, help="of training")
    given = parser.parse_args()
    work = given.work.absolute()
    share_out(given.portraits, work)
    cache = str(work / "models")

    pairs = write(
        work / "pairs.yaml",
        {
            "job": "pairs",
            "name": "circle-pairs",
            "source": {"kind": "files", "uri": "good"},
            "samples": {"kind": "faces", "template": "gpen", "size": SIZE},
            "degrade": {"recipe": RECIPE, "variants": 4},
            "split": {"parts": {"train": 0.9, "val": 0.1}},
            "output": {"uri": "pairs", "format": "folders"},
            "run": {"runner": "local"},
        },
    )
    facejobs("run", pairs, may=(0, 3))

    train = write(
        work / "train.yaml",
        {
            "job": "train",
            "name": "circle",
            "data": {"kind": "pairs", "uri": "pairs"},
            "model": {"kind": "gpen", "size": SIZE, "style_dim": 64, "n_mlp": 2, "narrow": 0.125, "skip": 0.5},
            "objective": {"adversarial": 0, "matching": 0},
            "schedule": {
                "steps": given.steps,
                "batch": 8,
                "prior_steps": 0,
                "rate": 5e-3,
                "decoder_share": 1,
                "decay": 0.5,
                "half_life": 400,
            },
            "output": {"uri": "training", "checkpoint_every": 100, "samples_every": 200, "licence": "CC0-1.0"},
            "run": {"runner": "local", "threads": 2},
        },
    )
    facejobs("run", train)
    weights = str(work / "training/model/circle.safetensors")
    facejobs("models", "add", weights, "--name", "circle", "--licence", "CC0-1.0", "--cache", cache)
    facejobs("compile", "circle", "--cache", cache)

    archive = write(
        work / "archive.yaml",
        {
            "job": "restore",
            "name": "circle-archive",
            "source": {"kind": "files", "uri": "archive"},
            "detect": {"min_eye_distance": 8},
            "restore": {"model": "circle"},
            "models": {"cache": cache},
            "output": {"uri": "restored", "format": "png"},
            "run": {"runner": "local"},
        },
    )
    facejobs("run", archive, may=(0, 3))
    facejobs("verify", str(work / "restored"))
    facejobs(
        *("evaluate", str(work / "restored"), "--truth", str(work / "truth"), "--inputs", str(work / "archive")),
        *("--out", str(work / "evaluation"), "--force"),
    )
    print(
        f"\n{work}/restored/_facejobs: the run's report; {work}/training/report.html; {work}/evaluation/evaluation.html"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
