"""Networks that see what pixels do not tell: feature maps for perceptual terms, and vectors that stand for a face."""

from __future__ import annotations

from operators.features.contract import FeatureNetwork
from operators.features.identity import Embedder
from operators.features.networks import sface_features, vgg_features
from operators.features.perceptual import perceptual_distance, perceptual_distances

__all__ = [
    "Embedder",
    "FeatureNetwork",
    "perceptual_distance",
    "perceptual_distances",
    "sface_features",
    "vgg_features",
]
