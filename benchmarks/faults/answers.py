"""What the proxy itself says in a server's place, and what it does to a request's headers."""

from __future__ import annotations

import contextlib
import socket
import struct

from aiohttp import web
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

# RFC 9110 section 7.6.1: meant for one hop. The proxy sends bodies whole, with their length.
HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "expect"})

ERRORS = {
    "internal_error": (500, "InternalError", "We encountered an internal error. Please try again."),
    "slow_down": (503, "SlowDown", "Please reduce your request rate."),
    "conflict": (409, "ConditionalRequestConflict", "A conflicting operation is under way."),
}


def unconditional(request: web.Request, body: bytes, target: str, credentials: Credentials) -> list[tuple[str, str]]:
    """The request's headers without its condition, signed anew (AWS Signature Version 4), since that is signed too."""
    kept = {
        name: value
        for name, value in request.headers.items()
        if name.lower() not in HOP | {"if-none-match", "authorization", "x-amz-date", "content-length"}
    }
    signed = AWSRequest(request.method, f"http://{request.host}{target}", data=body, headers=kept)
    S3SigV4Auth(credentials, "s3", "us-east-1").add_auth(signed)
    return list(signed.headers.items())


async def refuse(request: web.Request, status: int, code: str, message: str) -> web.Response:
    """An answer in S3's form; the body is read first, or the client would see a reset in its place."""
    await request.read()
    if request.method == "HEAD":
        return web.Response(status=status)
    body = f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return web.Response(status=status, text=body, content_type="application/xml")


def reset(request: web.Request) -> web.Response:
    """End the connection with a RST, which `SO_LINGER` of 0 s means (socket(7))."""
    transport = request.transport
    if transport is not None:
        with contextlib.suppress(OSError):
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response()  # goes nowhere
