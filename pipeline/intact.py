"""Reading what a run has written about itself: a file that was damaged or lost is named, with what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.errors import LedgerError
from pipeline.layout import CURRENT
from pipeline.storage import Folder

START_AGAIN = (
    f"put it back from a backup; or remove the run's folder and {CURRENT}, "
    "and run the job with `output.existing: replace`"
)


@contextmanager
def intact(folder: Folder, name: str, advice: str, *, needed: bool = False) -> Iterator[None]:
    """Turn what reading a damaged file raises into words.

    Args:
        folder: where the file lies.
        name: of the file, relative to the folder.
        advice: what the user can do about it.
        needed: the run cannot be without this file, so its absence is damage too.

    Raises:
        LedgerError: the file holds something else than facejobs wrote, or is gone though it is needed.
    """
    try:
        yield
    except FileNotFoundError as error:
        if not needed:
            raise
        raise LedgerError(f"{folder.uri}/{name}: it is missing, and the run needs it; {advice}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:  # JSON, UTF-8 and Arrow raise ValueErrors
        said = f"{type(error).__name__}: {error}"
        raise LedgerError(f"{folder.uri}/{name}: damaged, not what facejobs wrote ({said}); {advice}") from error
