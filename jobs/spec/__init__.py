"""The job file: its models, how it is read, and what is said when it is wrong."""

from jobs.spec.job import RestoreJob, Sourced, Spec
from jobs.spec.load import load, loads
from jobs.spec.pairs import PairsJob
from jobs.spec.problems import JobFileError, Problem
from jobs.spec.recipes import recipe_of
from jobs.spec.secrets import Scrubber, secrets_of
from jobs.spec.train import TrainJob
from jobs.spec.variables import UnsetVariableError, resolve_options

__all__ = [
    "JobFileError",
    "PairsJob",
    "Problem",
    "RestoreJob",
    "Scrubber",
    "Sourced",
    "Spec",
    "TrainJob",
    "UnsetVariableError",
    "load",
    "loads",
    "recipe_of",
    "resolve_options",
    "secrets_of",
]
