"""The HTML report of a run: what it shows, how its numbers are gathered and how it is drawn."""
