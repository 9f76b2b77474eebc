"""The page's server: one page, its parts as JSON, the snapshot as JSON, and the run's report; nothing else."""

from __future__ import annotations

import asyncio
import ipaddress
import signal
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from aiohttp import web

from jobs.watch.loop import Loop
from jobs.watch.page import Page
from jobs.watch.watcher import Watcher
from pipeline import layout
from pipeline.retries import is_storage

LOOKED_SECONDS = 30.0
"""When nobody has asked for so long, the ledger is not read until somebody asks again."""

FIRST_SECONDS = 2.0
"""So long the page waits for the first snapshot before it is sent without one."""

REPORT_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; sandbox allow-scripts"
)
"""Of the report, whose own policy allows its style and script by their hashes; both hold. The sandbox keeps it apart
from the page (Content Security Policy Level 3, section 6.3.2)."""

COMMON = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Server:
    """Serves what a watcher sees.

    Args:
        watcher: takes snapshots.
        every: seconds between two.
        host: address to listen at.
    """

    def __init__(self, watcher: Watcher, every: float, host: str) -> None:
        self._watcher = watcher
        self._host = host
        self._asked = time.monotonic()
        self._loop = Loop(watcher, every, lambda: time.monotonic() - self._asked < LOOKED_SECONDS)
        self._page = Page(watcher.follower.scrubber.scrub)
        self.listening = False

    async def serve(self, port: int, ready: Callable[[str], None]) -> None:
        """Serve until SIGINT or SIGTERM.

        Args:
            port: 0 for a free one.
            ready: told the page's address once it can be asked for.

        Raises:
            OSError: the address cannot be listened at.
        """
        runner = web.AppRunner(self.app(), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            site = web.TCPSite(runner, self._host, port)
            await site.start()
            self.listening = True
            with self._loop:
                await self._until_stopped(lambda: ready(_url(self._host, _port_of(runner))))
        finally:
            await runner.cleanup()

    def app(self) -> web.Application:
        """The application, with the four things that it serves."""
        app = web.Application(middlewares=[self._guard], client_max_size=1024)
        app.router.add_get("/", self._whole)
        app.router.add_get("/parts.json", self._parts)
        app.router.add_get("/snapshot.json", self._snapshot)
        app.router.add_get(f"/{layout.REPORT}", self._report)
        return app

    async def _until_stopped(self, ready: Callable[[], None]) -> None:
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        handled = []
        for number in (signal.SIGINT, signal.SIGTERM):
            with suppress(NotImplementedError, ValueError, RuntimeError):  # not the main thread, or not on this system
                loop.add_signal_handler(number, stopped.set)
                handled.append(number)
        try:
            ready()
            while not stopped.is_set():
                _ = self._loop.seen  # raises what the reading thread has ended with
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(stopped.wait(), 1.0)
        finally:
            for number in handled:
                loop.remove_signal_handler(number)

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse what another site's page sends here under a name of its own (DNS rebinding), and set the headers."""
        if not self._is_ours(request.headers.get("Host", "")):
            return web.Response(
                status=421,
                text="This page answers to the address it was started with, to localhost and to IP addresses.\n",
                headers=COMMON,
            )
        self._asked = time.monotonic()
        try:
            response = await handler(request)
        except web.HTTPException as error:
            error.headers.update(COMMON)
            raise
        response.headers.update(COMMON)
        return response

    def _is_ours(self, host: str) -> bool:
        """Whether a Host header (RFC 9110, section 7.2) names this machine in a way that no stranger's DNS decides."""
        name = host.rsplit(":", 1)[0] if host.rpartition(":")[2].isdigit() else host
        if name.lower() in {"localhost", self._host.lower(), socket.gethostname().lower()}:
            return True
        try:
            ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
        except ValueError:
            return False
        return True

    async def _whole(self, request: web.Request) -> web.Response:
        seen = await asyncio.to_thread(self._loop.wait, 0, FIRST_SECONDS)
        return web.Response(
            text=self._page.whole(seen),
            content_type="text/html",
            charset="utf-8",
            headers={"Content-Security-Policy": self._page.policy},
        )

    async def _parts(self, request: web.Request) -> web.Response:
        return web.json_response(self._page.parts(self._loop.seen))

    async def _snapshot(self, request: web.Request) -> web.Response:
        seen = await asyncio.to_thread(self._loop.wait, 0, FIRST_SECONDS)
        if seen.snapshot is None:
            raise web.HTTPServiceUnavailable(text=seen.trouble(self._watcher.follower.scrubber.scrub) or "not read yet")
        return web.json_response(seen.snapshot.to_json())

    async def _report(self, request: web.Request) -> web.Response:
        """The report of the run that is shown now, as it lies in the run's folder."""
        run = self._watcher.follower.run
        try:
            data = await asyncio.to_thread(run.folder.read, layout.REPORT)
        except FileNotFoundError:
            raise web.HTTPNotFound(text="This run has no report yet.\n") from None
        except Exception as error:
            if not is_storage(error):
                raise
            scrub = self._watcher.follower.scrubber.scrub
            raise web.HTTPServiceUnavailable(text=f"The report cannot be read now: {scrub(str(error))}\n") from None
        return web.Response(
            body=data, content_type="text/html", charset="utf-8", headers={"Content-Security-Policy": REPORT_POLICY}
        )


def _port_of(runner: web.AppRunner) -> int:
    return int(runner.addresses[0][1])


def _url(host: str, port: int) -> str:
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{port}/"
