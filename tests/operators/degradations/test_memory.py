"""Freed memory stays with the process, so that no picture is handed out page by page again."""

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys
import numpy as np
from operators.degradations.applying import apply
if sys.argv[1] == "applied":
    apply(np.zeros((16, 16, 3), dtype=np.float32), [])
def pictures():
    for picture in [np.empty((512, 512, 3), dtype=np.float32) for _ in range(8)]:
        picture.fill(1.0)
for _ in range(3):
    pictures()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(4):
    pictures()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc's malloc is told to keep memory")
def test_pages_are_not_asked_for_anew_once_something_was_applied():
    """Four times eight pictures of 768 pages; what little else faults must not come near that."""
    faults = {}
    for case in ("untouched", "applied"):
        command = [sys.executable, "-c", PROGRAM, case]
        faults[case] = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert faults["applied"] < 500
    if faults["untouched"] < 500:
        pytest.skip(f"this system does not take freed memory back: {faults}")
