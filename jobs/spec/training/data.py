"""The block `data` of a train job: what is trained on. One model of settings for each kind."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from jobs.spec.common import Block, ByteCount, StorageOptions, Text, Texts, check_text
from jobs.spec.problems import describe

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Weight = Annotated[float, Field(ge=0.0, le=1_000_000.0)]
MOST_HELD_OUT = 0.5
MOST_RECIPES = 64
WEIGHT = {"type": "number", "exclusiveMinimum": 0, "maximum": 1_000_000}


def check_held_out(value: Any) -> Any:
    """A share from 0 to 0.5, or the place of a list.

    Raises:
        ValueError: says what is expected.
    """
    if isinstance(value, str):
        return check_text(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MOST_HELD_OUT:
        return float(value)
    raise ValueError(
        f"expected a share from 0 (nothing is held out) to {MOST_HELD_OUT:g}, or a text file with a name a line"
    )


def check_recipes(value: Any) -> Any:
    """A mapping of some recipes; each is looked at for itself, so that it is named where it stands.

    Raises:
        ValueError: says what is expected.
    """
    if isinstance(value, str):
        raise ValueError(f"expected a mapping of recipes with their weights; write {{{value}: 1}}")
    if value is None or (isinstance(value, dict) and 0 < len(value) <= MOST_RECIPES):
        return value
    found = f"{len(value)} recipes" if isinstance(value, dict) else describe(value)
    raise ValueError(
        f"found {found}; expected 1 to {MOST_RECIPES} recipes with weights, such as {{gfpgan: 4, gpen: 1}}"
    )


HeldOut = Annotated[
    float | str,
    BeforeValidator(check_held_out),
    WithJsonSchema(
        {"anyOf": [{"type": "number", "minimum": 0, "maximum": MOST_HELD_OUT}, {"type": "string", "pattern": r"\S"}]}
    ),
]
Recipes = Annotated[
    dict[str, Any] | None,
    BeforeValidator(check_recipes),
    WithJsonSchema(
        {
            "anyOf": [
                {
                    "type": "object",
                    "minProperties": 1,
                    "maxProperties": MOST_RECIPES,
                    "additionalProperties": {
                        "anyOf": [
                            WEIGHT,
                            {
                                "type": "object",
                                "properties": {
                                    "weight": WEIGHT | {"description": "How often it is taken, beside the others."},
                                    "recipe": {"type": "object", "description": "A recipe written out."},
                                },
                                "required": ["weight", "recipe"],
                                "additionalProperties": False,
                            },
                        ]
                    },
                },
                {"type": "null"},
            ]
        }
    ),
]


class Jitter(Block):
    """How a picture of a face is moved and coloured before anything else, so that a few hundred do not repeat."""

    scale: float = Field(default=0.06, ge=0.0, le=0.5)
    """Of its size, at most this share either way."""
    turn: float = Field(default=4.0, ge=0.0, le=180.0)
    """Degrees, at most, either way."""
    shift: float = Field(default=0.025, ge=0.0, le=0.5)
    """At most this share of the sample's side, either way in each direction."""
    gain: float = Field(default=0.08, ge=0.0, le=0.5)
    """Of brightness and of each colour, at most this share either way."""
    gamma: float = Field(default=0.15, ge=0.0, le=1.0)
    """Logarithm of the exponent of all levels, at most, either way."""


class Masks(Block):
    """What is taken away of a face to be completed: how often each shape is drawn, beside the others."""

    noise: Weight = 1.0
    """Coarse noise in a rectangle, thresholded: the paper's."""
    rectangle: Weight = 0.0
    """A whole rectangle."""
    strokes: Weight = 0.0
    """Free strokes of a broad brush."""
    half: Weight = 0.0
    """The left, right, upper or lower half."""
    least: float = Field(default=0.25, ge=0.02, le=1.0)
    """Least side of a rectangle, as a share of the picture's."""
    most: float = Field(default=0.8, ge=0.02, le=1.0)
    """Largest side of a rectangle, as a share of the picture's."""


class Attributes(Block):
    """A catalogue (CSV or Parquet) that says of each picture what its face is like."""

    uri: Text
    """The catalogue: a path relative to the job file, or a URL in storage of the same kind as the data's."""
    key_column: Text = "key"
    """Column with the picture's name: its path below the data's place, or the last part of it."""
    columns: Texts = Field(default=(), max_length=256)
    """Which columns are attributes, in their order; empty takes all but the key's."""


class DataBlock(Block):
    """What all kinds of data have."""

    storage_options: StorageOptions = Field(default={})
    """Options for its storage (credentials, endpoint); values may hold ${NAME} or ${NAME:-default}."""
    size: int | None = Field(default=None, ge=8, le=4096)
    """Side of a sample in pixels; null is what the model was made for."""
    mirror: Share = 0.5
    """How often left and right are exchanged."""
    description: Text | None = None
    """What it is and where it comes from, for the model's card."""
    licence: Text | None = None
    """Its licence, as an SPDX expression or in words, for the model's card."""


class HeldData(DataBlock):
    """What kinds of data have that are read as pictures and kept in memory."""

    include: Texts = ()
    """Which names are pictures; glob patterns, case ignored. Empty: every name with an image's extension."""
    exclude: Texts = ()
    """Which names are left out; glob patterns, case ignored."""
    held_out: HeldOut = 0.05
    """What is never trained on, only measured: a share of the pictures by a hash of their names, or a list of names."""
    memory: ByteCount = 4 * 1024**3
    """Most memory that pictures may take, in bytes or as text ('4 GiB')."""


class FaceCut(Block):
    """Search and alignment of faces."""

    template: Literal["ffhq", "gpen", "head"] | None = None
    """Where eyes, nose and mouth come to lie; null is the model's own template, or ffhq where it has none."""
    margin: float = Field(default=1 / 16, ge=0.0, le=1.0)
    """What is kept around the square, as a share of its side on each side, for moving it."""
    oversampling: float = Field(default=1.5, ge=1.0, le=4.0)
    """Pixels that are kept for each pixel of a sample, in each direction, so that moving costs no detail."""
    min_confidence: float = Field(default=0.7, ge=0.0, le=1.0)
    """Least confidence of the detector, 0 to 1."""
    max_enlargement: float = Field(default=1.0, ge=0.1, le=16.0)
    """Pixels of a sample for each pixel of the picture above which a face counts as too small."""
    min_coverage: float = Field(default=0.8, ge=0.0, le=1.0)
    """Least part of the square that lies inside the picture; the rest is continued by reflection."""


class GoodData(HeldData):
    """What kinds of data have whose pictures are good, and made bad while training."""

    uri: Text
    """Where the pictures are: a folder, glob or URL; a path is relative to the job file."""
    recipes: Recipes = None
    """Recipes that degrade them, by name or file, each with a weight; for models that learn from pairs."""
    keep_tone: bool = False
    """Whether the truth keeps the tone of what recipes took the colours from: light is learnt, colours are not
    guessed."""
    resampler: Literal["bicubic", "area", "lanczos"] = "bicubic"
    """How what a model enlarges is made small: bicubic as MATLAB's imresize, means over areas, or Lanczos."""
    style: Text | None = None
    """The picture whose style a transform network learns."""


class FacesData(GoodData):
    """Good pictures of faces, one of each; they are degraded, or parts taken away, while training."""

    kind: Literal["faces"]
    """Aligned faces out of good pictures."""
    align: bool = True
    """Whether faces are found and aligned; false takes pictures that are aligned squares already."""
    cut: FaceCut = Field(default_factory=FaceCut)
    """How faces are found and cut."""
    jitter: Jitter = Field(default_factory=Jitter)
    """How faces are moved and coloured."""
    masks: Masks = Field(default_factory=Masks)
    """What is taken away of them; for models that complete faces."""
    attributes: Attributes | None = None
    """What a catalogue says of each face; for models that complete faces."""


class PicturesData(GoodData):
    """Good pictures of anything, of which squares are cut out at random."""

    kind: Literal["pictures"]
    """Squares out of good pictures."""
    reduce_to: int | None = Field(default=None, ge=8, le=100_000)
    """Shorter side, in pixels, to which larger pictures are reduced when they are read; null keeps their size."""


class PairsData(DataBlock):
    """The output of a pairs job; pairs are read as they are needed."""

    kind: Literal["pairs"]
    """Pairs that a pairs job has made."""
    uri: Text
    """The output of a pairs job of format webdataset, folders or aligned."""
    keep_tone: bool = False
    """Whether the truth keeps the tone of what has lost its colours: light is learnt, colours are not guessed."""
    part: Text = "train"
    """The part of its split that is trained on."""
    held_out: Text = "auto"
    """The part that is only measured; auto is val, else test, where there is one; none is nothing."""
    crop: bool = False
    """Whether squares are cut at random out of pairs that are larger than a sample."""


class UnpairedData(HeldData):
    """Two collections of pictures that have nothing to do with each other."""

    kind: Literal["unpaired"]
    """Two sets of pictures."""
    first: Text
    """Where the pictures of the first domain are: a folder, glob or URL; a path is relative to the job file."""
    second: Text
    """Where those of the second are."""
    reduce_to: int | None = Field(default=None, ge=8, le=100_000)
    """Shorter side, in pixels, to which larger pictures are reduced when they are read; null keeps their size."""


Data = Annotated[FacesData | PairsData | PicturesData | UnpairedData, Field(discriminator="kind")]
DATA: dict[str, type[DataBlock]] = {
    "faces": FacesData,
    "pairs": PairsData,
    "pictures": PicturesData,
    "unpaired": UnpairedData,
}
