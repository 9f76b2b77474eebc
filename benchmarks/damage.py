"""Precision and recall of the damage detector on damaged photographs: `python -m benchmarks.damage PHOTOS`.

Each photograph is damaged by the archival recipes as they are written, and, for what they draw seldom, by the first
draw that has it. The recipes' masks are the truth; how it is read is said for each row:

- `visible`: truth is what changes the finished picture by 10 of 255 levels or more. What has a mask and changes less is
  counted neither as right nor as wrong.
- `..., 1 px`: the same, and a pixel beside the truth counts as right, one beside what was found as found.
- `clear`: as `visible`, where the change is also twice the deviation of the picture around it without the damage.
- `plain`: as `clear`, where the change is 25 levels or more.
- `mask >= 0.25`, `mask >= 0.1`: truth is the mask from this share on, seen or not; all else counts as wrong.
- `every`: truth is each pixel whose mask is not 0.

Exit codes: 0 measured, 2 no photographs.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.damage_baseline import classic, line_filter
from benchmarks.damage_curves import Curve, Point
from benchmarks.damage_pairs import Scene, clear, drawn, read_square, scene, visible
from operators.damage.detector import DamageDetector, DamageOptions
from operators.damage.kinds import KIND_OF, KINDS, Kind
from operators.degradations.record import DrawnStep
from operators.degradations.shipped import shipped
from operators.faces.yunet import YuNet

RECIPES = ("archival-print", "archival-negative", "archival-colour", "archival-postcard", "archival-newspaper")
SELDOM = {
    "archival-print": ("tear", "missing-corner", "cracks"),
    "archival-colour": ("fold",),
    "archival-postcard": ("missing-corner",),
}
"""What a recipe draws seldom, and so is looked for among its draws."""
VIEWS = (
    "visible",
    "visible, 1 px",
    "clear",
    "clear, 1 px",
    "plain",
    "plain, 1 px",
    "mask >= 0.25",
    "mask >= 0.1",
    "every",
)
METHODS = ("network", "line filter", "classic")

Key = tuple[str, str, Kind, str]
"""Method, recipe, kind, view."""


@dataclass(frozen=True)
class Pair:
    """One damaged photograph that is to be made.

    Attributes:
        path: the photograph.
        recipe: its name.
        steps: as drawn.
        kinds: that are measured on it; what was looked for among draws tells only of itself.
    """

    path: Path
    recipe: str
    steps: tuple[DrawnStep, ...]
    kinds: tuple[Kind, ...]


def main() -> int:
    """Measure, print a table, and write it as JSON where asked for.

    Returns:
        Exit code.
    """
    given = _arguments().parse_args()
    photos = _photos(given.photos, given.names)[given.first :: given.every]
    if not photos:
        sys.stderr.write(f"no photographs in {given.photos}\n")
        return 2
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    detector = DamageDetector(DamageOptions(tile=given.tile, views=given.views, overview=given.overview))
    detector.setup()
    sys.stdout.write(f"{len(photos)} photographs, sides {given.sides}, seed {given.seed}; {dict(detector.info)}\n")
    curves: dict[Key, Curve] = {}
    seconds = 0.0
    for side in given.sides:
        for pair in _pairs(photos, given.recipes, given.seed + side, given.stamps):
            seconds += _look(pair, side, detector, curves, given.baselines)
    thresholds: Mapping[Kind, float] = detector.info["thresholds"]
    rows = [_row(key, curve, thresholds) for key, curve in sorted(_with_totals(curves).items(), key=_order)]
    sys.stdout.write(_table(rows))
    if given.choose:
        sys.stdout.write(json.dumps({kind: _balanced(curves, kind) for kind in KINDS}, indent=1) + "\n")
    sys.stdout.write(f"the network took {seconds:.0f} s\n")
    if given.out is not None:
        about = {"photographs": len(photos), "sides": given.sides, "seed": given.seed, "detector": dict(detector.info)}
        given.out.write_text(json.dumps({**about, "rows": rows}, indent=1))
    return 0


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.damage", description=__doc__)
    parser.add_argument("photos", type=Path, help="folder of good photographs, none of them trained on")
    parser.add_argument("--names", type=Path, help="text file with the names of those to take, one a line")
    parser.add_argument("--sides", type=int, nargs="+", default=[512], help="pixels of the damaged squares")
    parser.add_argument("--recipes", nargs="+", default=list(RECIPES))
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--stamps", type=float, default=0.25, help="share of pictures that get an ink stamp")
    parser.add_argument("--tile", type=int, default=512)
    parser.add_argument("--views", type=int, default=4, help="ways round that the detector looks")
    parser.add_argument("--overview", type=int, default=512, help="side of the copy for wide damage; 0 for none")
    parser.add_argument("--first", type=int, default=0, help="begin with this photograph")
    parser.add_argument("--every", type=int, default=1, help="and take each so many-th")
    parser.add_argument("--baselines", action="store_true", help="measure line filters and the classic detector, too")
    parser.add_argument(
        "--choose", action="store_true", help="print the thresholds at which the lesser of both is most"
    )
    parser.add_argument("--out", type=Path, help="JSON")
    return parser


def _photos(folder: Path, names: Path | None) -> list[Path]:
    wanted = None if names is None else set(names.read_text(encoding="utf-8").split())
    known = {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp"}
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in known)
    return [path for path in found if wanted is None or path.name in wanted]


def _pairs(photos: Sequence[Path], recipes: Sequence[str], seed: int, stamps: float) -> Iterator[Pair]:
    for path in photos:
        for recipe in recipes:
            yield Pair(path, recipe, drawn(shipped(recipe), seed, path.name, 0, stamps), KINDS)
            for use in SELDOM.get(recipe, ()):
                draws = (drawn(shipped(recipe), seed, path.name, variant) for variant in range(1, 1000))
                steps = next(steps for steps in draws if any(step.use == use for step in steps))
                yield Pair(path, recipe, steps, (KIND_OF[use],))


def _look(pair: Pair, side: int, detector: DamageDetector, curves: dict[Key, Curve], baselines: bool) -> float:
    """Make a pair, look at it, and count; seconds that the network took."""
    photo = read_square(pair.path, side)
    made = scene(photo, pair.steps)
    begun = time.perf_counter()
    found = detector.detect(made.image)
    seconds = time.perf_counter() - begun
    for kind in pair.kinds:
        _count(curves, ("network", pair.recipe, kind), made, found[kind])
    if baselines:
        lines = line_filter(made.image)
        for kind in set(pair.kinds) & {"scratch", "tear", "crack"}:
            _count(curves, ("line filter", pair.recipe, kind), made, lines)
        faces = _faces().detect(np.rint(photo * np.float32(255.0)).astype(np.uint8), 0.6)
        if faces and "scratch" in pair.kinds:
            _count(curves, ("classic", pair.recipe, "scratch"), made, classic(made.image, faces[0].landmarks))
    return seconds


@cache
def _faces() -> YuNet:
    return YuNet()


def _count(curves: dict[Key, Curve], where: tuple[str, str, Kind], made: Scene, values: NDArray[np.float32]) -> None:
    kind = where[2]
    seen = visible(made, kind)
    mask = made.masks.get(kind, np.zeros(seen.shape, dtype=np.float32))
    truths = {"visible": seen, "clear": clear(made, kind), "plain": clear(made, kind, 25.0)}
    for view in VIEWS:
        curve = curves.setdefault((*where, view), Curve())
        name = view.split(",")[0]
        if name in truths:
            curve.add(values, truths[name], (mask > 0.0) & ~truths[name], tolerance=int(view.endswith("px")))
        else:
            curve.add(values, mask > 0.0 if view == "every" else mask >= float(view.split()[-1]))


def _with_totals(curves: Mapping[Key, Curve]) -> dict[Key, Curve]:
    """With a row of all recipes together for each method, kind and view."""
    result = dict(curves)
    for (method, _, kind, view), curve in curves.items():
        total = result.setdefault((method, "all", kind, view), Curve())
        total.found, total.right, total.wrong = (
            getattr(total, name) + getattr(curve, name) for name in ("found", "right", "wrong")
        )
    return result


def _order(item: tuple[Key, Curve]) -> tuple[object, ...]:
    method, recipe, kind, view = item[0]
    return KINDS.index(kind), METHODS.index(method), recipe != "all", recipe, VIEWS.index(view)


def _row(key: Key, curve: Curve, thresholds: Mapping[Kind, float]) -> dict[str, object]:
    method, recipe, kind, view = key
    own = curve.at(thresholds[kind]) if method == "network" else curve.best()
    least = curve.at_precision(0.8)
    return {
        **{"kind": kind, "method": method, "recipe": recipe, "view": view, "truth": int(curve.found.sum())},
        **{"threshold": own.threshold, "precision": own.precision, "recall": own.recall},
        **{"threshold at 0.8": least.threshold, "precision at 0.8": least.precision, "recall at 0.8": least.recall},
    }


def _balanced(curves: Mapping[Key, Curve], kind: Kind) -> dict[str, float]:
    """The threshold at which the lesser of precision and recall of what is clear is largest."""
    total = _with_totals(curves).get(("network", "all", kind, "clear, 1 px"), Curve())
    points = [point for point in total.points() if point.precision == point.precision]
    best = max(points, key=lambda point: min(point.precision, point.recall), default=Point(0.5, 0.0, 0.0))
    return {"threshold": best.threshold, "precision": best.precision, "recall": best.recall}


def _table(rows: Sequence[Mapping[str, object]]) -> str:
    lines = [
        "at the shipped threshold (baselines: at their best F1), and the most recall at a precision of 0.8 or more",
        f"{'kind':8} {'method':12} {'recipe':20} {'truth is':14} {'pixels':>9}"
        f"   at    precision recall |  at    precision recall",
    ]
    for row in rows:
        if not row["truth"]:
            continue
        lines.append(
            f"{row['kind']:8} {row['method']:12} {row['recipe']:20} {row['view']:14} {row['truth']:9}"
            f"   {row['threshold']:.3f} {row['precision']:8.3f} {row['recall']:7.3f} |"
            f"  {row['threshold at 0.8']:.3f} {row['precision at 0.8']:8.3f} {row['recall at 0.8']:7.3f}"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
