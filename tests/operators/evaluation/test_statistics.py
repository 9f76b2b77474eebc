"""Bootstrap, FID and KID against straightforward computations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.linalg import sqrtm

from operators.evaluation import bootstrap
from operators.evaluation.bootstrap import intervals, resampled_means
from operators.evaluation.gaussians import Moments, frechet_distance
from operators.evaluation.kernel import kernel_distance, squared_discrepancy


def moments(rows: np.ndarray, step: int = 7) -> Moments:
    found = Moments(rows.shape[1])
    for start in range(0, len(rows), step):
        found.add(rows[start : start + step])
    return found


def features(count: int, width: int, seed: int, shift: float = 0.0) -> np.ndarray:
    draw = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).normal(size=(width, width))
    return draw.normal(shift, 1, (count, width)) @ mixing + 50.0


def naive_fid(x: np.ndarray, y: np.ndarray) -> float:
    c, d = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = sqrtm(c @ d)
    return float(((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(c + d - 2 * np.real(root)))


def naive_kid(x: np.ndarray, y: np.ndarray) -> float:
    def kernel(a: np.ndarray, b: np.ndarray) -> float:
        return float((sum(p * q for p, q in zip(a, b, strict=True)) / len(a) + 1) ** 3)

    m, n = len(x), len(y)
    total = 0.0
    for i in range(m):
        for j in range(m):
            if i != j:
                total += kernel(x[i], x[j]) / (m * (m - 1))
    for i in range(n):
        for j in range(n):
            if i != j:
                total += kernel(y[i], y[j]) / (n * (n - 1))
    for i in range(m):
        for j in range(n):
            total -= 2 * kernel(x[i], y[j]) / (m * n)
    return total


def test_moments_are_those_of_all_rows_at_once() -> None:
    rows = features(40, 6, 0) + 1e6
    found = moments(rows)
    assert found.count == 40
    np.testing.assert_allclose(found.mean, rows.mean(0), rtol=1e-12)
    np.testing.assert_allclose(found.covariance, np.cov(rows, rowvar=False), rtol=1e-6)
    np.testing.assert_allclose(moments(rows, 1).covariance, found.covariance, rtol=1e-6)


def test_no_vectors_change_nothing() -> None:
    found = moments(features(5, 3, 0))
    before = found.covariance.copy()
    found.add(np.empty((0, 3)))
    assert found.count == 5 and np.array_equal(found.covariance, before)


@pytest.mark.parametrize(("count", "other", "width"), [(60, 80, 5), (200, 150, 24)])
def test_frechet_distance_is_that_by_the_general_root(count: int, other: int, width: int) -> None:
    x, y = features(count, width, 1), features(other, width, 2, 0.4)
    assert frechet_distance(moments(x), moments(y)) == pytest.approx(naive_fid(x, y), rel=1e-8)


def test_frechet_distance_with_fewer_pictures_than_features() -> None:
    # Of ranks 9 and 7 in 20 dimensions. The trace of the root is the nuclear norm of the product of roots, which are
    # centred rows here: sum of singular values of X Y' / sqrt((m - 1)(n - 1)).
    x, y = features(10, 20, 3), features(8, 20, 4, 0.2)
    a, b = x - x.mean(0), y - y.mean(0)
    shared = np.linalg.svd(a @ b.T / np.sqrt(9 * 7), compute_uv=False).sum()
    apart = ((x.mean(0) - y.mean(0)) ** 2).sum()
    expected = apart + (a**2).sum() / 9 + (b**2).sum() / 7 - 2 * shared
    assert frechet_distance(moments(x), moments(y)) == pytest.approx(expected, rel=1e-6)


def test_frechet_distance_of_a_shift_is_its_length_squared() -> None:
    x = features(50, 8, 5)
    assert frechet_distance(moments(x), moments(x)) == pytest.approx(0.0, abs=1e-5)
    assert frechet_distance(moments(x), moments(x + 3.0)) == pytest.approx(8 * 9.0, rel=1e-6)


def test_frechet_distance_needs_two_of_one_kind() -> None:
    x = features(5, 3, 0)
    with pytest.raises(ValueError, match="two or more"):
        frechet_distance(moments(x[:1]), moments(x))
    with pytest.raises(ValueError, match="3 and 4 dimensions"):
        frechet_distance(moments(x), moments(features(5, 4, 0)))


def test_squared_discrepancy_is_that_of_a_double_loop() -> None:
    x, y = features(9, 4, 1) / 50, features(6, 4, 2, 0.5) / 50
    assert squared_discrepancy(x, y) == pytest.approx(naive_kid(x, y), rel=1e-9)


def test_squared_discrepancy_has_no_bias() -> None:
    draw = np.random.default_rng(0)
    found = [squared_discrepancy(draw.normal(size=(6, 3)), draw.normal(size=(6, 3))) for _ in range(1500)]
    error = np.std(found) / np.sqrt(len(found))
    assert abs(np.mean(found)) < 4 * error
    assert min(found) < 0 < max(found)
    # With the diagonals the same sets would differ by far more than that.
    x = draw.normal(size=(6, 3))
    assert squared_discrepancy(x, x + 1.0) > 20 * error


def test_kid_over_subsets(tmp_path: Path) -> None:
    x, y = features(40, 4, 1) / 50, features(30, 4, 2, 0.5) / 50
    found = kernel_distance(x, y, seed=3, subsets=20, size=8)
    generator = np.random.default_rng(3)
    values = []
    for _ in range(20):
        first = x[np.sort(generator.choice(40, 8, replace=False))]
        second = y[np.sort(generator.choice(30, 8, replace=False))]
        values.append(naive_kid(first, second))
    assert found.mean == pytest.approx(np.mean(values), rel=1e-9)
    assert (found.low, found.high) == pytest.approx(np.quantile(values, [0.025, 0.975]), rel=1e-9)
    assert (found.subsets, found.size) == (20, 8)
    # A set on the disk is the same set.
    x.astype(np.float32).tofile(tmp_path / "x")
    mapped = np.memmap(tmp_path / "x", np.float32, "r", shape=x.shape)
    assert kernel_distance(mapped, y, 3, 20, 8).mean == pytest.approx(found.mean, rel=1e-4)


def test_subsets_are_half_of_a_small_set() -> None:
    x = features(9, 4, 1) / 50
    found = kernel_distance(x, x[:8] + 0.1, seed=0)
    assert found.size == 4 and found.low < found.high
    with pytest.raises(ValueError, match="3 and 9 pictures: expected 4 or more"):
        kernel_distance(x[:3], x, seed=0)


def test_bootstrap_is_that_of_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).normal(size=(7, 2)) * [1.0, 5.0]
    monkeypatch.setattr(bootstrap, "_ELEMENTS", 10**9)
    found = resampled_means(values, seed=4, rounds=50)
    chosen = np.random.default_rng(4).integers(0, 7, (50, 7))
    expected = [[sum(values[i, k] for i in row) / 7 for k in range(2)] for row in chosen]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    one, two = intervals(values, seed=4, rounds=50)
    assert (one.low, one.high) == pytest.approx(np.quantile(found[:, 0], [0.025, 0.975]))
    assert two.mean == pytest.approx(values[:, 1].mean()) and two.count == 7


def test_bootstrap_in_parts_draws_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).normal(size=(9, 3))
    whole = resampled_means(values, seed=1, rounds=40)
    monkeypatch.setattr(bootstrap, "_ELEMENTS", 9 * 3 * 6)
    np.testing.assert_array_equal(resampled_means(values, seed=1, rounds=40), whole)


def test_columns_are_drawn_together() -> None:
    values = np.random.default_rng(0).normal(size=(20, 1))
    apart = np.hstack([values, values + 2.0])
    low_high = intervals(apart[:, [1]] - apart[:, [0]], seed=0)[0]
    assert (low_high.low, low_high.high) == pytest.approx((2.0, 2.0))
    means = resampled_means(apart, seed=0)
    np.testing.assert_allclose(means[:, 1] - means[:, 0], 2.0)


def test_interval_of_many_is_about_that_of_the_normal_distribution() -> None:
    values = np.random.default_rng(5).normal(10.0, 2.0, (400, 1))
    found = intervals(values, seed=0, rounds=2000)[0]
    half = 1.96 * values.std(ddof=1) / 20
    assert found.low == pytest.approx(found.mean - half, abs=0.1 * half)
    assert found.high == pytest.approx(found.mean + half, abs=0.1 * half)


def test_one_picture_has_no_interval_and_none_no_mean() -> None:
    found = intervals(np.array([[3.0]]), seed=0)[0]
    assert (found.mean, found.low, found.high, found.count) == (3.0, None, None, 1)
    with pytest.raises(ValueError, match="a row or more"):
        intervals(np.empty((0, 1)), seed=0)
    with pytest.raises(ValueError, match="finite"):
        intervals(np.array([[np.nan]]), seed=0)
