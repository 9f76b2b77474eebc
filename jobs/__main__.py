"""`python -m jobs`, the same as `facejobs`."""

from jobs.main import main

main()
