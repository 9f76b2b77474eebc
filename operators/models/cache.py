"""The cache of models on a local disk: one folder a model, which is there whole or not at all.

    FOLDER/models/gfpgan-1.4/GFPGANv1.4.pth   the file as it was published
    FOLDER/models/gfpgan-1.4/model.json       its card
    FOLDER/models/.locks/gfpgan-1.4.lock      held while the model is fetched, added or removed
    FOLDER/models/.partial/...                downloads that are under way or were broken off
    FOLDER/engines/                           compiled engines

A model's folder is filled under a passing name and then renamed, so that whoever finds it finds all of it; a reader
needs no lock, and a cache that is read-only serves as well as any other.
"""

from __future__ import annotations

import shutil
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Literal

from operators.models.accept import complete, file_name, held_to
from operators.models.card import CARD, NAME, Card, read_card
from operators.models.changing import PARTIAL, flush, fresh_folder, locked, make_writable, take_away
from operators.models.checkpoint import Checkpoint
from operators.models.checkpoints import CHECKPOINTS
from operators.models.errors import ModelFileError, ModelRefusedError, NoModelError
from operators.models.examine import look_into
from operators.models.folder import ENGINES, MODELS, default_folder
from operators.models.hashing import copy_hashed, sha256_of
from operators.models.shipped import ARGUMENTS, COMPACT, shipped_file

State = Literal["as recorded", "missing", "changed", "damaged"]


@dataclass(frozen=True)
class CachedModel:
    """A model that is there.

    Attributes:
        path: of its file.
        sha256: content hash that was recorded when it came.
        checkpoint: what it is; its own hash and size filled in.
        card: all that is recorded of it.
    """

    path: Path
    sha256: str
    checkpoint: Checkpoint
    card: Card


@dataclass(frozen=True)
class Verdict:
    """What verifying a model came to.

    Attributes:
        name: of the model.
        state: `as recorded`, or what is wrong.
        message: more about it.
    """

    name: str
    state: State
    message: str


class Cache:
    """Models below a folder.

    Args:
        folder: the cache's folder, which holds `models` and `engines`; `default_folder()` when None.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = (folder or default_folder()).absolute()
        self.models = self.folder / MODELS

    @property
    def engines(self) -> Path:
        """Where compiled engines are kept."""
        return self.folder / ENGINES

    def find(self, name: str) -> CachedModel | None:
        """A model by name, None where there is none. Its file's size is looked at, its hash is not computed.

        One that comes with facejobs is there without being in the folder.

        Raises:
            ModelFileError: it is there and damaged; the message says how to get it again.
        """
        if not NAME.fullmatch(name):
            return None
        folder = self.models / name
        try:
            card = read_card(folder / CARD)
        except FileNotFoundError:
            return _shipped(name)
        path = folder / card.checkpoint.file
        size = path.stat().st_size if path.is_file() else None
        if card.checkpoint.name != name or size != card.checkpoint.bytes:
            found = "is not there" if size is None else f"has {size} bytes"
            raise ModelFileError(
                f"{path}: the file {found}, recorded are {card.checkpoint.bytes} bytes of {card.checkpoint.name}; "
                f"run: facejobs models remove {name}, then fetch or add it again"
            )
        assert card.checkpoint.sha256 is not None
        return CachedModel(path, card.checkpoint.sha256, _current(card.checkpoint), card)

    def names(self) -> tuple[str, ...]:
        """Names of all models, sorted, the damaged ones among them."""
        if not self.models.is_dir():
            return ()
        return tuple(sorted(item.name for item in self.models.iterdir() if NAME.fullmatch(item.name)))

    def list(self) -> tuple[CachedModel, ...]:
        """All models that can be used, sorted by name."""
        found = []
        for name in sorted({*self.names(), COMPACT}):
            try:
                model = self.find(name)
            except ModelFileError:
                continue
            if model is not None:
                found.append(model)
        return tuple(found)

    def add(
        self,
        source: Path,
        name: str,
        *,
        draft: Checkpoint | None = None,
        sha256: str | None = None,
        origin: str | None = None,
        move: bool = False,
    ) -> CachedModel:
        """Take a file into the cache after everything about it was checked. Call it inside `lock(name)`.

        The hash is compared with the table's and with the one that is given; then the file is read safely, its weights
        must be finite, and its architecture must be the one that its name promises.

        Args:
            source: a local file; it stays where it is unless `move`.
            name: a name of `CHECKPOINTS`, or another one together with `draft`.
            draft: what a user says of a model of his own; what he left out (None) is filled in from the file.
            sha256: hash that the file must have, where the user knows it.
            origin: where it comes from, as the card and messages name it; the source's path when None.
            move: take the file away from its place, which is on the same disk.

        Raises:
            NoModelError: that can be no name of a model, or nothing is known of it.
            ModelRefusedError: another hash, size, architecture; or the name is taken by other content.
            operators.checkpoints.CheckpointError: the file is hostile, damaged, or no checkpoint.
            ModelFileError: the cache cannot be written.
        """
        known = CHECKPOINTS.get(name)
        wanted = known or draft
        _check_name(name)
        if wanted is None:
            raise NoModelError(f"there is no published model {name}; say what it is")
        if known is not None and draft is not None:
            raise ModelRefusedError(
                f"{name} is the name of a published checkpoint; choose another for a model of your own"
            )
        place = origin or str(source.absolute())
        with fresh_folder(self.models) as folder:
            target = folder / file_name(wanted.file or source.name)
            digest = sha256_of(source) if move else copy_hashed(source, target)
            size = source.stat().st_size
            held = held_to(wanted, digest, source, sha256, place)
            if there := self._there(name, digest):
                return there
            contents = look_into(source)
            about = complete(wanted, contents, digest, place, known=known is not None)
            if move:
                source.replace(target)
            about = replace(about, file=target.name, bytes=size, sha256=digest)
            now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
            card = Card(about, contents.arguments, held, place, now)
            (folder / CARD).write_text(card.text(), encoding="utf-8")
            flush(target, folder / CARD)
            # What stands there has no card, or `find` would have found it: nothing that could be used.
            shutil.rmtree(self.models / name, ignore_errors=True)
            folder.rename(self.models / name)
        found = self.find(name)
        assert found is not None
        return found

    def remove(self, name: str) -> bool:
        """Remove a model, damaged or not; whether there was one.

        Raises:
            ModelFileError: the cache cannot be written.
        """
        folder = self.models / name
        if not NAME.fullmatch(name) or not folder.exists():
            return False
        with self.lock(name):
            try:
                take_away(folder)
            except FileNotFoundError:
                return False
        return True

    def verify(self, name: str) -> Verdict:
        """Hash a model's file again and compare it with what is recorded, and with the table."""
        try:
            model = self.find(name)
        except ModelFileError as error:
            return Verdict(name, "damaged", str(error))
        if model is None:
            return Verdict(name, "missing", f"there is no {name} in {self.models}")
        digest = sha256_of(model.path)
        if digest != model.sha256:
            return Verdict(name, "changed", f"{model.path} has SHA-256 {digest}, recorded is {model.sha256}")
        known = CHECKPOINTS.get(name)
        if known is not None and known.sha256 not in (None, digest):
            return Verdict(name, "changed", f"{model.path} has SHA-256 {digest}, published is {known.sha256}")
        return Verdict(name, "as recorded", f"{digest}, held to: {model.card.held_to}")

    def lock(self, name: str, *, wait: bool = True) -> AbstractContextManager[bool]:
        """Keep other processes of this machine from changing a model meanwhile.

        Args:
            name: of the model.
            wait: until it is free; else the context gives False where it is not.

        Raises:
            NoModelError: that can be no name of a model.
            ModelFileError: the cache cannot be written.
        """
        _check_name(name)
        return locked(self.models, name, wait=wait)

    def partial(self, stem: str) -> Path:
        """Where a download is collected before it is a model; the folder is made."""
        make_writable(self.models)
        return self.models / PARTIAL / stem

    def _there(self, name: str, digest: str) -> CachedModel | None:
        """The model if it is there already.

        Raises:
            ModelRefusedError: another one is there by that name.
        """
        there = self.find(name)
        if there is not None and there.sha256 != digest:
            raise ModelRefusedError(
                f"{name} is in the cache with other content (SHA-256 {there.sha256}, this file has {digest}); "
                f"run: facejobs models remove {name}, or choose another --name"
            )
        return there


def _shipped(name: str) -> CachedModel | None:
    path = shipped_file(name)
    if path is None:
        return None
    about = CHECKPOINTS[name]
    assert about.sha256 is not None
    if not path.is_file() or path.stat().st_size != about.bytes:
        raise ModelFileError(f"{path}: this file of facejobs is not there or not whole; install facejobs again")
    return CachedModel(path, about.sha256, about, Card(about, ARGUMENTS, "table", about.sources[0], ""))


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise NoModelError(f"{name!r} is no name of a model: up to 64 of a-z 0-9 . _ - are, a letter or digit first")


def _current(recorded: Checkpoint) -> Checkpoint:
    """What this version of facejobs says of a published checkpoint, with the file's own hash and size."""
    known = CHECKPOINTS.get(recorded.name)
    if known is None:
        return recorded
    return replace(known, file=recorded.file, bytes=recorded.bytes, sha256=recorded.sha256)
