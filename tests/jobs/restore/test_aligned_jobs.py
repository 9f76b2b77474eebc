"""Data sets of aligned faces: no search, the whole image is the crop."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from jobs.restore.aligned import aligned_face
from operators.faces.geometry import magnification, transform
from operators.faces.templates import template_points
from operators.images.info import ImageInfo
from operators.images.orientation import stored_to_upright
from operators.restorers.contract import RestorerInfo

from .conftest import encoded, portrait
from .small_models import SIDE, add_generator
from .test_generator_jobs import generator_job, pixels

if TYPE_CHECKING:
    from .conftest import Bench

RESTORER = RestorerInfo("test", "1", "ffhq", (64, 256))


def info(width: int, height: int, orientation: int = 1) -> ImageInfo:
    return ImageInfo(
        format="png",
        width=width,
        height=height,
        depth=8,
        space="rgb",
        alpha=False,
        orientation=orientation,
    )


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(("width", "height"), [(64, 64), (100, 80), (81, 120)])
def test_the_square_in_the_middle_is_the_crop(width: int, height: int, orientation: int) -> None:
    found, affine, size = aligned_face(info(width, height, orientation), RESTORER)
    side = min(width, height)
    assert size == (64 if side == 64 else 256)
    assert 1 / magnification(affine) == pytest.approx(side / size)
    box = np.array(found.box)
    assert (box[2:] - box[:2]).tolist() == pytest.approx([side, side])
    middle = (box[:2] + box[2:]) / 2
    assert np.abs(middle - [(width - 1) / 2, (height - 1) / 2]).max() <= 0.5
    assert np.allclose(transform(found.landmarks, affine), template_points("ffhq", size))
    # Upright, the eyes lie above the mouth whatever way the file is stored.
    upright = transform(found.landmarks, stored_to_upright(width, height, orientation, 0))
    assert upright[:2, 1].max() < upright[3:, 1].min()
    assert upright[0, 0] < upright[1, 0]


def test_a_square_larger_than_the_model_is_measured_against_it() -> None:
    _, affine, size = aligned_face(info(700, 600), RESTORER)
    assert size == 256
    assert 1 / magnification(affine) == pytest.approx(600 / 256)


@pytest.fixture
def faces(bench: Bench) -> Bench:
    """Aligned faces of the model's size, smaller, larger, and not square."""
    folder = bench.root / "faces"
    folder.mkdir()
    for name, side in (("own", SIDE), ("small", SIDE // 2), ("large", 2 * SIDE)):
        (folder / f"{name}.png").write_bytes(encoded(Image.fromarray(portrait(side)), format="PNG"))
    wide = np.pad(portrait(SIDE), ((0, 0), (10, 10), (0, 0)))
    (folder / "wide.png").write_bytes(encoded(Image.fromarray(wide), format="PNG"))
    return bench


def run(bench: Bench, name: str, job: Path) -> dict[str, dict[str, Any]]:
    result = bench.call("run", job)
    assert result.exit_code == 0, result.output
    folder = bench.root / name
    return {path.name.split(".")[0]: json.loads(path.read_text()) for path in folder.glob("*.json")}


def test_each_image_is_one_face_and_all_of_it_is_restored(faces: Bench, tmp_path: Path) -> None:
    cache = tmp_path / "own" / "cache"
    add_generator(cache, "small-gfpgan")
    job = generator_job(
        faces, cache, "aligned", source={"uri": "faces"}, detect={"aligned": True}, restore={"oversize": "keep"}
    )
    made = run(faces, "aligned", job)
    for name in ("own", "small", "wide"):
        (face,) = made[name]["faces"]
        assert (face["status"], face["mask"], face["confidence"], face["crop_size"]) == (
            "restored",
            "whole",
            1.0,
            SIDE,
        )
    (kept,) = made["large"]["faces"]
    assert (kept["status"], kept["reason"]) == ("kept", "larger_than_model")
    before, after = ((faces.root / where / "own.png").read_bytes() for where in ("faces", "aligned"))
    assert (pixels(before) != pixels(after)).any(axis=2).mean() > 0.95
    wide = [
        np.asarray(Image.open(io.BytesIO((faces.root / where / "wide.png").read_bytes())))
        for where in ("faces", "aligned")
    ]
    assert np.array_equal(wide[0][:, :10], wide[1][:, :10])
    assert np.array_equal(wide[0][:, -10:], wide[1][:, -10:])
    assert (wide[0][:, 10:-10] != wide[1][:, 10:-10]).any()


def test_an_oval_can_be_asked_for_and_classic_works_too(faces: Bench) -> None:
    made = {
        name: run(
            faces,
            name,
            faces.job(
                name,
                source={"uri": "faces"},
                detect={"aligned": True},
                restore={"mask": mask, "options": {"denoise": 20}},
                score={"measures": []},
            ),
        )
        for name, mask in (("whole", "auto"), ("oval", "landmarks"))
    }
    assert {each["faces"][0]["mask"] for each in made["whole"].values()} == {"whole"}
    assert {each["faces"][0]["mask"] for each in made["oval"].values()} == {"landmarks"}
    source = pixels((faces.root / "faces" / "large.png").read_bytes())
    changed = {name: (pixels((faces.root / name / "large.png").read_bytes()) != source).any(axis=2) for name in made}
    assert changed["whole"][[0, -1]].any()
    assert not changed["oval"][[0, -1]].any()
