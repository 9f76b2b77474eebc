"""`facejobs models ...`: every command, its arguments and its help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jobs.commands import models
from jobs.ending import end

app = typer.Typer(
    help="The models with weights: what there is, what is here, and how it gets here. docs/models.md tells all.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Names = Annotated[list[str], typer.Argument(metavar="NAME", help="Models, as `facejobs models list` names them.")]
Folder = Annotated[
    Path | None,
    typer.Option(
        "--cache", help="The cache's folder; else $FACEJOBS_CACHE, $XDG_CACHE_HOME/facejobs or ~/.cache/facejobs."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_models(as_json: AsJson = False, cache: Folder = None) -> None:
    """Show every model that is known by name or in the cache."""
    end(lambda out: models.list_models(cache, as_json, out))


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A model.")],
    as_json: AsJson = False,
    cache: Folder = None,
) -> None:
    """Tell all about one model.

    What it is for, its terms, where it is published, and what of it is in the cache.
    """
    end(lambda out: models.show_model(name, cache, as_json, out))


@app.command()
def pull(
    names: Names,
    place: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="URI",
            help="A folder, a bucket or one file in place of where the model is published; any URL that fsspec reads.",
        ),
    ] = None,
    sha256: Annotated[str | None, typer.Option(help="Hash that the file must have; for one NAME.")] = None,
    cache: Folder = None,
) -> None:
    """Fetch models into the cache.

    A download that was broken off goes on where it stopped when the command is run again.
    """
    end(lambda out: models.pull_models(names, place, sha256, cache, out))


@app.command()
def add(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .pth, .pt or .safetensors file on this machine.")],
    name: Annotated[
        str | None, typer.Option(help="Name for it; without it, that of the published checkpoint that it is.")
    ] = None,
    task: Annotated[str | None, typer.Option(help="restore, colorize, inpaint or seg2face; for GPEN.")] = None,
    template: Annotated[str | None, typer.Option(help="Alignment of its training faces: ffhq or gpen.")] = None,
    size: Annotated[int | None, typer.Option(help="Side of its square in pixels, compared with the file.")] = None,
    licence: Annotated[
        str | None,
        typer.Option(
            help="Its licence, as an SPDX expression or in words; a GPEN without one counts as non-commercial."
        ),
    ] = None,
    noncommercial: Annotated[
        bool, typer.Option("--noncommercial", help="Jobs that use it have to accept its terms by name.")
    ] = False,
    attributes: Annotated[
        str | None,
        typer.Option(help="Names of the attributes of a completion network, in its order: smiling,male"),
    ] = None,
    sha256: Annotated[str | None, typer.Option(help="Hash that the file must have.")] = None,
    cache: Folder = None,
) -> None:
    """Check a local file and copy it into the cache."""
    said = models.Said(name, task, template, size, licence, noncommercial, attributes)
    end(lambda out: models.add_model(file, said, sha256, cache, out))


@app.command()
def verify(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="Models; without any, all in the cache.")
    ] = None,
    as_json: AsJson = False,
    cache: Folder = None,
) -> None:
    """Hash the files in the cache again.

    What differs from what was recorded is named, and the exit code is 8.
    """
    end(lambda out: models.verify_models(names or [], cache, as_json, out))


@app.command()
def remove(names: Names, cache: Folder = None) -> None:
    """Remove models from the cache."""
    end(lambda out: models.remove_models(names, cache, out))
