"""Two ways to bring units to workers: in this process, or over a Ray cluster. Both run the same stages."""
