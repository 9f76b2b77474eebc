"""Damage as it befalls files: copies that broke off, flipped bits, names and contents that do not belong together."""

from __future__ import annotations

import gzip
import io
import random
import zipfile

from healthy import healthy

CUTS = (0.02, 0.3, 0.6, 0.9, 0.999)
HEADER_BYTES = 700


def truncated() -> dict[str, bytes]:
    """Each healthy file, broken off at several places."""
    files = {}
    for name, data in healthy().items():
        for number, share in enumerate(CUTS):
            files[named(name, f"cut{number}")] = data[: max(1, min(int(len(data) * share), len(data) - 2))]
    return files


def flipped(seed: int) -> dict[str, bytes]:
    """Each healthy file with one to eight bits flipped, in its header or anywhere."""
    files = {}
    for name, data in healthy().items():
        draw = random.Random(f"{seed} {name}")
        for number in range(6):
            damaged = bytearray(data)
            reach = min(len(data), HEADER_BYTES) if number < 3 else len(data)
            for _ in range(draw.choice((1, 2, 8))):
                damaged[draw.randrange(4, reach)] ^= 1 << draw.randrange(8)
            files[named(name, f"flip{number}")] = bytes(damaged)
    return files


def not_images(seed: int) -> dict[str, bytes]:
    """What else has an image's name, and noise behind the first bytes of each format."""
    draw = random.Random(f"{seed} noise")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as inside:
        inside.writestr(zipfile.ZipInfo("a.jpg"), healthy()["jpeg/baseline.jpg"])
    contents = {
        "empty": b"",
        "byte": b"\xff",
        "text": b"Dear archive,\nthe plates are in box 7.\n",
        "html": b"<!doctype html><title>404 Not Found</title>",
        "json": b'{"error": "access denied"}',
        "xml": b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>",
        "zip": archive.getvalue(),
        "gzip": gzip.compress(b"a" * 10_000, mtime=0),
        "elf": b"\x7fELF\x02\x01\x01" + bytes(9) + draw.randbytes(2000),
        "pdf": b"%PDF-1.7\n" + draw.randbytes(500),
        "pickle": b"cos\nsystem\n(S'true'\ntR.",
        "zeros": bytes(20_000),
        "ones": b"\xff" * 20_000,
        "noise": draw.randbytes(20_000),
        "bmp": b"BM" + draw.randbytes(500),
        "psd": b"8BPS\x00\x01" + draw.randbytes(500),
    }
    files = {f"none/{name}.jpg": data for name, data in contents.items()}
    magics = {
        "jpg": b"\xff\xd8\xff\xe0",
        "png": b"\x89PNG\r\n\x1a\n",
        "tif": b"II*\x00\x08\x00\x00\x00",
        "webp": b"RIFF\x00\x10\x00\x00WEBPVP8 ",
        "jp2": b"\x00\x00\x00\x0cjP  \r\n\x87\n",
        "j2k": b"\xff\x4f\xff\x51",
        "avif": b"\x00\x00\x00\x1cftypavif",
        "gif": b"GIF89a",
    }
    for suffix, magic in magics.items():
        files[f"none/magic.{suffix}"] = magic + draw.randbytes(5000)
        files[f"none/magic-only.{suffix}"] = magic
    return files


def named(name: str, mark: str) -> str:
    stem, _, suffix = name.rpartition(".")
    return f"{stem}-{mark}.{suffix}"
