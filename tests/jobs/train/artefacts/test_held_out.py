from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from jobs.train.artefacts import held_out as subject
from jobs.train.artefacts.facts import HeldOut, Interval
from operators.evaluation.measures import Measures

SIDE = 48
NOTHING = "\N{EN DASH}"


@pytest.fixture(scope="module")
def measures() -> Measures:
    made = Measures(("psnr", "ssim", "niqe"))
    made.setup()
    return made


@pytest.fixture(scope="module")
def truth() -> NDArray[np.uint8]:
    rng = np.random.default_rng(0)
    return np.stack([cv2.GaussianBlur(rng.integers(0, 256, (SIDE, SIDE, 3), np.uint8), (0, 0), 2.0) for _ in range(6)])


def worse(pictures: NDArray[np.uint8], deviation: float, seed: int) -> NDArray[np.uint8]:
    noise = np.random.default_rng(seed).normal(0.0, deviation, pictures.shape)
    return (pictures + noise).clip(0, 255).round().astype(np.uint8)


def psnr(made: NDArray[np.uint8], truth: NDArray[np.uint8]) -> Sequence[float]:
    errors = ((made.astype(float) - truth) ** 2).mean(axis=(1, 2, 3))
    return [10 * math.log10(255**2 / error) for error in errors]


def test_means_are_those_of_the_samples(measures: Measures, truth: NDArray[np.uint8]) -> None:
    given, made = worse(truth, 20, 1), worse(truth, 8, 2)
    found = subject.measured(500, {"degraded": given, "made": made, "truth": truth}, measures)
    before, after = psnr(given, truth), psnr(made, truth)
    assert (found.step, found.samples) == (500, 6)
    assert found.made["psnr"].mean == pytest.approx(np.mean(after), rel=1e-9)
    assert found.given["psnr"].mean == pytest.approx(np.mean(before), rel=1e-9)
    assert found.gain["psnr"].mean == pytest.approx(np.mean(np.subtract(after, before)), rel=1e-9)
    assert set(found.made) == set(found.given) == {"psnr", "ssim", "niqe"}
    assert found.made["ssim"].mean > found.given["ssim"].mean  # type: ignore[operator]  # both can be taken
    assert subject.change("psnr", found) == "better"
    turned = subject.measured(500, {"degraded": made, "made": given, "truth": truth}, measures)
    assert subject.change("psnr", turned) == "worse"
    same = subject.measured(500, {"degraded": given, "made": given, "truth": truth}, measures)
    assert subject.change("psnr", same) == "not told apart"


def test_what_was_given_smaller_is_enlarged_by_cubic_interpolation(
    measures: Measures, truth: NDArray[np.uint8]
) -> None:
    small = np.stack([cv2.resize(one, (SIDE // 4, SIDE // 4), interpolation=cv2.INTER_AREA) for one in truth])
    cubic = np.stack([cv2.resize(one, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC) for one in small])
    found = subject.measured(0, {"degraded": small, "made": truth, "truth": truth}, measures)
    assert found.given["psnr"].mean == pytest.approx(np.mean(psnr(cubic, truth)), rel=1e-9)


def test_without_a_truth_only_what_needs_none_is_measured(measures: Measures, truth: NDArray[np.uint8]) -> None:
    found = subject.measured(7, {"first": truth, "made": truth}, measures)
    assert set(found.made) == {"niqe"}
    assert found.given == found.gain == {}


def test_what_is_given_as_the_truth_itself_is_nothing_to_compare_with(
    measures: Measures, truth: NDArray[np.uint8]
) -> None:
    found = subject.measured(7, {"first": truth, "made": worse(truth, 8, 2), "truth": truth}, measures)
    assert found.given == found.gain == {}
    assert subject.change("psnr", found) == ""


def test_what_cannot_be_measured_is_refused(measures: Measures, truth: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match="expected one of them to be 'made'"):
        subject.measured(0, {"truth": truth}, measures)
    with pytest.raises(ValueError, match="'made': 5"):
        subject.measured(0, {"made": truth[:5], "truth": truth}, measures)


def test_an_interval_covers_the_mean_of_the_source_nineteen_times_in_twenty() -> None:
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(200):
        found = subject.interval([*rng.normal(5.0, 2.0, 40), None, math.nan])
        assert found.count == 40
        assert found.low is not None and found.high is not None
        covered += found.low <= 5.0 <= found.high
    assert 180 <= covered <= 199


def test_one_value_has_no_interval_and_none_has_no_mean() -> None:
    assert subject.interval([3.0]) == Interval(3.0, None, None, 1)
    assert subject.interval([None, math.inf]) == Interval(None, None, None, 0)


def test_measures_come_back_from_their_file() -> None:
    kept = HeldOut(9, 2, {"psnr": Interval(1.0, None, None, 1)}, {"psnr": Interval(None, None, None, 0)}, {})
    assert subject.read(subject.written(kept)) == kept
    for wrong in (b"[]", b"{}", b'{"step": 1, "samples": 1, "made": {"a": 3}, "given": {}, "gain": {}}', b"\xff"):
        with pytest.raises(ValueError):
            subject.read(wrong)


@pytest.mark.parametrize(
    ("name", "gain", "change"),
    [
        ("psnr", (0.5, 0.2, 0.8), "better"),
        ("psnr", (-0.5, -0.8, -0.2), "worse"),
        ("niqe", (-0.5, -0.8, -0.2), "better"),
        ("niqe", (0.5, 0.2, 0.8), "worse"),
        ("niqe", (-0.5, -0.8, 0.2), "not told apart"),
        ("niqe", (-0.5, None, None), ""),
        ("my_measure", (0.5, 0.2, 0.8), ""),
    ],
)
def test_a_change_is_one_where_its_interval_is_on_one_side(
    name: str, gain: tuple[float, float | None, float | None], change: str
) -> None:
    assert subject.change(name, HeldOut(1, 9, {}, {}, {name: Interval(*gain, 9)})) == change


def test_numbers_are_said_with_what_is_known_of_them() -> None:
    assert subject.in_words(Interval(24.126, 23.9, 24.44, 9), 2) == "24.13 [23.90, 24.44]"
    assert subject.in_words(Interval(24.126, None, None, 1), 1) == "24.1"
    assert subject.in_words(None, 2) == subject.in_words(Interval(None, None, None, 0), 2) == NOTHING
    assert subject.words_of("psnr").better == "higher"
    assert (subject.words_of("my_measure").label, subject.words_of("my_measure").better) == ("my measure", "")
