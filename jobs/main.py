"""The command line: every command, its arguments and its help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jobs.commands import author, look
from jobs.commands import catalog as cataloguing
from jobs.commands import compile as compiling
from jobs.commands import gc as collecting
from jobs.commands import notify as notifying
from jobs.commands import plan as planning
from jobs.commands import reveal as revealing
from jobs.commands import run as running
from jobs.commands import ui as showing
from jobs.ending import end
from jobs.estimate.plan import SAMPLE, Asked
from jobs.evaluate_command import evaluate
from jobs.exits import MEANING
from jobs.model_commands import app as model_commands
from jobs.pair_commands import app as pair_commands
from jobs.spec.job import JOBS

KINDS_OF_JOB = " or ".join(JOBS)
EXITS = "\n\n".join(f"{code.value:>3}  {meaning}" for code, meaning in MEANING.items())

app = typer.Typer(
    name="facejobs",
    help="Restores the faces of photo archives, and makes training pairs from good pictures: nothing is lost, "
    "nothing is done twice, every change can be traced.",
    epilog=f"Exit codes:\n\n{EXITS}",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.add_typer(model_commands, name="models")
app.add_typer(pair_commands, name="pairs")

JobFile = Annotated[str, typer.Argument(metavar="JOB", help="The job file (YAML).")]
RunPlace = Annotated[str, typer.Argument(metavar="RUN", help="The job file, or the URI of its output.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Every = Annotated[float, typer.Option(min=0.2, metavar="SECONDS", help="Seconds between two looks at the ledger.")]


@app.command()
def run(
    job: JobFile,
    replan: Annotated[
        bool, typer.Option("--replan", help="List the source again; if it has changed, plan a new run over all of it.")
    ] = False,
    since: Annotated[
        str | None,
        typer.Option(metavar="WHEN", help="With a selection: leave alone what was last tried before (2026-11-01, 7d)."),
    ] = None,
    where: Annotated[
        str | None,
        typer.Option(metavar="SQL", help="With a selection: only what meets a condition on the catalogue's columns."),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="With --where: do again all that meets it, such as lost derivatives.")
    ] = False,
) -> None:
    """Run a job, or continue it where it was interrupted; with a selection, do what is due tonight."""
    end(lambda out: running.run_job(job, out, running.wishes_of(replan=replan, since=since, where=where, again=again)))


@app.command()
def plan(
    job: JobFile,
    sample: Annotated[
        int, typer.Option(min=0, help="Records to try in memory for the estimate; 0 tries none.")
    ] = SAMPLE,
    as_json: AsJson = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the estimate in the output's _facejobs/; the report compares with it.")
    ] = False,
) -> None:
    """Say what a run would come to: time, cost, storage, here and on the job's cluster. Writes nothing but --keep."""
    end(lambda out: planning.plan_job(job, Asked(sample, as_json, keep), out))


@app.command()
def validate(job: JobFile) -> None:
    """Check a job file. Touches no storage."""
    end(lambda out: author.validate_job(job, out))


@app.command()
def status(
    place: RunPlace,
    as_json: AsJson = False,
    watch: Annotated[bool, typer.Option("--watch", help="Show it as it goes on, until it is complete.")] = False,
    every: Every = 5.0,
) -> None:
    """Show what a run has come to, from its ledger alone."""
    if watch:
        end(lambda out: look.watch_status(place, every, as_json, out))
    end(lambda out: look.show_status(place, as_json, out))


@app.command()
def ui(
    place: RunPlace,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the page; 0 takes a free one.")] = 8650,
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    no_open: Annotated[bool, typer.Option("--no-open", help="Open no browser.")] = False,
    every: Every = 5.0,
) -> None:
    """Serve a page on this machine that shows a run as it goes on, from its ledger alone."""
    end(lambda out: showing.show_page(place, showing.Asked(host, port, every, browser=not no_open), out))


@app.command()
def report(place: RunPlace) -> None:
    """Write the HTML report of a run as it stands."""
    end(lambda out: look.make_report(place, out))


@app.command()
def verify(place: RunPlace, as_json: AsJson = False) -> None:
    """Compare every output with its recorded SHA-256; name what is missing, changed or extra."""
    end(lambda out: look.verify_run(place, as_json, out))


@app.command()
def catalog(
    place: RunPlace,
    keys: Annotated[list[str] | None, typer.Argument(metavar="[KEY]...", help="Records whose history to show.")] = None,
    where: Annotated[
        str, typer.Option(metavar="SQL", help="List the records that meet a condition on the catalogue's columns.")
    ] = "",
    to: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the rows to a .csv, .jsonl, .json or .parquet file.")
    ] = None,
    force: Annotated[bool, typer.Option(help="Overwrite the file if it exists.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the state of a collection over all its runs, or what became of single records."""
    end(lambda out: cataloguing.show_catalog(place, keys or (), where, to, out, as_json=as_json, force=force))


@app.command()
def reveal(
    places: Annotated[
        list[str],
        typer.Argument(
            metavar="PLACE...",
            help="An output (path, URL or job file), a picture or the .json beside it, or a shard (.tar, .parquet).",
        ),
    ],
    to: Annotated[str, typer.Option(metavar="FOLDER", help="Folder or URL for the originals; nothing is overwritten.")],
    key: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Only this picture's key; repeatable.")] = None,
    passcode_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A file whose first line is the passcode.")
    ] = None,
    passcode_env: Annotated[
        str | None, typer.Option(metavar="NAME", help="The variable of the environment that holds the passcode.")
    ] = None,
) -> None:
    """Give back, bit for bit, originals whose faces a job with model: anonymize has hidden and sealed.

    Without a file or variable the passcode is asked for. It is never taken as an argument, which others could read.
    The exit code is 11 where the passcode is wrong, and 8 where a picture or its record was changed.
    """
    asked = revealing.Asked(to, tuple(key or ()), passcode_file, passcode_env)
    end(lambda out: revealing.reveal_places(places, asked, out))


@app.command()
def gc(
    place: RunPlace,
    older_than: Annotated[
        str, typer.Option(metavar="AGE", help="Leave what was modified since: 90s, 30m, 24h, 7d or 0.")
    ] = "24h",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go; remove nothing.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Nobody works on the run, though it looks as if.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove what interrupted or lost attempts have left and no commit names."""
    end(lambda out: collecting.collect(place, older_than, out, force=force, dry_run=dry_run, as_json=as_json))


@app.command()
def retry(
    job: Annotated[str, typer.Argument(metavar="RUN", help="The job file of a run that has come to its end.")],
    code: Annotated[
        list[str] | None, typer.Option(help="Only records quarantined for this reason; repeatable.")
    ] = None,
) -> None:
    """Process the records in quarantine again."""
    end(lambda out: running.retry_run(job, tuple(code or ()), out))


app.command()(evaluate)


@app.command()
def notify(
    job: JobFile,
    test: Annotated[bool, typer.Option("--test", help="Send each of them a test message.")] = False,
) -> None:
    """Name who is told how a run ended, and try whether they can be."""
    end(lambda out: notifying.notify(job, out, test=test))


@app.command("compile")
def compile_model(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model in the cache; see `facejobs models`.")],
    engine: Annotated[
        str, typer.Option(help="As restore.engine.name of a job; a named one is built, or nothing.")
    ] = "auto",
    precision: Annotated[str, typer.Option(help="fp32, bf16, fp16 or auto: bf16 where the hardware has it.")] = "auto",
    batch: Annotated[
        str | None,
        typer.Option(
            help="Smallest, best, largest batch; 8 is 1,8,16, as a job with engine: {batch: 8} asks. "
            "Without it, what a job asks that says nothing: 8, and 1,4,4 for parsenet."
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:N or auto.")] = "auto",
    threads: Annotated[int, typer.Option(min=1, help="CPU threads of the engine.")] = 1,
    sft_strength: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Of GFPGAN; it is baked into the engine.")
    ] = 1.0,
    artifacts: Annotated[
        str | None, typer.Option(metavar="URI", help="A shared folder or bucket that it goes to as well.")
    ] = None,
    cache: Annotated[Path | None, typer.Option(help="The cache's folder.")] = None,
) -> None:
    """Build a model's engine before a run needs it, into the cache and a place that workers share."""
    asked = compiling.Asked(engine, precision, batch, device, threads, sft_strength, artifacts)
    end(lambda out: compiling.compile_model(model, asked, cache, out))


@app.command()
def init(
    kind: Annotated[str, typer.Argument(help=f"Kind of job: {KINDS_OF_JOB}.")] = "restore",
    path: Annotated[Path | None, typer.Argument(help="File to write; without it, the example is printed.")] = None,
    force: Annotated[bool, typer.Option(help="Overwrite the file if it exists.")] = False,
) -> None:
    """Write a commented example of a job file, every key at its default."""
    end(lambda out: author.init_job(kind, path, force, out))


@app.command()
def schema() -> None:
    """Print the JSON Schema of the job file, for editors."""
    end(author.show_schema)


@app.command()
def version(as_json: AsJson = False) -> None:
    """Show the versions of facejobs and of what touches pixels."""
    end(lambda out: author.show_version(as_json, out))


def main() -> None:
    """Entry point of the console command."""
    app(prog_name="facejobs")
