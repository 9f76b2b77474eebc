"""A record alone makes the pair again, and a step's draw is its own affair."""

import hashlib
import json
import subprocess
import sys

import numpy as np
import pytest

from operators.degradations.applying import apply, to_8bit
from operators.degradations.drawing import draw
from operators.degradations.problems import RecipeError
from operators.degradations.reading import from_data, parse
from operators.degradations.record import from_record
from operators.degradations.shipped import names, shipped
from operators.degradations.streams import Streams, generator_of
from operators.degradations.table import DEGRADATIONS
from operators.errors import OperatorError


def digest(pair):
    parts = [pair.image, pair.target, *pair.masks.values()]
    return hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in parts)).hexdigest()


@pytest.mark.parametrize("name", names())
def test_a_pair_from_its_record_has_the_same_bits(portrait, name):
    for variant in range(3):
        steps = draw(shipped(name), 7, "key", variant)
        again = from_record(json.loads(json.dumps([step.to_record() for step in steps])))
        assert again == steps
        first, second = apply(portrait, steps), apply(portrait, again)
        assert digest(first) == digest(second)
        assert list(first.masks) == list(second.masks)


@pytest.mark.parametrize("name", names())
def test_pairs_have_range_type_and_masks_of_their_size(portrait, name):
    source = portrait.copy()
    image = portrait[:, :200]
    for variant in range(2):
        pair = apply(image, draw(shipped(name), 3, "key", variant))
        sides = (64, 50) if name == "real-esrgan" else (256, 200)
        assert pair.image.shape == (*sides, 3)
        assert pair.target.shape == (256, 200, 3)
        for part in (pair.image, pair.target, *pair.masks.values()):
            assert part.dtype == np.float32
            assert 0.0 <= part.min() <= part.max() <= 1.0
        assert all(mask.shape == sides for mask in pair.masks.values())
        assert to_8bit(pair.image).dtype == np.uint8
    assert np.array_equal(portrait, source)


def test_another_process_makes_the_same_bits(portrait):
    """Neither hash seeds of Python nor threads of OpenCV have a say."""
    program = """
import hashlib, sys
import cv2, numpy as np
from skimage.data import astronaut
from operators.degradations.applying import apply
from operators.degradations.drawing import draw
from operators.degradations.shipped import shipped
cv2.setNumThreads(int(sys.argv[1]))
image = np.ascontiguousarray(astronaut()[:256, 96:352], dtype=np.float32) / np.float32(255)
for name in ("gfpgan", "real-esrgan", "archival-print", "archival-postcard", "scratch-repair"):
    pair = apply(image, draw(shipped(name), 1, "k\\u00e9y", 4))
    print(hashlib.sha256(pair.image.tobytes() + pair.target.tobytes()).hexdigest())
"""
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program, threads],
            check=True, capture_output=True, text=True, env={"PYTHONHASHSEED": seed},
        ).stdout
        for threads, seed in (("1", "1"), ("2", "77"))
    }  # fmt: skip
    assert len(outputs) == 1


def test_a_step_added_changes_no_other_draw():
    steps = [
        {"use": "blur", "parameters": {"sigma": {"uniform": [1, 5]}}},
        {"shuffle": [{"use": "grey"}, {"use": "haze", "parameters": {"alpha": {"uniform": [0, 1]}}}]},
        {"one_of": [{"steps": [{"use": "jpeg", "parameters": {"quality": {"uniform": [5, 50]}}}]}, {"steps": []}]},
    ]
    more = [{"use": "flip", "probability": 0.5}, *steps[:1], {"use": "dust", "parameters": {"specks": 3}}, *steps[1:]]
    more[3] = {"shuffle": [{"use": "grey"}, {"use": "exposure", "parameters": {"factor": 1}}, steps[1]["shuffle"][1]]}
    small, large = (from_data({"recipe": "r", "source": "s", "steps": each}) for each in (steps, more))
    for variant in range(200):
        few, many = draw(small, 1, "k", variant), draw(large, 1, "k", variant)
        ids = {step.id for step in few}
        assert [step for step in many if step.id in ids] == list(few)


def test_probability_of_one_leaves_the_parameters():
    text = (
        "{{recipe: r, source: s, steps: [{{use: haze, probability: {0}, parameters: {{alpha: {{uniform: [0, 1]}}}}}}]}}"
    )
    rare, always = parse(text.format(0.3)), parse(text.format(1))
    taken = [variant for variant in range(100) if draw(rare, 1, "k", variant)]
    assert 10 < len(taken) < 60
    assert all(draw(rare, 1, "k", variant) == draw(always, 1, "k", variant) for variant in taken)


@pytest.mark.parametrize("name", names())
def test_a_recipe_survives_as_plain_data(name):
    """As a job's canonical form keeps it."""
    data = json.loads(json.dumps(shipped(name).model_dump(mode="json")))
    assert from_data(data) == shipped(name)
    assert draw(from_data(data), 1, "k", 0) == draw(shipped(name), 1, "k", 0)


def test_streams_are_what_they_were():
    """A change here would change every pair of every job; then all versions must rise."""
    streams = Streams(1, "boxes/é.tif", 2)
    assert streams.seed_of("blur", "draw") == hashlib.blake2b(
        b'[1, "boxes/\\u00e9.tif", 2]\nblur\ndraw', digest_size=32
    ).hexdigest()  # fmt: skip
    state, increment = 0x0123456789ABCDEF_FEDCBA9876543210, 0x0F0E0D0C0B0A0908_0706050403020100
    words = [state >> 64, state & (2**64 - 1), increment >> 64, increment & (2**64 - 1)]
    generator = generator_of(b"".join(word.to_bytes(8, "little") for word in words).hex())
    # PCG64 by its definition (O'Neill 2014): initialised, then XSL-RR of the state after each step.
    multiplier, mask = 0x2360ED051FC65DA4_4385DF649FCCF645, 2**128 - 1
    step = ((increment << 1) | 1) & mask
    now = ((step + state) * multiplier + step) & mask
    for _ in range(4):
        now = (now * multiplier + step) & mask
        mixed, turn = (now >> 64) ^ (now & (2**64 - 1)), now >> 122
        output = ((mixed >> turn) | (mixed << (64 - turn))) & (2**64 - 1)
        assert generator.random() == (output >> 11) / 2**53


def test_keys_and_ids_do_not_run_together():
    """JSON and line breaks keep the parts of a hash apart."""
    recipe = shipped("strokes")
    seeds = {draw(recipe, *parts)[0].seed for parts in ((1, "1", 1), (11, "", 1), (1, "11", 1), (1, '1", 1', 1))}
    assert len(seeds) == 4


def test_uneven_lays_a_square_of_one_draw_on_the_other(portrait):
    text = """{recipe: r, source: s, steps: [{uneven: 0.5, steps: [
        {use: gaussian-noise, parameters: {sigma: 20}}, {use: dust, parameters: {specks: 400, radius: 3}}]}]}"""
    steps = draw(parse(text), 1, "k", 0)
    assert [step.use for step in steps[::3]] == ["uneven-fork", "uneven-again", "uneven-join"]
    pair = apply(portrait, steps)
    first, second = apply(portrait, steps[1:3]), apply(portrait, steps[4:6])
    square = (pair.image == first.image).all(axis=2)
    rows, columns = np.flatnonzero(square.mean(axis=1) > 0.4), np.flatnonzero(square.mean(axis=0) > 0.4)
    assert rows.size == columns.size == 128
    assert np.array_equal(pair.image[~square], second.image[~square])
    window = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    assert np.array_equal(pair.masks["dust"][window], first.masks["dust"][window])
    assert not pair.masks["dust~2"][window].any()
    assert pair.masks["dust~2"].any()


def test_both_gives_the_target_the_same(portrait):
    text = """{recipe: r, source: s, steps: [{use: shift, both: true, parameters: {right: 9}}, {use: grey, both: true},
        {use: gaussian-noise, both: true, parameters: {sigma: 9}}, {use: haze, parameters: {alpha: 0.5}}]}"""
    pair = apply(portrait, draw(parse(text), 1, "k", 0))
    assert np.allclose(pair.image, pair.target * 0.5 + 0.5, atol=1e-6)
    assert not np.array_equal(pair.target, portrait)


def test_masks_follow_flips_shifts_and_resizes(portrait):
    text = """{recipe: r, source: s, steps: [
        {use: completion, parameters: {left: 0, top: 0, width: 0.5, height: 1, threshold: 0}},
        {use: flip}, {use: resize, parameters: {divisor: 2}}]}"""
    mask = apply(portrait, draw(parse(text), 1, "k", 0)).mask
    assert mask.shape == (128, 128)
    assert (mask[:, 65:] == 1).all()
    assert (mask[:, :63] == 0).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": "0"}, r"record: \[0\].version: was drawn for version '0' of haze, this build has 1"),
        ({"use": "hazy"}, r"\[0\].use: unknown degradation 'hazy'; did you mean 'haze'"),
        ({"seed": "12"}, r"\[0\].seed: found '12', expected 64 hexadecimal digits"),
        ({"both": 1}, r"\[0\].both: found 1, expected bool"),
        ({"parameters": {}}, r"\[0\].parameters: found \['alpha'\] too many or missing for haze"),
        ({"parameters": {"alpha": 2.0}}, r"\[0\].parameters.alpha: found 2.0, expected less than or equal to 1"),
        ({"use": "uneven-join"}, r"\[0\].parameters: found .*, expected side, left, top in \[0, 1\]"),
    ],
)
def test_wrong_records_are_refused_by_key(change, message):
    text = "{recipe: r, source: s, steps: [{use: haze, parameters: {alpha: 0.5}}]}"
    record = draw(parse(text), 1, "k", 0)[0].to_record()
    assert from_record([record])
    with pytest.raises(RecipeError, match=message):
        from_record([{**record, **change}])
    for wrong in (None, "text", [1], [{**record, "more": 1}]):
        with pytest.raises(RecipeError, match="expected"):
            from_record(wrong)


def test_wrong_images_and_markers_are_refused(portrait):
    steps = draw(shipped("strokes"), 1, "k", 0)
    with pytest.raises(OperatorError, match="found 256 x 12 pixels, expected at least 16") as caught:
        apply(portrait[:12], steps)
    assert caught.value.code == "too_small"
    for wrong in (portrait.astype(np.float64), portrait[:, :, 0], portrait * 2, portrait + np.float32(np.nan)):
        with pytest.raises(ValueError, match="expected"):
            apply(wrong, steps)
    text = "{recipe: r, source: s, steps: [{uneven: 0.5, steps: [{use: grey}]}]}"
    with pytest.raises(RecipeError, match="found uneven-again without what belongs before it"):
        apply(portrait, draw(parse(text), 1, "k", 0)[1:])
    resize = "{use: resize, parameters: {scale: {uniform: [0.2, 1]}}}"
    text = f"{{recipe: r, source: s, steps: [{{uneven: 0.5, steps: [{resize}]}}]}}"
    with pytest.raises(RecipeError, match="resize to the original inside the group"):
        apply(portrait, draw(parse(text), 1, "k", 0))


def test_every_degradation_says_where_it_is_from():
    for name, degradation in DEGRADATIONS.items():
        assert degradation.__doc__, name
        for field, info in degradation.model_fields.items():
            assert info.description, f"{name}.{field}"
            numeric = info.annotation in (int, float)
            assert not numeric or len(info.metadata) >= 1, f"{name}.{field} has no limits"
