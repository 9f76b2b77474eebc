"""Into how many parts a JPEG 2000 file says it is cut (ITU-T T.800 annexes A and B).

A decoder keeps a record of several hundred bytes for each tile and each precinct, and nothing in the format keeps those
from being a few samples large: a file of a kilobyte can ask for any memory that way.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from operators.errors import OperatorError

MAX_LEVELS = 32

# Tiles and precincts of honest files are 64 samples a side or more.
_TILE_SIDE, _SPARE_TILES = 32, 1024
_PRECINCT_SIDE, _SPARE_PRECINCTS = 16, 4096


def check_parts(size: bytes, styles: Iterable[bytes], components: int) -> None:
    """Refuse a file that is cut into absurdly many tiles or precincts.

    Args:
        size: payload of the SIZ marker segment, at least 36 bytes.
        styles: of each coding style that applies to some component: whether precincts have sizes of their own (one
            byte), then the parameters as in COD and COC (`SPcod`, table A.20).
        components: how many the image has.

    Raises:
        OperatorError: `corrupt`.
    """
    x1, y1, x0, y0, tile_width, tile_height, tile_x, tile_y = struct.unpack(">8I", size[2:34])
    width, height = x1 - x0, y1 - y0
    if tile_width < 1 or tile_height < 1 or width < 1 or height < 1:
        raise OperatorError("corrupt", f"the JPEG 2000 file states {width} x {height} pixels in empty tiles or none")
    tiles = -(-(x1 - tile_x) // tile_width) * -(-(y1 - tile_y) // tile_height)
    _check("tiles", tiles, _SPARE_TILES + width * height // _TILE_SIDE**2)
    for style in styles:
        if len(style) < 6 or style[1] > MAX_LEVELS:
            raise OperatorError("corrupt", "a coding style of the JPEG 2000 file makes no sense")
        levels, sizes = style[1], style[6:] if style[0] & 1 else b""
        precincts = sum(
            _parts(width, levels - level, part & 15) * _parts(height, levels - level, part >> 4)
            for level, part in enumerate(sizes[: levels + 1])
        )
        _check("precincts", precincts * components, _SPARE_PRECINCTS + width * height * components // _PRECINCT_SIDE**2)


def _parts(side: int, halvings: int, exponent: int) -> int:
    """How many parts of 2^exponent samples cover a side that was halved so often."""
    halved = -(-side >> halvings)
    return -(-halved >> exponent)


def _check(what: str, count: int, most: int) -> None:
    if count > most:
        raise OperatorError("corrupt", f"the JPEG 2000 file is cut into {count} {what}, at most {most} make sense")
