"""Who may speak to the studio: the person who has the link, from this machine, from the studio's own page."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

NAMES = ("127.0.0.1", "localhost", "[::1]")
"""Of this machine, as a browser writes them."""


class Guard:
    """Refuses whatever has a foreign Host, a foreign Origin or no token, on every path, before anything else looks at it.

    A page of somebody else's in the same browser has a foreign Origin; a name that was made to point to this machine is a foreign
    Host. The link's token is traded for a cookie that no script reads and no other site sends.

    Args:
        app: that is guarded.
        token: of the link.
        port: that is listened on.

    """

    def __init__(self, app: App, token: str, port: int) -> None:
        self.app, self.token, self.port = app, token, port
        self.hosts = {f"{name}:{port}" for name in NAMES}
        self.cookie = f"thalweg-{port}"  # cookies do not know ports

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let through, or refuse."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        headers = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]]
        hosts, origins = _all(headers, "host"), _all(headers, "origin")
        if len(hosts) != 1 or hosts[0].lower() not in self.hosts:
            await _refuse(scope, send, "The studio answers to this machine's own names alone.")
        elif any(origin.lower() not in {f"http://{host}" for host in self.hosts} for origin in origins):
            await _refuse(scope, send, "The studio answers to its own page alone.")
        elif self._has(_cookies(headers, self.cookie)) or self._has(_bearers(headers)):
            await self.app(scope, receive, self._sealed(send))
        elif scope["type"] == "http" and self._has(parse_qs(scope["query_string"].decode("latin-1")).get("token", [])):
            await self._let_in(scope, send)
        else:
            await _refuse(scope, send, "The link's token is missing, or is that of another studio: take the link anew.")

    def _has(self, tokens: Iterable[str]) -> bool:
        return any(hmac.compare_digest(one.encode(), self.token.encode()) for one in tokens)

    async def _let_in(self, scope: Scope, send: Send) -> None:
        """Trade the link's token for a cookie, and take it out of the address."""
        cookie = f"{self.cookie}={self.token}; HttpOnly; SameSite=Strict; Path=/"
        headers = [("location", scope["path"]), ("set-cookie", cookie), ("cache-control", "no-store")]
        await _answer(send, 303, "", headers)

    def _sealed(self, send: Send) -> Send:
        """With headers that keep the page to itself."""

        async def sealed(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                known = {name.lower() for name, _ in message["headers"]}
                more = [(name.encode(), value.encode()) for name, value in self._headers()]
                message["headers"] = [*message["headers"], *(pair for pair in more if pair[0] not in known)]
            await send(message)

        return sealed

    def _headers(self) -> list[tuple[str, str]]:
        sockets = " ".join(f"ws://{host}" for host in sorted(self.hosts) if "[" not in host)  # which no policy can name
        policy = (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
            f"connect-src 'self' {sockets}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        return [
            ("content-security-policy", policy),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cache-control", "no-store"),
        ]


def _all(headers: list[tuple[str, str]], name: str) -> list[str]:
    return [value for key, value in headers if key == name]


def _cookies(headers: list[tuple[str, str]], name: str) -> list[str]:
    found = []
    for text in _all(headers, "cookie"):
        try:
            cookie = SimpleCookie(text).get(name)
        except CookieError:
            continue
        if cookie is not None:
            found.append(cookie.value)
    return found


def _bearers(headers: list[tuple[str, str]]) -> list[str]:
    return [value[7:] for value in _all(headers, "authorization") if value.lower().startswith("bearer ")]


async def _refuse(scope: Scope, send: Send, why: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": ""})  # before it is accepted: a 403
        return
    await _answer(send, 403, f"{why}\n", [])


async def _answer(send: Send, status: int, text: str, headers: list[tuple[str, str]]) -> None:
    head = [("content-type", "text/plain; charset=utf-8"), ("x-content-type-options", "nosniff"), *headers]
    pairs = [(name.encode(), value.encode()) for name, value in head]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": text.encode()})
