"""JPEG 2000 and HEIF files built by hand to make a reader loop or swell (ITU-T T.800, ISO/IEC 14496-12)."""

from __future__ import annotations

import struct

from healthy import healthy

JP2, RAW = "jp2/rgb.jp2", "jp2/gray.j2k"
MAX32 = 2**32 - 1


def box(name: bytes, payload: bytes = b"", length: int = -1) -> bytes:
    return struct.pack(">I", len(payload) + 8 if length < 0 else length) + name + payload


def long_box(name: bytes, length: int) -> bytes:
    return struct.pack(">I", 1) + name + struct.pack(">Q", length)


def with_box(extra: bytes, name: str = JP2) -> bytes:
    """A file with a box before its codestream."""
    data = healthy()[name]
    at = data.index(b"jp2c") - 4
    return data[:at] + extra + data[at:]


def sized(name: str = RAW, **changes: int) -> bytes:
    """A file whose size segment states something else."""
    data = bytearray(healthy()[name])
    at = data.index(b"\xff\x51") + 6
    places = ("x1", "y1", "x0", "y0", "tile_width", "tile_height", "tile_x", "tile_y")
    for place, value in changes.items():
        if place == "components":
            struct.pack_into(">H", data, at + 32, value)
        elif place in ("depth", "dx", "dy"):
            data[at + 34 + ("depth", "dx", "dy").index(place)] = value
        else:
            struct.pack_into(">I", data, at + 4 * places.index(place), value)
    return bytes(data)


def styled(*, name: str = RAW, **changes: int) -> bytes:
    """A file whose coding style states something else."""
    data = bytearray(healthy()[name])
    at = data.index(b"\xff\x52") + 4
    places = ("flags", "order", "layers", "_", "mixed", "levels", "block_width", "block_height", "modes", "wavelet")
    for place, value in changes.items():
        if place == "layers":
            struct.pack_into(">H", data, at + 2, value)
        else:
            data[at + places.index(place)] = value
    return bytes(data)


def precincts(exponent: int, side: int) -> bytes:
    """A picture of some side in precincts of 2^exponent samples."""
    data = sized(x1=side, y1=side, tile_width=side, tile_height=side)
    at = data.index(b"\xff\x52")
    length = int.from_bytes(data[at + 2 : at + 4], "big")
    style = bytearray(data[at + 4 : at + 2 + length])
    style[0] |= 1
    style += bytes([exponent * 17] * (style[5] + 1))
    return data[:at] + b"\xff\x52" + struct.pack(">H", len(style) + 2) + bytes(style) + data[at + 2 + length :]


def parts(length: int, count: int) -> bytes:
    """A file with so many tile-parts that state a length."""
    data = healthy()[RAW]
    at = data.index(b"\xff\x90")
    part = b"\xff\x90\x00\x0a" + struct.pack(">HIBB", 0, length, 0, 1) + b"\xff\x93"
    return data[:at] + part * count + data[at:]


def forged_jp2s() -> dict[str, bytes]:
    """Name to bytes; `.j2k` where there are no boxes."""
    data = healthy()[JP2]
    header = data.index(b"jp2h") - 4
    ihdr = data.index(b"ihdr") + 4
    stream = data.index(b"jp2c") - 4
    boxed = {
        "box-length-0": with_box(box(b"xml ", b"<x/>", length=0)),
        "box-length-2": with_box(box(b"xml ", b"<x/>", length=2)),
        "box-length-7": with_box(box(b"xml ", b"<x/>", length=7)),
        "box-length-largest": with_box(box(b"xml ", b"<x/>", length=MAX32)),
        "box-long-0": with_box(long_box(b"xml ", 0)),
        "box-long-15": with_box(long_box(b"xml ", 15)),
        "box-long-16": with_box(long_box(b"xml ", 16)),
        "box-long-negative": with_box(long_box(b"xml ", 2**64 - 1)),
        "box-long-cut": data[:stream] + struct.pack(">I", 1) + b"jp2c",
        "many-boxes": with_box(box(b"free") * 150_000),
        "nested": with_box(box(b"jp2h", box(b"jp2h", box(b"jp2h", box(b"colr", b"\x01\x00\x00"))))),
        "header-in-itself": data[: header + 8] + box(b"res ", b"", length=0) + data[header + 8 :],
        "header-none": data[:header] + data[stream:],
        "stream-none": data[:stream],
        "stream-twice": data + data[stream:],
        "sides-other": data[:ihdr] + struct.pack(">II", 60_000, 60_000) + data[ihdr + 8 :],
        "sides-smaller": data[:ihdr] + struct.pack(">II", 16, 16) + data[ihdr + 8 :],
        "components-other": data[: ihdr + 8] + struct.pack(">H", 4000) + data[ihdr + 10 :],
        "colour-unknown": with_box(b"").replace(
            b"colr\x01\x00\x00\x00\x00\x00\x10", b"colr\x01\x00\x00\x00\x00\x00\x63"
        ),
        "colour-profile-noise": with_box(box(b"jp2h", box(b"colr", b"\x02\x00\x00" + b"\x99" * 200))),
        "palette": with_box(box(b"jp2h", box(b"pclr", b"\xff\xff\xff" + b"\x07" * 900))),
        "uuid-noise": with_box(box(b"uuid", b"JpgTiffExif->JP2" + b"II*\x00\xff\xff\xff\xff")),
    }
    raw = {
        "zero-width": sized(x1=0),
        "zero-height": sized(y1=0),
        "negative": sized(x0=200, y0=200),
        "largest": sized(x1=MAX32, y1=MAX32),
        "large-and-empty": sized(x1=9000, y1=9000, tile_width=9000, tile_height=9000),
        "larger-than-its-data": sized(x1=1000, y1=1000, tile_width=1000, tile_height=1000),
        "tiles-0": sized(tile_width=0, tile_height=0),
        "tiles-of-1": sized(tile_width=1, tile_height=1),
        "tiles-of-1-by-the-million": sized(x1=4000, y1=4000, tile_width=1, tile_height=1),
        "tiles-elsewhere": sized(tile_x=MAX32, tile_y=MAX32),
        "no-components": sized(components=0),
        "many-components": sized(components=16384),
        "all-components": sized(components=65535),
        "depth-38": sized(depth=37),
        "depth-signed": sized(depth=0x87),
        "subsampled-255": sized(dx=255, dy=255),
        "subsampled-0": sized(dx=0, dy=0),
        "levels-33": styled(levels=33),
        "levels-255": styled(levels=255),
        "levels-32": styled(levels=32),
        "layers-65535": styled(layers=65535),
        "layers-0": styled(layers=0),
        "blocks-largest": styled(block_width=255, block_height=255),
        "blocks-of-1024": styled(block_width=8, block_height=8),
        "modes-all": styled(modes=255),
        "wavelet-9": styled(wavelet=9),
        "order-9": styled(order=9),
        "precincts-of-1": precincts(0, 4000),
        "precincts-of-2": precincts(1, 4000),
        "precincts-of-2-small": precincts(1, 96),
        "part-length-0": parts(0, 1),
        "part-length-1": parts(1, 1),
        "part-length-13": parts(13, 1),
        "part-length-largest": parts(MAX32, 1),
        "many-parts": parts(14, 300_000),
        "no-end": healthy()[RAW][:-2],
        "only-size": healthy()[RAW][:60],
    }
    return {f"forged/jp2-{name}.jp2": file for name, file in boxed.items()} | {
        f"forged/j2k-{name}.j2k": file for name, file in raw.items()
    }


def forged_heifs() -> dict[str, bytes]:
    """Name to bytes."""
    data = healthy()["heif/photo.avif"]
    sides = data.index(b"ispe") + 8
    places = data.index(b"iloc") - 4
    items = data.index(b"iinf") - 4
    files = {
        "sides-0": data[:sides] + bytes(8) + data[sides + 8 :],
        "sides-largest": data[:sides] + b"\xff" * 8 + data[sides + 8 :],
        "sides-large": data[:sides] + struct.pack(">II", 30_000, 30_000) + data[sides + 8 :],
        "only-brand": data[: int.from_bytes(data[:4], "big")],
        "brand-heic": data.replace(b"ftypavif", b"ftypheic", 1),
        "places-noise": data[: places + 12] + b"\xff" * 12 + data[places + 24 :],
        "items-many": data[: items + 12] + b"\xff\xff" + data[items + 14 :],
        "box-0": data[:items] + bytes(4) + data[items + 4 :],
        "box-long": data[:items] + b"\x00\x00\x00\x01" + data[items + 4 :],
        "many-boxes": data[: int.from_bytes(data[:4], "big")] + box(b"free") * 150_000,
        "meta-in-meta": data[: int.from_bytes(data[:4], "big")]
        + box(b"meta", bytes(4) + box(b"meta", bytes(4)) * 2000),
    }
    return {f"forged/heif-{name}.avif": file for name, file in files.items()}
