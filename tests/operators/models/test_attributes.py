"""Names of the attributes of completion networks: from the command, from the file, in the card."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from operators.models import ModelRefusedError
from operators.models.attributes import attributes_in, named_attributes, split_names
from operators.models.cache import Cache
from operators.models.card import parse_card, read_card
from operators.models.checkpoint import Checkpoint
from operators.networks import build


def draft(name: str, *attributes: str) -> Checkpoint:
    return Checkpoint(
        name=name,
        file="",
        sources=(),
        bytes=None,
        sha256=None,
        licence="CC0-1.0",
        noncommercial=False,
        terms="",
        architecture="",
        restorer=None,
        task=None,
        template=None,
        size=None,
        purpose="",
        runs=True,
        attributes=attributes,
    )


def weights(attributes: int) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    network = build("completion", {"size": 16, "channels": [4, 4, 4], "attributes": attributes})
    return {name: tensor.contiguous() for name, tensor in network.state_dict().items()}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "net.pth"
    torch.save(weights(2), path)
    return path


def test_names_are_kept_in_the_card(tmp_path: Path, file: Path) -> None:
    cache = Cache(tmp_path / "cache")
    model = cache.add(file, "mine", draft=draft("mine", "smiling", "male"))
    about = model.checkpoint
    assert (about.architecture, about.size, about.template, about.restorer) == ("completion", 16, "ffhq", None)
    assert about.attributes == ("smiling", "male")
    again = read_card(cache.models / "mine" / "model.json")
    assert again.checkpoint.attributes == ("smiling", "male")
    # The card goes along where the model is copied.
    assert parse_card(again.text().encode(), "there").checkpoint == again.checkpoint


def test_a_file_can_name_them_itself(tmp_path: Path) -> None:
    path = tmp_path / "net.bin"
    save_file(weights(2), path, metadata={"attributes": "smiling, male"})
    assert attributes_in(path) == ("smiling", "male")
    cache = Cache(tmp_path / "cache")
    assert cache.add(path, "mine", draft=draft("mine")).checkpoint.attributes == ("smiling", "male")
    # Whoever adds it has the last word.
    assert cache.add(path, "other", draft=draft("other", "glad", "old")).checkpoint.attributes == ("glad", "old")


def test_other_files_name_none(tmp_path: Path, file: Path) -> None:
    assert attributes_in(file) == ()
    plain = tmp_path / "plain.safetensors"
    save_file(weights(0), plain)
    assert attributes_in(plain) == ()
    assert Cache(tmp_path / "cache").add(plain, "plain", draft=draft("plain")).checkpoint.attributes == ()


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ((), "has 2 attributes, and no names are given"),
        (("smiling",), r"1 names are given \(smiling\)"),
        (("smiling", "smiling"), "each name once"),
        (("smiling", "a b"), "'a b' cannot name an attribute"),
    ],
)
def test_names_that_do_not_fit_are_refused(tmp_path: Path, file: Path, names: tuple[str, ...], said: str) -> None:
    cache = Cache(tmp_path / "cache")
    with pytest.raises(ModelRefusedError, match=said):
        cache.add(file, "mine", draft=draft("mine", *names))
    assert cache.names() == ()


def test_no_other_network_has_names() -> None:
    assert named_attributes((), {"in_size": 64}, "x") == ()
    with pytest.raises(ModelRefusedError, match="has 0 attributes"):
        named_attributes(("smiling",), {"in_size": 64}, "x")
    assert split_names(" smiling ,male") == ("smiling", "male")
    assert split_names("  ") == ()


def test_cards_from_before_there_were_names_are_read(tmp_path: Path) -> None:
    plain = tmp_path / "plain.pth"
    torch.save(weights(0), plain)
    cache = Cache(tmp_path / "cache")
    cache.add(plain, "plain", draft=draft("plain"))
    path = cache.models / "plain" / "model.json"
    card = json.loads(path.read_text())
    del card["attributes"]
    path.write_text(json.dumps(card))
    found = cache.find("plain")
    assert found is not None
    assert found.checkpoint.attributes == ()
