"""PNG and WebP files built by hand to make a reader swell or contradict itself (W3C PNG, RFC 9649)."""

from __future__ import annotations

import io
import struct
import zlib

from healthy import gray, healthy, rgb
from PIL import Image

SIGNATURE = b"\x89PNG\r\n\x1a\n"
LARGEST = 2**31 - 1


def chunk(name: bytes, payload: bytes = b"", length: int = -1, crc: int = -1) -> bytes:
    stated = len(payload) if length < 0 else length
    check = zlib.crc32(name + payload) if crc < 0 else crc
    return struct.pack(">I", stated) + name + payload + struct.pack(">I", check)


def header(
    width: int = 64, height: int = 64, bits: int = 8, kind: int = 0, method: int = 0, interlace: int = 0
) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, kind, method, 0, interlace))


def scanlines(width: int, height: int) -> bytes:
    return zlib.compress((b"\x00" + b"\x80" * width) * height, 1)


def png(head: bytes, *chunks: bytes, data: bytes | None = None) -> bytes:
    image = chunk(b"IDAT", scanlines(64, 64) if data is None else data)
    return SIGNATURE + head + b"".join(chunks) + image + chunk(b"IEND")


def one_colour(side: int) -> bytes:
    """A gray picture of one colour; its rows are compressed once and repeated, which deflate can say in few bytes."""
    stream = zlib.compressobj(6)
    row = b"\x00" + b"\x80" * side
    data = b"".join(stream.compress(row * 64) for _ in range(side // 64)) + stream.flush()
    return png(header(side, side // 64 * 64), data=data)


def bomb(mebibytes: int) -> bytes:
    stream = zlib.compressobj(9)
    return b"".join(stream.compress(bytes(1 << 20)) for _ in range(mebibytes)) + stream.flush()


def forged_pngs() -> dict[str, bytes]:
    """Name to bytes."""
    plain = header()
    swelling = bomb(70)
    files = {
        "zero-width": png(header(width=0)),
        "zero-height": png(header(height=0)),
        "largest": png(header(LARGEST, LARGEST)),
        "negative": png(header(2**32 - 1, 2**32 - 1)),
        "wide": png(header(width=LARGEST, height=16)),
        "large-and-empty": png(header(9000, 9000)),
        "larger-than-its-data": png(header(900, 900)),
        "smaller-than-its-data": png(header(16, 16)),
        "data-bomb": png(plain, data=bomb(300)),
        "bits-3": png(header(bits=3)),
        "bits-0": png(header(bits=0)),
        "colour-5": png(header(kind=5)),
        "method-9": png(header(method=9)),
        "interlace-7": png(header(interlace=7)),
        "rgb-of-4-bits": png(header(kind=2, bits=4)),
        "palette-none": png(header(kind=3)),
        "palette-of-300": png(header(kind=3), chunk(b"PLTE", bytes(900))),
        "palette-of-1": png(header(kind=3), chunk(b"PLTE", bytes(3))),
        "palette-odd": png(header(kind=3), chunk(b"PLTE", bytes(100))),
        "transparency-long": png(plain, chunk(b"tRNS", bytes(5000))),
        "header-crc": png(header()[:-4] + b"\x00\x00\x00\x00"),
        "header-late": SIGNATURE + chunk(b"tEXt", b"a\x00b") + png(plain)[8:],
        "header-twice": png(plain, header(30_000, 30_000)),
        "header-short": SIGNATURE + chunk(b"IHDR", bytes(5)) + chunk(b"IEND"),
        "data-crc": SIGNATURE + plain + chunk(b"IDAT", scanlines(64, 64), crc=7) + chunk(b"IEND"),
        "data-none": SIGNATURE + plain + chunk(b"IEND"),
        "data-noise": png(plain, data=b"\x99" * 500),
        "data-in-empty-chunks": SIGNATURE + plain + chunk(b"IDAT") * 9000 + png(plain)[33:],
        "chunk-largest": SIGNATURE + plain + chunk(b"IDAT", b"x", length=LARGEST) + chunk(b"IEND"),
        "chunk-negative": SIGNATURE + plain + chunk(b"IDAT", b"x", length=2**32 - 1) + chunk(b"IEND"),
        "million-chunks": png(plain, chunk(b"teSt") * 600_000),
        "name-of-zeros": png(plain, chunk(b"\x00\x00\x00\x00", b"x")),
        "critical-unknown": png(plain, chunk(b"ABCD", b"x")),
        "profile-bomb": png(plain, chunk(b"iCCP", b"icc\x00\x00" + swelling)),
        "profile-noise": png(plain, chunk(b"iCCP", b"icc\x00\x00" + b"\x99" * 100)),
        "profile-short": png(plain, chunk(b"iCCP", b"icc")),
        "text-bomb": png(plain, chunk(b"zTXt", b"note\x00\x00" + swelling)),
        "text-bombs": png(plain, *[chunk(b"zTXt", b"note\x00\x00" + bomb(8))] * 9),
        "xmp-bomb": png(plain, chunk(b"iTXt", b"XML:com.adobe.xmp\x00\x01\x00\x00\x00" + swelling)),
        "text-odd": png(plain, chunk(b"zTXt", b"note"), chunk(b"iTXt", b"\x00" * 3), chunk(b"tEXt", b"")),
        "exif-noise": png(plain, chunk(b"eXIf", b"II*\x00" + b"\x99" * 900)),
        "resolution-short": png(plain, chunk(b"pHYs", b"\x00")),
        "animated-claims": png(plain, chunk(b"acTL", struct.pack(">II", LARGEST, 0))),
        "one-colour-by-ratio": one_colour(8320),
        "one-colour-by-pixels": one_colour(12_032),
        "trailing-noise": png(plain) + b"\x99" * 5000,
    }
    return {f"forged/png-{name}.png": data for name, data in files.items()}


def riff(*chunks: tuple[bytes, bytes], length: int = -1) -> bytes:
    body = b"WEBP" + b"".join(
        name + struct.pack("<I", len(payload)) + payload + bytes(len(payload) % 2) for name, payload in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body) if length < 0 else length) + body


def canvas(width: int, height: int, flags: int = 0) -> tuple[bytes, bytes]:
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"VP8X", bytes([flags, 0, 0, 0]) + sides


def animated(count: int) -> bytes:
    frames = [Image.fromarray(rgb()), Image.fromarray(255 - rgb())]
    out = io.BytesIO()
    frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:])
    data = out.getvalue()
    at = data.index(b"ANMF")
    length = 8 + int.from_bytes(data[at + 4 : at + 8], "little")
    frame = data[at : at + length]
    body = data[8:at] + frame * count
    return b"RIFF" + struct.pack("<I", len(body)) + body


def forged_webps() -> dict[str, bytes]:
    """Name to bytes."""
    lossy, lossless = healthy()["webp/lossy.webp"], healthy()["webp/lossless.webp"]
    key = lossy[lossy.index(b"VP8 ") + 8 :]
    bits = lossless[lossless.index(b"VP8L") + 8 :]
    largest = b"\x2f" + struct.pack("<I", 0x3FFF | 0x3FFF << 14) + bits[5:]
    empty_frames = [(b"ANMF", b"")] * 400_000
    files = {
        "zero-sides": riff((b"VP8 ", key[:6] + bytes(4) + key[10:])),
        "largest-lossy": riff((b"VP8 ", key[:6] + b"\xff\x3f\xff\x3f" + key[10:])),
        "largest-lossless": riff((b"VP8L", largest)),
        "lossless-version": riff((b"VP8L", bits[:4] + b"\xff" + bits[5:])),
        "lossless-noise": riff((b"VP8L", bits[:5] + b"\x99" * 300)),
        "lossy-noise": riff((b"VP8 ", key[:10] + b"\x99" * 300)),
        "lossy-short": riff((b"VP8 ", key[:9])),
        "no-image": riff((b"EXIF", b"II*\x00")),
        "nothing": riff(),
        "length-largest": riff((b"VP8 ", key), length=2**32 - 1),
        "length-0": riff((b"VP8 ", key), length=0),
        "length-odd": riff((b"VP8 ", key), length=13),
        "chunk-largest": b"RIFF" + struct.pack("<I", 400) + b"WEBPVP8 \xff\xff\xff\xff" + key[:384],
        "canvas-largest": riff(canvas(1 << 24, 1 << 24), (b"VP8 ", key)),
        "canvas-short": riff((b"VP8X", b"\x00"), (b"VP8 ", key)),
        "canvas-claims-all": riff(canvas(96, 96, 0xFF), (b"VP8 ", key)),
        "alpha-noise": riff(canvas(96, 96, 0x10), (b"ALPH", b"\x01" + b"\x99" * 200), (b"VP8 ", key)),
        "profile-noise": riff(canvas(96, 96, 0x20), (b"ICCP", b"\x99" * 900), (b"VP8 ", key)),
        "exif-noise": riff(canvas(96, 96, 0x08), (b"VP8 ", key), (b"EXIF", b"II*\x00\xff\xff\xff\xff" * 20)),
        "two-pictures": riff((b"VP8 ", key), (b"VP8L", largest)),
        "many-chunks": riff((b"VP8 ", key), *[(b"note", b"")] * 150_000),
        "two-frames": animated(2),
        "thousand-frames": animated(1000),
        "empty-frames": riff(canvas(96, 96, 2), (b"ANIM", bytes(6)), *empty_frames),
    }
    return {f"forged/webp-{name}.webp": data for name, data in files.items()}


def others() -> dict[str, bytes]:
    """Formats that are known and refused, and files of several pictures."""
    pictures = [Image.fromarray(gray()), Image.fromarray(255 - gray())]
    files = {}
    for kind in ("GIF", "BMP", "PNG", "TIFF"):
        out = io.BytesIO()
        several = {"save_all": True, "append_images": pictures[1:]} if kind != "BMP" else {}
        pictures[0].save(out, kind, **several)
        files[f"forged/several.{kind.lower()}"] = out.getvalue()
    return files
