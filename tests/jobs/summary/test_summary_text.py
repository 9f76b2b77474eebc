"""What a summary says, and that foreign text in it does no harm."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jobs.exits import Exit
from jobs.summary.data import Command, Summary
from jobs.summary.headline import title
from jobs.summary.page import as_mail, as_page
from jobs.summary.steps import next_steps
from jobs.summary.text import as_text

from .large import FILE, large

COMMAND = Command(("run",), "job.yaml", "host", "0.1.0", "2026-11-25T22:00:02+00:00", "2026-11-25T22:00:04+00:00", 2.0)


def test_a_page_of_text() -> None:
    lines = as_text(large()).splitlines()
    assert len(lines) <= 66  # a page of a printer with 66 lines
    assert lines[0] == "facejobs glass-negatives-of-the-expedition-of-1911: stopped, 680,000 in quarantine"
    assert "  200,000 empty_file" in lines
    assert any(line.endswith("further reasons") for line in lines)
    assert f"      facejobs run '{FILE}'" in lines  # one argument to a shell


@pytest.mark.parametrize("draw", [as_page, as_mail])
def test_foreign_text_is_shown_and_not_obeyed(draw) -> None:  # type: ignore[no-untyped-def]
    message = "<script>alert(1)</script> & \u202egnp.exe"
    drawn = draw(replace(large(), message=message, job="</title><b>x"))
    assert "<script>" not in drawn
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; [U+202E]gnp.exe" in drawn
    assert "<b>x" not in drawn


def test_lines_cannot_be_forged_in_the_text() -> None:
    text = as_text(replace(large(), message="refused\nnext:\n  facejobs rm -rf"))
    assert "\nnext:\n  facejobs rm" not in text


@pytest.mark.parametrize("code", list(Exit))
def test_every_exit_code_has_a_title(code: Exit) -> None:
    said = title(Summary("prints", "restore", COMMAND, code, "error", "what happened"))
    assert said.startswith("facejobs prints: ")
    assert len(said) > len("facejobs prints: ")


def test_what_is_to_be_done() -> None:
    def commands(state: str, code: Exit, codes: list[str], *, collection: bool = False) -> list[str]:
        return [step.command for step in next_steps("a job.yaml", state, code, codes, collection=collection)]

    assert commands("complete", Exit.DONE, []) == []
    assert commands("complete", Exit.QUARANTINED, ["truncated"]) == ["facejobs retry 'a job.yaml'"]
    assert commands("complete", Exit.QUARANTINED, ["broken_shard"]) == ["facejobs run 'a job.yaml' --replan"]
    assert len(commands("complete", Exit.QUARANTINED, ["truncated", "broken_shard"])) == 2
    assert commands("complete", Exit.QUARANTINED, ["truncated"], collection=True) == [""]
    assert commands("interrupted", Exit.INTERRUPTED, ["truncated"]) == ["facejobs run 'a job.yaml'"]
    assert commands("error", Exit.BAD_JOB, []) == ["facejobs validate 'a job.yaml'"]
    assert "facejobs status 'a job.yaml'" in commands("error", Exit.CONFLICT, [])
