"""Mask images of the task inpaint: where a picture's faces are to be made anew."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from jobs.errors import CommandError
from jobs.exits import Exit
from jobs.spec.secrets import scrub_urls
from operators.errors import OperatorError
from operators.faces.align import cut
from operators.faces.face import Crop
from operators.faces.geometry import compose, invert
from operators.images.decode import decode
from operators.images.info import ImageInfo
from operators.images.limits import Limits
from operators.images.orientation import stored_to_upright
from operators.images.raster import Raster
from pipeline.errors import StorageError
from pipeline.retries import is_storage
from pipeline.storage import Folder


@dataclass(frozen=True)
class Mask:
    """A mask image.

    Attributes:
        raster: decoded.
        uri: where it is.
        sha256: of its file.
    """

    raster: Raster
    uri: str
    sha256: str


@dataclass(frozen=True)
class Holes:
    """Where mask images lie; travels to workers.

    Attributes:
        uri: folder or prefix.
        options: fsspec storage options for it.
    """

    uri: str
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def check(self) -> None:
        """Refuse a folder without a single mask: all pictures would stay as they are, and nobody be told.

        Raises:
            CommandError: nothing that ends in `.png` is there.
            StorageError: it cannot be listed.
        """
        try:
            if any(name.lower().endswith(".png") for name, _ in Folder(self.uri, self.options).walk()):
                return
        except Exception as error:
            if not is_storage(error):
                raise
            raise StorageError(f"{self.uri}: masks cannot be listed ({error})") from error
        raise CommandError(
            f"restore.options.masks: {scrub_urls(self.uri)}: holds no mask; expected a PNG for each picture that has "
            "one, under the picture's key with the extension .png",
            Exit.BAD_JOB,
        )

    def read(self, key: str, info: ImageInfo, limits: Limits, waiting: AbstractContextManager[None]) -> Mask | None:
        """A record's mask: a PNG of its key with the extension `.png`.

        Args:
            key: of the record.
            info: of its image.
            limits: past which the mask is not decoded.
            waiting: entered while its file is fetched.

        Returns:
            The mask, None where there is none.

        Raises:
            OperatorError: `bad_mask`, it is not of the picture's size, or cannot be decoded.
            StorageError: it cannot be read.
        """
        name = str(PurePosixPath(key).with_suffix(".png"))
        try:
            with waiting:
                data = Folder(self.uri, self.options).read(name)
            mask = decode(data, limits)
        except FileNotFoundError:
            return None
        except OperatorError as error:  # without its name the message would seem to be about the picture
            raise OperatorError("bad_mask", f"the mask {name!r} cannot be decoded: {error}") from error
        except Exception as error:
            if not is_storage(error):
                raise
            raise StorageError(f"{self.uri}: the mask {name!r} cannot be read ({error})") from error
        expected = (info.width, info.height) if info.orientation < 5 else (info.height, info.width)
        if (mask.width, mask.height) != expected:
            raise OperatorError(
                "bad_mask",
                f"the mask {name!r} has {mask.width} x {mask.height} pixels: expected {expected[0]} x {expected[1]}, "
                "as the picture is shown",
            )
        return Mask(mask, scrub_urls(f"{self.uri.rstrip('/')}/{name}"), hashlib.sha256(data).hexdigest())


def hole_of(mask: Mask | None, crop: Crop, info: ImageInfo) -> NDArray[np.bool_]:
    """The part of a crop that a mask wants made anew.

    Args:
        mask: of the upright picture; None where there is none.
        crop: cut from the picture as stored.
        info: of the picture.

    Returns:
        (S, S) bool, True where the mask is nearer to white than to black.
    """
    if mask is None:
        return np.zeros((crop.size, crop.size), np.bool_)
    upright = stored_to_upright(info.width, info.height, info.orientation, 0)
    seen = cut(mask.raster, compose(invert(upright), crop.affine), crop.size).pixels
    return np.asarray(seen.mean(axis=2) >= 0.5, np.bool_)


def changed(crop: NDArray[np.float32], restored: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The mask of what was made anew: nothing else of the crop is pasted, not even what differs by resampling.

    Args:
        crop: (S, S, 3) float32.
        restored: likewise.

    Returns:
        (S, S) uint8, 255 where they differ, sinking to 0 over one pixel around it; 0 on the outermost pixels.
    """
    different = (crop != restored).any(axis=2).astype(np.uint8) * np.uint8(255)
    soft = np.asarray(cv2.blur(different, (3, 3)), np.uint8)
    soft[[0, -1], :] = soft[:, [0, -1]] = 0
    return soft
