"""Read and write the quantised DCT coefficients of a JPEG file, with jpeglib.

jpeglib keeps the chosen libjpeg and the markers it reads in variables of the process, so one lock guards every call.
Its interface is files, so bytes pass through temporary files. It holds the coefficients three times while it writes:
6 bytes a sample, on top of the raster.
"""

from __future__ import annotations

import io
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from operators.images.formats import jpeg

try:
    import jpeglib
except ImportError:  # it has no wheel for every platform
    jpeglib = None

# libjpeg-turbo as jpeglib wraps it writes sequential files only, MozJPEG progressive ones only.
_SEQUENTIAL, _PROGRESSIVE = "turbo210", "mozjpeg403"
_NAMES = ("Y", "Cb", "Cr")
_PROCESSES = ("jpeg baseline", "jpeg extended", "jpeg progressive")
_MOST_SAMPLES = 1 << 28
"""1.6 GB of memory; 179 megapixels with chroma at half the size both ways, 89 with chroma at full size."""

ONE_AT_A_TIME = threading.RLock()
"""Held by whoever works on coefficients, so that their memory is needed once a process and not once a thread."""


class CoefficientsError(Exception):
    """The coefficients of a file cannot be read or written. The message says why; the caller encodes afresh."""


class Coefficients:
    """The coefficients of one JPEG file, as libjpeg holds them.

    Attributes:
        planes: per component (rows, columns, 8, 8) int16, quantised, rows of frequencies from top to bottom. To be
            changed in place.
        tables: per component (8, 8) uint16 quantisation steps in the same order.
        sampling: per component horizontal and vertical sampling factor.
    """

    def __init__(self, data: bytes, compression: str) -> None:
        """Read a file.

        Args:
            data: a JPEG file that decodes without complaint.
            compression: as `ImageInfo.compression` names it.

        Raises:
            CoefficientsError: for what jpeglib cannot write again (arithmetic coding, four components), for too many
                samples, or without jpeglib.
        """
        if compression not in _PROCESSES:
            raise CoefficientsError(f"{compression} is not a sequential or progressive Huffman JPEG")
        if jpeglib is None:
            raise CoefficientsError("the package jpeglib is not installed")
        self.progressive = compression == "jpeg progressive"
        _check(data)
        self._file = _read(_bare(data))
        names = _NAMES[: self._file.num_components]
        self.planes: tuple[NDArray[np.int16], ...] = tuple(getattr(self._file, name) for name in names)
        self.tables: tuple[NDArray[np.uint16], ...] = tuple(
            np.array(self._file.get_component_qt(i), np.uint16) for i in range(len(names))
        )
        self.sampling: tuple[tuple[int, int], ...] = tuple((int(h), int(v)) for v, h in self._file.samp_factor)

    def with_colours(self) -> Coefficients:
        """Return a gray file's coefficients beside two components of colour that are zero: the same picture in YCbCr.

        Colour has full resolution and the source's quantisation steps. Cb and Cr of zero decode to R = G = B = Y.

        Raises:
            CoefficientsError: when quantisation steps of more than 8 bits cannot be written so.
        """
        height, width = self._file.height, self._file.width
        steps = [int(step) for step in self.tables[0].reshape(-1)]
        if max(steps) > 255:
            raise CoefficientsError("its quantisation steps have more than 8 bits")
        place = io.BytesIO()
        flat = Image.new("RGB", (width, height), (128, 128, 128))
        flat.save(place, "JPEG", qtables=[steps, steps], subsampling=0, progressive=self.progressive)
        wider = Coefficients(place.getvalue(), "jpeg progressive" if self.progressive else "jpeg baseline")
        if wider.planes[0].shape != self.planes[0].shape:
            raise CoefficientsError("its blocks are laid out otherwise than those of a colour picture")
        for plane in wider.planes:
            plane[...] = 0
        wider.planes[0][...] = self.planes[0]
        return wider

    def write(self) -> bytes:
        """Return a JPEG file with these coefficients, the source's tables and order, and no metadata segments.

        It is read again and compared, so what is returned does hold them.

        Raises:
            CoefficientsError: when it cannot be written, or holds something else.
        """
        self._file.markers = []
        with tempfile.NamedTemporaryFile(prefix="facejobs-", suffix=".jpg") as place:
            library = jpeglib.version(_PROGRESSIVE if self.progressive else _SEQUENTIAL)
            with ONE_AT_A_TIME, library, _refusals("write"):
                self._file.write_dct(place.name, flags=["+OPTIMIZE_CODING"])
            written = _bare(place.read())
        again = Coefficients(written, "jpeg progressive" if self.progressive else "jpeg extended")
        same = self.sampling == again.sampling and all(
            np.array_equal(mine, theirs)
            for mine, theirs in zip(self.planes + self.tables, again.planes + again.tables, strict=True)
        )
        if not same:
            raise CoefficientsError("libjpeg wrote other coefficients than it was given")
        return written


def _check(data: bytes) -> None:
    """Refuse what should not be read at all, from the frame header (T.81, B.2.2) and the markers between scans."""
    frame = next(s.payload for s in jpeg.segments(data) if s.marker in (0xC0, 0xC1, 0xC2))
    height, width, count = int.from_bytes(frame[1:3], "big"), int.from_bytes(frame[3:5], "big"), frame[5]
    if count not in (1, 3):
        raise CoefficientsError(f"it has {count} components, of which 1 or 3 can be written back")
    factors = [(factor >> 4, factor & 15) for factor in frame[7 : 6 + 3 * count : 3]]
    most_h, most_v = (max(one) for one in zip(*factors, strict=True))
    samples = sum(width * height * h * v // (most_h * most_v) for h, v in factors)
    if samples > _MOST_SAMPLES:
        raise CoefficientsError(f"it has {samples} samples, more than the {_MOST_SAMPLES} that are worked on in memory")
    # In coded data 0xff is followed by 0x00 or a restart's number (T.81, F.1.2.3), so this is a marker. libjpeg does
    # not write such a file, and when it refuses, jpeglib leaves a temporary file behind.
    scans = _split(data)[1]
    if scans.find(b"\xff\xdb", 0, scans.find(b"\xff\xd9")) >= 0:
        raise CoefficientsError("its quantisation tables change between scans")


def _read(bare: bytes) -> Any:
    with tempfile.NamedTemporaryFile(prefix="facejobs-", suffix=".jpg") as place:
        place.write(bare)
        place.flush()
        with ONE_AT_A_TIME, jpeglib.version(_SEQUENTIAL), _refusals("read"):
            file = jpeglib.read_dct(place.name)
            file.load()
    return file


@contextmanager
def _refusals(what: str) -> Iterator[None]:
    """Turn what libjpeg refuses into our error, and let what the machine lacks (a full disk) be what it is."""
    try:
        yield
    except OSError as error:
        if error.errno is not None:
            raise
        raise CoefficientsError(f"libjpeg cannot {what} its coefficients") from error


def _bare(data: bytes) -> bytes:
    """Return a JPEG file without its application segments and comments, of which jpeglib takes 50 at most."""
    return b"".join(_split(data))


def _split(data: bytes) -> tuple[bytes, bytes]:
    """Return what stands before the coded data, without application segments and comments, and all the rest."""
    kept, at = [data[:2]], 2
    for segment in jpeg.segments(data):
        whole = bytes([0xFF, segment.marker]) + (len(segment.payload) + 2).to_bytes(2, "big") + segment.payload
        at = data.index(whole, at) + len(whole)  # fill bytes may lie between
        if segment.marker != jpeg.COM and not 0xE0 <= segment.marker <= 0xEF:
            kept.append(whole)
    return b"".join(kept), data[at:]
