"""Throughput and memory of the Ray flow beside a bare two-process loop over the same operators, in one run."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

from benchmarks.many_images import make_images
from benchmarks.memory import PeakMemory

PROCESSES = 2
JOB = """job: restore
name: bench
source: {{kind: files, uri: {source}}}
restore: {{model: classic}}
output: {{uri: {output}}}
run: {{runner: ray, workers: {workers}, samples: 0}}
"""


def bare(job: Path, source: Path, output: Path) -> dict[str, float]:
    """The bare loop in two processes; time from the first image begun to the last one written."""
    command = [sys.executable, str(Path(__file__).with_name("bare_loop.py")), str(job), str(source), str(output)]
    with PeakMemory() as memory:
        running = [
            subprocess.Popen([*command, str(part), str(PROCESSES)], stdout=subprocess.PIPE, text=True)
            for part in range(PROCESSES)
        ]
        lines = [process.communicate()[0] for process in running]
    assert all(process.returncode == 0 for process in running)
    spans = [[float(value) for value in line.split()] for line in lines]
    seconds = max(span[1] for span in spans) - min(span[0] for span in spans)
    return {"seconds": seconds, "images": sum(span[2] for span in spans), "peak_bytes": memory.peak}


def flow(job: Path, output: Path) -> dict[str, float]:
    """`facejobs run` with the Ray runner; start-up is the time until the first unit is taken."""
    started = time.time()
    with PeakMemory() as memory:
        subprocess.run([sys.executable, "-m", "jobs", "run", str(job)], check=True, stdout=subprocess.DEVNULL)
    ended = time.time()
    commits = [json.loads(path.read_bytes()) for path in output.glob("_facejobs/runs/*/commits/*.json")]
    first = min(datetime.fromisoformat(commit["started"]).timestamp() for commit in commits)
    last = max(datetime.fromisoformat(commit["finished"]).timestamp() for commit in commits)
    return {
        "startup": first - started,
        "seconds": last - first,
        "finishing": ended - last,
        "images": sum(commit["ok"] for commit in commits),
        "peak_bytes": memory.peak,
    }


def main() -> None:
    """Print both and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--folder", type=Path, default=Path("build/bench/flow"))
    given = parser.parse_args()
    folder = given.folder.resolve()
    source, job = folder / f"images-{given.images}", folder / "job.yaml"
    make_images(source, given.images)
    for name in ("bare", "ray"):
        shutil.rmtree(folder / name, ignore_errors=True)
    job.write_text(JOB.format(source=source, output=folder / "ray", workers=PROCESSES))
    loop = bare(job, source, folder / "bare")
    ray = flow(job, folder / "ray")
    assert loop["images"] == ray["images"] == given.images
    rates = loop["images"] / loop["seconds"], ray["images"] / ray["seconds"]
    lines = (
        f"{given.images} images of 160 x 160 px with one face each, default settings, {PROCESSES} workers",
        f"  bare loop   {loop['seconds']:8.1f} s  {rates[0]:7.2f} images/s  peak {loop['peak_bytes'] / 2**20:6.0f} MiB",
        f"  ray flow    {ray['seconds']:8.1f} s  {rates[1]:7.2f} images/s  peak {ray['peak_bytes'] / 2**20:6.0f} MiB",
        f"  ratio after start-up {rates[1] / rates[0]:.3f}; start-up {ray['startup']:.1f} s, finishing "
        f"{ray['finishing']:.1f} s",
    )
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
