"""The architectures: how each is told from its tensors, built and frozen."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from operators.networks.completion.folded import FoldedCompletion
from operators.networks.completion.generator import CompletionGenerator
from operators.networks.completion.packing import PACKED, SEEN
from operators.networks.completion.recognise import completion_arguments
from operators.networks.cyclegan.folded import FoldedCycleGan
from operators.networks.cyclegan.network import CycleGan
from operators.networks.cyclegan.recognise import cyclegan_arguments, cyclegan_dropped
from operators.networks.damage.folded import FoldedDamageUnet
from operators.networks.damage.network import PLANES, DamageUnet
from operators.networks.damage.recognise import damage_arguments
from operators.networks.gfpgan.folded import FoldedGfpgan
from operators.networks.gfpgan.kit import CLEAN, Kit
from operators.networks.gfpgan.network import Gfpgan
from operators.networks.gfpgan.recognise import clean_arguments, v1_arguments
from operators.networks.gpen.folded import FoldedGpen
from operators.networks.gpen.network import Gpen
from operators.networks.gpen.recognise import gpen_arguments
from operators.networks.layout import Layout
from operators.networks.mobilestylegan.folded import FoldedMobileStyleGan
from operators.networks.mobilestylegan.network import MobileStyleGan
from operators.networks.mobilestylegan.recognise import mobilestylegan_arguments
from operators.networks.parsenet.folded import FoldedParseNet
from operators.networks.parsenet.network import ParseNet
from operators.networks.parsenet.recognise import parsenet_arguments
from operators.networks.pggan.folded import FoldedPggan
from operators.networks.pggan.network import Pggan
from operators.networks.pggan.recognise import pggan_arguments
from operators.networks.pix2pix.folded import FoldedPix2Pix
from operators.networks.pix2pix.network import Pix2Pix
from operators.networks.pix2pix.recognise import pix2pix_arguments, pix2pix_dropped
from operators.networks.rrdb.folded import FoldedRrdb
from operators.networks.rrdb.network import Rrdb
from operators.networks.rrdb.recognise import rrdb_arguments
from operators.networks.srresnet.folded import FoldedModifiedSrResNet, FoldedSrResNet
from operators.networks.srresnet.network import ModifiedSrResNet, SrResNet
from operators.networks.srresnet.recognise import modified_arguments, srresnet_arguments
from operators.networks.stylegan2.folded import FoldedStyleGan2
from operators.networks.stylegan2.network import StyleGan2
from operators.networks.stylegan2.recognise import stylegan2_arguments
from operators.networks.transform.folded import FoldedTransform
from operators.networks.transform.network import Transform
from operators.networks.transform.recognise import transform_arguments, transform_dropped
from operators.networks.vgg16.network import Vgg16
from operators.networks.vgg16.recognise import vgg16_arguments

Arguments = Mapping[str, Any]
Shapes = tuple[tuple[int, ...], tuple[int, ...]]


@dataclass(frozen=True)
class Architecture:
    """One architecture in its published layout.

    Attributes:
        example: arguments of a small one, which has all the names that there can be, but for their numbers.
        arguments: reads the arguments from shapes; raises LookupError or ValueError.
        build: makes the trainable module.
        shapes: of input and output without the batch; of one size of many where it is `sizeless`.
        freeze: makes the inference form from the trainable module.
        hidden: arguments that no tensor tells, and that a caller may say.
        variants: arguments of the inference form.
        sizeless: it takes pictures of any size, and `shapes` names one that it was trained for.
        dropped: names among those found that the authors' loader leaves out, too.
    """

    example: Arguments
    arguments: Callable[[Layout], dict[str, Any]]
    build: Callable[..., nn.Module]
    shapes: Callable[[Arguments], Shapes]
    freeze: Callable[..., nn.Module]
    hidden: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    sizeless: bool = False
    dropped: Callable[[Layout], frozenset[str]] | None = None


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


def _completion_shapes(arguments: Arguments) -> Shapes:
    size = arguments["size"]
    return (PACKED if arguments["attributes"] else SEEN, size, size), _square(size)


def _damage_shapes(arguments: Arguments) -> Shapes:
    side = _TRAINED["damage_unet"]
    return (PLANES, side, side), (arguments["kinds"], side, side)


def _vgg16_shapes(arguments: Arguments) -> Shapes:
    return _square(224), (arguments["classes"],)


def _stylegan2_shapes(arguments: Arguments) -> Shapes:
    return (arguments["style_dim"],), _square(arguments["resolution"])


def _mobilestylegan_shapes(arguments: Arguments) -> Shapes:
    return (arguments["style_dim"],), _square(4 << len(arguments["channels"]))


def _enlarged(size: int, scale: int) -> Shapes:
    return _square(size), _square(size * scale)


def _rrdb_shapes(arguments: Arguments) -> Shapes:
    factor: int = arguments.get("up_factor", 2)
    side = _TRAINED["rrdb"]
    larger = side * factor ** arguments["ups"] // arguments["unshuffle"]
    return (arguments["num_in_ch"], side, side), (arguments["num_out_ch"], larger, larger)


def _srresnet_shapes(arguments: Arguments) -> Shapes:
    return _enlarged(_TRAINED["srresnet"], math.prod(arguments["factors"]))


def _pix2pix_shapes(arguments: Arguments) -> Shapes:
    side = 1 << arguments["num_downs"]
    return (arguments["input_nc"], side, side), (arguments["output_nc"], side, side)


def _cyclegan_shapes(arguments: Arguments) -> Shapes:
    side = _TRAINED["cyclegan"]
    return (arguments["input_nc"], side, side), (arguments["output_nc"], side, side)


def _transform_shapes(_: Arguments) -> Shapes:
    return _enlarged(_TRAINED["transform"], 1)


_TRAINED = {"damage_unet": 256, "rrdb": 64, "srresnet": 48, "cyclegan": 256, "transform": 256}
"""Sides of the squares, in pixels, that networks which take any size were trained with."""

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
    "completion": Architecture(
        example={"size": 8, "channels": (2, 2), "attributes": 1},
        arguments=completion_arguments,
        build=CompletionGenerator,
        shapes=_completion_shapes,
        freeze=FoldedCompletion,
    ),
    "damage_unet": Architecture(
        example={"kinds": 2, "widths": (4, 4)},
        arguments=damage_arguments,
        build=DamageUnet,
        shapes=_damage_shapes,
        freeze=FoldedDamageUnet,
        sizeless=True,
    ),
    "stylegan2": Architecture(
        example={"resolution": 16, "stored_noise": True, "latent_avg": True},
        arguments=stylegan2_arguments,
        build=StyleGan2,
        shapes=_stylegan2_shapes,
        freeze=FoldedStyleGan2,
        hidden=("lr_mlp",),
    ),
    "mobilestylegan": Architecture(
        example={"channels": (4, 4)},
        arguments=mobilestylegan_arguments,
        build=MobileStyleGan,
        shapes=_mobilestylegan_shapes,
        freeze=FoldedMobileStyleGan,
    ),
    "vgg16": Architecture(
        example={"widths": (2, 2, 2, 2, 2), "hidden": 2, "classes": 2},
        arguments=vgg16_arguments,
        build=Vgg16,
        shapes=_vgg16_shapes,
        freeze=copy.deepcopy,
    ),
    "rrdb": Architecture(
        example={"num_feat": 8, "num_block": 1, "num_grow_ch": 4},
        arguments=rrdb_arguments,
        build=Rrdb,
        shapes=_rrdb_shapes,
        freeze=FoldedRrdb,
        hidden=("up_factor",),
        sizeless=True,
    ),
    "srresnet": Architecture(
        example={"channels": 8, "blocks": 1},
        arguments=srresnet_arguments,
        build=SrResNet,
        shapes=_srresnet_shapes,
        freeze=FoldedSrResNet,
        sizeless=True,
    ),
    "msrresnet": Architecture(
        example={"channels": 8, "blocks": 1},
        arguments=modified_arguments,
        build=ModifiedSrResNet,
        shapes=_srresnet_shapes,
        freeze=FoldedModifiedSrResNet,
        sizeless=True,
    ),
    "pix2pix": Architecture(
        example={"ngf": 4},
        arguments=pix2pix_arguments,
        build=Pix2Pix,
        shapes=_pix2pix_shapes,
        freeze=FoldedPix2Pix,
        hidden=("use_dropout",),
        sizeless=True,
        dropped=pix2pix_dropped,
    ),
    "cyclegan": Architecture(
        example={"ngf": 4, "n_blocks": 1},
        arguments=cyclegan_arguments,
        build=CycleGan,
        shapes=_cyclegan_shapes,
        freeze=FoldedCycleGan,
        sizeless=True,
        dropped=cyclegan_dropped,
    ),
    "transform": Architecture(
        example={"channels": 4, "blocks": 1},
        arguments=transform_arguments,
        build=Transform,
        shapes=_transform_shapes,
        freeze=FoldedTransform,
        sizeless=True,
        dropped=transform_dropped,
    ),
}
