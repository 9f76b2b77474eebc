"""A recipe as a command line names it: one that ships, or a YAML file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jobs.errors import CommandError
from jobs.exits import Exit
from operators.degradations.problems import RecipeError
from operators.degradations.reading import MAX_BYTES, parse
from operators.degradations.recipe import Recipe
from operators.degradations.shipped import names, text_of


@dataclass(frozen=True)
class NamedRecipe:
    """A recipe and how it was written.

    Attributes:
        recipe: as read.
        text: its YAML.
    """

    recipe: Recipe
    text: str


def read_recipe(word: str) -> NamedRecipe:
    """Read a recipe.

    Args:
        word: name of a shipped recipe, or the path of a YAML file.

    Raises:
        CommandError: it is neither, or the file is wrong; with all problems, one a line.
    """
    text = shipped_text(word) if word in names() or not _is_path(word) else _file(Path(word))
    try:
        return NamedRecipe(parse(text, word), text)
    except RecipeError as error:
        raise CommandError(str(error), Exit.BAD_JOB) from error


def shipped_text(name: str) -> str:
    """A shipped recipe as it is written. Raises CommandError when there is none of this name."""
    try:
        return text_of(name)
    except RecipeError as error:
        advice = "(`facejobs pairs recipes` lists them all; the name of a file ends in .yaml)"
        raise CommandError(f"{error} {advice}", Exit.BAD_JOB) from error


def _is_path(word: str) -> bool:
    return word.lower().endswith((".yaml", ".yml")) or "/" in word or Path(word).is_file()


def _file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(4 * MAX_BYTES + 1)  # of UTF-8; whatever is longer has too many characters
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        # A cut in the middle of a character says nothing of the file.
        if len(data) > 4 * MAX_BYTES:
            return data.decode("utf-8", "replace")
        raise CommandError(
            f"{path}: byte {error.start} is no UTF-8, expected a recipe as YAML in UTF-8; the recipe comes "
            "first, then pictures",
            Exit.BAD_JOB,
        ) from error
    except OSError as error:
        raise CommandError(
            f"{path}: cannot be read ({error.strerror}); name a recipe that ships (`facejobs pairs recipes`) or a YAML "
            "file",
            Exit.BAD_JOB,
        ) from error
