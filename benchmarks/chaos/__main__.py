"""A run on a real S3 server whose processes are killed at random, with or without faults in the storage path.

    python -m benchmarks.chaos                              # all three: kills, faults, both
    python -m benchmarks.chaos --only kills --images 400 --kills 10

An undisturbed run comes first; afterwards every disturbed run's ledger and outputs are compared with it. Exit code 1
when anything is lost, doubled or different.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.chaos.books import Books, books, faults_of
from benchmarks.chaos.killer import Killer
from benchmarks.chaos.until_done import command, run_until_done
from benchmarks.faults.behaviour import Behaviour
from benchmarks.faults.proxy import FaultProxy
from benchmarks.faults.rates import Rates
from benchmarks.many_images import make_images
from benchmarks.s3_server import S3Server, s3_server
from pipeline.storage import Folder

JOB = """job: restore
name: chaos
source: {{kind: files, uri: {source}}}
restore: {{model: classic}}
output:
  uri: {output}
  storage_options:
    key: ${{CHAOS_KEY}}
    secret: ${{CHAOS_SECRET}}
    client_kwargs: {{endpoint_url: "{endpoint}", region_name: us-east-1}}
run: {{runner: ray, workers: 2, samples: 0, unit_records: 16, grace_seconds: 5}}
"""
FAULTS = Rates(
    internal_error=0.01,
    slow_down=0.01,
    reset_before=0.005,
    lost_reply=0.01,
    truncated=0.01,
    conflict=0.02,
    hidden_keys=0.1,
    delayed=0.02,
    delay_seconds=1.0,
)


def scenario(name: str, given: argparse.Namespace, server: S3Server, folder: Path, expected: Books | None) -> Books:
    """One run under the named disturbance; prints its counts.

    Raises:
        SystemExit: something was lost, doubled or different.
    """
    environment = {"CHAOS_KEY": server.key, "CHAOS_SECRET": server.secret}
    bucket = server.bucket(f"chaos-{name}")
    killer = Killer(given.seed, given.kills, given.every) if name in ("kills", "both") else None
    with FaultProxy(server.endpoint, Behaviour(), seed=given.seed) as proxy:
        if name in ("faults", "both"):
            proxy.change(rates=FAULTS)
        job = folder / f"{name}.yaml"
        job.write_text(
            JOB.format(source=folder / f"images-{given.images}", output=f"{bucket}/out", endpoint=proxy.endpoint)
        )
        ended = run_until_done(job, environment, killer)
        injected = dict(proxy.counts)
        proxy.change(rates=Rates())
        # All is done and nothing runs, so whatever no commit names may go at once.
        swept = command("gc", str(job), "--older-than", "0s", "--force", environment=environment)
        verified = command("verify", str(job), environment=environment)
    found = books(Folder(f"{bucket}/out", server.options))
    wrong = faults_of(found, expected) if expected is not None else []
    if killer is not None and killer.left:
        wrong.append(f"only {sum(killer.done.values())} kills")
    for what, (code, said) in (("gc", swept), ("verify", verified)):
        if code:
            wrong.append(f"facejobs {what} ended with {code}: {said[-500:]}")
    if ended.left_over:
        wrong.append(f"{ended.left_over} processes are left")
    kills = dict(killer.done) if killer is not None else {}
    starts = ", ".join(f"{count} with exit code {code}" for code, count in sorted(ended.starts.items()))
    sys.stdout.write(
        f"{name}: {found.planned_records} records in {found.planned_units} units, {found.commits} commits; "
        f"{found.ok} ok + {found.quarantined} quarantined; {len(found.hashes)} outputs, {ended.seconds:.0f} s\n"
        f"  kills {sum(kills.values())} {kills}; starts: {starts}\n"
        f"  storage requests {injected.pop('requests', 0)}, faults {injected}\n"
        f"  gc: {swept[1].splitlines()[-1] if swept[1] else ''}\n" + "".join(f"  WRONG: {line}\n" for line in wrong)
    )
    sys.stdout.flush()
    if wrong:
        raise SystemExit(1)
    return found


def main() -> None:
    """Run the scenarios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=("kills", "faults", "both"), default=("kills", "faults", "both"))
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--every", type=float, default=6.0, help="seconds between kills, on average")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="chaos-") as name, s3_server() as server:
        folder = Path(name)
        make_images(folder / f"images-{given.images}", given.images)
        spoil(folder / f"images-{given.images}")
        expected = scenario("undisturbed", given, server, folder, None)
        for scene in given.only:
            scenario(scene, given, server, folder, expected)


def spoil(source: Path) -> None:
    """Break three images, so that quarantine is part of what must come out the same."""
    for number, path in enumerate(sorted(source.rglob("*.jpg"))[5::150][:3]):
        data = path.read_bytes()
        path.write_bytes((data[: len(data) // 2], b"", b"no image\n")[number])


if __name__ == "__main__":
    sys.stdout.write(time.strftime("%Y-%m-%d") + "\n")
    main()
