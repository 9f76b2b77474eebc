"""How large an image may be before it is refused unread."""

from __future__ import annotations

from dataclasses import dataclass

from operators.errors import OperatorError

_HARMLESS_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """Bounds that are checked on the header, before any pixel is decoded.

    Attributes:
        max_pixels: most pixels (width x height).
        max_side: longest side in pixels.
        min_side: shortest side in pixels. Nothing smaller can show a face.
        max_ratio: most decoded bytes per file byte, a guard against decompression bombs. Deflate cannot pass 1032
            and LZW not 1400, so honest files of those stay below the default. Images that decode to less than
            64 MiB are never refused for their ratio.
        max_frames: most frames, pages, reduced copies and masks of a file; no more are counted.
    """

    max_pixels: int = 1_000_000_000
    max_side: int = 200_000
    min_side: int = 16
    max_ratio: float = 3000.0
    max_frames: int = 1000

    def check_frames(self, count: int) -> None:
        """Refuse a file of too many frames.

        Args:
            count: frames or pages, counted no further than one more than are allowed.

        Raises:
            OperatorError: `too_many_frames`.
        """
        if count > self.max_frames:
            raise OperatorError(
                "too_many_frames",
                f"the file holds more than {self.max_frames} frames or pages. Split it into single images; raising "
                "max_frames only has them counted",
            )

    def check(self, width: int, height: int, bytes_per_pixel: int, file_bytes: int) -> None:
        """Refuse an image whose header states dimensions outside the bounds.

        Args:
            width: pixels.
            height: pixels.
            bytes_per_pixel: of the decoded image.
            file_bytes: length of the file.

        Raises:
            OperatorError: `corrupt`, `too_small` or `too_large`.
        """
        size = f"{width} x {height} pixels"
        if width < 1 or height < 1:
            raise OperatorError("corrupt", f"the header states {size}, which no image has; fetch the file again")
        if min(width, height) < self.min_side:
            raise OperatorError(
                "too_small", f"the image is {size}; at least {self.min_side} on the shorter side are needed"
            )
        if max(width, height) > self.max_side:
            raise OperatorError(
                "too_large", f"the image is {size}; the limit is {self.max_side} a side. Raise max_side to accept it"
            )
        if width * height > self.max_pixels:
            raise OperatorError(
                "too_large", f"the image is {size}; the limit is {self.max_pixels}. Raise max_pixels to accept it"
            )
        decoded = width * height * bytes_per_pixel
        if decoded > _HARMLESS_BYTES and decoded > self.max_ratio * file_bytes:
            raise OperatorError(
                "too_large",
                f"{file_bytes} bytes claim to hold {decoded} bytes of pixels ({size}), "
                f"more than {self.max_ratio:g} to 1. If the file is honest, raise max_ratio",
            )
