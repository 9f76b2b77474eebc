"""TIFF files built by hand to make a reader loop, swell or contradict itself (TIFF 6.0, BigTIFF)."""

from __future__ import annotations

import struct
import zlib

import numpy as np

BYTE, ASCII, SHORT, LONG, UNDEFINED, LONG8 = 1, 2, 3, 4, 7, 16
SIDE = 64
MAX32 = 2**32 - 1

Entry = tuple[int, int, int, int]  # tag, type, count, value or pointer


def entries(**changes: Entry | None) -> list[Entry]:
    """The tags of a gray image of SIDE x SIDE in one strip behind the header, some changed or left out."""
    plain: dict[str, Entry | None] = {
        "width": (256, SHORT, 1, SIDE),
        "height": (257, SHORT, 1, SIDE),
        "bits": (258, SHORT, 1, 8),
        "compression": (259, SHORT, 1, 1),
        "photometric": (262, SHORT, 1, 1),
        "strips": (273, LONG, 1, 8),
        "samples": (277, SHORT, 1, 1),
        "rows": (278, SHORT, 1, SIDE),
        "lengths": (279, LONG, 1, SIDE * SIDE),
    }
    return sorted(entry for entry in (plain | changes).values() if entry)


def directory(tags: list[Entry], following: int = 0) -> bytes:
    body = b"".join(struct.pack("<HHII", tag, kind, count, value) for tag, kind, count, value in tags)
    return struct.pack("<H", len(tags)) + body + struct.pack("<I", following)


def file(tags: list[Entry], pixels: bytes | None = None, following: int = 0) -> bytes:
    """One directory behind its pixels."""
    data = bytes(range(256)) * (SIDE * SIDE // 256) if pixels is None else pixels
    data += bytes(len(data) % 2)
    return b"II*\x00" + struct.pack("<I", 8 + len(data)) + data + directory(tags, following)


def deflated(rows: int, **changes: Entry) -> bytes:
    """A strip whose stream inflates to so many rows of MiB, whatever the tags say."""
    stream = zlib.compress(bytes(rows << 20), 1)
    return file(
        entries(compression=(259, SHORT, 1, 8), lengths=(279, LONG, 1, len(stream)), **changes),
        stream,
    )


def chain(count: int) -> bytes:
    """So many directories without a tag, each pointing to the next."""
    body = np.zeros((count, 6), np.uint8)
    following = 8 + 6 * np.arange(1, count + 1, dtype="<u4")
    following[-1] = 0
    body[:, 2:] = following.view(np.uint8).reshape(count, 4)
    return b"II*\x00\x08\x00\x00\x00" + body.tobytes()


def pages(count: int) -> bytes:
    """So many pages that share their pixels."""
    tags = entries()
    length = len(directory(tags))
    start = 8 + SIDE * SIDE
    body = b"".join(directory(tags, start + (n + 1) * length if n + 1 < count else 0) for n in range(count))
    return b"II*\x00" + struct.pack("<I", start) + bytes(SIDE * SIDE) + body


def self_loop() -> bytes:
    return file(entries(), following=8 + SIDE * SIDE)


def loop_of_two() -> bytes:
    first = file(entries())
    second = len(first)
    return first[:-4] + struct.pack("<I", second) + directory(entries(), 8 + SIDE * SIDE)


def loop_below(tag: int) -> bytes:
    """A directory below the image's that follows itself."""
    at = len(file(entries(extra=(tag, LONG, 1, 0))))
    return file(entries(extra=(tag, LONG, 1, at))) + directory([(271, ASCII, 2, 65)], at)


def tree(depth: int) -> bytes:
    """Directories below directories, two each: 2^depth when followed one by one."""
    head = file(entries(extra=(330, LONG, 1, 0)))
    at = len(head)
    out = file(entries(extra=(330, LONG, 1, at)))
    size = len(directory([(330, LONG, 2, 0)])) + 8
    for level in range(depth):
        here = at + level * size
        both = here + size if level + 1 < depth else here
        out += directory([(330, LONG, 2, here + size - 8)]) + struct.pack("<II", both, both)
    return out


def big(count: int, tags: bytes = b"") -> bytes:
    """A BigTIFF that states so many entries."""
    return b"II+\x00\x08\x00\x00\x00" + struct.pack("<Q", 16) + struct.pack("<Q", count) + tags


def forged_tiffs() -> dict[str, bytes]:
    """Name to bytes."""
    plain = len(file(entries()))
    absurd = {
        "zero-width": {"width": (256, SHORT, 1, 0)},
        "zero-height": {"height": (257, SHORT, 1, 0)},
        "huge-sides": {"width": (256, LONG, 1, 2**31), "height": (257, LONG, 1, 2**31)},
        "largest-sides": {"width": (256, LONG, 1, MAX32), "height": (257, LONG, 1, MAX32)},
        "large-sides": {"width": (256, LONG, 1, 40_000), "height": (257, LONG, 1, 40_000)},
        "bits-0": {"bits": (258, SHORT, 1, 0)},
        "bits-65535": {"bits": (258, SHORT, 1, 65535)},
        "samples-0": {"samples": (277, SHORT, 1, 0)},
        "samples-65535": {"samples": (277, SHORT, 1, 65535)},
        "photometric-99": {"photometric": (262, SHORT, 1, 99)},
        "compression-99": {"compression": (259, SHORT, 1, 99)},
        "compression-old-jpeg": {"compression": (259, SHORT, 1, 6)},
        "compression-jpeg": {"compression": (259, SHORT, 1, 7)},
        "compression-webp": {"compression": (259, SHORT, 1, 50001)},
        "compression-zstd": {"compression": (259, SHORT, 1, 50000)},
        "compression-jp2": {"compression": (259, SHORT, 1, 34712)},
        "compression-fax": {"compression": (259, SHORT, 1, 4)},
        "compression-lerc": {"compression": (259, SHORT, 1, 34887)},
        "planes-3": {"planes": (284, SHORT, 1, 3)},
        "rows-0": {"rows": (278, SHORT, 1, 0)},
        "rows-1": {"rows": (278, SHORT, 1, 1)},
        "no-strips": {"strips": None},
        "no-lengths": {"lengths": None},
        "strips-everywhere": {"strips": (273, LONG, MAX32, 8)},
        "strips-as-text": {"strips": (273, ASCII, 4, 8)},
        "strip-beyond": {"strips": (273, LONG, 1, 10**9)},
        "strip-length-0": {"lengths": (279, LONG, 1, 0)},
        "strip-length-largest": {"lengths": (279, LONG, 1, MAX32)},
        "tile-0": {"tiles": (322, SHORT, 1, 0), "tall": (323, SHORT, 1, 0)},
        "tile-huge": {
            "tiles": (322, LONG, 1, 2**30),
            "tall": (323, LONG, 1, 16),
            "at": (324, LONG, 1, 8),
            "of": (325, LONG, 1, 4096),
            "strips": None,
            "lengths": None,
        },
        "icc-everywhere": {"icc": (34675, UNDEFINED, MAX32, 8)},
        "icc-pixels": {"icc": (34675, UNDEFINED, 2000, 8)},
        "xmp-everywhere": {"xmp": (700, BYTE, MAX32, 8)},
        "iptc-odd": {"iptc": (33723, LONG, 3, 8)},
        "exif-beyond": {"exif": (34665, LONG, 1, 10**9)},
        "exif-pixels": {"exif": (34665, LONG, 1, 9)},
        "gps-many": {"gps": (34853, LONG, 500, 8)},
        "orientation-99": {"orientation": (274, SHORT, 1, 99)},
        "resolution-pixels": {"x": (282, 5, 1, 8), "y": (283, 5, 1, 9)},
        "type-99": {"odd": (50999, 99, 4, 8)},
        "type-99-width": {"width": (256, 99, 1, SIDE)},
        "text-odd": {"text": (270, ASCII, 3000, 8)},
        "doubles-odd": {"text": (50998, 12, 100, 9)},
        "format-9": {"kind": (339, SHORT, 1, 9)},
        "format-float": {"kind": (339, SHORT, 1, 3)},
        "predictor-9": {"predictor": (317, SHORT, 1, 9), "compression": (259, SHORT, 1, 5)},
        "subfile-all": {"kind": (254, LONG, 1, MAX32)},
    }
    files = {f"tiff-{name}": file(entries(**changes)) for name, changes in absurd.items()}
    twice = entries()
    files["tiff-width-twice"] = file([(256, LONG, 1, 90_000), *twice])
    files["tiff-height-twice"] = file([*twice[:1], (257, LONG, 1, 90_000), *twice[1:]])
    files["tiff-no-tags"] = file([])
    files["tiff-backwards"] = file(entries()[::-1])
    files["tiff-self-loop"] = self_loop()
    files["tiff-loop-of-two"] = loop_of_two()
    files["tiff-loop-exif"] = loop_below(34665)
    files["tiff-loop-below"] = loop_below(330)
    files["tiff-tree"] = tree(60)
    files["tiff-million-pages"] = chain(1_000_000)
    files["tiff-90-pages"] = pages(90)
    files["tiff-5000-pages"] = pages(5000)
    files["tiff-first-beyond"] = b"II*\x00" + struct.pack("<I", MAX32) + bytes(100)
    files["tiff-first-odd"] = b"II*\x00" + struct.pack("<I", 7) + bytes(100)
    files["tiff-many-entries"] = b"II*\x00\x08\x00\x00\x00" + struct.pack("<H", 65535) + bytes(65535 * 12)
    files["tiff-big-many"] = big(2**63, bytes(2000))
    files["tiff-big-largest"] = big(2**64 - 1, bytes(20))
    files["tiff-big-odd"] = b"II+\x00\x04\x00\x00\x00" + bytes(100)
    million = b"\x07" * 3_000_000
    files["tiff-bytes-listed"] = file(entries(raw=(50997, BYTE, len(million), 8 + SIDE * SIDE)), bytes(4096) + million)
    files["tiff-numbers-listed"] = file(
        entries(raw=(50997, SHORT, 4_100_000, 8 + SIDE * SIDE)), bytes(4096) + bytes(8_200_000)
    )
    files["tiff-strip-bomb"] = deflated(200)
    files["tiff-tile-bomb"] = deflated(
        100,
        tiles=(322, LONG, 1, 10_000),
        tall=(323, LONG, 1, 10_000),
        at=(324, LONG, 1, 8),
        of=(325, LONG, 1, 100_000),
    )
    assert plain < 5000
    return {f"forged/{name}.tif": data for name, data in files.items()}
