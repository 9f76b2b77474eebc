"""Whatever is written into a job file: it loads, or it is refused; no other exception ever."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.spec import JobFileError, Spec, load, loads
from jobs.spec.canonical import canonical, digest
from jobs.spec.example import example

RECIPE = """\
{recipe: mine, source: x, steps: [{use: jpeg, parameters: {quality: {uniform: [30, 90]}}}, {shuffle: [{use: flip}]}]}"""
EXAMPLES = {
    "restore": example("restore"),
    "pairs": example("pairs"),
    "train": example("train"),
    "pairs with a recipe written out": example("pairs").replace("recipe: gfpgan", f"recipe: {RECIPE}"),
}
each_example = pytest.mark.parametrize("text", EXAMPLES.values(), ids=list(EXAMPLES))
SNIPPETS = (
    *"\t\n\r:-?[]{},#&*!|>'\"%@`\\ \0\x07\x85\u2028\ud800",
    "\ufeff",
    "---\n",
    "...\n",
    "<<: ",
    "&a ",
    "*a ",
    "!!int ",
    "!x ",
    "? ",
    ": ",
    "- ",
    "${",
    "${X}",
    "$${",
    "~",
    "null",
    "true",
    "no",
    "0x",
    "0o8",
    "1e999",
    ".nan",
    "-.inf",
    "9" * 50,
    "2024-01-01",
    "1:30",
    "%YAML 1.1\n",
    '"\\UFFFFFFFF"',
    '"\\ud800"',
    "[" * 40,
    "{" * 40,
    "a: " * 30,
    "../",
    "~root/",
    "::",
    "s3://",
    "file://",
    "C:\\",
    "{stem",
    "{0}",
    "{stem!r:>9}",
    "100%",
    "zip://*::",
)


def survives(text: str) -> Spec | None:
    try:
        job = loads(text, folder=Path("/job"), environment={"X": "x"})
    except JobFileError as error:
        lines = str(error).split("\n")
        assert len(lines) == len(error.problems) >= 1
        assert all(problem.message for problem in error.problems)
        places = [(problem.line, problem.column) for problem in error.problems]
        assert places == sorted(places)
        str(error).encode()
        return None
    assert re.fullmatch(r"[0-9a-f]{64}", digest(job))
    assert canonical(job) == canonical(job.model_copy())
    return job


def mutated(text: str, draw: random.Random) -> str:
    """The text after one to four edits: cut, doubled, swapped, or with something put in."""
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(text) + 1)
        until = min(len(text), at + draw.choice((1, 2, 5, 20, 100)))
        match draw.randrange(6):
            case 0:
                text = text[:at] + text[until:]
            case 1:
                text = text[:until] + text[at:]
            case 2:
                text = text[:at] + draw.choice(SNIPPETS) + text[at:]
            case 3:
                text = text[:at] + draw.choice(SNIPPETS) + text[until:]
            case 4:
                lines = text.split("\n")
                one, other = draw.randrange(len(lines)), draw.randrange(len(lines))
                lines[one], lines[other] = lines[other], lines[one]
                text = "\n".join(lines)
            case 5:
                values = list(re.finditer(r"(?<=: )[^\s#]+", text))
                if values:
                    value = draw.choice(values)
                    text = text[: value.start()] + draw.choice(SNIPPETS) + text[value.end() :]
    return text


@each_example
def test_mutations_of_the_examples(text: str) -> None:
    draw = random.Random(20261120)
    # Comments hide most edits and take most of the time, so they go first.
    bare = re.sub(r" *#.*", "", text)
    outcomes = [survives(mutated(bare, draw)) is not None for _ in range(600)]
    assert any(outcomes)
    assert not all(outcomes)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=10)
    | st.sampled_from(["${X}", "auto", "same", "files", "none", "5%", "1 GB", "x/", "s3://a/b", "{stem}.{ext}"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def files(draw: st.DrawFn) -> str:
    """An example with some values replaced by anything that YAML can say."""
    data = yaml.safe_load(draw(st.sampled_from(list(EXAMPLES.values()))))
    for _ in range(draw(st.integers(1, 3))):
        holder = data
        while True:
            key = draw(st.sampled_from(sorted(holder, key=str)) if holder else st.just("x"))
            inner = holder.get(key)
            if isinstance(inner, list) and inner and isinstance(inner[0], dict) and draw(st.booleans()):
                holder = inner[0]
                continue
            if isinstance(inner, dict) and draw(st.booleans()):
                holder = inner
                continue
            holder[key] = draw(VALUES)
            break
    return str(yaml.safe_dump(data, allow_unicode=True))


@settings(max_examples=200, derandomize=True, deadline=None)
@given(files())
def test_any_value_anywhere(text: str) -> None:
    survives(text)


@settings(max_examples=150, derandomize=True, deadline=None)
@given(data=st.binary(max_size=200))
def test_any_bytes(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.getbasetemp() / "any.yaml"
    file.write_bytes(data)
    with pytest.raises(JobFileError):
        load(file)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.text(max_size=60))
def test_any_uri(uri: str) -> None:
    quoted = yaml.safe_dump({"kind": "files", "uri": uri}, default_flow_style=True, allow_unicode=True, width=10**6)
    survives(f"job: restore\nname: x\nsource: {quoted.strip()}\noutput: {{uri: /elsewhere/out}}\n")
