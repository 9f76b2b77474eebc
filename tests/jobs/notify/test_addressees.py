"""What of a notification's URL counts as a secret."""

from __future__ import annotations

import pytest

from jobs.spec import Scrubber
from jobs.spec.addressees import secrets_of_url


@pytest.mark.parametrize(
    ("url", "hidden", "shown"),
    [
        ("mailto://user:s%40crêt@mail.museum.example:587", ["s%40crêt", "s@crêt"], ["user", "mail.museum.example"]),
        ("mailto://u:abc@mail.example?from=night@museum.example", ["abc"], ["night@museum.example", "mail.example"]),
        (
            "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#scans",
            ["T1JJ3T3L2", "TIiajkdnlazkcOXrIdevi7FQ"],
            ["scans"],
        ),
        ("tgram://123456789:abcdefg_hijklmnop/12315544", ["123456789:abcdefg_hijklmnop"], []),
        ("discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js", ["JHMHI8qBe7bk2ZwO5U711o3dV_js"], []),
        ("json://hooks.museum.example/in?token=a8Kd93jsLm", ["a8Kd93jsLm"], ["hooks.museum.example"]),
        ("json://hooks.museum.example/ops", [], ["hooks.museum.example", "ops"]),
    ],
)
def test_passwords_and_tokens_are_hidden_and_words_are_not(url: str, hidden: list[str], shown: list[str]) -> None:
    scrub = Scrubber(secrets_of_url(url)).scrub
    assert url not in scrub(f"could not reach {url} today")
    for secret in hidden:
        assert secret not in scrub(f"sent with {secret}, was refused")
    for word in shown:
        assert word in scrub(f"the folder {word} is fine")
