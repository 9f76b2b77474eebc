"""Normal and Poisson numbers from tables against SciPy's distributions. Fixed seeds; each errs in 1 of 10,000 seeds."""

import numpy as np
import pytest
from scipy import stats

from operators.degradations.counts import poisson
from operators.degradations.normals import sixteen_bits, standard_normal
from operators.degradations.streams import generator_of

ERROR = 1e-4
COUNT = 1 << 21


def generator(seed=5):
    return np.random.Generator(np.random.PCG64(seed))


def agrees(found, expected):
    """Chi-square over classes of at least 20 expected; rarer ones together."""
    rare = expected < 20
    observed, wanted = np.append(found[~rare], found[rare].sum()), np.append(expected[~rare], expected[rare].sum())
    return stats.chisquare(observed[wanted > 0], wanted[wanted > 0]).pvalue > ERROR


def test_bits_are_four_to_a_word_from_the_lowest():
    words = generator().bit_generator.random_raw(2)
    parts = [int(word) >> shift & 0xFFFF for word in words for shift in (0, 16, 32, 48)]
    assert sixteen_bits(generator(), 7).tolist() == parts[:7]


def test_normal_numbers_are_scipys_normal_distribution():
    numbers = standard_normal(generator(), (COUNT,)).astype(np.float64)
    assert stats.kstest(numbers, stats.norm.cdf).pvalue > ERROR
    assert numbers.dtype == np.float64
    assert abs(numbers.var() - 1.0) < 4 * np.sqrt(2 / COUNT)
    assert abs(stats.skew(numbers)) < 4 * np.sqrt(6 / COUNT)
    assert abs(stats.kurtosis(numbers)) < 4 * np.sqrt(24 / COUNT)


def test_tails_are_as_heavy_as_they_should_be():
    """Beyond three deviations each way: where the table is coarse, it is drawn again from a finer one."""
    numbers = np.concatenate([standard_normal(generator(seed), (COUNT,)) for seed in range(4)])
    edges = np.array([-np.inf, -4.5, -4.0, -3.6, -3.3, -3.1, 3.1, 3.3, 3.6, 4.0, 4.5, np.inf])
    expected = np.diff(stats.norm.cdf(edges)) * numbers.size
    assert agrees(np.histogram(numbers, edges)[0], expected)
    outer = np.abs(numbers[np.abs(numbers) > 3.2])
    assert np.unique(outer).size > 0.4 * outer.size
    assert 5.0 < outer.max() < 5.5


def test_neighbours_do_not_know_of_each_other():
    numbers = standard_normal(generator(), (COUNT,)).astype(np.float64)
    for distance in (1, 2, 3, 4, 512):
        assert abs(np.corrcoef(numbers[distance:], numbers[:-distance])[0, 1]) < 4 / np.sqrt(COUNT)


def test_normal_numbers_have_their_shape_and_depend_on_the_seed_alone():
    first, again = (standard_normal(generator_of("ab" * 32), (5, 7, 3)) for _ in range(2))
    assert first.shape == (5, 7, 3)
    assert first.dtype == np.float32
    assert np.array_equal(first, again)
    assert standard_normal(generator(), (0, 3)).shape == (0, 3)


@pytest.mark.parametrize("white", [1, 2, 64, 256])
@pytest.mark.parametrize("level", [0, 1, 17, 128, 255])
def test_counts_are_scipys_poisson(white, level):
    counts = poisson(np.full((300, 400), level, dtype=np.uint8), white, generator(level + white))
    mean = level * white / 255
    if level == 0:
        assert not counts.any()
        return
    found = np.bincount(counts.ravel())
    expected = stats.poisson(mean).pmf(np.arange(found.size)) * counts.size
    expected[-1] += stats.poisson(mean).sf(found.size - 1) * counts.size
    assert agrees(found, expected)


def test_rare_counts_are_as_rare_as_they_should_be():
    """In the first and the last cell lie many counts each, which only a search tells apart."""
    counts = np.concatenate([poisson(np.full(COUNT, 255, np.uint8), 256, generator(seed)) for seed in range(4)])
    limits = stats.poisson(256).ppf([1e-5, 1e-4, 1e-3, 1 - 1e-3, 1 - 1e-4, 1 - 1e-5])
    expected = np.diff(np.concatenate([[0.0], stats.poisson(256).cdf(limits), [1.0]])) * counts.size
    found = np.histogram(counts, np.concatenate([[-0.5], limits + 0.5, [1e9]]))[0]
    assert agrees(found, expected)


def test_counts_of_a_picture_belong_to_their_levels():
    levels = np.arange(256, dtype=np.uint8).repeat(4000).reshape(256, 4000)
    means = poisson(levels, 128, generator()).mean(axis=1)
    expected = np.arange(256) * 128 / 255
    assert (np.abs(means - expected) <= 4.5 * np.sqrt(expected / 4000)).all()
