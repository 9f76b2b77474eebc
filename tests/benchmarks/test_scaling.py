"""The scaling benchmark: its arithmetic against sums by hand, its tables, and tiny runs through the real flow."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def scaling(monkeypatch):
    """The benchmark's modules by name, wherever pytest was started."""
    monkeypatch.syspath_prepend(ROOT)
    import benchmarks.scaling.__main__ as command
    from benchmarks.scaling import calls, case, measure, plans, table, timeline, watching, work

    class Modules:
        pass

    modules = Modules()
    modules.__dict__.update(
        calls=calls,
        case=case,
        command=command,
        measure=measure,
        plans=plans,
        table=table,
        timeline=timeline,
        watching=watching,
        work=work,
    )
    return modules


def naps(timeline, *rows):
    """Naps of one segment from (phase, unit, worker, begin, end, seconds)."""
    return [timeline.Slept(phase, unit, "front", worker, *times) for phase, unit, worker, *times in rows]


@pytest.fixture
def two_workers(scaling):
    """Units of 2 s in two workers that begin at 10 and 11; the last one is begun at 15."""
    return naps(
        scaling.timeline,
        (0, 8, "a", 5.0, 6.0, 1.0),
        (0, 9, "b", 5.0, 6.0, 1.0),
        (1, 0, "a", 10.0, 12.0, 2.0),
        (1, 1, "b", 11.0, 14.0, 2.0),
        (1, 2, "a", 12.5, 14.5, 2.0),
        (1, 3, "b", 14.5, 16.5, 2.0),
        (1, 4, "a", 15.0, 17.0, 2.0),
    )


def figures(scaling, **changes):
    """Figures of 16 GPUs at 95 % of ideal, with units of 32 records of 180 ms."""
    loss = scaling.timeline.Loss(0.010, 0.020, 0.005, 0.200, 0.004)
    given = {
        "placement": "fused",
        "isolate": True,
        "gpus": 16,
        "crop_bytes": 0,
        "store_bytes": 2**32,
        "unit_records": 32,
        "record_seconds": 0.18,
        "ideal": 16 / 0.18,
        "efficiency": 0.95,
        "window": 23.0,
        "units": 96,
        "startup": 20.0,
        "finishing": 0.5,
        "cores": {"driver": 0.1, "ray": 0.2, "actors": 0.3, "children": 0.4},
        "held": {"driver": 2**30, "ray": 2**29, "actors": 2**29, "children": 2**30},
        "processes": {"driver": 1, "ray": 9, "actors": 16, "children": 16},
        "loss": loss,
    }
    return scaling.measure.Figures(**{**given, **changes})


def test_the_window_begins_when_all_workers_have_a_unit_and_ends_when_each_has_one_left(scaling, two_workers) -> None:
    assert scaling.timeline.window_of(two_workers, 1) == (11.0, 14.5)
    earlier = naps(scaling.timeline, (0, 10, "b", 9.0, 11.75, 1.0))
    assert scaling.timeline.window_of([*earlier, *two_workers], 1) == (11.75, 14.5)
    cold = [nap for nap in two_workers if nap.unit != 9]  # b's first unit of all is number 1 then
    assert scaling.timeline.window_of(cold, 1) == (14.5, 14.5)
    ahead = naps(scaling.timeline, (0, 10, "c", 5.0, 6.0, 1.0), (1, 5, "c", 10.5, 11.75, 1.0))
    assert scaling.timeline.window_of([*two_workers, *ahead], 1) == (11.0, 12.5)  # three left with that one
    begin, end = scaling.timeline.window_of(two_workers[:4], 1)
    assert end <= begin  # nothing was begun after both had a unit: there is no window


def test_efficiency_counts_naps_by_the_part_that_lies_in_the_window(scaling, two_workers) -> None:
    # a: 1 of 2 s, all of 2 s; b: all of 2 s though it took 3, half a second of the next; 5.5 of 2 x 4 s.
    assert scaling.timeline.share_asked(two_workers, (11.0, 15.0), 2) == pytest.approx(5.5 / 8)


def test_workers_that_only_sleep_reach_the_ideal(scaling) -> None:
    rows = [(int(n >= 0), 10 * w + n, f"w{w}", float(n), n + 1.0, 1.0) for w in range(3) for n in range(-1, 5)]
    found = naps(scaling.timeline, *rows)
    window = scaling.timeline.window_of(found, 1)
    assert window == (0.0, 4.0)
    assert scaling.timeline.share_asked(found, window, 3) == pytest.approx(1.0)
    assert figures(scaling, efficiency=1.0).rate == pytest.approx(16 / 0.18)


def test_what_is_lost_adds_up_to_the_time_from_one_unit_to_the_next(scaling) -> None:
    found = naps(
        scaling.timeline,
        (1, 0, "a", 10.0, 11.0, 1.0),
        (1, 0, "a", 11.2, 12.3, 1.0),  # 0.2 after the first nap, and 0.1 late
        (1, 1, "a", 13.0, 14.0, 1.0),
        (1, 1, "a", 14.0, 15.0, 1.0),
    )
    spans = scaling.timeline.spans_of(found)
    marks = {0: (9.9, 12.4), 1: (12.9, 15.1)}
    loss = scaling.timeline.loss_in(spans, marks, (10.0, 15.0))
    assert asdict(loss) == pytest.approx({"late": 0.1, "between": 0.2, "closing": 0.1, "handing": 0.5, "opening": 0.1})
    assert loss.total == pytest.approx(13.0 - 10.0 - 2.0)
    unmarked = scaling.timeline.loss_in(spans, {}, (10.0, 15.0))
    assert (unmarked.closing, unmarked.opening) == (0.0, 0.0)
    assert unmarked.handing == pytest.approx(0.7)
    assert unmarked.total == pytest.approx(loss.total)
    assert scaling.timeline.loss_in(spans, marks, (13.0, 15.0)) is None


def test_cores_are_interpolated_at_the_windows_ends(scaling) -> None:
    look = scaling.watching.Look
    looks = [look(float(t), {"driver": 0.5 * t, "ray": 1.0}, {"driver": t}, {"driver": 1}) for t in range(5)]
    cores = scaling.watching.cores_in(looks, (0.5, 3.0))
    assert cores == pytest.approx({"driver": 0.5, "ray": 0.0, "actors": 0.0, "children": 0.0})
    assert scaling.watching.cores_in(looks, (0.5, 9.0)) == {}
    assert scaling.watching.most_in(looks, (0.5, 3.5)).at == 3.0


def test_processes_are_told_apart_by_their_command_lines(scaling) -> None:
    role_of = scaling.watching.role_of
    assert role_of(["python", "-c", "import sys; from pipeline.watched.child import main; main()"]) == "children"
    assert role_of(["ray::MapWorker(Map(RayWorker)).submit"]) == "actors"
    assert role_of(["ray::Foreman"]) == role_of(["/x/raylet", "--a"]) == role_of([]) == "ray"


def test_plans_hold_what_they_say(scaling) -> None:
    where = scaling.plans.Where("/nowhere")
    case = scaling.plans.fused(where, 16)
    assert (case.cpus, case.units, case.records) == (17, 32 + 80, 32 + 80 * 32)
    staged = scaling.plans.staged(where, 16, 2)
    assert staged.cpus == 49
    assert staged.crop_bytes == 3 * 512 * 512 * 3 * 4 * 2 // 48
    assert scaling.plans.staged(where, 4, 1000).crop_bytes == 3 * 512 * 512 * 3 * 4
    assert scaling.plans.staged(where, 4, None).crop_bytes == 0
    whole = scaling.plans.whole(where, 2**30)
    assert (whole.gpus, whole.store_bytes, whole.units, whole.crop_bytes) == (2, 2**30, 16, 9 * 2**20)
    sweep = scaling.plans.sweep(where, "fused", 64)
    assert [phase.unit_records for phase in sweep.phases] == [1, 32, 16, 8, 4, 2, 1]
    assert sweep.phases[-1].units == 64 * 47  # 8 s of 0.18 s each, and two more
    assert scaling.case.Case.from_json(case.to_json()) == case


@pytest.mark.parametrize(("placement", "sizes"), [("fused", [4]), ("staged", [4, 4, 4])])
def test_every_pool_has_as_many_workers_as_there_are_gpus(scaling, placement: str, sizes: list[int]) -> None:
    case = scaling.plans.case(scaling.plans.Where("/nowhere"), placement, 4, [4], [4])
    assert scaling.case._sizes(case) == sizes


def test_units_of_a_plan_come_in_phases_and_have_ids_of_their_own(scaling) -> None:
    from pipeline.records import Record

    phases = (scaling.case.Phase(1, 2), scaling.case.Phase(3, 2))
    units = list(scaling.case.planned_units(Record("x", "/x", "v", size=5), phases))
    assert [(unit.index, len(unit.records)) for unit in units] == [(0, 1), (1, 1), (2, 3), (3, 3)]
    assert len({unit.unit_id for unit in units}) == 4
    assert units[2].records[1].key == "01/0000002/00001.jpg"


def test_storage_calls_of_a_unit_grow_by_two_writes_a_record(scaling, tmp_path: Path) -> None:
    few, many = (scaling.calls.calls_of_unit(tmp_path / str(n), n) for n in (1, 5))
    assert many - few == {"write": 8}
    assert few == {"create": 2, "list": 1, "read": 1, "write": 2 + 2}  # a mark, a commit; the commit that is not there


def test_tables_and_their_bold_cells(scaling) -> None:
    rows = [figures(scaling), figures(scaling, gpus=64, efficiency=0.42, cores={}, held={}, processes={})]
    lines = scaling.table.scaling(rows).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert "**95.0%**" in lines[2]
    assert f"{16 / 0.18 * 0.95:.1f}" in lines[2]
    assert "3.0 |" in lines[2]  # GiB of all processes together
    assert "42.0%" in lines[3] and "**" not in lines[3]
    assert lines[3].count(" - |") == 7
    travel = [figures(scaling, crop_bytes=2_000_000), figures(scaling, crop_bytes=0, store_bytes=0)]
    assert [line.split("|")[2:4] for line in scaling.table.scaling(travel).splitlines()[2:]] == [
        ["            64 ", "         4 "],
        ["             0 ", "         - "],
    ]
    lost = scaling.table.losses(rows[:1]).splitlines()[2]
    assert [cell.strip() for cell in lost.split("|")[3:9]] == ["10", "20", "5", "200", "4", "239"]


def test_the_shortest_unit_that_keeps_to_the_aim_has_none_below_it_that_fails(scaling) -> None:
    shares = {32: 0.97, 16: 0.93, 8: 0.85, 4: 0.91}
    rows = [figures(scaling, unit_records=size, efficiency=share) for size, share in shares.items()]
    assert scaling.table.smallest(rows) == "- fused, 16 GPUs: 90% of ideal from units of 2.88 s on"
    assert "with none" in scaling.table.smallest([figures(scaling, efficiency=0.5)])
    cells = scaling.table.units([*rows, figures(scaling, gpus=64, efficiency=0.5)]).splitlines()
    assert "2.88 s: **93.0%**" in cells[3] and cells[3].rstrip(" |").endswith("-")


def test_figures_survive_json_and_fill_a_page_again_and_again(scaling) -> None:
    found = {"fused": [figures(scaling)], "plain": [figures(scaling, isolate=False, loss=None)]}
    raw = json.loads(json.dumps({name: [asdict(one) for one in rows] for name, rows in found.items()}))
    again = {name: [scaling.measure.Figures.from_dict(one) for one in rows] for name, rows in raw.items()}
    assert again == found
    text = scaling.command.rendered("a head", found)
    page = f"before\n{scaling.command.MARKS[0]}old\n{scaling.command.MARKS[1]}\nafter\n"
    once = scaling.command.filled(page, text)
    assert scaling.command.filled(once, text) == once
    assert "old" not in once and once.startswith("before\n") and once.endswith("\nafter\n") and text in once
    with pytest.raises(ValueError, match="to put the tables between"):
        scaling.command.filled("a page without marks", text)


def test_the_page_of_the_docs_can_be_filled(scaling) -> None:
    page = (ROOT / "docs" / "scaling.md").read_text()
    assert "a head" in scaling.command.filled(page, "a head")


def test_the_drawing_has_a_line_for_each_series_inside_its_frame(scaling) -> None:
    series = [("one", [figures(scaling, gpus=n, efficiency=0.9) for n in (1, 2, 64)]), ("two", [figures(scaling)])]
    drawing = ElementTree.fromstring(scaling.table.drawing(series))
    lines = drawing.findall("{*}polyline")
    assert [len(line.get("points").split()) for line in lines] == [3, 1]
    points = [tuple(map(float, point.split(","))) for line in lines for point in line.get("points").split()]
    assert all(0 < x < 640 and 0 < y < 320 for x, y in points)
    assert points[2][0] > points[1][0] > points[0][0]


def test_a_run_that_lost_something_gives_no_figures(scaling) -> None:
    case = scaling.plans.case(scaling.plans.Where("/nowhere"), "fused", 1, [1], [2])
    raw = {"state": "complete", "units_committed": 2, "ok": 2, "message": "", "units": [], "naps": []}
    with pytest.raises(RuntimeError, match="2 of 4 units"):
        scaling.measure.figures_of(case, raw, [])
    with pytest.raises(RuntimeError, match="interrupted"):
        scaling.measure.figures_of(case, {**raw, "state": "interrupted", "units_committed": 4, "ok": 4}, [])


def test_figures_of_a_made_up_run(scaling) -> None:
    """Two staged workers, 2 records a unit, 0.5 s each in the middle; each loses 0.25 s between its units."""
    sleeps = scaling.work.Sleeps(0.1, 0.5, 0.1)
    where = scaling.plans.Where("/nowhere")
    case = scaling.plans.case(where, "staged", 2, [2], [3], crop_bytes=7, sleeps=sleeps)
    assert (case.units, case.records) == (10, 16)
    rows = []
    for unit in range(2, 4):
        warm = {"key": f"00/{unit:07d}/00000.jpg", "segment": "middle", "worker": f"w{unit % 2}"}
        rows.append({**warm, "begin": 95.0, "end": 95.5, "seconds": 0.5})
    for unit in range(4, 10):
        begin = 100.0 + 1.25 * ((unit - 4) // 2)
        for place in range(2):
            at = begin + 0.5 * place
            key = f"01/{unit:07d}/{place:05d}.jpg"
            for segment in ("front", "middle"):
                nap = {"key": key, "segment": segment, "worker": f"w{unit % 2}", "begin": at, "end": at + 0.5}
                rows.append({**nap, "seconds": 0.5})
    raw = {
        "state": "complete",
        "units_committed": 10,
        "ok": 16,
        "message": "",
        "naps": rows,
        "units": [{"index": n, "opened": 0.0, "committed": 0.0} for n in range(10)],
        "began": 80.0,
        "opened": 90.0,
        "last_receipt": 104.0,
        "ended": 104.5,
    }
    (one,) = scaling.measure.figures_of(case, raw, [])
    assert (one.window, one.ideal, one.unit_seconds) == (2.5, 4.0, 1.0)
    assert one.efficiency == pytest.approx(2.0 / 2.5)
    assert (one.rate, one.commits) == (pytest.approx(3.2), pytest.approx(1.6))
    assert (one.startup, one.finishing, one.cpu_ms) == (10.0, 0.5, None)
    assert one.loss.handing == pytest.approx(0.25)
    raw["naps"] = rows[:10]
    with pytest.raises(RuntimeError, match="too few units"):
        scaling.measure.figures_of(case, raw, [])


@pytest.mark.ray
@pytest.mark.parametrize(("placement", "isolate"), [("fused", True), ("staged", False)])
def test_a_tiny_case_goes_through_the_real_flow_and_commits_every_unit_once(
    scaling, tmp_path: Path, placement: str, isolate: bool
) -> None:
    sleeps = scaling.work.Sleeps(0.01, 0.02, 0.01)
    given = scaling.plans.case(
        scaling.plans.Where(str(tmp_path / "w"), output_bytes=100, source_bytes=50), placement, 2, [3], [4],
        isolate=isolate, crop_bytes=1000, sleeps=sleeps,
    )  # fmt: skip
    (tmp_path / "case.json").write_text(given.to_json())
    command = [sys.executable, "-m", "benchmarks.scaling.case", str(tmp_path / "case.json"), str(tmp_path / "r.json")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, timeout=240)
    raw = json.loads((tmp_path / "r.json").read_text())
    assert (raw["state"], raw["units_committed"], raw["ok"], raw["quarantined"]) == ("complete", 12, 28, 0)
    assert sorted(unit["index"] for unit in raw["units"]) == list(range(12))
    assert {unit["attempt"] for unit in raw["units"]} == {1}
    assert raw["workers"] == ([2] if placement == "fused" else [2, 2, 2])
    assert len(raw["naps"]) == 3 * 28
    assert sum(nap["seconds"] for nap in raw["naps"]) == pytest.approx(28 * sleeps.total)
    assert all(nap["end"] - nap["begin"] >= 0.99 * nap["seconds"] for nap in raw["naps"])
    assert raw["began"] < raw["opened"] < min(nap["begin"] for nap in raw["naps"])
    sizes = {len({nap["worker"] for nap in raw["naps"] if nap["segment"] == part}) for part in ("front", "back")}
    assert max(sizes) <= 2
    outputs = [path for path in (tmp_path / "w").rglob("*.jpg") if "out" in path.parts]
    assert len(outputs) == 28 and {path.stat().st_size for path in outputs} == {100}
