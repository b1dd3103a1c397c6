"""Who is let in: each route and method is tried from outside."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from metalwork.studio._app import build_app, routes
from metalwork.studio._security import MOST_BODY, Key
from metalwork.studio._state import Studio
from tests.unit.studio.sites import Visitor, write_site

KEY = Key("the-t0ken", 8765)
HERE = "http://127.0.0.1:8765"
WAYS = [(method, path.replace("{split}", "train").replace("{row}", "0")) for method, path, _ in routes()]
WAYS += [
    ("GET", "/static/studio.css"),
    ("GET", "/nowhere"),
    ("HEAD", "/"),
    ("OPTIONS", "/"),
    ("PUT", "/"),
    ("DELETE", "/rules"),
]


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    """Somebody without a token."""
    studio = Studio(write_site(tmp_path_factory.mktemp("site")))
    yield Visitor(build_app(studio, KEY), HERE)
    studio.stop()


def asks(visitor: Visitor, method: str, path: str, cookie: str | None = None, **headers: str) -> int:
    found = {name.replace("_", "-"): value for name, value in headers.items()}
    if cookie is not None:
        found["Cookie"] = f"{KEY.cookie}={cookie}"
    return visitor.ask(method, path, found).status_code


@pytest.mark.parametrize(("method", "path"), WAYS)
def test_no_route_answers_without_the_token(outside: Visitor, method: str, path: str) -> None:
    refused = 405 if method in ("OPTIONS", "PUT", "DELETE") else 403
    assert asks(outside, method, path, Origin=HERE) == refused
    assert asks(outside, method, path, "the-t0kem", Origin=HERE) == refused
    assert asks(outside, method, path, "", Origin=HERE) == refused


@pytest.mark.parametrize(("method", "path"), WAYS)
@pytest.mark.parametrize(
    "host", ["evil.example:8765", "127.0.0.1", "127.0.0.1:9999", "localhost.evil.example:8765", ""]
)
def test_no_route_answers_to_another_name(outside: Visitor, method: str, path: str, host: str) -> None:
    assert asks(outside, method, path, KEY.token, Host=host, Origin=HERE) == 403


@pytest.mark.parametrize(("method", "path"), WAYS)
@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:9999", "https://127.0.0.1:8765"]
)
def test_no_route_answers_to_another_origin(outside: Visitor, method: str, path: str, origin: str) -> None:
    assert asks(outside, method, path, KEY.token, Origin=origin) == 403


@pytest.mark.parametrize(("method", "path"), [way for way in WAYS if way[0] == "POST"])
def test_what_writes_must_say_its_origin(outside: Visitor, method: str, path: str) -> None:
    assert asks(outside, method, path, KEY.token) == 403


@pytest.mark.parametrize(("method", "path"), WAYS)
@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_no_route_answers_to_another_site(outside: Visitor, method: str, path: str, site: str) -> None:
    assert asks(outside, method, path, KEY.token, Origin=HERE, Sec_Fetch_Site=site) == 403


def test_two_names_are_none(outside: Visitor) -> None:
    both = [("Host", "127.0.0.1:8765"), ("Host", "evil.example"), ("Cookie", f"{KEY.cookie}={KEY.token}")]
    assert outside.ask("GET", "/", both).status_code == 403


def test_the_token_in_the_address_becomes_a_cookie_that_no_script_and_no_other_site_has(outside: Visitor) -> None:
    answer = outside.get(f"/?token={KEY.token}", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate")
    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert KEY.token not in answer.text
    assert outside.get("/?token=wrong").status_code == 403
    assert outside.get(f"/rules?token={KEY.token}").status_code == 403
    assert asks(outside, "POST", f"/?token={KEY.token}", Origin=HERE) == 403


def test_every_answer_forbids_scripts_in_pages(outside: Visitor) -> None:
    held = {"Cookie": f"{KEY.cookie}={KEY.token}"}
    for path in ("/", "/rules", "/static/studio.js", "/nowhere"):
        answer = outside.ask("GET", path, held)
        policy = answer.headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
    assert outside.get("/").headers["content-security-policy"]  # also of those who are not let in


def test_too_long_a_body_is_not_read(outside: Visitor) -> None:
    kind = "application/x-www-form-urlencoded"
    held = {"Cookie": f"{KEY.cookie}={KEY.token}", "Origin": HERE, "Content-Type": kind}
    assert outside.ask("POST", "/rules/try", held, b"a" * (MOST_BODY + 1)).status_code == 413
    assert outside.ask("POST", "/rules/try", held, _pieces()).status_code == 413
    assert outside.ask("POST", "/rules/try", {**held, "Content-Length": "-1"}, b"").status_code == 413


async def _pieces() -> AsyncIterator[bytes]:
    for _ in range(12):
        yield b"a" * 100_000


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (b"{}", "application/json", 415),
        (b"a=%ff", "application/x-www-form-urlencoded", 400),
        ("a=ä".encode(), "application/x-www-form-urlencoded", 400),
        (b"&".join(b"a=1" for _ in range(3000)), "application/x-www-form-urlencoded", 400),
        (b"a=1", "multipart/form-data", 415),
    ],
)
def test_bad_requests_get_an_answer_and_no_traceback(outside: Visitor, body: bytes, kind: str, code: int) -> None:
    held = {"Cookie": f"{KEY.cookie}={KEY.token}", "Origin": HERE, "Content-Type": kind}
    answer = outside.ask("POST", "/rules/try", held, body)
    assert answer.status_code == code
    assert "Traceback" not in answer.text


def test_web_sockets_are_refused(outside: Visitor) -> None:
    said: list[Any] = []

    async def send(message: Any) -> None:
        said.append(message)

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def ask() -> None:
        await outside.app({"type": "websocket", "path": "/", "headers": []}, receive, send)

    asyncio.run(ask())
    assert said == [{"type": "websocket.close", "code": 1008}]


def test_tokens_are_random() -> None:
    keys = {Key.new(1).token for _ in range(50)}
    assert len(keys) == 50
    assert min(map(len, keys)) >= 43
