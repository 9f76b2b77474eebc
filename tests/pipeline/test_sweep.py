"""What killed attempts leave is taken away at the end, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from pipeline import layout
from pipeline.cutting import cut_units
from pipeline.finish import finish
from pipeline.ledger import Commit, Ledger
from pipeline.parts import outputs_table, write_part
from pipeline.plan import PlanSummary
from pipeline.records import Output, Record
from pipeline.run import Run, RunHeader, plan_run
from pipeline.storage import PART, Folder, this_host
from pipeline.verify import verify


def planned(root: Path) -> Run:
    units = cut_units([Record("a.jpg", "s/a.jpg", "1")], 8, 10**9)

    def header(run_id: str, plan: PlanSummary) -> RunHeader:
        return RunHeader(run_id, "texts", "test", {}, {}, plan)

    return plan_run(Folder(str(root)), units, lambda record: record.key, header, "identity")


def commit_second_of_three(run: Run) -> None:
    """Three attempts put their shard and their table; the second is committed."""
    ledger = Ledger(run.folder)
    ref = next(run.refs())
    unit = ref.unit_id
    attempts = [ledger.begin(unit) for _ in range(3)]
    for number in (1, 2, 3):
        run.outputs.write(f"shard-000000-{unit[:8]}-a{number}.tar", b"x")
        run.folder.write(layout.table_part("rows", 0, 0, unit, number), b"x")
    sha = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    shard = Output(f"shard-000000-{unit[:8]}-a2.tar", 1, sha, "shard")
    part = write_part(run.folder, ref, 2, layout.OUTPUTS, outputs_table(unit, [shard]))
    assert ledger.commit(Commit(unit, 0, 0, 2, attempts[1].token, 1, 1, (), 1, 1, (part,)))


def test_shards_of_attempts_that_lost_are_deleted(tmp_path: Path) -> None:
    run = planned(tmp_path)
    commit_second_of_three(run)
    (tmp_path / "shard-000009-00000000-a1.tar").write_bytes(b"somebody else's")
    finish(run)
    assert sorted(path.name.rsplit("-", 1)[1] for path in tmp_path.glob("shard-000000-*")) == ["a2.tar"]
    assert verify(run).extra == ["shard-000009-00000000-a1.tar"]


def test_files_of_dead_writers_are_deleted_and_those_of_living_ones_left(tmp_path: Path) -> None:
    run = planned(tmp_path)
    commit_second_of_three(run)
    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    (tmp_path / "box").mkdir()
    ours = {
        "gone": f"box/{PART}{this_host()}-{int(dead.stdout)}-abc",
        "living": f"box/{PART}{this_host()}-{os.getpid()}-abc",
        "elsewhere": f"box/{PART}another.host-{int(dead.stdout)}-abc",
        "named": f"box/{PART}time.jpg",
    }
    for name in ours.values():
        (tmp_path / name).write_bytes(b"half")
    finish(run)
    assert {key for key, name in ours.items() if (tmp_path / name).exists()} == {"living", "elsewhere", "named"}


def test_a_writer_names_its_process_while_it_writes(tmp_path: Path) -> None:
    code = f"""
import os, signal
from pathlib import Path
from pipeline import local_disk, storage
local_disk._flush = lambda path: os.kill(os.getpid(), signal.SIGKILL)
storage.Folder({str(tmp_path)!r}).write("a.jpg", b"x")
"""
    process = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[2])
    process.wait(30)
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(f"{PART}{this_host()}-{process.pid}-")
    run = planned(tmp_path)
    commit_second_of_three(run)
    finish(run)
    assert verify(run).clean
