"""Every degradation by the name that recipes use."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from operators.degradations.blur import Blur, Sinc
from operators.degradations.colour import Brightness, ColourShift, Contrast, Exposure, Grey, Haze, Hue, Saturation
from operators.degradations.contract import Degradation
from operators.degradations.cracks import Cracks, Fold, MissingCorner, Tear
from operators.degradations.devices import Banding, Misregistration, OldLens, ScannerNoise
from operators.degradations.emulsion import Emulsion, Grain, UnevenDevelopment
from operators.degradations.geometry import Flip, Shift
from operators.degradations.jpeg import Jpeg
from operators.degradations.noise import GaussianNoise, PoissonNoise, SaltAndPepper, SpeckleNoise
from operators.degradations.printing import Halftone
from operators.degradations.resize import Resize
from operators.degradations.scratches import Dust, Retouching, Scratches
from operators.degradations.stains import Foxing, Stain
from operators.degradations.strokes import Completion, Strokes
from operators.degradations.tones import Fading, SilverMirroring, Toning, Yellowing

DEGRADATIONS: Mapping[str, type[Degradation]] = MappingProxyType(
    {
        "banding": Banding,
        "blur": Blur,
        "brightness": Brightness,
        "colour-shift": ColourShift,
        "completion": Completion,
        "contrast": Contrast,
        "cracks": Cracks,
        "dust": Dust,
        "emulsion": Emulsion,
        "exposure": Exposure,
        "fading": Fading,
        "flip": Flip,
        "fold": Fold,
        "foxing": Foxing,
        "gaussian-noise": GaussianNoise,
        "grain": Grain,
        "grey": Grey,
        "halftone": Halftone,
        "haze": Haze,
        "hue": Hue,
        "jpeg": Jpeg,
        "misregistration": Misregistration,
        "missing-corner": MissingCorner,
        "old-lens": OldLens,
        "poisson-noise": PoissonNoise,
        "resize": Resize,
        "retouching": Retouching,
        "salt-and-pepper": SaltAndPepper,
        "saturation": Saturation,
        "scanner-noise": ScannerNoise,
        "scratches": Scratches,
        "shift": Shift,
        "silver-mirroring": SilverMirroring,
        "sinc": Sinc,
        "speckle-noise": SpeckleNoise,
        "stain": Stain,
        "strokes": Strokes,
        "tear": Tear,
        "toning": Toning,
        "uneven-development": UnevenDevelopment,
        "yellowing": Yellowing,
    }
)
