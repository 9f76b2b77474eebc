"""The block `output`: where derivatives go and what they are."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from jobs.spec.common import Block, StorageOptions, Text

Format = Literal["same", "jpeg", "png", "tiff", "webp", "jp2"]
WITH_QUALITY = ("same", "jpeg", "webp", "jp2")
WITH_COMPRESSION = ("same", "tiff")


class Output(Block):
    """Derivatives, their records, and the run's ledger in `_facejobs/` below them."""

    uri: Text
    """Folder for the results: a path relative to the job file, or any writable URL that fsspec knows."""
    storage_options: StorageOptions = Field(default={})
    """Options for that storage (credentials, endpoint); values may hold ${NAME} or ${NAME:-default}."""
    layout: Literal["mirror", "webdataset", "parquet"] = "mirror"
    """A tree like the source's, tar shards, or Parquet files."""
    format: Format = "same"
    """File format of the images; same keeps each image's own."""
    quality: int | None = Field(default=None, ge=1, le=100)
    """Of JPEG and WebP 1 to 100, of JPEG 2000 the PSNR in dB; null follows the source, lossless where that is."""
    compression: Literal["same", "none", "lzw", "deflate", "packbits"] = "same"
    """Compression of TIFF; same keeps each TIFF's own."""
    name: Text | None = None
    """Name template with {parent}, {stem}, {ext} and {key}; null is the source's path with the format's extension."""
    existing: Literal["refuse", "replace", "version"] = "refuse"
    """What to do where the output holds another run's results."""
    mark: bool = True
    """Whether a changed image says in its metadata that it was restored."""
