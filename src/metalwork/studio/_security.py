"""Who may ask the studio anything, and what every answer of it carries.

The server can write into a project and start training, so that a page of somebody else's, which the same browser
shows, must reach none of it. Each request passes the gate, whatever its route and method: it names this machine
(``Host``; a name that was bent to 127.0.0.1 is another), it comes from a page of the studio's own (``Origin``,
``Sec-Fetch-Site``), and it holds the token that was printed where the studio was started.
"""

import logging
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from metalwork._html import escape
from metalwork.errors import MetalworkError

_LOG: Final = logging.getLogger("metalwork.studio")

MOST_BODY: Final = 1 << 20
"""Bytes that a request may bring."""

METHODS: Final = ("GET", "HEAD", "POST")
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
REPORT_POLICY: Final = (
    "sandbox allow-scripts allow-popups; default-src 'none'; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
"""Of a report within a page: it has an origin of its own, and so nothing that the studio would listen to."""

_HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
_CLOSED: Final = "Open the studio by the address that was printed where it was started: it holds a token."
_FAILED: Final = "The studio failed on this request; the terminal says how. Nothing was written half."


class RefusedError(MetalworkError):
    """A request that is not answered, with the status code that says so."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Key:
    """What opens the studio: a token, the cookie that keeps it, and the names by which the server may be asked."""

    token: str
    port: int

    @classmethod
    def new(cls, port: int) -> "Key":
        """A random one."""
        return cls(secrets.token_urlsafe(32), port)

    @property
    def cookie(self) -> str:
        """Its name has the port: cookies are shared by all ports of a machine."""
        return f"metalwork-studio-{self.port}"

    @property
    def hosts(self) -> tuple[str, ...]:
        """What a browser on this machine calls it."""
        return f"127.0.0.1:{self.port}", f"localhost:{self.port}"

    @property
    def address(self) -> str:
        """What to open."""
        return f"http://127.0.0.1:{self.port}/?token={self.token}"

    def fits(self, given: str) -> bool:
        """Whether this is the token, in a time that tells nothing of it."""
        return secrets.compare_digest(given.encode("utf-8", "replace"), self.token.encode())


class Gate:
    """What every request passes, and what becomes of errors: an answer with a status code, never a traceback."""

    def __init__(self, app: ASGIApp, key: Key) -> None:
        self._app, self._key = app, key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, _guarded(send))
        else:  # no route is a web socket
            await send({"type": "websocket.close", "code": 1008})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        try:
            opened = self._admit(scope, headers)
            await (opened or self._app)(scope, _bounded(headers, receive), send)
        except ClientDisconnect:
            return
        except Exception as error:
            await answer_of(error, "hx-request" in headers)(scope, receive, send)

    def _admit(self, scope: Scope, headers: Headers) -> Response | None:
        """Refuse what may not pass; the first page of all where the token stands in the address."""
        host = _only(headers.getlist("host"), "Host")
        if host not in self._key.hosts:
            raise RefusedError(403, "The header Host must name this studio; it names another.")
        method, query = scope["method"], scope["query_string"]
        token = _token_in(query) if method == "GET" and scope["path"] == "/" else None
        self._check_origin(method, host, headers, opening=token is not None)
        if method not in METHODS:
            raise RefusedError(
                405, f"The method must be {', '.join(METHODS[:-1])} or {METHODS[-1]}; got {method}."
            )
        if not self._key.fits(_cookie(headers, self._key.cookie) if token is None else token):
            raise RefusedError(403, _CLOSED)
        return None if token is None else self._opening()

    def _check_origin(self, method: str, host: str, headers: Headers, opening: bool) -> None:
        origins = headers.getlist("origin")
        if any(origin != f"http://{host}" for origin in origins):
            raise RefusedError(403, "The request must come from a page of the studio; it comes from elsewhere.")
        if method not in ("GET", "HEAD") and len(origins) != 1:
            raise RefusedError(403, "The request must say its origin (the header Origin); it does not.")
        site = headers.get("sec-fetch-site", "none")
        followed = opening and headers.get("sec-fetch-mode") == "navigate"  # a link in a terminal that is a page
        if site not in ("none", "same-origin") and not followed:
            raise RefusedError(403, "The request must come from a page of the studio; it comes from another site.")

    def _opening(self) -> Response:
        """Keep the token in a cookie, and go on from a page of our own: no link from elsewhere brings it."""
        page = (
            '<!doctype html><html lang="en"><meta charset="utf-8"><title>Studio</title>'
            '<link rel="icon" href="data:,">'
            '<meta http-equiv="refresh" content="0;url=/"><p><a href="/">Open the studio</a></p></html>'
        )
        answer = HTMLResponse(page)
        answer.set_cookie(self._key.cookie, self._key.token, httponly=True, samesite="strict", path="/")
        return answer


def answer_of(error: Exception, fragment: bool) -> Response:
    """What the browser is told of an error: a part of a page where it asked for one."""
    if isinstance(error, RefusedError):
        return problem(str(error), error.code, fragment)
    if isinstance(error, MetalworkError):
        return problem(str(error), 409 if type(error).__name__ == "ChangedError" else 400, fragment)
    _LOG.error("A request failed: %s: %s", type(error).__name__, error, exc_info=error)
    return problem(_FAILED, 500, fragment)


def problem(text: str, code: int, fragment: bool = False) -> Response:
    """An error as a page of its own, or for the place of the page that shows them."""
    lines = "<br>".join(escape(line) for line in text.splitlines())
    part = f'<p class="error" role="alert">{lines}</p>'
    if fragment:
        return HTMLResponse(part, code, {"HX-Retarget": "#problem", "HX-Reswap": "innerHTML show:window:top"})
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Studio</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="stylesheet" href="/static/studio.css"><main>{part}<p><a href="/">Start</a></p></main></html>'
    )
    return HTMLResponse(page, code)


def parse_fields(text: str, most: int = 2_000) -> Mapping[str, list[str]]:
    """The fields of a form or of an address; ``RefusedError`` where they are no text in UTF-8, or too many."""
    try:
        found = parse_qs(text, keep_blank_values=True, errors="strict", max_num_fields=most)
    except ValueError:
        raise RefusedError(400, f"Fields must be at most {most:,}, of text in UTF-8; they are not.") from None
    return found


def _only(values: Iterable[str], name: str) -> str:
    given = list(values)
    if len(given) != 1:
        raise RefusedError(403, f"The header {name} must stand once; it stands {len(given)} times.")
    return given[0]


def _token_in(query: bytes) -> str | None:
    found = parse_fields(query.decode("latin-1")).get("token")
    return None if found is None else found[0]


def _cookie(headers: Headers, name: str) -> str:
    jar: SimpleCookie = SimpleCookie()
    for line in headers.getlist("cookie"):
        for pair in line.split(";"):
            try:
                jar.load(pair.strip())
            except CookieError:  # of somebody else's on this machine
                continue
    return jar[name].value if name in jar else ""


def _bounded(headers: Headers, receive: Receive) -> Receive:
    """Receive no more than may be brought."""
    told = headers.get("content-length", "0")
    if not told.isascii() or not told.isdigit() or int(told[:20]) > MOST_BODY:
        raise RefusedError(413, f"A request may bring at most {MOST_BODY:,} bytes.")
    size = 0

    async def receiving() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > MOST_BODY:
            raise RefusedError(413, f"A request may bring at most {MOST_BODY:,} bytes.")
        return message

    return receiving


def _guarded(send: Send) -> Send:
    """Send with the headers that every answer carries, where it has none of its own of that name."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = {name.lower() for name, _ in message["headers"]}
            more = [
                (name.lower().encode(), value.encode())
                for name, value in _HEADERS.items()
                if name.lower().encode() not in given
            ]
            message = {**message, "headers": [*message["headers"], *more]}
        await send(message)

    return sending
