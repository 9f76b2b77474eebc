"""The command line: every command, its arguments and its help; errors to exit codes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from jobs.commands import author, look
from jobs.commands import plan as planning
from jobs.commands import run as running
from jobs.console import Output
from jobs.errors import CommandError
from jobs.exits import MEANING, Exit
from jobs.spec import JobFileError, UnsetVariableError
from pipeline.driver import Interrupted, terminable
from pipeline.errors import LedgerError, NoSuchRunError, RunConflictError, SourceError, StorageError
from pipeline.retries import is_storage

EXITS = "\n\n".join(f"{code.value:>3}  {meaning}" for code, meaning in MEANING.items())

app = typer.Typer(
    name="facejobs",
    help="Restores the faces of photo archives: nothing is lost, nothing is done twice, every change can be traced.",
    epilog=f"Exit codes:\n\n{EXITS}",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

JobFile = Annotated[str, typer.Argument(metavar="JOB", help="The job file (YAML).")]
RunPlace = Annotated[str, typer.Argument(metavar="RUN", help="The job file, or the URI of its output.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def run(
    job: JobFile,
    replan: Annotated[
        bool, typer.Option("--replan", help="List the source again; if it has changed, plan a new run over all of it.")
    ] = False,
) -> None:
    """Run a job, or continue it where it was interrupted."""
    _end(lambda out: running.run_job(job, out, replan=replan))


@app.command()
def plan(
    job: JobFile,
    sample: Annotated[int, typer.Option(min=0, help="Records to try in memory for the estimate; 0 tries none.")] = 8,
    as_json: AsJson = False,
) -> None:
    """Say what a run would do: records, bytes, units, time. Writes nothing."""
    _end(lambda out: planning.plan_job(job, sample, as_json, out))


@app.command()
def validate(job: JobFile) -> None:
    """Check a job file. Touches no storage."""
    _end(lambda out: author.validate_job(job, out))


@app.command()
def status(place: RunPlace, as_json: AsJson = False) -> None:
    """Show what a run has come to, from its ledger alone."""
    _end(lambda out: look.show_status(place, as_json, out))


@app.command()
def report(place: RunPlace) -> None:
    """Write the HTML report of a run as it stands."""
    _end(lambda out: look.make_report(place, out))


@app.command()
def verify(place: RunPlace, as_json: AsJson = False) -> None:
    """Compare every output with its recorded SHA-256; name what is missing, changed or extra."""
    _end(lambda out: look.verify_run(place, as_json, out))


@app.command()
def retry(
    job: Annotated[str, typer.Argument(metavar="RUN", help="The job file of a run that has come to its end.")],
    code: Annotated[
        list[str] | None, typer.Option(help="Only records quarantined for this reason; repeatable.")
    ] = None,
) -> None:
    """Process the records in quarantine again."""
    _end(lambda out: running.retry_run(job, tuple(code or ()), out))


@app.command()
def init(
    kind: Annotated[str, typer.Argument(help="Kind of job.")] = "restore",
    path: Annotated[Path | None, typer.Argument(help="File to write; without it, the example is printed.")] = None,
    force: Annotated[bool, typer.Option(help="Overwrite the file if it exists.")] = False,
) -> None:
    """Write a commented example of a job file, every key at its default."""
    _end(lambda out: author.init_job(kind, path, force, out))


@app.command()
def schema() -> None:
    """Print the JSON Schema of the job file, for editors."""
    _end(author.show_schema)


@app.command()
def version(as_json: AsJson = False) -> None:
    """Show the versions of facejobs and of what touches pixels."""
    _end(lambda out: author.show_version(as_json, out))


def _end(command: Callable[[Output], Exit]) -> None:
    """Run a command and leave with its exit code; errors that a person can act on are said without a traceback."""
    out = Output()
    try:
        with terminable():
            code = command(out)
    except CommandError as error:
        out.complain(error.message)
        code = error.code
    except (JobFileError, UnsetVariableError, SourceError) as error:
        out.complain(str(error))
        code = Exit.BAD_JOB
    except RunConflictError as error:
        out.complain(str(error))
        code = Exit.CONFLICT
    except NoSuchRunError as error:
        out.complain(str(error))
        code = Exit.NO_RUN
    except LedgerError as error:
        out.complain(str(error))
        code = Exit.FAILED
    except (KeyboardInterrupt, Interrupted):
        out.complain("interrupted; run the same command again to continue")
        code = Exit.INTERRUPTED
    except Exception as error:
        if os.environ.get("FACEJOBS_DEBUG"):
            raise
        if isinstance(error, StorageError) or is_storage(error):
            out.complain(f"storage: {error}")
            raise typer.Exit(int(Exit.STORAGE)) from None
        out.complain(f"facejobs failed: {type(error).__name__}: {error}. FACEJOBS_DEBUG=1 shows where")
        code = Exit.FAILED
    raise typer.Exit(int(code))


def main() -> None:
    """Entry point of the console command."""
    app(prog_name="facejobs")
