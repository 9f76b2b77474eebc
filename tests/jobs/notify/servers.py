"""Little servers on loopback that keep what they are sent: HTTP for webhooks, SMTP (RFC 5321) for mail."""

from __future__ import annotations

import base64
import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Kept:
    """What a server has received.

    Attributes:
        port: where it listens.
        posts: bodies of webhooks.
        mails: as they came.
        logins: user and password of each SMTP session that gave them.
        status: what the webhook answers.
    """

    port: int = 0
    posts: list[dict[str, Any]] = field(default_factory=list)
    mails: list[EmailMessage] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)
    status: int = 200


@contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def webhook() -> Iterator[Kept]:
    kept = Kept()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            kept.posts.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(kept.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.port = server.server_address[1]
    with serving(server):
        yield kept


@contextmanager
def mail_server() -> Iterator[Kept]:
    kept = Kept()

    class Session(socketserver.StreamRequestHandler):
        def say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

        def handle(self) -> None:
            self.say("220 loopback ESMTP")
            while line := self.rfile.readline().decode().strip():
                verb = line.split()[0].upper()
                if verb == "EHLO":
                    self.say("250-loopback")
                    self.say("250 AUTH PLAIN")
                elif verb == "AUTH":
                    _, user, password = base64.b64decode(line.split()[2]).decode().split("\0")
                    kept.logins.append((user, password))
                    self.say("235 in")
                elif verb == "DATA":
                    self.say("354 go on")
                    self.data()
                elif verb == "QUIT":
                    self.say("221 bye")
                    return
                else:
                    self.say("250 fine")

        def data(self) -> None:
            lines: list[bytes] = []
            while (line := self.rfile.readline()) != b".\r\n":
                lines.append(line[1:] if line.startswith(b"..") else line)
            kept.mails.append(message_from_bytes(b"".join(lines), policy=policy.default))
            self.say("250 kept")

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Session)
    kept.port = server.server_address[1]
    with serving(server):
        yield kept


@contextmanager
def silent_server() -> Iterator[Kept]:
    """It takes connections and never says a word."""
    kept, ended = Kept(), threading.Event()

    class Session(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            ended.wait(60)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Session)
    kept.port = server.server_address[1]
    with serving(server):
        try:
            yield kept
        finally:
            ended.set()
