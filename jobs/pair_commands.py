"""`facejobs pairs ...`: every command, its arguments and its help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jobs.commands import pairs
from jobs.commands import regenerate as regenerating
from jobs.ending import end

app = typer.Typer(
    help="Training pairs: try recipes, and make pairs again from their records. docs/recipes.md tells of recipes.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command()
def recipes() -> None:
    """List the recipes that ship, a line each."""
    end(pairs.list_recipes)


@app.command()
def recipe(name: Annotated[str, typer.Argument(metavar="NAME", help="A recipe that ships.")]) -> None:
    """Print a recipe that ships, to begin one's own from."""
    end(lambda out: pairs.show_recipe(name, out))


@app.command()
def preview(
    recipe: Annotated[str, typer.Argument(metavar="RECIPE", help="A recipe that ships, or a YAML file.")],
    images: Annotated[list[str], typer.Argument(metavar="IMAGE...", help="Pictures: paths or fsspec URLs.")],
    out: Annotated[
        Path | None,
        typer.Option(help="File to write, .png or .html; else the recipe's name and .png in the working folder."),
    ] = None,
    variants: Annotated[int, typer.Option(min=1, max=64, help="Pairs from each picture.")] = 8,
    seed: Annotated[int, typer.Option(help="As run.seed of a job.")] = 0,
    size: Annotated[
        int | None,
        typer.Option(
            min=32,
            max=4096,
            help="Side of the square in pixels: of an aligned face, 512 without it; of an image, its middle reduced, "
            "the whole as it is without it.",
        ),
    ] = None,
    template: Annotated[str, typer.Option(help="Alignment of faces: ffhq or gpen.")] = "ffhq",
    samples: Annotated[str, typer.Option(help="faces: the largest face of each picture; images: each as a whole.")] = (
        "faces"
    ),
    strip: Annotated[bool, typer.Option("--strip", help="One row for each picture, without parameters.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file if it exists.")] = False,
) -> None:
    """Show what a recipe makes of pictures, with every drawn parameter.

    A picture without a face is shown whole.
    """
    asked = pairs.Asked(out, variants, seed, size, template, samples, strip, force)
    end(lambda output: pairs.preview(recipe, images, asked, output))


@app.command()
def regenerate(
    record: Annotated[
        str,
        typer.Argument(
            metavar="RECORD",
            help="A pair's .json; a shard (.tar, .parquet) or a record.lmdb; or a run: a job file or the output's URI.",
        ),
    ],
    key: Annotated[list[str] | None, typer.Option(metavar="NAME", help="The pair's key; repeatable.")] = None,
    source: Annotated[
        str, typer.Option(metavar="URI", help="A file or folder in place of the one that the record names.")
    ] = "",
    job: Annotated[
        str | None, typer.Option(metavar="JOB", help="A job file whose storage options reach source and output.")
    ] = None,
    to: Annotated[Path, typer.Option(metavar="DIR", help="Folder for KEY.lq.png, KEY.gt.png, KEY.mask.png.")] = Path(),
    check: Annotated[bool, typer.Option("--check", help="Compare only; write nothing.")] = False,
    sample: Annotated[int, typer.Option(min=1, help="With --check and without --key: pairs to choose.")] = (
        regenerating.DEFAULT_SAMPLE
    ),
    seed: Annotated[int, typer.Option(help="Of that choice.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that are there.")] = False,
) -> None:
    """Make pairs again from their records and sources, and compare them bit for bit.

    The exit code is 8 where one differs.
    """
    asked = regenerating.Asked(key or [], source, job, to, check, sample, seed, force)
    end(lambda out: regenerating.regenerate(record, asked, out))
