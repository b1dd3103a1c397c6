"""The server: routes, what may be asked, and what becomes of errors."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from metalwork import __version__
from metalwork.delivery._answers import Cut, answers
from metalwork.delivery._predictor import Predictor
from metalwork.delivery._reading import Explanation
from metalwork.delivery._serve._batching import Batcher, BusyError
from metalwork.delivery._serve._metrics import CONTENT_TYPE, Metrics
from metalwork.delivery._serve._requests import Asked, ServerLimits, answer_schema, read_request, request_schema
from metalwork.errors import MetalworkError
from metalwork.probabilities import TaskProbabilities

_LOG: Final = logging.getLogger("metalwork.serve")
_BATCH: Final = 2048
_PATHS: Final = ("/predict", "/health", "/metrics", "/model", "/openapi.json")
_FAILED: Final = "The server failed on this request. Its log says how."


class Refusal(Exception):
    """A request that is not answered, with the status code that says so."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Service:
    """What the routes of a server do.

    Parameters
    ----------
    predictor : Predictor
    cut : Cut
        From which confidence labels are given, where a request says nothing.
    limits : ServerLimits
    """

    def __init__(self, predictor: Predictor, cut: Cut, limits: ServerLimits) -> None:
        self.predictor, self.cut, self.limits = predictor, cut, limits
        self.metrics = Metrics()
        self.batcher = Batcher(predictor.predict_proba, _BATCH, limits.max_waiting, self.metrics.batches.observe)
        self.metrics.waiting.set_function(lambda: self.batcher.n_waiting)

    async def predict(self, request: Request) -> dict[str, Any]:
        """Answer a request to predict."""
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise Refusal(415, "The body must be JSON: send the header Content-Type: application/json.")
        asked = read_request(await self._body(request), self.predictor.columns, self.limits)
        try:
            probs = await self.batcher.ask(asked.records)
        except BusyError:
            raise Refusal(503, "Too many records wait to be predicted. Try again in a second.") from None
        found = self._answers(probs, asked)
        self.metrics.predicted([answer["end_label"] for answer in found])
        if asked.explain:
            because = await self.batcher.run(lambda: [self.predictor.explain(one) for one in asked.records])
            found = [answer | _reasons(why) for answer, why in zip(found, because, strict=True)]
        return {"predictions": found}

    async def _body(self, request: Request) -> bytes:
        """The body of a request; what is too long is read no further."""
        parts, size = list[bytes](), 0
        most = self.limits.max_bytes
        try:
            async with asyncio.timeout(self.limits.max_seconds):
                async for part in request.stream():
                    size += len(part)
                    if size > most:
                        raise Refusal(413, f"A request may have at most {most:,} bytes. Send fewer records.")
                    parts.append(part)
        except TimeoutError:
            text = f"The body of a request must arrive in {self.limits.max_seconds:g} seconds; it has not."
            raise Refusal(408, text) from None
        return b"".join(parts)

    def _answers(self, probs: TaskProbabilities, asked: Asked) -> list[dict[str, Any]]:
        schema, cut = (
            self.predictor.schema,
            self.cut if asked.min_confidence is None else Cut(asked.min_confidence),
        )
        codes, sure, by_task = answers(probs, cut)
        ends = [None if code < 0 else schema.end_labels[code] for code in codes.tolist()]
        tasks = {
            task: [None if code < 0 else schema.labels(task)[code] for code in own.tolist()]
            for task, own in by_task.items()
        }
        found: list[dict[str, Any]] = [
            {"end_label": name, "confidence": share, "labels": {task: own[row] for task, own in tasks.items()}}
            for row, (name, share) in enumerate(zip(ends, sure.tolist(), strict=True))
        ]
        if asked.probabilities:
            for answer, shares in zip(found, probs.end.tolist(), strict=True):
                answer["probabilities"] = dict(zip(schema.end_labels, shares, strict=True))
        return found

    async def warm_up(self) -> None:
        """Predict once, so that the first who asks does not wait for what is loaded then."""
        with suppress(MetalworkError):  # "0" is a text and a number; what reads neither starts cold
            await self.batcher.ask([dict.fromkeys(self.predictor.columns or ("text",), "0")])

    def model(self) -> dict[str, Any]:
        """What the model is."""
        return {
            "name": self.predictor.name,
            "model": self.predictor.model,
            "columns": self.predictor.columns,
            "schema": self.predictor.schema.to_dict(),
            "metalwork": __version__,
        }


def _reasons(found: Explanation) -> dict[str, Any]:
    because = [{**effect._asdict(), "value": float(effect.value)} for effect in found.features]
    return {"because": because, "votes": [vote._asdict() for vote in found.votes]}


def build_app(
    predictor: Predictor,
    cut: Cut | None = None,
    limits: ServerLimits | None = None,
    hosts: Sequence[str] | None = None,
    on_start: Callable[[], object] = list,
) -> FastAPI:
    """The ASGI application that answers for a predictor.

    Parameters
    ----------
    predictor : Predictor
    cut : Cut, optional
        From which confidence labels are given; all by default.
    limits : ServerLimits, optional
    hosts : sequence of str, optional
        The names by which it may be asked; any by default. A page of somebody else's that a browser was talked
        into taking for this server has another.
    on_start : callable
        Called once it answers.
    """
    limits = ServerLimits() if limits is None else limits
    service = Service(predictor, Cut() if cut is None else cut, limits)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        service.batcher.start()
        await service.warm_up()
        on_start()
        yield
        await service.batcher.stop()

    app = FastAPI(title=predictor.name, version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.service = service
    _add_routes(app, service)
    app.add_middleware(_Gate, service=service, hosts=hosts)
    app.add_exception_handler(HTTPException, _not_there)
    return app


def _add_routes(app: FastAPI, service: Service) -> None:
    predictor = service.predictor
    body = {"application/json": {"schema": request_schema(predictor.columns, service.limits)}}
    answer = {"application/json": {"schema": answer_schema(predictor.schema)}}
    errors = {code: {"description": "The request is at fault"} for code in (400, 408, 413, 415)}
    errors[503] = {"description": "Too many records wait"}

    @app.post(
        "/predict",
        responses={200: {"content": answer}, **errors},  # type: ignore[dict-item]
        openapi_extra={"requestBody": {"required": True, "content": body}},
    )
    async def predict(request: Request) -> Response:
        """Labels and probabilities of records."""
        start = time.perf_counter()
        try:
            return _json(await service.predict(request))
        finally:
            service.metrics.seconds.observe(time.perf_counter() - start)

    @app.get("/health")
    async def health() -> dict[str, str]:
        """Whether the server answers."""
        return {"status": "ok"}

    @app.get("/model")
    async def model() -> dict[str, Any]:
        """What the model is: its schema, and the columns that it reads."""
        return service.model()

    @app.get("/metrics")
    async def metrics() -> Response:
        """Counts for Prometheus."""
        return Response(service.metrics.text(), media_type=CONTENT_TYPE)


class _Gate:
    """What every request passes: its host is checked, errors become answers, and it is counted."""

    def __init__(self, app: ASGIApp, service: Service, hosts: Sequence[str] | None) -> None:
        self._app, self._service, self._hosts = app, service, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"] if scope["path"] in _PATHS else "other"

        async def counting(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._service.metrics.requests.labels(path, str(message["status"])).inc()
            await send(message)

        try:
            if self._hosts is not None and _host_of(scope) not in self._hosts:
                raise Refusal(421, "The header Host must name this server; it names another.")
            await self._app(scope, receive, counting)
        except ClientDisconnect:
            return
        except Exception as error:
            await _error_of(error, path)(scope, receive, counting)


def _error_of(error: Exception, path: str) -> Response:
    """What a client is told of an error; that is never a traceback."""
    if isinstance(error, Refusal):
        return _error(error.code, str(error))
    if isinstance(error, MetalworkError):
        return _error(400, str(error))
    _LOG.error("A request to %s failed: %s: %s", path, type(error).__name__, error)
    return _error(500, _FAILED)


def _host_of(scope: Scope) -> str:
    host = Headers(scope=scope).get("host", "")
    return host.rpartition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]


async def _not_there(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _error(error.status_code, f"{error.detail}. Known: POST /predict; GET {', '.join(_PATHS[1:])}.")


def _error(code: int, message: str) -> Response:
    found = _json({"error": message}, code)
    if code == 503:
        found.headers["Retry-After"] = "1"
    return found


def _json(value: Any, code: int = 200) -> Response:
    return Response(json.dumps(value, ensure_ascii=False), code, media_type="application/json")
