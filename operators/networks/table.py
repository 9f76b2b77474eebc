"""The architectures: how each is told from its tensors, built and frozen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from operators.networks.gfpgan.folded import FoldedGfpgan
from operators.networks.gfpgan.kit import CLEAN, Kit
from operators.networks.gfpgan.network import Gfpgan
from operators.networks.gfpgan.recognise import clean_arguments, v1_arguments
from operators.networks.gpen.folded import FoldedGpen
from operators.networks.gpen.network import Gpen
from operators.networks.gpen.recognise import gpen_arguments
from operators.networks.layout import Layout
from operators.networks.parsenet.folded import FoldedParseNet
from operators.networks.parsenet.network import ParseNet
from operators.networks.parsenet.recognise import parsenet_arguments
from operators.networks.pggan.folded import FoldedPggan
from operators.networks.pggan.network import Pggan
from operators.networks.pggan.recognise import pggan_arguments

Arguments = Mapping[str, Any]
Shapes = tuple[tuple[int, ...], tuple[int, ...]]


@dataclass(frozen=True)
class Architecture:
    """One architecture in its published layout.

    Attributes:
        example: arguments of a small one, which has all the names that there can be, but for their numbers.
        arguments: reads the arguments from shapes; raises LookupError or ValueError.
        build: makes the trainable module.
        shapes: of input and output without the batch.
        freeze: makes the inference form from the trainable module.
        hidden: arguments that no tensor tells, and that a caller may say.
        variants: arguments of the inference form.
    """

    example: Arguments
    arguments: Callable[[Layout], dict[str, Any]]
    build: Callable[..., nn.Module]
    shapes: Callable[[Arguments], Shapes]
    freeze: Callable[..., nn.Module]
    hidden: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()


def _clean(**arguments: Any) -> nn.Module:
    return Gfpgan(**arguments, kit=CLEAN)


def _v1(*, resampling: Any = "fir", lr_mlp: float = 0.01, **arguments: Any) -> nn.Module:
    return Gfpgan(**arguments, kit=Kit(fused=True, resampling=resampling, lr_mlp=lr_mlp))


def _square(size: int) -> tuple[int, ...]:
    return (3, size, size)


def _gfpgan_shapes(arguments: Arguments) -> Shapes:
    return _square(arguments["out_size"]), _square(arguments["out_size"])


def _gpen_shapes(arguments: Arguments) -> Shapes:
    return _square(arguments["in_size"]), _square(arguments["out_size"])


def _parsenet_shapes(arguments: Arguments) -> Shapes:
    size = arguments["out_size"]
    return _square(arguments["in_size"]), (arguments["parsing_ch"], size, size)


def _pggan_shapes(arguments: Arguments) -> Shapes:
    size = arguments["resolution"]
    return (arguments["z_space_dim"],), (arguments["image_channels"], size, size)


ARCHITECTURES: Mapping[str, Architecture] = {
    "gfpgan_clean": Architecture(
        example={"out_size": 16},
        arguments=clean_arguments,
        build=_clean,
        shapes=_gfpgan_shapes,
        freeze=FoldedGfpgan,
        hidden=("input_is_latent",),
        variants=("sft_strength", "early_channels"),
    ),
    "gfpgan_v1": Architecture(
        example={"out_size": 16},
        arguments=v1_arguments,
        build=_v1,
        shapes=_gfpgan_shapes,
        freeze=FoldedGfpgan,
        hidden=("input_is_latent", "resampling", "lr_mlp"),
        variants=("sft_strength", "early_channels"),
    ),
    "gpen": Architecture(
        example={"in_size": 16, "out_size": 16, "stored_noise": True},
        arguments=gpen_arguments,
        build=Gpen,
        shapes=_gpen_shapes,
        freeze=FoldedGpen,
        hidden=("lr_mlp",),
    ),
    "parsenet": Architecture(
        example={},
        arguments=parsenet_arguments,
        build=ParseNet,
        shapes=_parsenet_shapes,
        freeze=FoldedParseNet,
        hidden=("min_feat_size", "in_size", "out_size"),
    ),
    "pggan": Architecture(
        example={"resolution": 16},
        arguments=pggan_arguments,
        build=Pggan,
        shapes=_pggan_shapes,
        freeze=FoldedPggan,
        hidden=("lod",),
    ),
}
