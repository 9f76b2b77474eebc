"""`facejobs status --watch` on a terminal of its own, and its screen for sizes and texts of every kind."""

from __future__ import annotations

import fcntl
import io
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from jobs.exits import Exit
from jobs.watch.loop import Seen
from jobs.watch.terminal import screen
from pipeline.finish import finish
from tests.jobs.watch.constructed import Written

COMMAND = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
COLOURS = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-8]|4[0-8]|9\d|10\d)(?:;\d+)*m")


def at_work(root: Path, units: int = 30, **options: object) -> Written:
    ledger = Written(root, records=160, zero=time.time() - 10.0 * units, **options)  # type: ignore[arg-type]
    for place, ref in enumerate(ledger.refs[:units]):
        first = f"box/{4 * place:05d}.tif"
        bad = {first: "truncated" if place % 2 else "not_an_image"} if place % 5 == 0 else {}
        ledger.commit(ref, 10.0 * place - 5.0, 10.0 * place + 9.0, "one" if place % 3 else "two", bad)
    ledger.mark(ledger.refs[units], 10.0 * units - 1.0)
    return ledger


class Terminal:
    """`facejobs status` in a terminal of a given size."""

    def __init__(self, arguments: list[str], columns: int, rows: int, **environment: str) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "jobs", "status", *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**kept, "TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8", **environment},
            start_new_session=True,
        )
        os.close(slave)
        self.said = ""

    def until(self, there: Callable[[str], bool]) -> str:
        """Read until what was said is enough, or the command has ended."""
        deadline = time.monotonic() + 60.0
        while not there(self.said) and time.monotonic() < deadline:
            if not select.select([self.master], [], [], 0.2)[0]:
                continue
            try:
                data = os.read(self.master, 65536)
            except OSError:
                break
            if not data:
                break
            self.said += data.decode()
        return self.said

    def end(self, number: int | None = signal.SIGINT) -> int:
        if number is not None:
            self.process.send_signal(number)
        self.until(lambda said: False)
        os.close(self.master)
        return self.process.wait(30.0)

    @property
    def left(self) -> list[str]:
        """Lines that stand on the usual screen in the end."""
        text = self.said.rsplit("\x1b[?1049l", 1)[1]
        return [line.rstrip() for line in COMMAND.sub("", text).replace("\r", "").split("\n")]


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (140, 40)])
def test_the_screen_fits_and_ctrl_c_leaves_it_behind(tmp_path: Path, columns: int, rows: int) -> None:
    ledger = at_work(tmp_path)
    terminal = Terminal([ledger.run.output.uri, "--watch", "--every", "0.3"], columns, rows)
    terminal.until(lambda said: said.count("images") >= 3)
    assert terminal.end() == Exit.DONE
    assert "\x1b[?1049h" in terminal.said  # the other screen, so that the scroll-back is not filled
    lines = terminal.left
    shown = "\n".join(lines)
    assert max(map(len, lines)) <= columns
    assert len(lines) <= rows + 1
    assert "120 of 160 images" in shown
    assert "75 %" in shown
    assert "at work" in shown
    assert "30 of 40 done, 1 under way, 9 waiting" in shown
    for name in ("decode", "restore", "one", "two", "not an image", "truncated", "left"):
        assert name in shown, name
    assert re.search(r"since \d\d:\d\d +[▁▂▃▄▅▆▇█]{5,} up to", shown)
    stage_and_machine = [line for line in lines if "stage" in line and "machine" in line]
    assert bool(stage_and_machine) == (columns == 140)
    assert COLOURS.search(terminal.said)


def test_it_leaves_when_the_run_is_complete_and_honours_no_color(tmp_path: Path) -> None:
    ledger = at_work(tmp_path)
    terminal = Terminal([ledger.run.output.uri, "--watch", "--every", "0.3"], 100, 30, NO_COLOR="1")
    terminal.until(lambda said: "120 of 160" in said)
    for ref in ledger.refs[30:]:
        ledger.commit(ref, 300.0, 301.0)
    finish(ledger.run)
    assert terminal.end(None) == Exit.DONE
    assert "All 160 images have an outcome; 6 in quarantine." in "\n".join(terminal.left)
    assert not COLOURS.search(terminal.said)


def test_json_is_one_snapshot_a_line(tmp_path: Path) -> None:
    ledger = at_work(tmp_path)
    terminal = Terminal([ledger.run.output.uri, "--watch", "--every", "0.2", "--json"], 80, 24)
    terminal.until(lambda said: said.count("\n") >= 3)
    assert terminal.end() == Exit.DONE
    snaps = [json.loads(line) for line in terminal.said.replace("\r", "").split("\n") if line.startswith("{")]
    assert len(snaps) >= 2
    assert {snap["units_committed"] for snap in snaps} == {30}
    assert snaps[-1]["eta"]["low"] < snaps[-1]["eta"]["seconds"] < snaps[-1]["eta"]["high"]


def drawn(ledger: Written, width: int, height: int, **options: object) -> list[str]:
    console = Console(
        file=io.StringIO(),
        width=width,
        height=height,
        force_terminal=True,
        color_system=None,
        **options,  # type: ignore[arg-type]
    )
    console.print(screen(Seen(ledger.watcher().refresh()), str, console))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().rstrip("\n").split("\n")


@pytest.mark.parametrize(("width", "height"), [(60, 24), (80, 24), (80, 60), (109, 24), (110, 30), (200, 60)])
def test_every_size_of_terminal_is_kept_to(tmp_path: Path, width: int, height: int) -> None:
    lines = drawn(at_work(tmp_path), width, height)
    assert max(map(len, lines)) <= width
    assert len(lines) <= height
    assert any("in quarantine" in line for line in lines)


def test_a_name_cannot_write_to_the_terminal(tmp_path: Path) -> None:
    ledger = at_work(tmp_path, name="[red]x[/red]\x1b[2J\u202e")
    ledger.commit(ledger.refs[30], 300.0, 301.0, host="\x1b]0;title\x07", bad={"\x1b[31mkey[/]": "[bold]code"})
    text = "\n".join(drawn(ledger, 140, 50))
    assert "[red]x[/red][U+001B][2J[U+202E]" in text
    assert "[U+001B][31mkey[/]" in text
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_a_run_that_nobody_works_on_says_so(tmp_path: Path) -> None:
    ledger = Written(tmp_path, zero=time.time() - 7220.0)
    ledger.commit(ledger.refs[0], 0.0, 9.0)
    text = " ".join(" ".join(drawn(ledger, 100, 30)).split())
    assert "Nobody seems to be at work: the last sign of life is 2 h 0 min old" in text
    assert "Running the job again goes on." in text
    assert "/min" not in text.partition("machine ")[2]  # an old rate is none of now
