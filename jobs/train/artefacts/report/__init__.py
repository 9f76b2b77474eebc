"""The report of a training: one HTML file that asks nothing of any network."""

from jobs.train.artefacts.report.render import report

__all__ = ["report"]
