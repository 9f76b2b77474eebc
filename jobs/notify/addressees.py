"""The addressees of `notify.urls`: read, refused where they cannot be told, and named without their secrets."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING

from jobs.errors import CommandError
from jobs.exits import Exit
from jobs.spec import Spec
from jobs.spec.uris import SCHEME
from jobs.spec.variables import expand

if TYPE_CHECKING:
    import apprise

MISSING = "notify.urls needs the package apprise, which is not installed here: pip install 'facejobs[notify]'"


@dataclass(frozen=True)
class Addressee:
    """Somebody who is told.

    Attributes:
        key: where it stands in the job file, `notify.urls[0]`.
        scheme: of its URL, `mailto`.
        service: Apprise's plugin, with the URL read.
    """

    key: str
    scheme: str
    service: apprise.NotifyBase = field(repr=False)

    @property
    def name(self) -> str:
        """For people: nothing of the URL but its scheme."""
        return f"{self.key} ({self.scheme}://)"

    @property
    def mail(self) -> bool:
        """Whether it shows HTML as a page."""
        return self.scheme in {"mailto", "mailtos"}


def installed() -> bool:
    """Whether Apprise is there."""
    return find_spec("apprise") is not None


def lacking(job: Spec) -> str:
    """What is to be installed before the job can run here, empty for nothing."""
    return MISSING if job.notify.urls and not installed() else ""


def addressees(job: Spec) -> list[Addressee]:
    """Everybody whom the job names. Opens no connection.

    Raises:
        CommandError: Apprise is not installed, or cannot read a URL. The message has no more of it than its scheme.
    """
    if why := lacking(job):
        raise CommandError(why, Exit.BAD_JOB)
    return list(_read(job))


def _read(job: Spec) -> Iterator[Addressee]:
    if not job.notify.urls:
        return
    import apprise  # noqa: PLC0415  an extra

    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # it would name the URL
    for index, url in enumerate(job.notify.urls):
        text = expand(url, os.environ)
        match = SCHEME.match(text)
        scheme = match[1].lower() if match else ""
        service = apprise.Apprise.instantiate(text, suppress_exceptions=True)
        if service is None:
            raise CommandError(f"notify.urls[{index}]: {_why(scheme)}", Exit.BAD_JOB)
        yield Addressee(f"notify.urls[{index}]", scheme, service)


def _why(scheme: str) -> str:
    import apprise  # noqa: PLC0415

    if not scheme:
        return "found no '://', expected an Apprise URL such as mailto://, json:// or slack://"
    known = {each for entry in apprise.Apprise().details()["schemas"] for each in _schemes(entry)}
    if scheme not in known:
        return f"Apprise knows no '{scheme}://'; its documentation lists what it does know"
    return (
        f"Apprise cannot read what stands behind '{scheme}://'; its documentation has the form, `apprise -vv` tries it"
    )


def _schemes(entry: dict[str, object]) -> Iterator[str]:
    for key in ("protocols", "secure_protocols"):
        found = entry.get(key)
        if isinstance(found, list | tuple | set | frozenset):
            yield from (str(each) for each in found)
