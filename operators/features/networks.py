"""The feature networks: VGG-16 where its weights are there, else SFace, whose weights come with the package."""

from __future__ import annotations

from operators.features.contract import FeatureNetwork
from operators.features.sface import SFace, SFaceMaps
from operators.models import MODEL_FILES
from operators.networks.vgg16.network import LAYERS, Vgg16

SFACE_LAYERS = ("conv_2", "conv_4", "conv_6", "conv_12", "conv_14")
"""Steps of SFace whose maps have 1, 1/2, 1/4, 1/8 and 1/16 of the picture's side."""


def sface_features(layers: tuple[str, ...] = SFACE_LAYERS) -> FeatureNetwork:
    """The substitute for VGG-16: a network that was trained to tell people apart, and so sees what faces consist of.

    It knows nothing but faces, and of these what makes a person: skin's texture counts for less than with VGG-16, the
    shape of eyes, nose and mouth for more.

    Args:
        layers: names of SFace's steps.

    Raises:
        operators.models.ModelFileError: the model file is missing or not the expected one.
    """
    return FeatureNetwork("sface", MODEL_FILES["sface"].sha256, SFaceMaps(SFace(), layers), layers, "conv_12")


def vgg_features(module: Vgg16, weights_sha256: str, layers: tuple[str, ...] = LAYERS) -> FeatureNetwork:
    """VGG-16 as the papers use it.

    Args:
        module: as `operators.networks.from_state_dict` makes it.
        weights_sha256: content hash of its file.
        layers: such as `relu2_2`.
    """
    return FeatureNetwork("vgg16", weights_sha256, module.trunk(layers), layers, "relu4_3")
