"""The header around a compiled artefact."""

from __future__ import annotations

import pytest

from operators.engines.envelope import MAGIC, DamagedArtifactError, EnvelopeError, StaleArtifactError, seal, unseal

MADE_BY = {"library": "tensorrt_rtx", "version": "1.7.1", "target": "sm_80+", "numbers": (1, 2)}


def test_what_was_sealed_comes_back():
    assert bytes(unseal(seal(b"plan\n{}\n", MADE_BY), MADE_BY)) == b"plan\n{}\n"
    assert bytes(unseal(seal(b"", MADE_BY), MADE_BY)) == b""


@pytest.mark.parametrize(
    ("name", "value"), [("version", "1.7.2"), ("target", "sm_90"), ("library", "tensorrt"), ("numbers", (1, 3))]
)
def test_another_maker_is_stale_and_named(name, value):
    with pytest.raises(StaleArtifactError, match=name):
        unseal(seal(b"plan", MADE_BY), {**MADE_BY, name: value})


def test_a_maker_with_more_or_less_to_say_is_stale():
    with pytest.raises(StaleArtifactError, match="driver"):
        unseal(seal(b"plan", MADE_BY), {**MADE_BY, "driver": "580"})
    with pytest.raises(StaleArtifactError, match="driver"):
        unseal(seal(b"plan", {**MADE_BY, "driver": "580"}), MADE_BY)


@pytest.mark.parametrize("cut", [0, 1, len(MAGIC), len(MAGIC) + 10, -1, -4])
def test_a_truncated_artefact_is_damaged(cut):
    with pytest.raises(DamagedArtifactError):
        unseal(seal(b"plan", MADE_BY)[:cut], MADE_BY)


def test_an_altered_or_longer_payload_is_damaged():
    whole = seal(b"plan", MADE_BY)
    with pytest.raises(DamagedArtifactError, match="SHA-256"):
        unseal(whole[:-1] + b"m", MADE_BY)
    with pytest.raises(DamagedArtifactError, match="bytes"):
        unseal(whole + b"x", MADE_BY)


@pytest.mark.parametrize(
    "header", [b"", b"{", b"[]", b"null", b'{"made_by": {}}', b'{"made_by": [], "bytes": 4, "sha256": ""}', b"\xff\xfe"]
)
def test_an_unreadable_header_is_damaged(header):
    with pytest.raises(DamagedArtifactError):
        unseal(MAGIC + header + b"\nplan", {})


def test_what_is_none_of_ours_is_damaged():
    for foreign in (b"", b"ftrt", b"\x7fELF" + bytes(100), b"facejobs artefact 2\n{}\n"):
        with pytest.raises(EnvelopeError, match="begins"):
            unseal(foreign, MADE_BY)
