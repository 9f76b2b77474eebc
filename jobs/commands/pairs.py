"""`facejobs pairs recipes`, `recipe` and `preview`: what helps to choose and to write a recipe."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_args

from jobs.console import Output
from jobs.errors import CommandError
from jobs.exits import Exit
from jobs.opencv import settle_opencv
from jobs.pairs.making import png
from jobs.pairs.preview import Shown, Tried, Wish, try_recipe
from jobs.pairs.preview_page import preview_page
from jobs.pairs.preview_sheet import preview_sheet
from jobs.pairs.recipe_file import read_recipe, shipped_text
from operators.degradations.problems import RecipeError
from operators.degradations.recipe import Recipe
from operators.degradations.shipped import names, shipped
from operators.errors import OperatorError
from operators.faces.detect import Detector
from operators.faces.templates import template_names
from pipeline.errors import RecordError
from pipeline.records import Record
from pipeline.sources import SourceSpec, make_reader

FORMS = (".png", ".html")


@dataclass(frozen=True)
class Asked:
    """The options of a preview, as they were given.

    Attributes:
        out: file to write; None for the recipe's name and `.png` in the working folder.
        variants: pairs from each picture.
        seed: of the job.
        size: side of the sample in pixels.
        template: that faces are aligned to.
        samples: `faces` or `images`.
        strip: one row for each picture.
        force: the file may be there already.
    """

    out: Path | None
    variants: int
    seed: int
    size: int | None
    template: str
    samples: str
    strip: bool
    force: bool


def list_recipes(out: Output) -> Exit:
    """The recipes that ship, a line each."""
    width = max(map(len, names()))
    for name in names():
        out.say(f"{name:<{width}}  {shipped(name).source}")
    return Exit.DONE


def show_recipe(name: str, out: Output) -> Exit:
    """A recipe that ships, as it is written."""
    out.say(shipped_text(name).rstrip("\n"))
    return Exit.DONE


def preview(recipe: str, images: list[str], asked: Asked, out: Output) -> Exit:
    """Try a recipe on pictures and write what became of them to one file."""
    read = read_recipe(recipe)
    wish = _wish(read.recipe, asked)
    path = _path(asked, read.recipe.recipe)
    settle_opencv()
    detector = Detector()
    tried = [_tried(image, wish, detector, out) for image in images]
    if path.suffix.lower() == ".html":
        data = preview_page(tried, wish, read.text, strip=asked.strip).encode()
    else:
        data = png(preview_sheet(tried, wish, strip=asked.strip))
    try:
        path.write_bytes(data)
    except OSError as error:
        raise CommandError(f"{path}: cannot be written ({error.strerror})", Exit.USAGE) from error
    pairs = sum(len(one.variants) for one in tried)
    out.say(f"wrote {path}: {pairs} pairs of {len(tried)} {'picture' if len(tried) == 1 else 'pictures'}")
    return Exit.DONE


def _wish(recipe: Recipe, asked: Asked) -> Wish:
    """Check what is asked for. Raises CommandError."""
    for word, known, option in (
        (asked.samples, get_args(Shown), "--samples"),
        (asked.template, template_names(), "--template"),
    ):
        if word not in known:
            raise CommandError(f"{option} {word}: expected {' or '.join(known)}", Exit.USAGE)
    return Wish(recipe, asked.variants, asked.seed, cast("Shown", asked.samples), asked.size, asked.template)


def _path(asked: Asked, recipe: str) -> Path:
    """Where the preview goes. Raises CommandError when it cannot go there."""
    path = asked.out or Path(f"{recipe}.png")
    if path.suffix.lower() not in FORMS:
        raise CommandError(f"--out {path}: expected a name that ends in {' or '.join(FORMS)}", Exit.USAGE)
    if path.exists() and not asked.force:
        raise CommandError(
            f"{path}: exists already; name another file with --out, or say --force to overwrite it", Exit.USAGE
        )
    return path


def _tried(image: str, wish: Wish, detector: Detector, out: Output) -> Tried:
    """One picture. Raises CommandError when it cannot be used."""
    name = re.split(r"[/\\]", image.rstrip("/"))[-1] or image
    try:
        data = make_reader(SourceSpec("files", image)).read(Record(name, image, ""))
        tried = try_recipe(data, name, wish, detector)
    except RecordError as error:
        raise CommandError(error.message, Exit.BAD_JOB) from error
    except OperatorError as error:
        raise CommandError(f"{image}: {error.message}", Exit.BAD_JOB) from error
    except RecipeError as error:
        raise CommandError(f"{image}: {error}", Exit.BAD_JOB) from error
    if tried.note:
        out.log(f"{image}: {tried.note}")
    return tried
