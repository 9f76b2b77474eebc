"""Settings of the restorer `inversion` as a job file writes them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from jobs.spec.common import Block, Text

InversionTask = Literal["reconstruct", "colorize", "super_resolve", "inpaint", "denoise", "recipe"]
Resampler = Literal["area", "bicubic", "bilinear", "nearest"]
Level = Annotated[float, Field(ge=-255.0, le=255.0)]
Factor = Annotated[float, Field(ge=0.0, le=10.0)]


class InversionStep(Block):
    """A step of a recipe: what happened to the face before it was photographed or scanned so."""

    use: Literal["grey", "resize", "mask", "blur", "brightness", "contrast", "saturation", "haze", "colour-shift"]
    """Which; the other keys are for some steps only."""
    factor: Annotated[float, Field(ge=0.0, le=256.0)] | None = None
    """Of resize by how much smaller, of brightness, contrast and saturation by how much more."""
    resampler: Resampler | None = None
    """Of resize."""
    sigma: Annotated[float, Field(ge=0.05, le=100.0)] | None = None
    """Of blur: pixels of the prior's picture."""
    alpha: Annotated[float, Field(ge=0.0, le=1.0)] | None = None
    """Of haze: share of the picture that is left."""
    red: Level | None = None
    """Of colour-shift, in 8-bit levels."""
    green: Level | None = None
    """Likewise."""
    blue: Level | None = None
    """Likewise."""


class InversionEdit(Block):
    """A move of the codes that were found, in which an attribute of the face changes."""

    file: Text
    """Boundary vector, .npy or .safetensors."""
    strength: Annotated[float, Field(ge=-100.0, le=100.0)]
    """How far, negative for the other way."""
    space: Literal["z", "w"] | None = None
    """Of the vector; null is what the file says."""


class InversionSettings(Block):
    """How a face is searched for among those that a prior can make."""

    prior: Text = "mobilestylegan-ffhq"
    """Name of the model whose pictures are searched."""
    task: InversionTask = "reconstruct"
    """What the face as it came is of the face that is searched for."""
    masks: Text | None = None
    """Task inpaint, or a recipe with a mask: folder of mask images, white where the face is made anew."""
    factor: float = Field(default=4.0, ge=1.0, le=256.0)
    """Task super_resolve: by how much the face is smaller than the prior's picture in truth."""
    resampler: Resampler = "area"
    """Task super_resolve: how it became smaller."""
    recipe: Annotated[tuple[InversionStep, ...], Field(strict=False)] = ()
    """Task recipe: what happened to the face, step by step."""
    noise: Literal["gaussian", "poisson", "salt-and-pepper"] | None = None
    """Noise of the picture; null is none, or unknown."""
    noise_level: float = Field(default=0.05, gt=0.0, le=1_000_000.0)
    """Of gaussian noise its deviation, 0 to 1, of poisson the photons at white, of salt-and-pepper the share."""
    codes: int = Field(default=20, ge=1, le=256)
    """Latent codes whose features are composed; 1 is the search for a single code."""
    layer: Annotated[int, Field(ge=1, le=64)] | None = None
    """After which layer they are composed; null is one that fits the task."""
    space: Literal["z", "w", "w+"] | None = None
    """Space of the codes; null is w where the prior has it, else z."""
    starts: int = Field(default=16, ge=1, le=4096)
    """With a single code: codes that are tried before the search begins with the best."""
    trial_steps: int = Field(default=30, ge=0, le=100_000)
    """Steps that each of them is searched with; 0 takes the one that is nearest as it was drawn."""
    sphere: bool = False
    """Whether codes stay on a sphere, as PULSE's; for the space z."""
    truncation: float = Field(default=1.0, ge=0.0, le=1.0)
    """Space z: how far w may be from its mean, 0 to 1; 1 leaves it as it is."""
    iterations: int = Field(default=600, ge=1, le=1_000_000)
    """Most steps of the search for a face."""
    seconds: Annotated[float, Field(gt=0.0)] | None = None
    """Most seconds for a face, or for a GPU's batch; with it results depend on the machine's speed."""
    learning_rate: float = Field(default=0.1, gt=0.0, le=100.0)
    """Of Adam, at its highest."""
    schedule: Literal["cosine", "constant"] = "cosine"
    """Whether the learning rate rises at first and falls at the end."""
    early_stop: float = Field(default=0.0, ge=0.0, lt=1.0)
    """A search ends when 50 steps improve the loss by less than this share; 0 never ends so."""
    checkpoint_steps: int = Field(default=100, ge=0, le=1_000_000)
    """Steps between two states that are kept for a run that is cut off; 0 keeps only those that ended."""
    chunk: int = Field(default=0, ge=0, le=256)
    """Codes whose features are computed at once, to save memory; 0 is all."""
    features: Text = "auto"
    """Network of the perceptual term: sface, none, the name of a VGG-16 model, or auto: 'vgg16' if it is there."""
    feature_weight: float = Field(default=0.1, ge=0.0, le=1000.0)
    """Weight of the perceptual term."""
    edits: Annotated[tuple[InversionEdit, ...], Field(strict=False)] = ()
    """Moves along boundary vectors after the search."""
    fidelity: float = Field(default=0.0, ge=0.0, le=1.0)
    """Share of the face as it came in the result, 0 to 1."""
    keep_tone: bool = True
    """Whether a grey or sepia picture keeps its tone; with the task colorize, whether the face keeps its light."""

    @property
    def named_features(self) -> str | None:
        """The model that `features` names; None where it names none."""
        return None if self.features in ("auto", "sface", "none") else self.features
