"""What recipes draw, over 10,000 draws each, against what they say.

Seeds are fixed, so a test never flickers. Each comparison would err for one seed in a million; there are some 1,300,
so that another choice of seeds would fail somewhere with a probability of 1 in 700.
"""

from collections import Counter, defaultdict
from functools import cache

import numpy as np
import pytest
from scipy import stats

from operators.degradations.distributions import Choice, Integer, LogUniform, Uniform
from operators.degradations.drawing import draw
from operators.degradations.reading import parse
from operators.degradations.recipe import Group, OneOf, Shuffle, Step, Uneven
from operators.degradations.shipped import names, shipped

DRAWS = 10_000
ERROR = 1e-6


@cache
def drawn(name):
    """Ids with how often they were drawn, and the values of each parameter."""
    counts, values = Counter(), defaultdict(list)
    recipe = shipped(name)
    for variant in range(DRAWS):
        for step in draw(recipe, 5, "boxes/17/portrait.tif", variant):
            counts[step.id] += 1
            for parameter, value in step.parameters.items():
                values[step.id, parameter].append(value)
    return counts, values


def leaves(nodes, chance=1.0):
    """Every step with the exact probability that it is taken, the first draw of an uneven group alone."""
    for node in nodes:
        here = chance * (1.0 if isinstance(node, Uneven) else node.probability)
        if isinstance(node, Step):
            yield node, here
        elif isinstance(node, OneOf):
            total = sum(way.weight for way in node.one_of)
            for way in node.one_of:
                yield from leaves(way.steps, here * way.weight / total)
        elif isinstance(node, Shuffle):
            yield from leaves(node.shuffle, here)
        else:
            assert isinstance(node, (Group, Uneven))
            yield from leaves(node.steps, here)


def cumulative(value, x):
    """P(X <= x) of a distribution as the recipe states it."""
    if isinstance(value, Uniform):
        low, high = value.uniform
        return np.clip((x - low) / (high - low), 0, 1)
    if isinstance(value, LogUniform):
        low, high = np.log(value.log_uniform)
        return np.clip((np.log(np.maximum(x, 1e-300)) - low) / (high - low), 0, 1)
    if isinstance(value, Integer):
        steps = np.arange(value.integer[0], value.integer[1] + 1, value.step)
        return (steps[None] <= x[:, None]).mean(axis=1)
    if isinstance(value, Choice):
        weights = np.array(value.weights or [1.0] * len(value.choice))
        parts = [cumulative(item, x) for item in value.choice]
        return np.tensordot(weights / weights.sum(), np.stack(parts), 1)
    return (float(value) <= x).astype(float)


def words(value):
    """Choices among words or truth values, with their shares; None for numbers."""
    if isinstance(value, Choice) and all(isinstance(item, (str, bool)) for item in value.choice):
        weights = np.array(value.weights or [1.0] * len(value.choice))
        return dict(zip(value.choice, weights / weights.sum(), strict=True))
    return None


@pytest.mark.parametrize("name", names())
def test_steps_are_taken_as_often_as_the_recipe_says(name):
    counts, _ = drawn(name)
    expected = {step.id or step.use: chance for step, chance in leaves(shipped(name).steps)}
    assert set(counts) - set(expected) == {each for each in counts if "~" in each or "/" in each}
    for identity, chance in expected.items():
        assert stats.binomtest(counts[identity], DRAWS, min(1.0, chance)).pvalue > ERROR, identity


@pytest.mark.parametrize("name", names())
def test_parameters_are_distributed_as_the_recipe_says(name):
    _, values = drawn(name)
    for step, _chance in leaves(shipped(name).steps):
        for parameter, value in step.parameters.items():
            found = values[step.id or step.use, parameter]
            where = f"{step.id or step.use}.{parameter}"
            if shares := words(value):
                tally = Counter(found)
                observed = [tally[word] for word in shares]
                assert sum(observed) == len(found), where
                if len(shares) > 1 and found:
                    expected = np.array(list(shares.values())) * len(found)
                    assert stats.chisquare(observed, expected).pvalue > ERROR, where
            elif isinstance(value, (Uniform, LogUniform)) and found:
                assert stats.kstest(found, lambda x, law=value: cumulative(law, x)).pvalue > ERROR, where
                # KS is blind at the ends: the outermost of n draws lie within ln(1 / error) / n of them.
                ends = cumulative(value, np.array([min(found), max(found)]))
                room = np.log(1 / ERROR) / len(found)
                assert ends[0] < room, where
                assert ends[1] > 1 - room, where
            elif isinstance(value, (Integer, Choice)) and found:
                # With atoms, the inequality of Dvoretzky, Kiefer, Wolfowitz and Massart bounds the distance.
                points = np.sort(np.asarray(found, dtype=float))
                empirical = np.searchsorted(points, points, side="right") / points.size
                distance = np.abs(empirical - cumulative(value, points)).max()
                assert distance < np.sqrt(np.log(2 / ERROR) / (2 * points.size)), where
            else:
                assert set(found) <= {value}, where


def test_orders_of_a_shuffle_are_equally_likely():
    text = (
        "{recipe: r, source: s, steps: [{shuffle: [{use: grey}, {use: flip}, {use: jpeg, parameters: {quality: 9}}]}]}"
    )
    orders = Counter(tuple(step.use for step in draw(parse(text), 1, "k", variant)) for variant in range(3_000))
    assert len(orders) == 6
    assert stats.chisquare(list(orders.values())).pvalue > ERROR


def test_uneven_groups_are_drawn_twice_as_often_as_they_say():
    counts, _ = drawn("restoreformer++")
    again = {each: count for each, count in counts.items() if each.endswith(("~2", "/join"))}
    assert {"blur~2", "down~2", "gaussian-noise~2", "jpeg~2", "back~2"} <= set(again)
    assert len({count for each, count in again.items() if each != "haze~2"}) == 1
    assert stats.binomtest(counts["blur~2"], DRAWS, 0.1).pvalue > ERROR


def test_repeats_draw_anew_each_time():
    haze = "{use: haze, parameters: {alpha: {uniform: [0, 1]}}}"
    text = f"{{recipe: r, source: s, steps: [{{repeat: {{integer: [0, 2]}}, steps: [{haze}]}}]}}"
    runs = [draw(parse(text), 1, "k", variant) for variant in range(3_000)]
    assert stats.chisquare(list(Counter(map(len, runs)).values())).pvalue > ERROR
    twice = [[step.parameters["alpha"] for step in run] for run in runs if len(run) == 2]
    first, second = zip(*twice, strict=True)
    assert abs(stats.pearsonr(first, second).statistic) < 0.15
    assert {step.id for run in runs for step in run} == {"haze", "haze~2"}


def test_draws_of_pairs_steps_and_parameters_are_uncorrelated():
    """Two parameters of a step, two steps, two variants, two keys, two seeds: none follows the other."""
    recipe = shipped("gfpgan")

    def sigma(seed, key, variant, identity="blur", parameter="sigma"):
        return next(s.parameters[parameter] for s in draw(recipe, seed, key, variant) if s.id == identity)

    base = [sigma(1, "a", variant) for variant in range(1_500)]
    others = [
        [sigma(1, "a", variant, parameter="sigma_y") for variant in range(1_500)],
        [sigma(1, "a", variant, "down", "divisor") for variant in range(1_500)],
        [sigma(1, "a", variant + 1) for variant in range(1_500)],
        [sigma(1, "b", variant) for variant in range(1_500)],
        [sigma(2, "a", variant) for variant in range(1_500)],
    ]
    for other in others:
        assert base != other
        assert stats.pearsonr(base, other).pvalue > ERROR
