"""Samples by number: the same number gives the same sample, in any order, batch and process."""

from __future__ import annotations

import pickle
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import cv2
import numpy as np
import pytest
from skimage import data as pictures

from operators.degradations.shipped import shipped
from operators.faces.tone import colour_evidence
from operators.training.contract import Samples, share_of
from operators.training.data.degrading import Mixture, reduced
from operators.training.data.masks import Masks
from operators.training.data.samples import Degraded, Good, Holed, Order, Paired, Unpaired
from operators.training.data.supply import Crops, Faces
from operators.training.data.tones import colours_told, in_its_tone

SOURCE = pictures.astronaut()
FACES = tuple(np.ascontiguousarray(SOURCE[step : step + 108, 100:208]) for step in range(0, 150, 30))
FAR = 2**40
"""Added to all numbers after a rollback."""


@dataclass(frozen=True)
class Kept:
    """Pairs in memory."""

    bad: tuple[np.ndarray, ...]
    good: tuple[np.ndarray, ...]

    @property
    def count(self) -> int:
        return len(self.good)

    def pair(self, at: int) -> tuple[np.ndarray, np.ndarray]:
        return self.bad[at], self.good[at]

    def refusal(self, at: int, found: str) -> Exception:
        return LookupError(f"{at}: {found}")


def supply() -> Faces:
    return Faces(FACES, 1 / 16, 64)


def every(*, shuffled: bool = True) -> dict[str, Samples]:
    order, faces = Order(5, shuffled), supply()
    attributes = np.arange(10, dtype=np.float32).reshape(5, 2) / 10
    crop = Crops(tuple(SOURCE[:, at : at + 90] for at in (0, 100, 200)), 64)
    pairs = Kept(tuple(255 - face for face in FACES), FACES)
    mixture = Mixture((shipped("gpen"), shipped("archival-print")), (1.0, 1.0))
    return {
        "good": Good(faces, order),
        "degraded": Degraded(faces, order, mixture),
        "small": Degraded(crop, order, None, 4, "bicubic"),
        "holed": Holed(faces, order, Masks(rectangle=1.0), attributes),
        "unpaired": Unpaired(faces, crop, (Order(5, shuffled, "first"), Order(5, shuffled, "second"))),
        "paired": Paired(pairs, order, 64, 1, crop=True),
    }


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("kind", every())
def test_a_number_always_gives_the_same_sample(kind: str) -> None:
    samples = every()[kind]
    numbers = [0, 1, 2, 3, 4, 5, 11, FAR, FAR + 1]
    batch = samples.batch(numbers)
    again = pickle.loads(pickle.dumps(samples)).batch(list(reversed(numbers)))
    assert same(batch, {name: array[::-1] for name, array in again.items()})
    shares = [samples.batch(share_of(numbers[:8], rank, 2)) for rank in (0, 1)]
    for name, array in batch.items():
        assert np.array_equal(array[0:8:2], shares[0][name])
        assert np.array_equal(array[1:8:2], shares[1][name])
        assert array.dtype in (np.uint8, np.float32)
        assert len({one.tobytes() for one in array}) > 4


def test_other_processes_make_the_same() -> None:
    samples = every()["degraded"]
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        assert same(samples.batch([3, 4]), pool.submit(samples.batch, [3, 4]).result())


@pytest.mark.parametrize("kind", every())
def test_what_is_held_out_is_made_in_one_way(kind: str) -> None:
    samples = every(shuffled=False)[kind]
    batch = samples.batch(range(samples.count))
    assert same(batch, samples.batch([15 + one for one in range(samples.count)])), "15 is a multiple of 3 and 5"
    first = next(iter(batch.values()))
    assert len({one.tobytes() for one in first}) >= 3


def test_another_seed_gives_other_samples() -> None:
    faces = supply()
    one, other = (Good(faces, Order(seed)).batch(range(5))["truth"] for seed in (0, 1))
    assert not np.array_equal(one, other)


def test_degraded_pictures_are_worse_and_of_the_same_size() -> None:
    batch = every()["degraded"].batch(range(10))
    assert batch["degraded"].shape == batch["truth"].shape == (10, 64, 64, 3)
    difference = np.abs(batch["degraded"].astype(int) - batch["truth"]).mean(axis=(1, 2, 3))
    assert (difference > 1).all()
    saturation = np.ptp(batch["degraded"].astype(int), axis=3).mean(axis=(1, 2))
    assert saturation.max() > 3 * saturation.min(), "both recipes are drawn: a print has one colour"


def test_what_is_of_one_tone_keeps_it_in_the_truth() -> None:
    order, faces = Order(5), supply()
    prints, colours = (Mixture((shipped(name),), (1.0,)) for name in ("archival-negative", "old-photo"))
    plain, kept = (Degraded(faces, order, prints, keep_tone=keep).batch(range(6)) for keep in (False, True))
    assert np.array_equal(plain["degraded"], kept["degraded"])
    for bad, guessed, truth in zip(kept["degraded"], plain["truth"], kept["truth"], strict=True):
        assert colour_evidence(truth) < 1.0 < colour_evidence(guessed)
        assert np.abs(luma(truth) - luma(guessed)).max() < 2, "the light is that of the good picture"
        assert np.abs(chroma(truth) - chroma(bad)).mean() < 0.5 * np.abs(chroma(guessed) - chroma(bad)).mean()
    assert same(*(Degraded(faces, order, colours, keep_tone=keep).batch(range(6)) for keep in (False, True)))


def test_stains_are_no_colours() -> None:
    face = np.ascontiguousarray(SOURCE[10:266, 90:346])
    for name, told in (("archival-newspaper", False), ("archival-print", False), ("archival-colour", True)):
        samples = Degraded(Faces((face,), 0.0, 256), Order(5), Mixture((shipped(name),), (1.0,)), keep_tone=False)
        batch = samples.batch(range(3))
        for bad, good in zip(batch["degraded"], batch["truth"], strict=True):
            assert (colours_told(bad, good) > 0.6) is told
            assert colours_told(bad, good) < 0.25 or told
            assert np.array_equal(in_its_tone(bad, good), good) is told


def test_plain_colours_are_some_and_what_had_none_gets_none() -> None:
    face = np.ascontiguousarray(SOURCE[10:266, 90:346])
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (8, 8, 3), np.uint8)
    other = cv2.resize(noise, (256, 256), interpolation=cv2.INTER_CUBIC)
    assert colour_evidence(other) > 3.5
    assert abs(colours_told(other, face)) < 0.3
    assert in_its_tone(other, face) is face
    grey = np.repeat(face.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2)
    cast = np.clip(grey + 40.0 * np.linspace(0, 1, 256)[:, None, None] * (1, 0, -1), 0, 255).astype(np.uint8)
    assert 1.0 < colour_evidence(cast) < 3.5
    assert in_its_tone(cast, grey) is grey
    assert in_its_tone(cast, face) is not face


def test_stored_pairs_of_one_tone_keep_it_too() -> None:
    grey = tuple(np.repeat(face.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2) for face in FACES)
    pairs = Kept((*grey[:2], *FACES[2:]), FACES)
    plain, kept = (
        Paired(pairs, Order(5, False), 64, crop=True, keep_tone=keep).batch(range(5)) for keep in (False, True)
    )
    assert np.array_equal(plain["degraded"], kept["degraded"])
    assert not np.ptp(kept["truth"][:2], axis=3).any()
    assert np.ptp(plain["truth"][:2], axis=3).max() > 50
    assert np.array_equal(plain["truth"][2:], kept["truth"][2:])


def test_tones_are_kept_of_smaller_pictures() -> None:
    grey = np.repeat(reduced(FACES[0], 4, "area").mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2)
    truth = in_its_tone(grey, FACES[0])
    assert truth.shape == FACES[0].shape
    assert not np.ptp(truth, axis=2).any()
    assert np.abs(truth[..., 0] - luma(FACES[0])).max() < 2


def luma(picture: np.ndarray) -> np.ndarray:
    return picture @ np.array([0.299, 0.587, 0.114])


def chroma(picture: np.ndarray) -> np.ndarray:
    return picture - luma(picture)[..., None]


def test_small_pictures_are_the_truth_reduced() -> None:
    batch = every()["small"].batch(range(4))
    assert (batch["degraded"].shape, batch["truth"].shape) == ((4, 16, 16, 3), (4, 64, 64, 3))
    for small, truth in zip(batch["degraded"], batch["truth"], strict=True):
        assert np.array_equal(small, reduced(truth, 4, "bicubic"))


def test_resamplers() -> None:
    square = SOURCE[:64, :64]
    means = square.reshape(16, 4, 16, 4, 3).astype(float).mean(axis=(1, 3))
    assert np.abs(reduced(square, 4, "area") - means).max() <= 0.5
    kinds = [reduced(square, 4, kind) for kind in ("area", "bicubic", "lanczos")]
    assert all(one.shape == (16, 16, 3) for one in kinds)
    assert len({one.tobytes() for one in kinds}) == 3
    assert all(np.abs(one - means).mean() < 8 for one in kinds), "all are antialiased"


def test_bicubic_is_that_of_matlab() -> None:
    # Keys' kernel with a = -0.5, widened by the factor, worked out for one row.
    row = np.zeros((8, 8, 3), np.uint8)
    row[:, 3:5] = 200
    found = reduced(row, 2, "bicubic")[1, :, 0].astype(float)
    assert np.allclose(found, [_keys(row[0, :, 0].astype(float), at) for at in range(4)], atol=1.0)


def _keys(line: np.ndarray, at: int) -> float:
    centre = (at + 0.5) * 2 - 0.5
    x = np.abs(np.arange(len(line)) - centre) / 2
    near, far = 1.5 * x**3 - 2.5 * x**2 + 1, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    weights = np.where(x <= 1, near, np.where(x < 2, far, 0.0))
    return float(np.clip((weights * line).sum() / weights.sum(), 0, 255))


def test_attributes_stay_with_their_faces() -> None:
    flat = tuple(np.full((72, 72, 3), 40 * at, np.uint8) for at in range(5))
    attributes = np.arange(5, dtype=np.float32)[:, None] / 4
    samples = Holed(Faces(flat, 1 / 16, 64, mirror=1.0), Order(0), Masks(), attributes)
    batch = samples.batch(range(20))
    assert (batch["mask"].shape, batch["attributes"].shape) == ((20, 64, 64), (20, 1))
    for truth, found in zip(batch["truth"], batch["attributes"], strict=True):
        assert abs(truth.mean() - 160 * found[0]) < 30
    none = Holed(supply(), Order(0), Masks(), np.zeros((5, 0), np.float32)).batch([0])
    assert none["attributes"].shape == (1, 0)


def test_two_domains_come_in_orders_of_their_own() -> None:
    flat = tuple(np.full((64, 64, 3), at, np.uint8) for at in range(7))
    one = Crops(flat, 64, 0.0)
    batch = Unpaired(one, one, (Order(0, name="first"), Order(0, name="second"))).batch(range(14))
    first, second = (batch[name][:, 0, 0, 0].tolist() for name in ("first", "second"))
    assert first != second
    assert sorted(first[:7]) == sorted(second[7:]) == list(range(7))
    assert Unpaired(one, Crops(flat[:2], 64), (Order(0), Order(0))).count == 7


def test_pairs_stay_together() -> None:
    batch = every()["paired"].batch(range(12))
    assert np.array_equal(255 - batch["degraded"], batch["truth"])


@pytest.mark.parametrize(
    ("bad", "good", "options", "found"),
    [
        (64, 64, {"size": 32}, "64 x 64 pixels, expected 32 x 32"),
        (64, 64, {"size": 80, "crop": True}, "64 x 64 pixels, expected at least 80 x 80"),
        (32, 64, {"size": 64}, "32 x 32 pixels beside 64 x 64, expected one size"),
        (64, 64, {"size": 64, "scale": 2}, "expected degraded pictures 2 times smaller"),
    ],
)
def test_pairs_that_do_not_fit(bad: int, good: int, options: dict[str, Any], found: str) -> None:
    sides = tuple((np.zeros((side, side, 3), np.uint8),) for side in (bad, good))
    samples = Paired(Kept(*sides), Order(0), **options)
    with pytest.raises(LookupError, match=found):
        samples.check_first()
    with pytest.raises(LookupError, match=found):
        samples.batch([0])


def test_pairs_that_are_smaller_on_one_side() -> None:
    good = SOURCE[:96, :128]
    bad = cv2.resize(good, (64, 48), interpolation=cv2.INTER_AREA)
    batch = Paired(Kept((bad,), (good,)), Order(0), 32, 2, crop=True).batch(range(6))
    assert (batch["degraded"].shape, batch["truth"].shape) == ((6, 16, 16, 3), (6, 32, 32, 3))
    means = batch["truth"].reshape(6, 16, 2, 16, 2, 3).mean(axis=(2, 4))
    assert np.abs(batch["degraded"] - means).max() <= 1
