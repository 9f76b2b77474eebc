"""Photoshop image resources, the envelope that carries IPTC in JPEG and TIFF (Adobe Photoshop File Formats, 2019)."""

from __future__ import annotations

_SIGNATURE = b"8BIM"
_IPTC = 0x0404


def iptc_of(resources: bytes) -> bytes | None:
    """Return the IPTC-IIM datasets among the resources, None when absent or the envelope is damaged."""
    at = 0
    while resources[at : at + 4] == _SIGNATURE and at + 12 <= len(resources):
        identity = int.from_bytes(resources[at + 4 : at + 6], "big")
        name = resources[at + 6]
        size_at = at + 6 + (name + 2) // 2 * 2  # the name with its length byte is padded to even
        size = int.from_bytes(resources[size_at : size_at + 4], "big")
        start = size_at + 4
        if identity == _IPTC:
            return resources[start : start + size]
        at = start + size + size % 2
    return None


def wrap_iptc(iptc: bytes) -> bytes:
    """Return image resources that hold nothing but these IPTC-IIM datasets."""
    head = _SIGNATURE + _IPTC.to_bytes(2, "big") + b"\x00\x00" + len(iptc).to_bytes(4, "big")
    return head + iptc + bytes(len(iptc) % 2)
