"""Degradations inside the loss: exact against OpenCV, Pillow, SciPy and the recipes of pairs, and differentiable."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter
from torch import Tensor

from operators.degradations.colour import Brightness, ColourShift, Contrast, Grey, Haze, Saturation
from operators.inversion import steps
from operators.inversion.noise import Noise
from operators.inversion.objective import Objective, Observation
from operators.inversion.tasks import TASKS, USES, needs_mask, steps_of
from tests.operators.inversion.small_priors import codes, pggan

SIDE = 24
PICTURE = np.random.default_rng(3).random((SIDE, SIDE, 3), dtype=np.float32)


def seen(step: steps.Step, picture: np.ndarray = PICTURE, known: np.ndarray | None = None) -> np.ndarray:
    like = torch.zeros((), dtype=torch.float64)
    mask = None if known is None else torch.from_numpy(known)[None, None]
    run = step.on(steps.Ground(picture.shape[:2], mask, like))
    tensor = torch.from_numpy(picture).permute(2, 0, 1)[None].double()
    return run(tensor)[0].permute(1, 2, 0).numpy()


def test_grey_is_opencvs() -> None:
    expected = cv2.cvtColor(PICTURE, cv2.COLOR_RGB2GRAY)
    np.testing.assert_allclose(seen(steps.Grey()), np.repeat(expected[..., None], 3, 2), atol=3e-7)


@pytest.mark.parametrize("factor", [2.0, 3.0, 16.0, 1.7])
@pytest.mark.parametrize(
    ("resampler", "filter_"), [("area", Image.Resampling.BOX), ("bicubic", Image.Resampling.BICUBIC)]
)
def test_antialiased_sizes_are_pillows(resampler: str, filter_: int, factor: float) -> None:
    side = max(1, round(SIDE / factor))
    planes = [
        np.asarray(Image.fromarray(np.ascontiguousarray(PICTURE[..., channel])).resize((side, side), filter_))
        for channel in range(3)
    ]
    small = seen(steps.Resize(factor, resampler))  # type: ignore[arg-type]
    # Pillow's box takes whole samples where their middle is inside; only at whole factors is it the exact cover.
    if resampler == "area" and factor == 1.7:
        expected = cv2.resize(PICTURE, (side, side), interpolation=cv2.INTER_AREA)
    else:
        expected = np.stack(planes, axis=2)
    np.testing.assert_allclose(small, expected, atol=2e-6)


@pytest.mark.parametrize("factor", [2.0, 3.0, 1.7])
@pytest.mark.parametrize(("resampler", "way"), [("bilinear", cv2.INTER_LINEAR), ("nearest", cv2.INTER_NEAREST_EXACT)])
def test_other_sizes_are_opencvs(resampler: str, way: int, factor: float) -> None:
    side = round(SIDE / factor)
    expected = cv2.resize(PICTURE, (side, side), interpolation=way)
    np.testing.assert_allclose(seen(steps.Resize(factor, resampler)), expected, atol=1e-6)  # type: ignore[arg-type]


@pytest.mark.parametrize("sigma", [0.4, 1.5])
def test_blur_is_scipys(sigma: float) -> None:
    radius = max(1, int(np.ceil(4 * sigma)))
    expected = gaussian_filter(PICTURE.astype(np.float64), (sigma, sigma, 0), mode="mirror", radius=(radius, radius, 0))
    np.testing.assert_allclose(seen(steps.Blur(sigma)), expected, atol=1e-9)


@pytest.mark.parametrize(
    ("step", "reference"),
    [
        (steps.Grey(), Grey()),
        (steps.Brightness(1.3), Brightness(factor=1.3)),
        (steps.Contrast(0.6), Contrast(factor=0.6)),
        (steps.Saturation(1.8), Saturation(factor=1.8)),
        (steps.Haze(0.7), Haze(alpha=0.7)),
        (steps.ColourShift(20.0, -9.0, 3.0), ColourShift(red=20.0, green=-9.0, blue=3.0)),
    ],
)
def test_colours_are_those_of_recipes(step: steps.Step, reference: object) -> None:
    expected = reference.degrade(PICTURE, np.random.default_rng(0), (SIDE, SIDE)).image  # type: ignore[attr-defined]
    np.testing.assert_allclose(seen(step), expected, atol=1e-6)


def test_a_mask_hides_and_a_smaller_picture_hides_every_pixel_it_touches() -> None:
    known = np.ones((SIDE, SIDE), np.float32)
    known[5:8, 10:13] = 0.0
    np.testing.assert_allclose(seen(steps.Mask(), known=known), np.where(known[..., None] > 0, PICTURE, 0.5), atol=1e-7)
    like = torch.zeros((), dtype=torch.float64)
    both = Observation((steps.Resize(4.0), steps.Mask()), SIDE, torch.from_numpy(known)[None, None], like)
    zeros = torch.full((1, 3, SIDE, SIDE), -1.0, dtype=torch.float64)
    hidden = (both(zeros)[0, 0] == 0.0).numpy()
    expected = np.zeros((6, 6), bool)
    expected[1, 2:4] = True
    assert (hidden == expected).all()


def test_only_what_projects_is_done_to_the_photograph() -> None:
    like = torch.zeros((), dtype=torch.float64)
    observation = Observation((steps.Blur(1.0), steps.Grey(), steps.Haze(0.5)), SIDE, None, like)
    photograph = torch.from_numpy(PICTURE).permute(2, 0, 1)[None].double() * 2 - 1
    grey = cv2.cvtColor(PICTURE, cv2.COLOR_RGB2GRAY).astype(np.float64) * 2 - 1
    np.testing.assert_allclose(observation.of_photographs(photograph)[0, 1].numpy(), grey, atol=1e-6)
    assert (observation(photograph) - observation.of_photographs(photograph)).abs().max() > 0.1


def features(pictures: Tensor) -> dict[str, Tensor]:
    """A smooth stand-in for a feature network, in any type: gradients are checked through it."""
    weight = torch.linspace(-1, 1, 4 * 3 * 9, dtype=pictures.dtype).reshape(4, 3, 3, 3)
    return {"one": torch.tanh(torch.nn.functional.conv2d(pictures, weight, stride=4))}


RECIPE = (
    {"use": "blur", "sigma": 0.8},
    {"use": "contrast", "factor": 0.7},
    {"use": "saturation", "factor": 0.8},
    {"use": "brightness", "factor": 0.9},
    {"use": "colour-shift", "red": 5.0},
    {"use": "haze", "alpha": 0.8},
    {"use": "resize", "factor": 2.0, "resampler": "bicubic"},
    {"use": "mask"},
    {"use": "grey"},
)


def test_the_recipe_of_the_gradient_check_has_every_step() -> None:
    assert {step["use"] for step in RECIPE} == set(USES)


@pytest.mark.parametrize("noise", [None, Noise("poisson", 50.0), Noise("salt-and-pepper", 0.1)])
@pytest.mark.parametrize("task", TASKS)
def test_gradients_of_every_task(task: str, noise: Noise | None) -> None:
    generator = torch.Generator().manual_seed(4)
    side = 8
    picture, target = (torch.rand((2, 3, side, side), generator=generator, dtype=torch.float64) - 0.5 for _ in range(2))
    known = None
    if needs_mask(task, RECIPE):  # type: ignore[arg-type]
        known = (torch.rand((2, 1, side, side), generator=generator) > 0.3).double()
    recipe = [dict(step) | ({"sigma": 0.4} if step["use"] == "blur" else {}) for step in RECIPE]
    observation = Observation(steps_of(task, 2.0, "bicubic", recipe), side, known, target.new_zeros(()))  # type: ignore[arg-type]
    goal = Objective(observation, observation.of_photographs(target), features, 0.5, 16, noise)
    assert torch.autograd.gradcheck(lambda x: goal(x).total, (picture.requires_grad_(),))
    loss = goal(picture)
    assert (loss.total > loss.pixels).all()


@pytest.mark.parametrize("noise", [Noise("gaussian", 0.1), Noise("poisson", 60.0)])
def test_what_is_hidden_has_no_noise(noise: Noise) -> None:
    known = np.ones((SIDE, SIDE), np.float32)
    known[:, SIDE // 4 :] = 0.0
    like = torch.zeros((), dtype=torch.float64)
    observation = Observation((steps.Mask(),), SIDE, torch.from_numpy(known)[None, None], like)
    clean = np.clip(PICTURE * 0.6 + 0.2, 0, 1).astype(np.float32)
    noisy = noise.added(clean, np.random.default_rng(2))
    target, truth = (torch.from_numpy(x).permute(2, 0, 1)[None].double() * 2 - 1 for x in (noisy, clean))
    goal = Objective(observation, observation.of_photographs(target), noise=noise)
    assert goal.floor is not None
    assert goal(truth).pixels.item() == pytest.approx(goal.floor.item(), rel=0.15)


@pytest.mark.parametrize("task", TASKS)
def test_gradients_reach_codes_and_importances(task: str) -> None:
    from operators.inversion.options import SearchOptions
    from operators.inversion.picture import picture_of

    prior = pggan(2, side=8, width=6, most=4)
    for block in prior._blocks:
        block.double()
    prior._to_picture.double()
    z = codes(prior, 1, 4).double().reshape(2, 2, 6).requires_grad_()
    alpha = torch.full((2, 2, prior.channels(2)), 0.5, dtype=torch.float64, requires_grad=True)
    known = torch.ones((2, 1, 8, 8), dtype=torch.float64)
    known[:, :, 2:5, 1:4] = 0.0
    recipe = [{"use": "resize", "factor": 2.0}, {"use": "haze", "alpha": 0.5}]
    observation = Observation(steps_of(task, 4.0, "area", recipe), 8, known, z.new_zeros(()))  # type: ignore[arg-type]
    goal = Objective(observation, torch.zeros((2, 3, *observation.size), dtype=torch.float64), features, 0.5, 16)
    options = SearchOptions(codes=2, layer=2)
    assert torch.autograd.gradcheck(lambda c, a: goal(picture_of(prior, c, a, options)).total, (z, alpha))


def test_the_loss_is_the_papers() -> None:
    generator = torch.Generator().manual_seed(1)
    picture, target = (torch.rand((2, 3, 8, 8), generator=generator) for _ in range(2))
    goal = Objective(Observation((), 8, None, target.new_zeros(())), target, features, 0.3, 8)
    mine, theirs = (features(x)["one"].numpy() for x in (picture, target))
    pixels = np.square(picture.numpy() - target.numpy()).mean((1, 2, 3))
    seen = np.abs(mine - theirs).mean((1, 2, 3)) / np.abs(theirs).mean((1, 2, 3))
    np.testing.assert_allclose(goal(picture).total.numpy(), pixels + 0.3 * seen, rtol=1e-5)
    np.testing.assert_allclose(goal(picture).pixels.numpy(), pixels, rtol=1e-5)


@pytest.mark.parametrize(
    ("step", "says"),
    [
        ({"use": "sepia"}, "sepia"),
        ({"use": "blur"}, "sigma"),
        ({"use": "blur", "sigma": 1.0, "factor": 2.0}, "factor"),
        ({"use": "resize", "factor": 0.5}, "factor"),
        ({"use": "resize", "factor": 2.0, "resampler": "lanczos"}, "lanczos"),
    ],
)
def test_steps_that_cannot_be_are_named(step: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        steps_of("recipe", recipe=[step])


def test_a_mask_that_is_not_there_and_a_blur_that_is_too_wide() -> None:
    with pytest.raises(ValueError, match="mask"):
        Observation((steps.Mask(),), 8, None, torch.zeros(()))
    with pytest.raises(ValueError, match="pixels"):
        Observation((steps.Blur(5.0),), 8, None, torch.zeros(()))
