"""What a run takes beside the work on its records. Measured, see docs/estimates.md; rounded, since machines differ."""

from __future__ import annotations

COMMAND_SECONDS = 2.0
"""From the shell to the listing: the interpreter and its libraries."""
RAY_SECONDS = 6.0
"""Starting a private Ray cluster and the actors of a run on it, their own work left out."""
JOIN_SECONDS = 4.0
"""The same where the cluster runs already."""
PLAN_RECORD_SECONDS = 2e-5
"""Writing the plan, beside listing, for each record."""
FINISH_SECONDS = 2.5
"""Tables, report and manifest of a small run."""
FINISH_RECORD_SECONDS = 2e-5
"""The same, for each record: rows that are joined."""
UNIT_SECONDS = 0.05
"""A unit's marks, tables and commit on a local disk."""
UNIT_REQUESTS = 6
"""Puts for each unit: an attempt's mark, the parts of up to four tables, the commit."""
RUN_REQUESTS = 12
"""Puts for each run: plan, headers, joined tables, quarantine list, report, manifest."""
PLAN_UNITS = 256
"""Units in one file of the plan."""
LEDGER_RECORD_BYTES = 1300
"""Of plan and tables, for each record; parts and joined tables are both kept."""
LEDGER_UNIT_BYTES = 8000
"""Of marks, commit and the tables' own headers, for each unit."""
SAMPLE_SHARE = 14
"""Bytes of pictures for the report and of the report, for each of `run.samples` and each byte of a mean record."""
SAMPLE_BYTES = 1_400_000
"""The most that those are: large pictures are shown small."""
SAMPLE_SECONDS = 0.1
"""Making and writing such pictures, on a local disk, for each of `run.samples`."""
SAMPLE_REQUESTS = 12
"""Puts of such pictures, for each of `run.samples`."""
MACHINE_SHARE = 0.1
"""Part of the time by which a machine is faster or slower than it was while the sample was tried, either way."""
