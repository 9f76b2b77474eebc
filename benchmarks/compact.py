"""How good `compact` is on portraits it never saw: `python -m benchmarks.compact PORTRAITS --names FILE --out OUT`.

For each recipe a pairs job cuts and degrades the faces at 256 pixels, and `facejobs evaluate` measures `compact`,
`classic` and baselines beside the input. Prints Markdown tables; OUT/RECIPE/evaluation holds figure and sheet.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import yaml

RECIPES = (
    *("gfpgan", "gpen", "old-photo", "archival-print", "archival-negative"),
    *("archival-colour", "archival-newspaper", "archival-postcard"),
)
METHODS = ("compact", "classic", "median:1", "non-local-means", "gaussian", "bilateral")
MEASURES = ("psnr", "ssim", "perceptual", "identity", "niqe")


def evaluate(portraits: Path, names: list[str], recipe: str, out: Path, processes: int) -> Path:
    """Pairs of one recipe, and what is measured on them.

    Args:
        portraits: folder.
        names: of the files in it that are measured.
        recipe: name of a shipped one.
        out: folder, made if it is not there.
        processes: that measure.

    Returns:
        The evaluation's folder.
    """
    out.mkdir(parents=True, exist_ok=True)
    job = {
        "job": "pairs",
        "name": f"compact-{recipe}",
        "source": {"kind": "files", "uri": str(portraits), "include": names},
        "samples": {"kind": "faces", "template": "gpen", "size": 256, "detect": {"max_faces": 1}},
        "filter": {"duplicates": "keep"},
        "degrade": {"recipe": recipe},
        "split": {"parts": {"held-out": 1}, "by": "source"},
        "output": {"uri": str(out / "pairs"), "format": "folders"},
        "run": {"runner": "local"},
    }
    (out / "pairs.yaml").write_text(yaml.safe_dump(job))
    facejobs("run", str(out / "pairs.yaml"))
    words = ["evaluate", str(out / "pairs"), "--out", str(out / "evaluation"), "--force", "--processes", str(processes)]
    words += [word for method in METHODS for word in ("--restorer", method)]
    facejobs(*words, *(word for measure in MEASURES for word in ("--measure", measure)))
    return out / "evaluation"


def facejobs(*words: str) -> None:
    """Run a command; its end with some pictures in quarantine is one."""
    code = subprocess.run([sys.executable, "-m", "jobs", *words], check=False, stdout=sys.stderr).returncode
    if code not in (0, 3):
        sys.exit(f"facejobs {words[0]} ended with exit code {code}")


def main() -> int:
    """Parse the command line and do it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compact", description=__doc__)
    parser.add_argument("portraits", type=Path)
    parser.add_argument("--names", type=Path, required=True, help="file with the names that are measured")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--recipe", action="append", choices=RECIPES, help="repeatable; all without it")
    parser.add_argument("--processes", type=int, default=1)
    given = parser.parse_args()
    names = given.names.read_text().split()
    for recipe in given.recipe or RECIPES:
        folder = evaluate(given.portraits.absolute(), names, recipe, given.out.absolute() / recipe, given.processes)
        print(f"\n### {recipe}\n\n{(folder / 'evaluation.md').read_text()}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
