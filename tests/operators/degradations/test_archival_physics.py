"""The archival degradations do what the physics that they name says."""

import math

import numpy as np
import pytest
from scipy import ndimage, stats

from operators.degradations.devices import Banding, Misregistration, OldLens, ScannerNoise
from operators.degradations.emulsion import Emulsion, Grain, UnevenDevelopment
from operators.degradations.fields import bent, cloud, grainy, wandering
from operators.degradations.layers import density, from_density
from operators.degradations.printing import Halftone, screen
from operators.degradations.stains import Stain
from operators.degradations.tones import Fading, SilverMirroring, Toning, Yellowing


def flat(value, shape=(256, 256)):
    return np.full((*shape, 3), value, dtype=np.float32)


def done(step, image, seed=4):
    return step.degrade(image, np.random.default_rng(seed), image.shape[:2]).image


def test_grain_has_the_variance_of_the_boolean_model():
    """u (1 - u), four times as at 1 / 2; equal in all channels for silver, not for dyes."""
    for tone in (0.2, 0.5, 0.8):
        noise = done(Grain(amount=12, size=4.0, clumping=0.0), flat(tone)) - tone
        assert np.isclose(noise.std(), 12 / 255 * 2 * math.sqrt(tone * (1 - tone)), rtol=0.1)
        assert np.array_equal(noise[:, :, 0], noise[:, :, 2])
    dyes = done(Grain(amount=12, size=4.0, dyes=1.0), flat(0.5)) - 0.5
    assert abs(np.corrcoef(dyes[:, :, 0].ravel(), dyes[:, :, 2].ravel())[0, 1]) < 0.15
    for end in (0.0, 1.0):
        assert np.array_equal(done(Grain(amount=50), flat(end)), flat(end))


def test_grain_below_a_pixel_averages_as_selwyn_says():
    coarse, fine = (done(Grain(amount=20, size=size, clumping=0), flat(0.5)).std() for size in (1.4, 0.35))
    # At 256 pixels a grain of 1.4 is one of 0.35 pixels, one of 0.35 a quarter of it.
    assert np.isclose(fine / coarse, 0.25, rtol=0.05)


def test_filtered_noise_keeps_its_variance_and_has_the_filters_correlation():
    noise = grainy(np.random.default_rng(1), (400, 400), 1, 2.0)[:, :, 0]
    assert np.isclose(noise.std(), 1.0, rtol=0.05)
    # A Gaussian of s correlates noise as one of s sqrt(2): exp(-d^2 / (4 s^2)).
    assert np.isclose((noise[:, 2:] * noise[:, :-2]).mean() / noise.var(), math.exp(-4 / 16), atol=0.05)


def test_clouds_are_smooth_and_of_unit_deviation():
    fields = [cloud(np.random.default_rng(seed), (256, 320), 64.0) for seed in range(24)]
    assert 0.8 < np.std(fields) < 1.2
    assert abs(np.mean(fields)) < 0.15
    assert max(np.abs(np.diff(field, axis=1)).mean() for field in fields) < 0.1


def test_paths_end_where_they_should_and_are_as_long_as_they_say():
    start, end = np.array([10.0, 20.0]), np.array([200.0, 90.0])
    paths = [wandering(np.random.default_rng(seed), start, end, 0.05, 90) for seed in range(300)]
    assert np.allclose([path[0] for path in paths], start)
    assert np.allclose([path[-1] for path in paths], end)
    way = (end - start) / np.linalg.norm(end - start)
    aside = (np.array(paths) - start) @ np.array([-way[1], way[0]])
    assert np.isclose(aside[:, 45].std() / np.linalg.norm(end - start), 0.05, rtol=0.25)
    hair = bent(np.random.default_rng(1), start, 0.4, 70.0, 2.0)
    assert np.isclose(np.linalg.norm(np.diff(hair, axis=0), axis=1).sum(), 70.0)


@pytest.mark.parametrize("angle", [0.0, 15.0, 45.0])
@pytest.mark.parametrize("tone", [0.0, 0.03, 0.3, 0.5, 0.8, 1.0])
def test_a_screens_mean_is_its_tone(angle, tone):
    plane = np.full((240, 240), tone, dtype=np.float32)
    dots = screen(plane, 8.0, angle, np.array([0.2, 0.7]))
    assert abs(dots.mean() - tone) < 0.015
    if tone in (0.0, 1.0):
        assert (dots == tone).all()


def test_a_screen_has_its_period_and_its_angle():
    dots = screen(np.full((256, 256), 0.5, dtype=np.float32), 16.0, 30.0, np.zeros(2))
    spectrum = np.abs(np.fft.fft2(dots - dots.mean()))
    y, x = np.unravel_index(np.argmax(spectrum), spectrum.shape)
    fy, fx = (np.fft.fftfreq(256)[index] for index in (y, x))
    assert np.isclose(math.hypot(fx, fy), 1 / 16, atol=0.003)
    turned = math.degrees(math.atan2(fy, fx)) % 90
    assert min(abs(turned - 30), abs(turned - 60)) < 3


def test_halftone_keeps_light_apart_from_the_dots_growth():
    """Murray and Davies: paper and ink share the light; ink's own is 3 %."""
    tone = 0.6
    printed = done(Halftone(period=16.0, gain=0.0, bleed=0.0), flat(tone, (512, 512)))
    light = tone**2.2
    assert np.isclose((printed**2.2).mean(), light + (1 - light) * 0.03, atol=0.01)
    grown = done(Halftone(period=16.0, gain=0.2, bleed=0.0), flat(tone, (512, 512)))
    covered = 1 - light
    assert np.isclose((grown**2.2).mean(), 1 - (covered + 0.8 * covered * light) * 0.97, atol=0.01)


def test_process_inks_keep_colours_roughly(portrait):
    image = np.repeat(np.repeat(portrait, 2, axis=0), 2, axis=1)
    printed = done(Halftone(period=5.0, inks="process", gain=0.0, bleed=0.0), image)
    means = [ndimage.uniform_filter(each.astype(float), (40, 40, 0)) for each in (image, printed)]
    for channel in range(3):
        assert stats.pearsonr(means[0][..., channel].ravel(), means[1][..., channel].ravel()).statistic > 0.9


def test_fading_takes_densities_and_adds_stain():
    tone = flat(0.4)
    before = density(tone)[0, 0, 0]
    after = density(done(Fading(silver=0.1, cyan=0.5, yellow=0.2, stain=0.1), tone))[0, 0]
    expected = before * np.array([0.9 * 0.5, 0.9, 0.9 * 0.8]) + np.array([0.008, 0.025, 0.1])
    assert np.allclose(after, expected, atol=1e-4)
    assert np.allclose(from_density(density(tone)), tone, atol=1e-6)
    assert np.array_equal(done(Fading(), tone), from_density(density(tone)))


def test_an_orthochromatic_plate_does_not_see_red():
    red, blue = flat(0.0), flat(0.0)
    red[:, :, 0], blue[:, :, 2] = 0.8, 0.8
    tones = {
        name: [done(Emulsion(sensitivity=name), image)[0, 0, 0] for image in (red, blue)]
        for name in ("panchromatic", "orthochromatic", "blue")
    }
    assert tones["orthochromatic"][0] < 0.4 * tones["panchromatic"][0]
    assert tones["blue"][1] > tones["orthochromatic"][1] > tones["panchromatic"][1]


def test_the_characteristic_curve_is_that_of_the_display_in_the_middle():
    middle = 0.18 ** (1 / 2.2)
    tones = [
        done(Emulsion(black=0.0, white=1.0, contrast=3.0), flat(middle * factor))[0, 0, 0] for factor in (0.95, 1.05)
    ]
    plain = [done(Emulsion(black=0.0, white=1.0), flat(middle * factor))[0, 0, 0] for factor in (0.95, 1.05)]
    assert np.isclose((tones[1] - tones[0]) / (plain[1] - plain[0]), 3.0, rtol=0.35)
    ramp = np.repeat(np.linspace(0, 1, 256, dtype=np.float32)[None, :, None], 3, axis=2).repeat(16, axis=0)
    curve = done(Emulsion(black=0.1, white=0.9), ramp)[0, :, 0]
    assert (np.diff(curve) >= 0).all()
    assert np.allclose(curve[[0, -1]], [0.1, 0.9], atol=1e-4)


def test_sepia_is_brown_and_selenium_works_in_the_shadows():
    tone = done(Toning(toner="sepia"), flat(0.5))[0, 0]
    assert tone[0] > tone[1] > tone[2]
    white, shadow = (done(Toning(toner="selenium"), flat(value))[0, 0] - value for value in (0.97, 0.15))
    assert np.abs(white).max() < 0.01
    assert shadow[1] < shadow[0]
    partial = [done(Toning(toner="sepia", strength=0.4), flat(value))[0, 0] for value in (0.8, 0.1)]
    assert partial[0][0] / partial[0][2] > 1.02


def test_old_lens_falls_off_with_the_fourth_power_of_the_cosine():
    lens = OldLens(field=30.0, centre=0.0, rim=0.0, glow=0.0)
    light = done(lens, flat(0.8, (257, 257)))[:, :, 0] ** 2.2 / 0.8**2.2
    assert np.isclose(light[128, 128], 1.0, atol=1e-4)
    assert np.isclose(light[0, 0], math.cos(math.radians(30.0)) ** 4, atol=0.01)


def test_old_lens_is_sharper_in_the_middle_and_draws_along_circles():
    noise = np.random.default_rng(1).uniform(0.2, 0.8, (512, 512, 3)).astype(np.float32)
    soft = done(OldLens(field=0.0, centre=0.6, rim=8.0, swirl=1.0, glow=0.0), noise)
    assert soft[240:272, 240:272].std() > 2 * soft[:32, :32].std()
    # At the middle of the right side circles run up and down: what is left changes less along y than along x.
    side = soft[200:312, -40:, 0]
    assert np.abs(np.diff(side, axis=0)).mean() < 0.8 * np.abs(np.diff(side, axis=1)).mean()


def test_scanner_noise_has_the_photon_transfer_curve():
    step = ScannerNoise(shot=6.0, read=3.0)
    variances = [((done(step, flat(tone)) - tone) * 255).var() for tone in (0.2, 0.5, 0.8)]
    assert np.allclose(variances, [36 * tone + 9 for tone in (0.2, 0.5, 0.8)], rtol=0.05)


@pytest.mark.parametrize("along", [False, True])
def test_banding_is_constant_along_the_scan(along):
    image = done(Banding(elements=4.0, lamp=0.0, along=along), flat(0.5))
    image = image if along else image.swapaxes(0, 1)
    assert np.allclose(image, image[:, :1])
    assert np.isclose((image[:, 0] - 0.5).std() * 255, 2.0, rtol=0.2)


def test_misregistration_moves_red_and_blue_against_green(portrait):
    step = Misregistration(red_x=12.0, red_y=-8.0, blue_x=0.0, blue_y=4.0)
    result = done(step, portrait)
    assert np.array_equal(result[:, :, 1], portrait[:, :, 1])
    assert np.allclose(result[:-2, 3:, 0], portrait[2:, :-3, 0], atol=1e-6)
    assert np.allclose(result[1:, :, 2], portrait[:-1, :, 2], atol=1e-6)


def test_a_stain_is_darkest_at_its_tide_line():
    step = Stain(x=0.5, y=0.5, radius=0.25, rim=2.0, tides=1)
    result = step.degrade(flat(0.8), np.random.default_rng(1), (256, 256))
    loss = 0.8 - result.image[:, :, 2]
    inside = result.mask > 0
    rim = inside & ~ndimage.binary_erosion(inside, iterations=2)
    core = ndimage.binary_erosion(inside, iterations=16)
    assert loss[rim].mean() > 1.5 * loss[core].mean() > 0
    assert (result.image[:, :, 2] <= result.image[:, :, 0] + 1e-6).all()


def test_silver_mirrors_in_the_shadows_at_the_border():
    image = flat(0.9)
    image[:, :128] = 0.05
    step = SilverMirroring(strength=0.8, reach=0.2)
    mask = step.degrade(image, np.random.default_rng(1), (256, 256)).mask
    assert mask[:12, :128].mean() > 0.3
    assert mask[100:156, 80:128].mean() < 0.02
    assert not mask[:, 128:].any()


def test_yellowing_takes_blue_and_more_at_the_border():
    result = done(Yellowing(strength=0.3, edges=1.0, mottle=0.0), flat(0.8))
    middle, border = result[128, 128], result[0, 128]
    assert middle[0] > middle[1] > middle[2]
    assert np.isclose(density(middle)[2] - density(flat(0.8))[0, 0, 2], 0.3 * (1 + math.exp(-4)), atol=0.01)
    assert border[2] < middle[2]


def test_streaks_of_development_run_their_way():
    image = done(UnevenDevelopment(mottle=0.0, streaks=0.3, cell=4000.0), flat(0.5))[:, :, 0]
    assert np.abs(np.diff(image, axis=0)).mean() < 0.3 * np.abs(np.diff(image, axis=1)).mean()
    across = done(UnevenDevelopment(mottle=0.0, streaks=0.3, cell=4000.0, angle=0.0), flat(0.5))[:, :, 0]
    assert np.abs(np.diff(across, axis=1)).mean() < 0.3 * np.abs(np.diff(across, axis=0)).mean()


@pytest.mark.parametrize("side", [16, 40, 700])
def test_archival_recipes_take_any_size(side):
    from operators.degradations.applying import apply
    from operators.degradations.drawing import draw
    from operators.degradations.shipped import names, shipped

    image = np.random.default_rng(1).random((side, side + 7, 3), dtype=np.float32)
    chosen = names() if side < 100 else ["archival-print"]
    for name in chosen:
        for variant in range(3 if side < 100 else 1):
            pair = apply(image, draw(shipped(name), 1, "k", variant))
            assert np.isfinite(pair.image).all()
