"""`facejobs ui`: a page on this machine that shows a run as it goes on."""

from __future__ import annotations

import asyncio
import os
import sys
import webbrowser
from dataclasses import dataclass

from jobs.commands.look import followed
from jobs.console import Output
from jobs.errors import CommandError
from jobs.exits import Exit
from jobs.watch.watcher import Watcher


@dataclass(frozen=True)
class Asked:
    """Options of the command.

    Attributes:
        host: address to listen at.
        port: 0 for a free one.
        every: seconds between two looks at the ledger.
        browser: whether to open one.
    """

    host: str
    port: int
    every: float
    browser: bool


def show_page(place: str, asked: Asked, out: Output) -> Exit:
    """Serve the page until Ctrl-C.

    Raises:
        CommandError: the address cannot be listened at.
        NoSuchRunError: there is no run at the place.
    """
    from jobs.watch.server import Server, is_loopback  # noqa: PLC0415  a quarter of a second, for those who use it

    watcher = Watcher(followed(place, out))
    if not is_loopback(asked.host):
        out.log(
            f"WARNING: {asked.host} can be reached from other machines: whoever reaches it sees names, counts and "
            "messages of this run; there is no password and no encryption. Over ssh -L the default serves as well"
        )
    server = Server(watcher, asked.every, asked.host)

    def ready(url: str) -> None:
        out.say(f"{url}  (Ctrl-C ends it)")
        if asked.browser and _has_display():
            webbrowser.open(url)

    try:
        asyncio.run(server.serve(asked.port, ready))
    except KeyboardInterrupt:
        return Exit.DONE
    except OSError as error:
        if server.listening:
            raise
        raise CommandError(
            f"{asked.host}:{asked.port}: cannot listen there ({os.strerror(error.errno or 0)}); name another --port, "
            "or --port 0 for a free one",
            Exit.USAGE,
        ) from error
    return Exit.DONE


def _has_display() -> bool:
    """Whether a browser would open in a window of this machine, and not as text in the terminal."""
    if os.environ.get("SSH_CONNECTION"):
        return False
    return not sys.platform.startswith("linux") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
