"""Job files that are written to do harm: refused soon, in little memory, with the place and no traceback."""

from __future__ import annotations

import tracemalloc

import pytest
from watched import World

from jobs.spec import JobFileError, loads

PLAIN = "job: restore\nname: x\nsource: {kind: files, uri: in}\noutput: {uri: out}\n"


def laughs(width: int, depth: int) -> str:
    lines = ["a0: &a0 [" + ", ".join(["lol"] * width) + "]"]
    lines += [f"a{level}: &a{level} [" + ", ".join([f"*a{level - 1}"] * width) + "]" for level in range(1, depth)]
    return "\n".join(lines) + "\n"


BOMBS = {
    "a billion laughs": laughs(10, 10) + PLAIN,
    "laughs among storage options": PLAIN.replace("uri: in", "uri: in, storage_options: *a9").replace(
        "job:", laughs(10, 10) + "job:", 1
    ),
    "an alias that holds itself": "a: &a [*a, *a, *a, *a]\n" + PLAIN,
    "a mapping that holds itself": "a: &a {b: *a, c: *a}\n" + PLAIN,
    "nested sequences": PLAIN + "x: " + "[" * 100_000,
    "nested mappings": PLAIN + "x: " + "{a: " * 50_000,
    "nested blocks": PLAIN + "x:\n" + "".join(" " * level + "- \n" for level in range(1, 400)),
    "dashes": PLAIN + "x: \n  " + "- " * 100_000,
    "questions": "? " * 100_000,
    "a scalar without end": PLAIN + "x: " + "a" * 250_000,
    "a key without end": PLAIN + "a" * 250_000 + ": 1",
    "a number without end": PLAIN + "x: " + "9" * 250_000,
    "a comment without end": "#" * 250_000,
    "quotes without end": PLAIN + 'x: "' + "\\\\" * 100_000,
    "keys by the thousand": PLAIN + "".join(f"k{number}: 1\n" for number in range(18_000)),
    "values by the thousand": PLAIN + "x: [" + "1," * 100_000 + "]",
    "anchors by the thousand": PLAIN + "".join(f"k{number}: &a{number} 1\n" for number in range(10_000)),
    "a tag that makes objects": PLAIN + "x: !!python/object/apply:os.system ['true']\n",
    "merged keys": "a: &a {b: 1}\n" + PLAIN + "c: {<<: *a}\n",
    "bytes that are no text": PLAIN + "\x00\x01",
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=list(BOMBS))
def test_it_is_refused_in_little_memory(text: str) -> None:
    tracemalloc.start()
    with pytest.raises(JobFileError) as caught:
        loads(text)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 150 * 2**20
    assert len(str(caught.value)) < 60_000


def test_the_command_says_so_and_writes_nothing(world: World) -> None:
    for name in ("a billion laughs", ""):
        job = world.root / "bomb.yaml"
        job.write_text(BOMBS.get(name, PLAIN + "#" * 300_000))
        result = world.run(job, seconds=60)
        assert result.code == 5, result.noise
        assert "Traceback" not in result.noise
        assert "bomb.yaml" in result.noise
        assert not result.outputs
