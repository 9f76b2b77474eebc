"""The inputs of `benchmarks.inversion`, made once on a machine that has the whole package, read on one that has not.

A folder holds `faces.npz` (aligned crops, their names, and how many source pixels each crop pixel has),
`prior.safetensors` (MobileStyleGAN) and `sface.onnx` (the feature network).
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from operators.features.contract import FeatureNetwork
from operators.features.networks import SFACE_LAYERS
from operators.features.sface import SFace, SFaceMaps
from operators.inversion.priors.choose import prior_of
from operators.inversion.priors.contract import Prior

SIDE = 1024


@dataclass(frozen=True)
class Faces:
    """Aligned portraits.

    Attributes:
        names: of their files.
        pixels: (N, 1024, 1024, 3) float32 in [0, 1], RGB.
        reductions: source pixels for each pixel of the crop.
    """

    names: tuple[str, ...]
    pixels: NDArray[np.float32]
    reductions: tuple[float, ...]


def prepare(portraits: Path, names: Path, count: int, target: Path) -> None:
    """Cut the first portraits of a list, and put networks beside them.

    Args:
        portraits: folder of photographs with one face each.
        names: text file with a file name a line.
        count: how many.
        target: folder to write.
    """
    # Only here: a machine that has the inputs needs neither pyvips nor pydantic.
    from operators.faces.align import align, cut  # noqa: PLC0415
    from operators.faces.detect import Detector  # noqa: PLC0415
    from operators.faces.geometry import magnification  # noqa: PLC0415
    from operators.images.decode import decode  # noqa: PLC0415
    from operators.images.limits import Limits  # noqa: PLC0415
    from operators.images.orientation import stored_to_upright  # noqa: PLC0415
    from operators.images.reduce import reduce_raster  # noqa: PLC0415
    from operators.models import locate  # noqa: PLC0415
    from operators.models.unpack import MOBILESTYLEGAN, unpack  # noqa: PLC0415

    target.mkdir(parents=True, exist_ok=True)
    chosen = [line.strip() for line in names.read_text(encoding="utf-8").splitlines() if line.strip()][:count]
    detector = Detector()
    crops, reductions = [], []
    for name in chosen:
        raster = decode((portraits / name).read_bytes(), Limits())
        view = reduce_raster(raster, detector.needed_scale(raster.width, raster.height))
        found = detector.find(lambda raster=raster: raster, view.pixels, (view.scale_x, view.scale_y))
        if not found:
            raise SystemExit(f"{portraits / name}: no face found; name another portrait")
        upright = stored_to_upright(raster.width, raster.height, 1, found[0].turn)
        affine = align(found[0].landmarks, "ffhq", SIDE, upright)
        crops.append(np.round(cut(raster, affine, SIDE).pixels * 255.0).astype(np.uint8))
        reductions.append(1.0 / magnification(affine))
    np.savez_compressed(target / "faces.npz", names=chosen, pixels=np.stack(crops), reductions=reductions)
    unpack(MOBILESTYLEGAN, target / "prior.safetensors")
    shutil.copyfile(locate("sface"), target / "sface.onnx")


def read_faces(folder: Path) -> Faces:
    """The crops of a folder of inputs."""
    with np.load(folder / "faces.npz", allow_pickle=False) as held:
        pixels = held["pixels"].astype(np.float32) / np.float32(255.0)
        return Faces(tuple(map(str, held["names"])), pixels, tuple(map(float, held["reductions"])))


def read_prior(folder: Path, device: torch.device) -> Prior:
    """MobileStyleGAN on a device, frozen."""
    from safetensors.torch import load_file  # noqa: PLC0415 - after torch, and only where a file is read

    from operators.networks import from_state_dict  # noqa: PLC0415

    return prior_of(from_state_dict(load_file(folder / "prior.safetensors")).eval().requires_grad_(False).to(device))


def read_features(folder: Path, device: torch.device, layers: tuple[str, ...] = SFACE_LAYERS) -> FeatureNetwork:
    """SFace's feature maps on a device."""
    import onnx  # noqa: PLC0415 - only where a file is read

    sface = SFace(onnx.load_model(str(folder / "sface.onnx")))
    network = FeatureNetwork("sface", "", SFaceMaps(sface, layers), layers, "conv_12")
    return network.to(device)
