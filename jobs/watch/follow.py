"""Which run is to be seen: the one of a job or of an output, and the next one when that changes."""

from __future__ import annotations

import json

from jobs.kinds import KINDS
from jobs.locate import is_job_file, locate
from jobs.pairs.survey.start import KIND as SURVEY
from jobs.pairs.survey.start import SURVEYS
from jobs.places import output_of
from jobs.spec import Scrubber, Spec
from pipeline import layout
from pipeline.errors import NoSuchRunError
from pipeline.intact import intact
from pipeline.run import Run, current_run
from pipeline.storage import Folder


class Follower:
    """Finds a run and notices when another takes its place.

    What `_facejobs/current.json` names is read at each look; only when that changes the run is looked for again.

    Args:
        place: path of a job file, or the URI of an output.

    Raises:
        JobFileError: the job file is wrong.
        NoSuchRunError: the output holds no run.
        StorageError: storage unreachable or refusing.
    """

    def __init__(self, place: str) -> None:
        self._place = place
        self.job: Spec | None = None
        self.scrubber = Scrubber(())
        if is_job_file(place):
            located = locate(place)
            self.job, self.scrubber, self.run = located.job, located.scrubber, located.run
            assert self.job is not None
            self._output = output_of(self.job)
        else:
            self._output = Folder(place)
            self.run = self._found()
        self._pointers = self._read_pointers()

    @property
    def final(self) -> bool:
        """Whether nothing follows when the run is complete; pairs follow a survey that was found through its job."""
        return self.run.header.kind != SURVEY or self.run.output.root == self._output.root

    def look(self) -> bool:
        """Look whether another run is to be seen now, which is then in `run`.

        Returns:
            Whether it has changed since the last look.
        """
        pointers = self._read_pointers()
        if pointers == self._pointers:
            return False
        found = self._found()
        changed = found.folder.root != self.run.folder.root
        self.run = found
        self._pointers = self._read_pointers()
        return changed

    def _found(self) -> Run:
        found = KINDS[self.job.job].find(self.job) if self.job is not None else current_run(self._output)
        found = found or _newest_survey(self._output)
        if found is None:
            raise NoSuchRunError(
                f"{self._place}: no run there; name a job file that has been run, or the output folder of one"
            )
        return found

    def _read_pointers(self) -> tuple[str, str]:
        """Runs that the output, and the output that the run was found in, name as theirs."""
        survey = self.run.output.root != self._output.root
        return _pointer(self._output), _pointer(self.run.output) if survey else ""


def _pointer(output: Folder) -> str:
    try:
        with intact(output, layout.CURRENT, "remove it and run the job again, which writes it anew"):
            return str(json.loads(output.read(layout.CURRENT))["run_id"])
    except FileNotFoundError:
        return ""


def _newest_survey(output: Folder) -> Run | None:
    """The survey that was begun last in an output that has no pairs yet."""
    found = (current_run(output.child(f"{SURVEYS}/{name}")) for name in output.children(SURVEYS))
    return max((run for run in found if run is not None), key=lambda run: run.header.created, default=None)
