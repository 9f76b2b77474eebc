"""The block `source`: where the images come from."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fsspec.registry import known_implementations
from pydantic import AfterValidator, Field, model_validator

from jobs.spec.common import Block, ByteCount, StorageOptions, Text, Texts
from jobs.spec.problems import nearest

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".png", ".tif", ".tiff", ".jp2", ".j2k", ".webp", ".bmp")


def check_scheme(scheme: str) -> str:
    """A URI's scheme in lower case.

    Raises:
        ValueError: it is none that fsspec knows.
    """
    name = scheme.lower()
    if name not in known_implementations:
        close = nearest(name.removesuffix("://"), [*known_implementations])
        meant = f"; did you mean '{close}'?" if close else ""
        raise ValueError(f"expected the scheme of a URL without '://', such as 's3', 'https' or 'file'{meant}")
    return name


Schemes = Annotated[tuple[Annotated[Text, AfterValidator(check_scheme)], ...], Field(strict=False)]


class Limits(Block):
    """Bounds past which a file goes to quarantine unread, against decompression bombs and wrong files."""

    max_bytes: ByteCount = 2 * 1024**3
    """Largest file, in bytes or as text ('2 GiB')."""
    max_pixels: int = Field(default=1_000_000_000, ge=1)
    """Most pixels of an image (width times height)."""
    max_side: int = Field(default=200_000, ge=1)
    """Longest side of an image, in pixels."""
    max_ratio: float = Field(default=3000.0, ge=1.0)
    """Most bytes of decoded pixels for each byte of the file."""
    max_frames: int = Field(default=1000, ge=1)
    """Most frames or pages of a file, small copies and masks included; no more are counted."""


class SourceBlock(Block):
    """What all kinds of source have."""

    uri: Text
    """Where it is: a path relative to the job file, or any URL that fsspec knows (s3://, gs://, https://, ...)."""
    storage_options: StorageOptions = Field(default={})
    """Options for that storage (credentials, endpoint); values may hold ${NAME} or ${NAME:-default}."""
    links: Literal["inside", "anywhere"] = "inside"
    """Where links to files on local disks may lead: inside the source's folder, or anywhere."""
    limits: Limits = Field(default_factory=Limits)
    """Bounds past which a file goes to quarantine."""


class FilesSource(SourceBlock):
    """Loose image files below a folder or prefix, or those that a glob matches."""

    kind: Literal["files"]
    """Loose image files."""
    include: Texts = ()
    """Which names are images; glob patterns, case ignored. Empty: every name with an image's extension, or the glob."""
    exclude: Texts = ()
    """Which names are left out; glob patterns, case ignored."""


class WebdatasetSource(SourceBlock):
    """Tar shards in which the members of one key belong together."""

    kind: Literal["webdataset"]
    """Tar shards."""
    image_suffixes: Texts = Field(default=IMAGE_SUFFIXES, min_length=1)
    """Which members are images, by the end of their name."""


class ParquetSource(SourceBlock):
    """Parquet files with the images' bytes, or with URIs of them."""

    kind: Literal["parquet"]
    """Parquet files."""
    bytes_column: Text | None = "image"
    """Column with the file's bytes; null, and by default so, when uri_column is given."""
    uri_column: Text | None = None
    """Column with the URI of each image, instead of bytes_column."""
    schemes: Schemes = ()
    """Other storage that uri_column may name, such as [https]; that of source.uri is always allowed."""
    key_column: Text | None = "key"
    """Column with each record's name; null takes it from the image's path in the table, or from the URI."""

    @model_validator(mode="before")
    @classmethod
    def _one_column(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("uri_column") is not None and "bytes_column" not in data:
            return {**data, "bytes_column": None}
        return data


class ManifestSource(SourceBlock):
    """A catalogue (CSV, JSON Lines or Parquet) with a URI for each image; other columns are carried along."""

    kind: Literal["manifest"]
    """A catalogue of URIs."""
    uri_column: Text = "uri"
    """Column with the URI of each image; relative ones are relative to the catalogue."""
    schemes: Schemes = ()
    """Other storage that the URIs may name, such as [https]; that of source.uri is always allowed."""
    key_column: Text | None = None
    """Column with each record's name; null takes the name from the URI."""


Source = Annotated[FilesSource | WebdatasetSource | ParquetSource | ManifestSource, Field(discriminator="kind")]
SOURCES: dict[str, type[SourceBlock]] = {
    "files": FilesSource,
    "webdataset": WebdatasetSource,
    "parquet": ParquetSource,
    "manifest": ManifestSource,
}
