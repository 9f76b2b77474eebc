import base64
import copy

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from operators.sealing.errors import SealError, TamperedError, WrongPasscodeError
from operators.sealing.keys import Kdf, keys_of
from operators.sealing.seal import opened, salt_of, sealed

PASSCODE = "nine lives, one cat"
KDF = Kdf(salt_of("box1/a.jpg", "ab" * 32), memory_kib=64, iterations=1)
BOUND = {"key": "box1/a.jpg", "output": {"sha256": "cd" * 32}, "faces": [{"box": [1.5, 2, 30, 40]}]}
CONTENT = bytes(range(256)) * 5


def seal(**other):
    return sealed(
        other.get("content", CONTENT),
        other.get("passcode", PASSCODE),
        other.get("kdf", KDF),
        other.get("bound", BOUND),
        {"form": "pixels", "bytes": len(CONTENT)},
    )


def test_the_passcode_gives_back_what_was_sealed():
    assert opened(seal(), PASSCODE, BOUND) == CONTENT
    assert opened(seal(content=b""), PASSCODE, BOUND) == b""


def test_the_same_seal_twice_and_another_for_anything_else():
    assert seal() == seal()
    others = [
        seal(content=CONTENT[:-1] + b"x"),
        seal(passcode=PASSCODE + "."),
        seal(kdf=Kdf(salt_of("box1/b.jpg", "ab" * 32), 64, 1)),
        seal(bound={**BOUND, "key": "box1/b.jpg"}),
    ]
    assert len({one["data"] for one in [seal(), *others]}) == 5


def test_a_wrong_passcode_says_so():
    for wrong in (PASSCODE + " ", PASSCODE.upper(), "short", ""):
        with pytest.raises(WrongPasscodeError, match="passcode"):
            opened(seal(), wrong, BOUND)


def test_two_ways_to_write_an_umlaut_are_one_passcode():
    assert opened(seal(passcode="Sch\u00e4ferhund"), "Scha\u0308ferhund", BOUND) == CONTENT


def test_a_passcode_that_is_no_text_is_refused_and_not_repeated():
    with pytest.raises(SealError, match="UTF-8") as refused:
        sealed(b"x", "correct horse\udcff", KDF, {})
    assert "horse" not in str(refused.value) and refused.value.__cause__ is None
    with pytest.raises(WrongPasscodeError, match="UTF-8"):
        opened(seal(), "correct horse\udcff", BOUND)


def test_a_short_passcode_seals_nothing():
    with pytest.raises(SealError, match="7 characters"):
        seal(passcode="7 chars")


@pytest.mark.parametrize("place", [0, 1, 15, 16, 17, 700, -1])
def test_a_changed_byte_of_the_data_is_noticed(place):
    changed = seal()
    data = bytearray(base64.b64decode(changed["data"]))
    data[place] ^= 1
    with pytest.raises(TamperedError, match="changed after it was made"):
        opened({**changed, "data": base64.b64encode(data).decode()}, PASSCODE, BOUND)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("cut off", lambda seal: seal.update(data=seal["data"][:-4])),
        ("nothing", lambda seal: seal.update(data="")),
        ("no base64", lambda seal: seal.update(data="%%%")),
        ("form", lambda seal: seal.update(form="file")),
        ("bytes", lambda seal: seal.update(bytes=1)),
        ("one more key", lambda seal: seal.update(note="x")),
        ("version", lambda seal: seal.update(version=2)),
        ("cipher", lambda seal: seal.update(cipher="none")),
        ("no derivation", lambda seal: seal.pop("kdf")),
        ("another derivation", lambda seal: seal["kdf"].update(name="md5")),
        ("memory without bound", lambda seal: seal["kdf"].update(memory_kib=2**31)),
        ("an hour", lambda seal: seal["kdf"].update(iterations=10**6)),
        ("a short salt", lambda seal: seal["kdf"].update(salt="AAAA")),
        ("memory too small for its lanes", lambda seal: seal["kdf"].update(lanes=16, memory_kib=8)),
        ("the check", lambda seal: seal.update(check=base64.b64encode(bytes(16)).decode())),
        ("no JSON", lambda seal: seal.update(form=float("nan"))),
    ],
)
def test_a_changed_seal_is_noticed(name, change):
    changed = copy.deepcopy(seal())
    change(changed)
    with pytest.raises(TamperedError):
        opened(changed, PASSCODE, BOUND)


@pytest.mark.parametrize("key", ["salt", "memory_kib", "iterations"])
def test_another_derivation_opens_nothing(key):
    changed = copy.deepcopy(seal())
    changed["kdf"][key] = {"salt": base64.b64encode(bytes(16)).decode(), "memory_kib": 72, "iterations": 2}[key]
    with pytest.raises(WrongPasscodeError):
        opened(changed, PASSCODE, BOUND)


def test_a_forged_check_does_not_open_it():
    # The check only tells a wrong passcode from a changed seal; whoever replaces it gets no further.
    changed = seal()
    changed["check"] = base64.b64encode(keys_of("another passcode", KDF).check).decode()
    with pytest.raises(TamperedError):
        opened(changed, "another passcode", BOUND)


@pytest.mark.parametrize(
    "bound",
    [
        {**BOUND, "key": "box1/A.jpg"},
        {**BOUND, "output": {"sha256": "ce" + "cd" * 31}},
        {**BOUND, "faces": [{"box": [1.5, 2, 30, 41]}]},
        {**BOUND, "faces": []},
        {**BOUND, "more": None},
        {},
    ],
)
def test_it_opens_beside_what_it_is_bound_to_and_nothing_else(bound):
    with pytest.raises(TamperedError):
        opened(seal(), PASSCODE, bound)


def test_the_salt_is_a_picture_s_own():
    assert salt_of("a", "00") == salt_of("a", "00")
    assert len({salt_of("a", "00"), salt_of("b", "00"), salt_of("a", "01")}) == 3
    assert len(salt_of("a", "00")) == 16


def test_it_is_argon2id_hkdf_and_aes_siv_as_the_page_says():
    """Anyone with the passcode can open a seal by the page alone, should facejobs be gone."""
    made = seal()
    kdf = made["kdf"]
    master = Argon2id(
        salt=base64.b64decode(kdf["salt"]),
        length=32,
        iterations=kdf["iterations"],
        lanes=kdf["lanes"],
        memory_cost=kdf["memory_kib"],
    ).derive(PASSCODE.encode())
    key = HKDFExpand(SHA256(), 64, b"facejobs seal 1 aes-256-siv").derive(master)
    head = (
        '{"bytes":1280,"check":"' + made["check"] + '","cipher":"AES-256-SIV","form":"pixels","kdf":{"iterations":1,'
        '"lanes":1,"memory_kib":64,"name":"argon2id","salt":"' + kdf["salt"] + '"},"version":1}'
    )
    bound = '{"faces":[{"box":[1.5,2,30,40]}],"key":"box1/a.jpg","output":{"sha256":"' + "cd" * 32 + '"}}'
    opened_by_hand = AESSIV(key).decrypt(base64.b64decode(made["data"]), [head.encode(), bound.encode()])
    assert opened_by_hand == CONTENT


def test_its_usual_cost_is_what_rfc_9106_recommends():
    usual = Kdf(bytes(16))
    assert (usual.memory_kib, usual.iterations) == (65536, 3)
    assert Kdf.from_json(usual.as_json()) == usual


def test_keys_show_nothing_when_printed():
    assert "aead" not in repr(keys_of(PASSCODE, KDF)) and str(keys_of(PASSCODE, KDF).aead) not in repr(
        keys_of(PASSCODE, KDF)
    )
