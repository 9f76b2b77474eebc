from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import yaml
from markdown_it import MarkdownIt

from jobs.train.artefacts.card import card
from jobs.train.artefacts.facts import CardFacts, DataFacts, Happening, Parent
from jobs.train.artefacts.kept import KeptModel, added
from jobs.train.artefacts.markdown import block, code, plain, table
from operators.models.checkpoint import UNSAID, Checkpoint

CHECKPOINT = Checkpoint(
    name="small-gpen",
    file="small-gpen.safetensors",
    sources=(),
    bytes=None,
    sha256=None,
    licence="CC0-1.0",
    noncommercial=False,
    terms="",
    architecture="gpen",
    restorer="gpen",
    task="restore",
    template="ffhq",
    size=256,
    purpose="restores faces",
    runs=True,
)
MODEL = KeptModel("generator", CHECKPOINT, 5_912_345, half=True)
HOSTILE = "<script>alert(1)</script> | [x](javascript:1) `y` *z*\n# heading ![p](http://x.example)"


def front(text: str) -> Mapping[str, Any]:
    opening, matter, _ = text.split("---\n", 2)
    assert opening == ""
    found = yaml.safe_load(matter)
    assert isinstance(found, dict)
    return found


def sections(text: str) -> dict[str, str]:
    parts = text.split("\n## ")
    return {part.split("\n", 1)[0]: part.split("\n", 1)[1] for part in parts[1:]}


def test_the_front_matter_is_what_hubs_read(card_facts: CardFacts) -> None:
    found = front(card(card_facts, [MODEL]))
    assert found["license"] == "cc0-1.0"
    assert found["tags"] == ["face-restoration", "gpen"]
    assert found["metrics"] == ["psnr", "identity", "niqe"]
    other = front(card(replace(card_facts, licence="Ask me: first", held_out=None), [MODEL]))
    assert (other["license"], other["license_name"]) == ("other", "Ask me: first")
    assert "metrics" not in other
    assert front(card(replace(card_facts, licence=""), [MODEL]))["license"] == "unknown"


def test_it_says_data_recipes_steps_measures_and_limits(card_facts: CardFacts) -> None:
    found = sections(card(card_facts, [MODEL]))
    assert "412 pictures (faces) at `portraits/`; 59 more were held out" in found["What it was trained on"]
    assert "3 could not be used" in found["What it was trained on"]
    assert "| `old-photo` | 2 | 20 % |" in found["What it was trained on"]
    assert "| steps | 5,000 of 5,000 |" in found["How it was trained"]
    assert "| time | 5 h 0 min |" in found["How it was trained"]
    assert (
        "| PSNR, dB (higher is better) | 24.50 [24.00, 25.00] | 27.00 [26.50, 27.50] | better | 59 |"
        in (found["How good it is"])
    )
    assert "| 0.8500 [0.8300, 0.8700] | 0.8000 [0.7800, 0.8200] | worse | 59 |" in found["How good it is"]
    assert "not told apart" in found["How good it is"]
    assert "not evidence" in found["Limits"]
    assert "| `small-gpen.safetensors` | generator | gpen | 256 px | 5,912,345 | float16 |" in found["What is here"]


def test_the_job_and_the_start_of_a_next_one_are_yaml(card_facts: CardFacts) -> None:
    found = sections(card(card_facts, [MODEL]))
    job = found["The job"].split("```yaml\n")[1].split("\n```")[0]
    assert yaml.safe_load(job) == card_facts.settings
    further = found["How to go on with it"].split("```yaml\n")[1].split("\n```")[0]
    assert yaml.safe_load(further)["model"] == {"kind": "gpen", "start": {"generator": "small-gpen.safetensors"}}


def test_what_is_not_known_is_said_to_be_so(card_facts: CardFacts) -> None:
    bare = replace(
        card_facts,
        steps=100,
        seconds=None,
        licence="",
        held_out=None,
        machine=replace(card_facts.machine, device=""),
        data=DataFacts("faces", "portraits/"),
        parents=(Parent("generator", "mine.pth"),),
    )
    text = card(bare, [replace(MODEL, checkpoint=replace(CHECKPOINT, licence=UNSAID))])
    for words in (
        "**Not trained to its end**: 100 steps",
        "5,000 steps were planned (2.0 % are done)",
        "| time | not recorded |",
        "| device | not recorded |",
        "Nothing was measured on pictures that were held out",
        "No licence was said for these weights",
        "The data's licence was not said",
        "mine.pth, licence not known",
    ):
        assert words in text


def test_parents_and_happenings_are_told(card_facts: CardFacts) -> None:
    told = replace(
        card_facts,
        parents=(Parent("prior", "gpen-bfr-256", "ab" * 32, "none published", noncommercial=True),),
        happenings=(Happening(1200, "rolled_back", "back to step 1,000"),),
    )
    found = sections(card(told, [MODEL]))["How it was trained"]
    assert f"gpen-bfr-256, SHA-256 `{'ab' * 32}`, none published" in found
    assert "- step 1,200: back to step 1,000" in found


def test_foreign_text_stays_text(card_facts: CardFacts) -> None:
    data = replace(card_facts.data, description=HOSTILE, uri=HOSTILE, recipes={"a|b`c": 1.0}, notes=(HOSTILE,))
    text = card(replace(card_facts, summary=HOSTILE, licence=HOSTILE, data=data), [MODEL])
    body = text.split("---\n", 2)[2]
    page = MarkdownIt("commonmark").enable("table").render(body)
    for markup in ("<script", "<a ", "<img", "<em>"):
        assert markup not in page
    assert page.count("&lt;script&gt;") >= 4
    assert page.count("<h1>") == 1
    assert front(text)["license_name"] == HOSTILE
    assert "<td><code>a|b`c</code></td>" in page


def test_the_same_facts_give_the_same_card(card_facts: CardFacts) -> None:
    assert card(card_facts, [MODEL]) == card(replace(card_facts), [MODEL])


def test_the_command_says_what_the_file_does_not() -> None:
    assert added(CHECKPOINT) == (
        "facejobs models add small-gpen.safetensors --name small-gpen --template ffhq --licence CC0-1.0"
    )
    usual = replace(CHECKPOINT, template="gpen", licence=UNSAID)
    assert added(usual) == "facejobs models add small-gpen.safetensors --name small-gpen"
    bound = replace(CHECKPOINT, template="gpen", task="colorize", licence="ask me", noncommercial=True)
    assert added(bound).endswith("--task colorize --licence 'ask me' --noncommercial")


@pytest.mark.parametrize("text", ["", "`", "``", "a`b", "```a", "a|b"])
def test_a_span_of_code_holds_any_backticks(text: str) -> None:
    shown = code(text)
    fence = shown[: len(shown) - len(shown.lstrip("`"))]
    inside = shown[len(fence) : -len(fence)]
    assert fence not in inside
    assert inside.strip() == text.strip()


def test_a_block_of_code_holds_any_fence() -> None:
    assert block("```\nx\n```", "yaml").splitlines() == ["````yaml", "```", "x", "```", "````"]


def test_tables_keep_their_cells_and_align_numbers() -> None:
    lines = table(["a", "b"], [["`x|y`", "1.5"], [plain("p|q"), "-2"]]).splitlines()
    assert lines == ["| a | b |", "|---|---:|", r"| `x\|y` | 1.5 |", r"| p\|q | -2 |"]
