"""The studio as an ASGI application: its routes, behind the gate."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from metalwork.studio._asked import Asked
from metalwork.studio._security import Gate, Key, RefusedError
from metalwork.studio._state import Studio

View = Callable[[Studio, Asked], Response]

_STATIC: Final = {
    "studio.css": "text/css",
    "studio.js": "text/javascript",
    "htmx.min.js": "text/javascript",
}


def build_app(studio: Studio, key: Key, on_start: Callable[[], object] = list) -> ASGIApp:
    """The application of a studio.

    Parameters
    ----------
    studio : Studio
    key : Key
        What a browser must have.
    on_start : callable
        Called once it answers.
    """

    @asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[None]:
        studio.start()
        on_start()
        yield
        await run_in_threadpool(studio.stop)

    found = [Route("/static/{name}", _static, methods=["GET"])]
    found += [Route(path, _endpoint(studio, view), methods=[method]) for method, path, view in routes()]
    return Gate(Router(routes=found, lifespan=lifespan, default=_nowhere), key)


def routes() -> list[tuple[str, str, View]]:
    """Method, path and view of each route."""
    from metalwork.studio import (
        _labels_page,
        _lfs_page,
        _records_page,
        _results_page,
        _rules_page,
        _suggested_page,
        _tree_page,
        _work_page,
    )

    return [
        *_tree_page.ROUTES,
        *_labels_page.ROUTES,
        *_lfs_page.ROUTES,
        *_records_page.ROUTES,
        *_results_page.ROUTES,
        *_rules_page.ROUTES,
        *_suggested_page.ROUTES,
        *_work_page.ROUTES,
    ]


def _endpoint(studio: Studio, view: View) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        asked = await Asked.read(request)
        return await run_in_threadpool(view, studio, asked)

    return endpoint


async def _nowhere(scope: Scope, receive: Receive, send: Send) -> None:
    raise RefusedError(404, "There is no such page.")


async def _static(request: Request) -> Response:
    name = str(request.path_params["name"])
    if name not in _STATIC:
        raise RefusedError(404, "There is no such file.")
    content = (files("metalwork.studio") / "static" / name).read_bytes()
    return Response(content, media_type=_STATIC[name], headers={"Cache-Control": "private, max-age=3600"})
