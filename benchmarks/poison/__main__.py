"""An archive of 500 with a record that crashes the decoder, one that never ends, and one that eats all memory.

    python -m benchmarks.poison

The same archive without them is run first. Exit code 1 when a sound record is lost, or a cause is not named.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.many_images import make_images
from benchmarks.poison import planted
from pipeline.quarantine import standing
from pipeline.run import Run, current_run
from pipeline.storage import Folder
from pipeline.tally import tally_of

RECORD_SECONDS = 10.0
WORKER_MEMORY = "3 GiB"
JOB = """job: restore
name: poison
source: {{kind: files, uri: {source}}}
restore: {{model: classic}}
output: {{uri: {output}}}
run: {{runner: ray, workers: 2, samples: 0, record_seconds: {record_seconds}, worker_memory: {memory}}}
"""
CODES = {"segfault": "worker_crashed", "endless": "timed_out", "memory": "out_of_memory"}


def run(folder: Path, name: str, source: Path) -> tuple[Run, float]:
    """Seconds of one `facejobs run`, and its run."""
    job = folder / f"{name}.yaml"
    job.write_text(
        JOB.format(source=source, output=folder / name, record_seconds=RECORD_SECONDS, memory=f'"{WORKER_MEMORY}"')
    )
    folder_of_faults = str(Path(planted.__file__).parent)
    path = os.pathsep.join([folder_of_faults, str(Path.cwd())])
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "jobs", "run", str(job)],
        check=False,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": path},
    )
    seconds = time.monotonic() - begun
    found = current_run(Folder(str(folder / name)))
    if found is None or done.returncode not in (0, 3):
        raise SystemExit(f"{name}: exit code {done.returncode}")
    return found, seconds


def main() -> None:
    """Run both, and print times, counts and what is said of the three."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=500)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="poison-") as name:
        folder = Path(name)
        source = folder / "images"
        make_images(source, given.images)
        _, clean = run(folder, "clean", source)
        images = sorted(source.rglob("*.jpg"))
        for number, (word, _) in enumerate(CODES.items(), 1):
            poisoned = images[number * len(images) // 4]
            poisoned.write_bytes(poisoned.read_bytes() + f"poison {word}".encode())
        found, seconds = run(folder, "poisoned", source)
        tally, rows = tally_of(found), list(standing(found))
        allowed = 2 * clean + RECORD_SECONDS
        sys.stdout.write(
            f"{time.strftime('%Y-%m-%d')} {given.images} records: {tally.ok} done, {tally.quarantined} quarantined; "
            f"{seconds:.1f} s, clean {clean:.1f} s, twice that and the time limit {allowed:.1f} s\n"
        )
        for row in rows:
            sys.stdout.write(f"  {row.key}: {row.code} in {row.stage}: {row.message}\n")
        if sorted(row.code for row in rows) != sorted(CODES.values()) or tally.ok != given.images - len(CODES):
            raise SystemExit(1)


if __name__ == "__main__":
    main()
