"""Make the demo archive: 13 pictures in the kinds of file that museums keep, and three files that are broken.

    python examples/make_archive.py OUT_DIR [--as files|webdataset|parquet]

The pictures are made from one public-domain portrait by NASA, which comes with scikit-image; no network is used. The
same versions of the libraries make the same bytes on every call, and files that are already there with those bytes are
not touched.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from demo_archive import catalogue
from demo_archive.containers import CONTAINERS, strangers, write


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code: 0 done, 1 the folder cannot be written, 2 wrong arguments."""
    parser = argparse.ArgumentParser(prog="make_archive.py", description="Make the demo archive.")
    parser.add_argument("folder", metavar="OUT_DIR", type=Path, help="folder to make the archive in")
    parser.add_argument("--as", dest="container", choices=list(CONTAINERS), default="files", help="default: files")
    options = parser.parse_args(arguments)

    objects = CONTAINERS[options.container](catalogue.files())
    try:
        written = write(objects, options.folder)
    except OSError as error:
        print(f"make_archive.py: {error}. Name a folder that can be written.", file=sys.stderr)
        return 1
    total = sum(map(len, objects.values()))
    print(f"{options.folder}: {len(objects)} files, {total / 1e6:.1f} MB, {written} of them written now")
    for name in strangers(objects, options.folder):
        print(f"  not of the demo, left alone: {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
