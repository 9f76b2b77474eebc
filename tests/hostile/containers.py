"""Tars, Parquet files and catalogues whose entries climb out, lie, or name what is not theirs."""

from __future__ import annotations

import io
import json
import tarfile

import pyarrow as pa
import pyarrow.parquet as pq

BLOCK = tarfile.BLOCKSIZE

# Keys, and what becomes of them: the first of two that collide is kept.
KEYS = {
    "good/print.jpg": "ok",
    "../climbs.jpg": "bad_key",
    "../../../../tmp/climbs.jpg": "bad_key",
    "good/../../climbs.jpg": "bad_key",
    "good/..": "bad_key",
    "/absolute.jpg": "bad_key",
    "//server/share.jpg": "bad_key",
    "C:/drive.jpg": "bad_key",
    "c:drive.jpg": "bad_key",
    "\\\\server\\share\\unc.jpg": "bad_key",
    "good\\..\\..\\climbs.jpg": "bad_key",
    "good/new\nline.jpg": "bad_key",
    "good/escape\x1b[2J.jpg": "bad_key",
    "good//empty-part.jpg": "bad_key",
    "good/./dot.jpg": "bad_key",
    "_facejobs/current.jpg": "bad_key",
    "_FACEJOBS/current.jpg": "bad_key",
    "long/" + "x" * 300 + ".jpg": "bad_key",
    "deep/" * 300 + "x.jpg": "bad_key",
    "GOOD/Print.JPG": "duplicate_name",
    "good/caf\u00e9.jpg": "ok",
    "good/cafe\u0301.jpg": "duplicate_name",
    "good/last.jpg": "ok",
}


def member(name: str, data: bytes = b"", kind: bytes = tarfile.REGTYPE, **settings: object) -> bytes:
    """Header and bytes of one member; `size` and `linkname` may be anything."""
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, len(data)
    for key, value in settings.items():
        setattr(info, key, value)
    return info.tobuf(tarfile.PAX_FORMAT) + data + bytes(-len(data) % BLOCK)


def closed(*parts: bytes) -> bytes:
    return b"".join(parts) + bytes(2 * BLOCK)


def tar_of_keys(data: bytes) -> bytes:
    """A tar with a member for each key; a tar's own rules leave out two of them."""
    return closed(*(member(key, data) for key in tar_keys()))


def tar_keys() -> dict[str, str]:
    # The ledger's own folder is passed over in any source; and what has no image's name is none.
    return {key: code for key, code in KEYS.items() if key not in {"_facejobs/current.jpg", "good/.."}}


def tar_of_oddities(data: bytes) -> tuple[bytes, dict[str, str]]:
    """Members that are no files, and what becomes of them."""
    parts = {
        "good.jpg": (member("good.jpg", data), "ok"),
        "symbolic.jpg": (member("symbolic.jpg", kind=tarfile.SYMTYPE, linkname="/etc/passwd"), "link_member"),
        "hard.jpg": (member("hard.jpg", kind=tarfile.LNKTYPE, linkname="good.jpg"), "link_member"),
        "character.jpg": (member("character.jpg", kind=tarfile.CHRTYPE, devmajor=1, devminor=5), "link_member"),
        "block.jpg": (member("block.jpg", kind=tarfile.BLKTYPE, devmajor=8), "link_member"),
        "pipe.jpg": (member("pipe.jpg", kind=tarfile.FIFOTYPE), "link_member"),
        "unknown.jpg": (member("unknown.jpg", data, kind=b"Z"), "link_member"),
        "sparse.jpg": (
            member(
                "sparse.jpg",
                data,
                pax_headers={"GNU.sparse.map": "0,1", "GNU.sparse.name": "sparse.jpg", "GNU.sparse.size": "9999999999"},
            ),
            "sparse_member",
        ),
        "renamed": (member("renamed.jpg", data, pax_headers={"path": "../../renamed.jpg"}), "bad_key"),
        "last.jpg": (member("last.jpg", data), "ok"),
    }
    expected = {name: code for name, (_, code) in parts.items()}
    expected["../../renamed.jpg"] = expected.pop("renamed")
    return closed(*(part for part, _ in parts.values())), expected


def bad_tars(data: bytes) -> dict[str, bytes]:
    """Shards that break off or lie about their sizes, each with one good member before that."""
    good = member("good.jpg", data)
    header = bytearray(member("huge.jpg"))
    header[124:136] = b"\x80" + (2**70).to_bytes(11, "big")
    header[148:156] = b"%06o\0 " % (sum(header[:148]) + 8 * 32 + sum(header[156:BLOCK]))
    pax = b"2 " * 50_000 + b"="
    return {
        "cut": good + member("next.jpg", data)[:700],
        "unclosed": good,
        "noise": good + b"\x99" * 5000,
        "not-a-tar": b"\x99" * 5000,
        "empty": b"",
        "huge": closed(good, bytes(header), good),
        "claims": closed(good, member("claims.jpg", data, size=2**40)),
        "minus": closed(good, member("minus.jpg", data, pax_headers={"size": "-99999"}), good),
        "names": closed(good, *[member("x", kind=tarfile.GNUTYPE_LONGNAME)] * 3000),
        "pax": closed(good, member("pax", pax, tarfile.XHDTYPE), good),
        "digits": closed(good, member("pax", b"9" * 200_000, tarfile.XHDTYPE), good),
        "gigabytes": closed(good, member("pax", b"", tarfile.XHDTYPE, size=2**33 - 1), good),
    }


def parquet_of_keys(data: bytes) -> bytes:
    out = io.BytesIO()
    images = [data, None, b"", *[data] * (len(KEYS) - 3)]
    pq.write_table(pa.table({"key": list(KEYS), "image": images}), out, row_group_size=5)
    return out.getvalue()


def bad_parquets(data: bytes) -> dict[str, bytes]:
    """Files that are damaged in several places."""
    whole = parquet_of_keys(data)
    middle = len(whole) // 3
    return {
        "cut": whole[: len(whole) // 2],
        "footer": whole[:-200] + b"\x99" * 150 + whole[-50:],
        "length": whole[:-8] + b"\xff\xff\xff\x7fPAR1",
        "noise": b"PAR1" + b"\x99" * 500 + b"PAR1",
        "empty": b"",
        "page": whole[:middle] + b"\x99" * 64 + whole[middle + 64 :],
    }


def rows(secret: str, image: str) -> list[tuple[str, str, str]]:
    """Key, URI and fate of the rows of a catalogue on a local disk."""
    return [
        ("good.jpg", image, "ok"),
        ("absolute.jpg", f"{secret}", "not_an_image"),
        ("file-url.jpg", f"file://{secret}", "not_an_image"),
        ("web.jpg", "http://127.0.0.1:9/a.jpg", "scheme_not_allowed"),
        ("webs.jpg", "https://127.0.0.1:9/a.jpg", "scheme_not_allowed"),
        ("bucket.jpg", "s3://bucket/a.jpg", "scheme_not_allowed"),
        ("memory.jpg", "memory://a.jpg", "scheme_not_allowed"),
        ("cached.jpg", f"simplecache::file://{secret}", "scheme_not_allowed"),
        ("zipped.jpg", f"zip://a.jpg::file://{secret}", "scheme_not_allowed"),
        ("chained.jpg", f"filecache::zip://a::s3://bucket/{secret}", "scheme_not_allowed"),
        ("host.jpg", "ssh://root@127.0.0.1/etc/passwd", "scheme_not_allowed"),
        ("nonsense.jpg", "nonsense://a/b", "scheme_not_allowed"),
        ("drive.jpg", "C://windows/a.jpg", "scheme_not_allowed"),
        ("unc.jpg", "\\\\server\\share\\a.jpg", "missing"),
        ("climbs.jpg", "../../../../../../../../nowhere/a.jpg", "missing"),
        ("nul.jpg", "a\x00b.jpg", "bad_uri"),
        ("line.jpg", "a\nb.jpg", "bad_uri"),
        ("long.jpg", "x" * 10_000, "bad_uri"),
        ("name-too-long.jpg", "x" * 5000 + ".jpg", "unreadable"),
        ("empty.jpg", "", "no_uri"),
        ("device.jpg", "/dev/zero", "not_a_file"),
        ("folder.jpg", "/etc", "missing"),
        ("../climbs.jpg", image, "bad_key"),
        ("GOOD.jpg", image, "duplicate_name"),
        ("last.jpg", image, "ok"),
    ]


def jsonl(table: list[tuple[str, str, str]], extra: tuple[str, ...] = ()) -> bytes:
    lines = [json.dumps({"id": key, "uri": uri}) for key, uri, _ in table]
    return "\n".join([*lines, *extra]).encode()


# Lines of a catalogue that are no rows, all of them `bad_row`.
NO_ROWS = (
    "{",
    "[1, 2]",
    '"text"',
    "[" * 100_000,
    '{"uri": "a.jpg", "id": "nested.jpg", "x": ' + "[" * 950 + "]" * 950 + "}",
    '{"uri": "a.jpg", "n": ' + "9" * 10_000 + "}",
)
