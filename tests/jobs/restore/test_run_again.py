"""A job whose output holds results already: its own, another job's, or somebody else's files."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .conftest import Bench


def test_a_second_run_has_nothing_to_do_and_touches_nothing(bench: Bench) -> None:
    job = bench.job()
    bench.call("run", job)

    def state() -> dict[str, tuple[int, bytes]]:
        everything = [*(bench.root / "job").rglob("*"), *(bench.root / "archive").rglob("*")]
        return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in everything if path.is_file()}

    before = state()
    again = bench.call("run", job)
    assert again.exit_code == 3
    assert "nothing to do" in again.stdout
    assert state() == before


def test_a_changed_job_is_refused_and_the_difference_named(bench: Bench) -> None:
    bench.call("run", bench.job())
    before = bench.outputs("job")
    result = bench.call("run", bench.job(restore={"strength": 0.5}))
    assert result.exit_code == 7
    assert "restore.strength" in result.output
    assert bench.outputs("job") == before


def test_what_does_not_change_output_is_the_same_run(bench: Bench) -> None:
    bench.call("run", bench.job())
    result = bench.call("run", bench.job(run={"threads": 2, "max_quarantined": "50%"}))
    assert "nothing to do" in result.stdout


def test_replace_overwrites_and_version_keeps_both(bench: Bench) -> None:
    bench.call("run", bench.job())
    first = bench.outputs("job")
    version = bench.job(restore={"strength": 0.5}, output={"existing": "version"})
    assert bench.call("run", version).exit_code == 3
    outputs = bench.outputs("job")
    assert {name: outputs[name] for name in first} == first
    assert outputs["versions/2/box1/plate.tif"] != first["box1/plate.tif"]
    assert bench.call("verify", version).exit_code == 0
    assert "nothing to do" in bench.call("run", version).stdout
    replace = bench.job(restore={"strength": 0.25}, output={"existing": "replace"})
    assert bench.call("run", replace).exit_code == 3
    assert bench.outputs("job")["box1/plate.tif"] != first["box1/plate.tif"]
    assert bench.call("verify", replace).exit_code == 0


def test_replacing_by_another_format_leaves_nothing_of_the_former_run(bench: Bench) -> None:
    bench.call("run", bench.job())
    job = bench.job(output={"format": "png", "existing": "replace"})
    assert bench.call("run", job).exit_code == 3
    names = {name for name in bench.outputs("job") if not name.endswith(".json")}
    assert names == {"box1/print.png", "box1/plate.png", "box2/miniature.png", "box2/wall.png"}
    assert bench.call("verify", job).exit_code == 0


def test_replacing_keeps_the_former_derivative_of_what_is_now_in_quarantine(bench: Bench) -> None:
    bench.call("run", bench.job())
    former = bench.outputs("job")
    (bench.root / "archive/box1/plate.tif").write_bytes(b"")
    job = bench.job(output={"format": "png", "existing": "replace"})
    assert bench.call("run", job).exit_code == 3
    outputs = bench.outputs("job")
    assert outputs["box1/plate.tif"] == former["box1/plate.tif"]
    assert "box1/print.jpg" not in outputs


def test_replanning_takes_in_what_is_new_and_does_nothing_where_nothing_is(bench: Bench) -> None:
    job = bench.job()
    bench.call("run", job)
    run_id = bench.status(job)["run_id"]
    again = bench.call("run", job, "--replan")
    assert "nothing to do" in again.stdout
    assert bench.status(job)["run_id"] == run_id
    (bench.root / "archive/box3").mkdir()
    (bench.root / "archive/box3/new.png").write_bytes(bench.files["box2/miniature.png"])
    assert "nothing to do" in bench.call("run", job).stdout
    assert bench.call("run", job, "--replan").exit_code == 3
    status = bench.status(job)
    assert status["run_id"] != run_id
    assert (status["records_planned"], status["records_ok"]) == (8, 5)
    assert bench.outputs("job")["box3/new.png"] == bench.outputs("job")["box2/miniature.png"]
    assert bench.call("verify", job).exit_code == 0


def test_a_folder_of_somebody_else_is_not_written_to(bench: Bench) -> None:
    (bench.root / "job").mkdir()
    (bench.root / "job/thesis.tex").write_text("mine")
    result = bench.call("run", bench.job())
    assert result.exit_code == 7
    assert "thesis.tex" in result.output
