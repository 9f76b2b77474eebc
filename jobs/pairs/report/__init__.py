"""The HTML report of a pairs run."""
