"""JPEG files built by hand to make a reader loop, swell or contradict itself (ITU-T T.81)."""

from __future__ import annotations

import struct

from healthy import healthy

BASELINE = "jpeg/baseline.jpg"


def segment(marker: int, payload: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(payload) + 2) + payload


def parts(data: bytes) -> list[tuple[int, bytes]]:
    """Marker and payload of each segment up to the scan; the last has all that follows its header."""
    found = []
    at = 2
    while True:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xDA:
            return [*found, (marker, data[at + 4 :])]
        found.append((marker, data[at + 4 : at + 2 + length]))
        at += 2 + length


def joined(found: list[tuple[int, bytes]]) -> bytes:
    *head, (_, scan) = found
    start = struct.pack(">H", 2 + 1 + 2 * scan[0] + 3)
    return b"\xff\xd8" + b"".join(segment(*one) for one in head) + b"\xff\xda" + start + scan


def reframed(name: str = BASELINE, **changes: int) -> bytes:
    """A file whose frame header states something else."""
    out = []
    for marker, payload in parts(healthy()[name]):
        if marker in (0xC0, 0xC2):
            bits, height, width, count = struct.unpack(">BHHB", payload[:6])
            new = {"bits": bits, "height": height, "width": width, "count": count, "marker": marker} | changes
            out.append(
                (
                    new["marker"],
                    struct.pack(">BHHB", new["bits"], new["height"], new["width"], new["count"]) + payload[6:],
                )
            )
        else:
            out.append((marker, payload))
    return joined(out)


def inserted(extra: bytes, name: str = BASELINE) -> bytes:
    """A file with bytes behind its first marker."""
    data = healthy()[name]
    return data[:2] + extra + data[2:]


def replaced(marker: int, payload: bytes) -> bytes:
    """A file with another payload in its first segment of a kind."""
    out = parts(healthy()[BASELINE])
    at = next(index for index, part in enumerate(out) if part[0] == marker)
    return joined([*out[:at], (marker, payload), *out[at + 1 :]])


def scan_bomb(side: int) -> bytes:
    """An empty gray picture in 883 lawful scans: one coefficient and one bit at a time, each a walk over all blocks."""
    blocks = (side // 8) ** 2
    out = b"\xff\xd8" + segment(0xDB, b"\x00" + b"\x01" * 64)
    out += segment(0xC2, struct.pack(">BHHB", 8, side, side, 1) + b"\x01\x11\x00")
    # One code of one bit each: `0` is the category 0 of a DC, and EOB14 (a run of 16384 empty blocks or more) of an AC.
    out += segment(0xC4, b"\x00\x01" + bytes(15) + b"\x00" + b"\x10\x01" + bytes(15) + b"\xe0")
    out += segment(0xDA, b"\x01\x01\x00\x00\x00\x00") + bytes(-(-blocks // 8))
    runs = -(-blocks // 16384)
    body = bytes(-(-15 * runs // 8))
    for coefficient in range(1, 64):
        for bit in range(13, -1, -1):
            history = 0 if bit == 13 else (bit + 1) << 4
            out += segment(0xDA, bytes([1, 1, 0, coefficient, coefficient, history | bit])) + body
    return out + b"\xff\xd9"


def exif_of(body: bytes) -> bytes:
    return segment(0xE1, b"Exif\x00\x00" + body)


def forged_jpegs() -> dict[str, bytes]:
    """Name to bytes."""
    loop = b"II*\x00\x08\x00\x00\x00\x01\x00" + struct.pack("<HHII", 0x8769, 4, 1, 8) + struct.pack("<I", 8)
    crowd = b"II*\x00\x08\x00\x00\x00\xff\xff" + bytes(60_000)
    far = b"II*\x00\xff\xff\xff\xff" + bytes(20)
    long = b"II*\x00\x08\x00\x00\x00\x01\x00" + struct.pack("<HHII", 0x010E, 2, 2**32 - 1, 8) + bytes(4)
    profile = b"ICC_PROFILE\x00"
    files = {
        "zero-height": reframed(height=0),
        "zero-width": reframed(width=0),
        "largest": reframed(width=65535, height=65535),
        "wide": reframed(width=65535, height=16),
        "large-and-empty": reframed(width=9000, height=9000),
        "larger-than-its-scan": reframed(width=1000, height=1000),
        "twelve-bits": reframed(bits=12),
        "zero-bits": reframed(bits=0),
        "no-components": reframed(count=0),
        "two-components": reframed(count=2),
        "many-components": reframed(count=255),
        "lossless": reframed(marker=0xC3),
        "hierarchical": reframed(marker=0xC5),
        "arithmetic": reframed(marker=0xC9),
        "progressive-by-name": reframed(marker=0xC2),
        "baseline-by-name": reframed("jpeg/progressive.jpg", marker=0xC0),
        "only-start": b"\xff\xd8\xff",
        "start-and-end": b"\xff\xd8\xff\xd9",
        "many-comments": inserted(segment(0xFE, b"") * 150_000),
        "few-thousand-comments": inserted(segment(0xFE, b"box 7") * 5_000),
        "many-bare-markers": inserted(b"\xff\xd0" * 400_000),
        "fill-bytes": inserted(b"\xff" * 3_000_000),
        "length-0": inserted(b"\xff\xe5\x00\x00"),
        "length-1": inserted(b"\xff\xe5\x00\x01"),
        "length-beyond": inserted(b"\xff\xe5\xff\xff"),
        "restart-every-block": inserted(segment(0xDD, b"\x00\x01")),
        "restart-interval-largest": inserted(segment(0xDD, b"\xff\xff")),
        "restart-interval-long": inserted(segment(0xDD, b"\x00" * 900)),
        "table-zero": replaced(0xDB, b"\x00" + bytes(64)),
        "table-number-15": replaced(0xDB, b"\x0f" + b"\x10" * 64),
        "table-long": replaced(0xDB, b"\x00" + b"\x10" * 60_000),
        "table-short": replaced(0xDB, b"\x00\x10"),
        "codes-too-many": replaced(0xC4, b"\x00" + b"\xff" * 16 + bytes(4080)),
        "codes-none": replaced(0xC4, b"\x00" + bytes(16)),
        "codes-short": replaced(0xC4, b"\x00" + b"\x02" * 16),
        "frame-twice": inserted(segment(0xC0, b"\x08" + struct.pack(">HH", 60000, 60000) + b"\x01\x01\x11\x00")),
        "exif-loop": inserted(exif_of(loop)),
        "exif-crowd": inserted(exif_of(crowd)),
        "exif-far": inserted(exif_of(far)),
        "exif-long": inserted(exif_of(long)),
        "exif-noise": inserted(exif_of(b"II*\x00" + b"\x99" * 3000)),
        "profile-of-255-without-254": inserted(segment(0xE2, profile + b"\x01\xff" + bytes(100))),
        "profile-noise": replaced(0xE2, profile + b"\x01\x01" + b"\x07" * 60_000),
        "profile-short": replaced(0xE2, profile + b"\x01\x01"),
        "xmp-long": inserted(segment(0xE1, b"http://ns.adobe.com/xap/1.0/\x00" + b"<x " * 20_000)),
        "resources-loop": inserted(segment(0xED, b"Photoshop 3.0\x00" + b"8BIM\x04\x04\x00\x00\xff\xff\xff\xff" * 90)),
        "scan-bomb": scan_bomb(2048),
        "scan-of-nothing": healthy()[BASELINE][: healthy()[BASELINE].index(b"\xff\xda") + 14] + b"\xff\xd9",
        "scan-twice": healthy()[BASELINE][:-2] + healthy()[BASELINE][healthy()[BASELINE].index(b"\xff\xda") :],
        "two-pictures": healthy()[BASELINE] * 2,
        "trailing-noise": healthy()[BASELINE] + b"\x99" * 5000,
    }
    return {f"forged/jpeg-{name}.jpg": data for name, data in files.items()}
