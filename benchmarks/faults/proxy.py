"""A proxy on loopback that passes S3 requests on to a real server, and injects faults on the way.

Signatures hold, since the Host header is passed on as it came. Run by itself:

    python -m benchmarks.faults.proxy --upstream http://127.0.0.1:8333 --port 9000 --seed 1 \
        --rates internal_error=0.02,slow_down=0.02,lost_reply=0.01

`GET /-/faults` answers with the counts so far as JSON ("-" can be no bucket's name); they are printed at the end too.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import re
import signal
import socket
import sys
import threading
import time
from collections import Counter, deque
from dataclasses import replace
from html import escape
from types import TracebackType
from urllib.parse import parse_qs, quote, urlsplit

import aiohttp
from aiohttp import web
from yarl import URL

from benchmarks.faults.answers import ERRORS, HOP, refuse, reset, unconditional
from benchmarks.faults.behaviour import Behaviour
from benchmarks.faults.listing import spoil
from benchmarks.faults.rates import Dice, Drawn, Rates, is_listing

LOOPBACK = "127.0.0.1"
MOST_BYTES = 256 * 2**20
"""Of one request's body; a request is held whole, so that it can be passed on, or not, at once."""
AT_ONCE = 64
"""Requests in hand at a time; others wait in their connections."""
CHUNK = 64 * 1024


class FaultProxy:
    """The proxy in a thread of this process; a context manager.

    Attributes:
        counts: how often each fault was injected, and `requests`.
        behaviour: what it does now; may be replaced at any time.
    """

    def __init__(self, upstream: str, behaviour: Behaviour | None = None, seed: int = 0, port: int = 0) -> None:
        self.behaviour = behaviour or Behaviour()
        self.counts: Counter[str] = Counter()
        self._faults = self._matched = 0
        self._ended: deque[str] = deque(maxlen=100)
        self._upstream = upstream.rstrip("/")
        self._dice = Dice(seed)
        self._socket = socket.create_server((LOOPBACK, port))
        self._started = time.monotonic()
        self._stop = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self.serve()), name="faults", daemon=True)

    @property
    def endpoint(self) -> str:
        """`http://127.0.0.1:<port>`."""
        return f"http://{LOOPBACK}:{self._socket.getsockname()[1]}"

    def change(self, **changes: object) -> None:
        """Replace parts of the behaviour."""
        self.behaviour = replace(self.behaviour, **changes)  # type: ignore[arg-type]

    def __enter__(self) -> FaultProxy:
        self._thread.start()
        if not self._ready.wait(30):
            raise RuntimeError("the proxy did not start within 30 s")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)

    def stop(self) -> None:
        """End `serve`; to be called in its loop."""
        self._stop.set()

    async def serve(self) -> None:
        """Take requests until `stop`."""
        self._loop = asyncio.get_running_loop()
        self._room = asyncio.Semaphore(AT_ONCE)
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=120)
        async with aiohttp.ClientSession(
            auto_decompress=False, timeout=timeout, connector=aiohttp.TCPConnector(limit=AT_ONCE)
        ) as self._session:
            # Bodies of error answers are small; of requests, as large as a part of an upload.
            application = web.Application(client_max_size=MOST_BYTES)
            application.router.add_route("*", "/{target:.*}", self._take)
            runner = web.AppRunner(application, access_log=None, handle_signals=False, shutdown_timeout=1.0)
            await runner.setup()
            await web.SockSite(runner, self._socket).start()
            self._ready.set()
            await self._stop.wait()
            await runner.cleanup()

    async def _take(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/-/faults":
            return web.json_response(dict(self.counts))
        async with self._room:
            try:
                return await self._answer(request, self.behaviour)
            except ConnectionResetError:  # the client was killed while it sent
                return reset(request)

    async def _answer(self, request: web.Request, behaviour: Behaviour) -> web.StreamResponse:
        self.counts["requests"] += 1
        target = str(request.raw_path)
        if behaviour.silent:
            self.counts["silent"] += 1
            await self._stop.wait()
            return reset(request)
        expired = behaviour.expire_after is not None and time.monotonic() - self._started > behaviour.expire_after
        meant = self._meant(request, behaviour, target)
        if (behaviour.expired and meant) or expired:
            self.counts["expired"] += 1
            code = behaviour.expired or "ExpiredToken"
            return await refuse(request, behaviour.expired_status, code, "The provided token has expired.")
        if behaviour.unknown_condition and "If-None-Match" in request.headers:
            self.counts["unknown_condition"] += 1
            return await refuse(request, 501, "NotImplemented", "A header you provided is not implemented.")
        drawn = self._draw(request, behaviour, target) if meant else Drawn("", 0.0)
        if drawn.delay:
            self.counts["delayed"] += 1
            await asyncio.sleep(drawn.delay)
        if drawn.fault in ERRORS:
            self.counts[drawn.fault] += 1
            return await refuse(request, *ERRORS[drawn.fault])
        if drawn.fault == "reset_before":
            self.counts[drawn.fault] += 1
            return reset(request)
        if any(upload in target for upload in self._ended):
            # The upload was completed and its reply lost; AWS S3 knows it no more, SeaweedFS would say yes again.
            return await refuse(request, 404, "NoSuchUpload", "The specified multipart upload does not exist.")
        return await self._pass_on(request, behaviour, target, drawn)

    def _meant(self, request: web.Request, behaviour: Behaviour, target: str) -> bool:
        """Whether a request may meet a fault."""
        if behaviour.only and not re.search(behaviour.only, f"{request.method} {target}"):
            return False
        self._matched += 1
        return self._matched > behaviour.sound

    def _draw(self, request: web.Request, behaviour: Behaviour, target: str) -> Drawn:
        """What happens to this request."""
        drawn = self._dice.draw(behaviour.rates, request.method, target, conditional="If-None-Match" in request.headers)
        if drawn.fault:
            self._faults += 1
            if behaviour.most is not None and self._faults > behaviour.most:
                return Drawn("", drawn.delay)
        return drawn

    async def _pass_on(
        self, request: web.Request, behaviour: Behaviour, target: str, drawn: Drawn
    ) -> web.StreamResponse:
        body = await request.read()
        headers = [(name, value) for name, value in request.headers.items() if name.lower() not in HOP]
        if behaviour.unconditional is not None and "If-None-Match" in request.headers:
            self.counts["unconditional"] += 1
            headers = unconditional(request, body, target, behaviour.unconditional)
        async with self._session.request(
            request.method,
            URL(self._upstream + target, encoded=True),
            headers=headers,
            data=io.BytesIO(body) if body else None,
            skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
            allow_redirects=False,
        ) as answer:
            if drawn.fault == "lost_reply":
                self.counts[drawn.fault] += 1
                await answer.read()
                if request.method == "POST" and (upload := request.query.get("uploadId")):
                    self._ended.append(f"uploadId={quote(upload, safe='')}")
                return reset(request)
            if is_listing(request.method, target) and drawn.fault:
                return await self._spoilt(request, answer, drawn.fault)
            return await self._reply(request, answer, cut=drawn.fault == "truncated")

    async def _spoilt(self, request: web.Request, answer: aiohttp.ClientResponse, fault: str) -> web.StreamResponse:
        """A listing with a fault in it, where it has something to spoil."""
        sound = await answer.read()
        token = parse_qs(urlsplit(str(request.raw_path)).query).get("continuation-token", [""])[0]
        body = spoil(sound, fault, escape(token)) if answer.status == 200 else sound
        self.counts[fault] += body != sound
        return web.Response(body=body, status=answer.status, content_type="application/xml")

    async def _reply(self, request: web.Request, answer: aiohttp.ClientResponse, *, cut: bool) -> web.StreamResponse:
        reply = web.StreamResponse(status=answer.status, reason=answer.reason)
        for name, value in answer.headers.items():
            if name.lower() not in HOP:
                reply.headers.add(name, value)
        length = answer.headers.get("Content-Length")
        await reply.prepare(request)
        # A body of one byte has no middle.
        allowed = int(length) // 2 if cut and length and int(length) > 1 else None
        async for chunk in answer.content.iter_chunked(CHUNK):
            if allowed is not None and len(chunk) >= allowed:
                self.counts["truncated"] += 1
                await reply.write(chunk[:allowed])
                if request.transport is not None:
                    request.transport.close()  # what was written is sent first
                return reply
            allowed = None if allowed is None else allowed - len(chunk)
            await reply.write(chunk)
        if request.method != "HEAD":
            await reply.write_eof()
        return reply


def main() -> None:
    """The proxy as a process of its own, until SIGTERM or SIGINT; then its counts as JSON."""
    parser = argparse.ArgumentParser(description="A proxy that injects faults on the way to an S3 server.")
    parser.add_argument("--upstream", required=True, help="the server, http://127.0.0.1:8333")
    parser.add_argument("--port", type=int, default=0, help="on loopback; a free one without it")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rates", type=Rates.parse, default=Rates(), help="internal_error=0.02,slow_down=0.01,...")
    parser.add_argument("--expire-after", type=float, help="seconds after which credentials count as expired")
    given = parser.parse_args()
    proxy = FaultProxy(given.upstream, Behaviour(given.rates, expire_after=given.expire_after), given.seed, given.port)
    sys.stdout.write(f"{proxy.endpoint}\n")
    sys.stdout.flush()

    async def run() -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, proxy.stop)
        await proxy.serve()

    asyncio.run(run())
    sys.stdout.write(json.dumps(dict(proxy.counts)) + "\n")


if __name__ == "__main__":
    main()
