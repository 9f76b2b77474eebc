"""The real command inside a small world of its own, all of which is looked at before and after."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from pipeline.plan import PlanReader
from pipeline.run import current_run
from pipeline.storage import Folder

SECRET = b"not for anybody's eyes"
# Faces are sought and restored, but not measured: these tests are about files.
QUICK = {"detect": {"quarter_turns": "never"}, "restore": {"model": "classic"}, "score": {"measures": []}}


@dataclass(frozen=True)
class Fate:
    """What became of one record: its key, `ok` or its quarantine code, and the message."""

    key: str
    code: str
    message: str = ""


@dataclass
class Result:
    """How a run of the command ended.

    Attributes:
        code: exit code; negative for a signal.
        said: standard output.
        noise: standard error.
        peak: MiB of memory that the largest of its processes had.
        planned: keys of the plan's records, in order.
        fates: of the records, as commits tell them.
        outputs: name to bytes of what lies in the output, but for the run's own folder.
    """

    code: int
    said: str
    noise: str
    peak: float
    planned: list[str] = field(default_factory=list)
    fates: list[Fate] = field(default_factory=list)
    outputs: dict[str, bytes] = field(default_factory=dict)

    @property
    def codes(self) -> Counter[str]:
        return Counter(fate.code for fate in self.fates)

    @property
    def outcomes(self) -> dict[str, str]:
        """Key to code; for runs in which no two records have one key."""
        assert len({fate.key for fate in self.fates}) == len(self.fates)
        return {fate.key: fate.code for fate in self.fates}


MEASURED = """
import os, resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
with open(sys.argv[1], "w") as peak:
    peak.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
if code < 0:
    os.kill(os.getpid(), -code)
sys.exit(code)
"""
"""Runs a command and notes the most memory that it had, in KiB, from a process that is small itself: Linux counts what
the parent had when a process began, and pytest may hold gigabytes by then."""


@dataclass
class World:
    """A folder that holds everything a job may touch: its source, its output, its temporary files, its home."""

    root: Path

    def __post_init__(self) -> None:
        for name in ("in", "tmp", "home", "elsewhere"):
            (self.root / name).mkdir()
        (self.root / "elsewhere" / "secret.txt").write_bytes(SECRET)
        (self.root / "elsewhere" / "secret.jpg").write_bytes(SECRET)

    def write(self, files: Mapping[str, bytes], folder: str = "in") -> None:
        for name, data in files.items():
            path = self.root / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def job(self, name: str, source: Mapping[str, Any], **blocks: Any) -> Path:
        """A job file whose output is a folder of the job's own name."""
        job = {"job": "restore", "name": name, "source": {"uri": "in", **source}, "output": {"uri": name}}
        job |= {
            "run": {"runner": "local", "unit_records": 40, "samples": 0},
            **QUICK,
            **blocks,
        }
        path = self.root / f"{name}.yaml"
        path.write_text(yaml.safe_dump(job))
        return path

    def run(self, job: Path, seconds: float = 300) -> Result:
        """`facejobs run`, watched: whatever it writes outside its output fails the test."""
        before = self.seen(job.stem)
        environment = os.environ | {"TMPDIR": str(self.root / "tmp"), "HOME": str(self.root / "home")}
        with (
            (self.root / "said").open("wb") as said,
            (self.root / "noise").open("wb") as noise,
            tempfile.NamedTemporaryFile("r") as peak,
        ):
            command = [sys.executable, "-c", MEASURED, peak.name, sys.executable, "-m", "jobs", "run", str(job)]
            process = subprocess.Popen(
                command, stdout=said, stderr=noise, cwd=self.root, env=environment, start_new_session=True
            )
            late = threading.Event()
            alarm = threading.Timer(seconds, lambda: (late.set(), os.killpg(process.pid, signal.SIGKILL)))
            alarm.start()
            process.wait()
            alarm.cancel()
            most = float(peak.read() or 0)
        texts = [self._text(name) for name in ("said", "noise")]
        assert not late.is_set(), f"the job did not end: {texts[1][-2000:]}"
        after = self.seen(job.stem)
        changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
        assert not changed, f"written, changed or taken away outside the output: {sorted(changed)[:20]}"
        result = Result(process.returncode, *texts, peak=most / 1024)
        self._read(self.root / job.stem, result)
        return result

    def seen(self, output: str) -> dict[str, tuple[str, str]]:
        """Every entry outside the output: its kind, and its content's hash or where it leads."""
        found = {}
        for path in sorted(self.root.rglob("*")):
            name = str(path.relative_to(self.root))
            if name.split("/", 1)[0] in (output, "said", "noise"):
                continue
            if path.is_symlink():
                found[name] = ("link", str(path.readlink()))
            elif path.is_file():
                found[name] = ("file", hashlib.sha256(path.read_bytes()).hexdigest())
            else:
                found[name] = ("folder" if path.is_dir() else "other", "")
        return found

    def _text(self, name: str) -> str:
        path = self.root / name
        text = path.read_text(errors="replace")
        path.unlink()
        return text

    def _read(self, output: Path, result: Result) -> None:
        """The plan, the commits and the outputs; that all agree is checked here."""
        run = current_run(Folder(str(output)))
        if run is None:
            return
        reader = PlanReader(run.folder)
        for ref in run.refs():
            commit = run.ledger.find(ref.unit_id)
            assert commit is not None
            planned = [record.key for record in reader.unit(ref).records]
            fates = [Fate(row.key, row.code, row.message) for row in commit.quarantined]
            passed = [Fate(one.key, "ok") for one in run.ledger.outputs(commit) if one.role == "image"]
            assert commit.records == len(planned) == commit.ok + len(fates)
            assert Counter(planned) == Counter(fate.key for fate in [*fates, *passed])
            result.planned += planned
            result.fates += [*fates, *passed]
        assert len(result.planned) == run.header.plan.records
        for path in sorted(output.rglob("*")):
            name = path.relative_to(output).as_posix()
            assert not path.is_symlink()
            if path.is_file() and not name.startswith("_facejobs/"):
                result.outputs[name] = path.read_bytes()
