"""Whether splits hold: persons on both sides, of portraits among degraded copies of which nobody says whose they are.

Run as `python -m benchmarks.splits FOLDER`: a folder of portraits, one a person, `heldout.txt` with names to leave out.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from operators.degradations.applying import apply, to_8bit
from operators.degradations.drawing import draw
from operators.degradations.shipped import shipped
from operators.faces.align import align, cut
from operators.faces.detect import DetectOptions, Detector
from operators.faces.face import Detection
from operators.faces.geometry import transform
from operators.images.decode import decode
from operators.images.raster import Raster
from operators.images.reduce import reduce_raster
from operators.scoring.identity import IdentityModel
from operators.scoring.scorer import ScoreOptions, Scorer
from operators.selection.duplicates import NEAR
from operators.selection.groups import (
    Links,
    group_names,
    groups,
    largest_share,
    placeable,
    reliable,
    same_person,
    same_picture,
)
from operators.selection.perceptual_hash import perceptual_hash
from operators.selection.splits import assign, leaks, numbering

SEED = 7
SIZE = 256
"""Side of the aligned face of which a feature is taken, in pixels."""
RECIPES = {"gfpgan": 256, "real-esrgan": 512, "old-photo": 256, "archival-print": 256, "codeformer-ii": 256}
"""Side of the face that each recipe degrades, at most 512; Real-ESRGAN's result has a quarter of it."""
PARTS = {"train": 0.8, "val": 0.1, "test": 0.1}
SEEDS = 20
THRESHOLDS = (0.3, 0.363, 0.4, 0.425, 0.45, 0.475, 0.5)
NO_FACE = np.full(128, np.nan, dtype=np.float32)


@dataclass(frozen=True)
class Picture:
    """One image of the collection, as a survey sees it.

    Attributes:
        key: its name, which says nothing of the person to what is measured.
        person: whose picture it is.
        how: the recipe that made it, or `original`.
        feature: (128,) float32 of its largest face; NaN where none is found.
        picture_hash: perceptual hash of the image.
        crop_hash: perceptual hash of the aligned face; 0 where there is none.
        confidence: of the detector; 0 where no face is found.
        sharpness: of the aligned face, as the scorer measures it; 0 where there is none.
    """

    key: str
    person: str
    how: str
    feature: NDArray[np.float32]
    picture_hash: int
    crop_hash: int
    confidence: float
    sharpness: float

    @property
    def has_face(self) -> bool:
        """Whether there is a feature."""
        return bool(np.isfinite(self.feature).all())


class Surveyor:
    """Looks at an image as if nothing were known of it."""

    def __init__(self) -> None:
        # Nothing here lies on its side, and a search in four turns takes most of the time.
        self._detector = Detector(DetectOptions(quarter_turns="never"))
        self._identity = IdentityModel()
        self._scorer = Scorer(ScoreOptions(exposure=False, noise=False, niqe=False, confidence=False, identity=False))

    def faces(self, raster: Raster) -> list[Detection]:
        """The faces, the largest first."""
        view = reduce_raster(raster, 1.0)
        return self._detector.find(lambda: raster, view.pixels, (view.scale_x, view.scale_y))

    def look(self, raster: Raster, faces: Sequence[Detection], key: str, person: str, how: str) -> Picture:
        """Align the largest face, take its feature and sharpness; hash image and face."""
        hashed = perceptual_hash(reduce_raster(raster, 1.0).pixels)
        if not faces:
            return Picture(key, person, how, NO_FACE, hashed, 0, 0.0, 0.0)
        affine = align(faces[0].landmarks, "ffhq", SIZE)
        crop, landmarks = cut(raster, affine, SIZE).pixels, transform(faces[0].landmarks, affine)
        feature = self._identity.feature(crop, landmarks)
        return Picture(
            key,
            person,
            how,
            NO_FACE if feature is None else feature,
            hashed,
            perceptual_hash(to_8bit(crop)),
            faces[0].confidence,
            self._scorer.score_crop(crop, landmarks).sharpness or 0.0,
        )


def copies(raster: Raster, face: Detection, key: str) -> Iterator[tuple[str, Raster]]:
    """Degraded copies of the face in a portrait, one for each recipe."""
    largest = cut(raster, align(face.landmarks, "ffhq", 512), 512).pixels
    for recipe, side in RECIPES.items():
        crop = np.asarray(cv2.resize(largest, (side, side), interpolation=cv2.INTER_AREA), dtype=np.float32)
        steps = draw(shipped(recipe), seed=SEED, key=key, variant=0)
        yield recipe, Raster(to_8bit(apply(crop, steps).image), "rgb")


def survey(files: Sequence[Path]) -> list[Picture]:
    """Every portrait and its copies, looked at one by one."""
    surveyor, pictures = Surveyor(), list[Picture]()
    for path in files:
        person = path.stem.removeprefix("house-").removeprefix("senate-")
        raster = decode(path.read_bytes())
        faces = surveyor.faces(raster)
        pictures.append(surveyor.look(raster, faces, path.stem, person, "original"))
        for how, copy in copies(raster, faces[0], path.stem) if faces else ():
            pictures.append(surveyor.look(copy, surveyor.faces(copy), f"{path.stem}~{how}", person, how))
    return pictures


def in_hash_order(files: Sequence[Path], count: int) -> list[Path]:
    """Some of the files, the same ones each time, without regard to the alphabet."""
    numbers = numbering([path.name for path in files], SEED)
    return sorted(path for path, number in zip(files, numbers.tolist(), strict=True) if number < count)


@dataclass(frozen=True)
class Collection:
    """Pictures as columns.

    Attributes:
        pictures: those that show a face.
        features: (n, 128) float32.
        near: links of pictures, or of aligned faces, that look the same.
        reliable: (n,) which features say whose they are.
    """

    pictures: Sequence[Picture]
    features: NDArray[np.float32]
    near: list[Links]
    reliable: NDArray[np.bool_]

    @staticmethod
    def of(pictures: Sequence[Picture]) -> Collection:
        """From pictures that show a face."""
        hashes = np.array([(picture.picture_hash, picture.crop_hash) for picture in pictures], dtype=np.uint64)
        return Collection(
            pictures,
            np.stack([picture.feature for picture in pictures]),
            [same_picture(np.ascontiguousarray(hashes[:, column]), NEAR) for column in (0, 1)],
            reliable(
                np.array([picture.confidence for picture in pictures]),
                np.array([picture.sharpness for picture in pictures]),
            ),
        )


def row(collection: Collection, threshold: float, only_reliable: bool) -> str:
    """Group, split with several seeds, and count persons, whom the grouping never saw."""
    known = collection.reliable if only_reliable else np.ones(len(collection.pictures), dtype=np.bool_)
    features = np.where(known[:, np.newaxis], collection.features, NO_FACE)
    everyone = groups(len(known), same_person(features, threshold), *collection.near)
    kept = np.flatnonzero(placeable(everyone, known))
    pictures = [collection.pictures[number] for number in kept.tolist()]
    labels = np.unique(everyone[kept], return_inverse=True)[1].astype(np.int64)
    persons = [picture.person for picture in pictures]
    names, weights = group_names(labels, [picture.key for picture in pictures]), np.ones(len(pictures))
    leaking = [len(leaks(persons, assign(labels, weights, PARTS, seed, names))) for seed in range(SEEDS)]
    together: dict[int, set[str]] = {}
    for label, person in zip(labels.tolist(), persons, strict=True):
        together.setdefault(label, set()).add(person)
    merged = {person for group in together.values() if len(group) > 1 for person in group}
    cells = (
        "reliable" if only_reliable else "all",
        f"{threshold:g}",
        f"{len(pictures)} of {len(known)}",
        f"{len(set(persons))}",
        f"{np.mean(leaking):.1f} ({max(leaking)})",
        f"{len(leaks(persons, [str(label) for label in labels.tolist()]))}",
        f"{len(together)}",
        f"{int(np.bincount(labels).max())} ({largest_share(labels):.1%})",
        f"{len(merged)}",
    )
    return f"| {' | '.join(cells)} |"


def table(pictures: Sequence[Picture]) -> list[str]:
    """Markdown: what comes of each threshold, with all features and with those that are reliable."""
    collection = Collection.of([picture for picture in pictures if picture.has_face])
    heads = [
        *("features", "similarity", "images placed", "persons", f"persons on both sides: mean (most) of {SEEDS} seeds"),
        *("persons in several groups", "groups", "largest group", "persons merged with others"),
    ]
    rows = [row(collection, threshold, only) for only in (False, True) for threshold in THRESHOLDS]
    return [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads), *rows]


def kinds(pictures: Sequence[Picture]) -> list[str]:
    """Markdown: of how many images of each kind a face was found and its feature is reliable."""
    lines = ["| image | images | with a face | with a reliable feature |", "|---|---|---|---|"]
    for how in ("original", *RECIPES):
        found = [picture for picture in pictures if picture.how == how]
        seen = [picture for picture in found if picture.has_face]
        sure = int(Collection.of(seen).reliable.sum()) if seen else 0
        lines.append(f"| {how} | {len(found)} | {len(seen)} | {sure} |")
    return lines


def main() -> None:
    """Print what was found in the pictures, and what each threshold makes of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--portraits", type=int, default=477)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    heldout = given.folder / "heldout.txt"
    left_out = set(heldout.read_text(encoding="utf-8").split()) if heldout.exists() else set[str]()
    files = sorted(path for path in given.folder.glob("*.jpg") if path.name not in left_out)
    if not files:
        sys.exit(f"{given.folder}: no portraits found; expected .jpg files, one a person")
    started = time.perf_counter()
    pictures = survey(in_hash_order(files, given.portraits))
    persons = len({picture.person for picture in pictures})
    seconds = time.perf_counter() - started
    sys.stdout.write(f"{persons} persons, {len(pictures)} images, looked at in {seconds:.0f} s\n\n")
    sys.stdout.write("\n".join([*kinds(pictures), "", *table(pictures)]) + "\n")


if __name__ == "__main__":
    main()
