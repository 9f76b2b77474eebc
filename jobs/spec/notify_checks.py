"""Where summaries may lie, and with which storage options they are written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from jobs.spec.located import located
from jobs.spec.notify import Notify
from jobs.spec.overlap import inside
from jobs.spec.problems import Finding
from jobs.spec.uris import SCHEME, check_output

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Parts = TypeVar("Parts", bound="DataclassInstance")


class Placed(Protocol):
    """A block with a place in storage."""

    @property
    def uri(self) -> str:
        """The place."""
        ...

    @property
    def storage_options(self) -> dict[str, Any]:
        """What fsspec is given for it."""
        ...


def with_summary(parts: Parts, folder: Path, findings: list[Finding]) -> Parts:
    """The parts with the summary's place made absolute; see `jobs.spec.located.located`."""
    notify: Notify | None = getattr(parts, "notify", None)
    if notify is None:
        return parts
    moved: dict[str, Any] = {"notify": located(notify, ("notify",), {"summary": check_output}, folder, findings)}
    return replace(parts, **moved)


def check_summary(notify: Notify, source: Placed, output: Placed) -> Iterator[Finding]:
    """A folder of summaries that lies where only pictures may be, or where `verify` would not expect it."""
    if notify.summary is None:
        return
    options = summary_options(notify.summary, output)
    if inside(notify.summary, source.uri, (options, source.storage_options)):
        message = "lies inside the source's prefix, which is only ever read; put it elsewhere"
        yield Finding(("notify", "summary"), message)
    elif inside(notify.summary, output.uri, (options, output.storage_options)):
        message = "lies inside the output, where `facejobs verify` would call it extra; put it elsewhere"
        yield Finding(("notify", "summary"), message)


def summary_options(uri: str, output: Placed) -> Mapping[str, Any]:
    """As the job file has them: those of the output, where the summaries lie in storage of the same kind."""
    kinds = [match[1].lower() for match in (SCHEME.match(uri), SCHEME.match(output.uri)) if match]
    return output.storage_options if len(kinds) == 2 and kinds[0] == kinds[1] else {}
