"""The server's answers, its limits, and what becomes of bad requests."""

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import httpx
import numpy as np
import pytest
from fastapi import FastAPI

import metalwork as mw
from metalwork.delivery import Cut, Predictor, ServerLimits, build_app
from metalwork.delivery._serve._batching import Batcher, BusyError
from metalwork.errors import DataError
from metalwork.probabilities import TaskProbabilities


class TestClient:
    """Asks an application in this process, from its start to its end."""

    __test__ = False

    def __init__(self, app: FastAPI) -> None:
        self._app, self._runner = app, asyncio.Runner()
        self._lifespan = app.router.lifespan_context(app)

    def __enter__(self) -> Self:
        self._runner.run(self._lifespan.__aenter__())
        return self

    def __exit__(self, *error: object) -> None:
        self._runner.run(self._lifespan.__aexit__(None, None, None))
        self._runner.close()

    def request(self, method: str, path: str, **given: Any) -> httpx.Response:
        return self._runner.run(self._request(method, path, given))

    async def _request(self, method: str, path: str, given: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self._app)  # what the application lets through fails the test
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            return await client.request(method, path, **given)

    def get(self, path: str) -> httpx.Response:
        return self.request("GET", path)

    def post(self, path: str, **given: Any) -> httpx.Response:
        return self.request("POST", path, **given)


CAT, DUCK = {"text": "fur and a meow", "guess": ""}, {"text": "beak and quack", "guess": ""}
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def predictor(pets: Path) -> Predictor:
    return Predictor.load(pets, run_code=True)


@pytest.fixture(scope="module")
def client(predictor: Predictor) -> Iterator[TestClient]:
    limits = ServerLimits(max_bytes=2000, max_records=5, max_explained=1)
    with TestClient(build_app(predictor, limits=limits, hosts=["testserver"])) as found:
        yield found


def test_it_answers_what_the_predictor_says(client: TestClient, predictor: Predictor) -> None:
    answer = client.post("/predict", json={"records": [CAT, DUCK]})
    assert answer.status_code == 200
    cat, duck = answer.json()["predictions"]
    probs = predictor.predict_proba([CAT, DUCK])
    assert cat["end_label"] == "Cat"
    assert cat["labels"] == {"kind": "Mammal", "mammal": "Cat", "bird": None}
    assert cat["confidence"] == probs.end[0].max()
    assert duck["labels"] == {"kind": "Bird", "mammal": None, "bird": "Duck"}
    assert list(duck["probabilities"].values()) == probs.end[1].tolist()


def test_a_request_says_what_it_wants(client: TestClient) -> None:
    asked = {"records": [CAT], "min_confidence": 1, "probabilities": False, "explain": True}
    (found,) = client.post("/predict", json=asked).json()["predictions"]
    assert (found["end_label"], found["labels"]["mammal"]) == (None, None)
    assert "probabilities" not in found
    assert {"fur", "meow"} <= {effect["feature"] for effect in found["because"]}
    assert {vote["lf"] for vote in found["votes"]} == {"furry", "meows"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "The body must be a JSON object in UTF-8"),
        (b"{", "The body must be a JSON object in UTF-8"),
        (b"\xff{}", "The body must be a JSON object in UTF-8"),
        (b"[1]", "must be a JSON object such as"),
        (b"[" * 500, "must be nested at most 100 deep"),
        (b"{}", 'records must be a list of at least one object, such as [{"text": "..."}]; got none.'),
        (b'{"records": []}', "records must be a list of at least one object"),
        (b'{"records": {"text": "a"}}', "records must be a list of at least one object"),
        (b'{"records": ["a"]}', "records must be objects; got str at row 0."),
        (
            b'{"records": [{"text": "a"}, {"t": 1}]}',
            "Each record must have 'text', which the model reads; row 1 has 't'",
        ),
        (b'{"records": [{"text": NaN}]}', "NaN is not JSON; write null"),
        (b'{"records": [{"text": "a", "text": "b"}]}', "the key 'text' stands twice"),
        (
            b'{"records": [{"text": "a"}], "recrods": 1}',
            "'recrods' is no key of a request. Did you mean 'records'?",
        ),
        (
            b'{"records": [{"text": "a"}], "min_confidence": 2}',
            "min_confidence must be a number in [0, 1]; got 2.",
        ),
        (b'{"records": [{"text": "a"}], "explain": "yes"}', "explain must be true or false; got 'yes'."),
        (
            b'{"records": [' + b'{"text":"a"},' * 5 + b'{"text":"a"}]}',
            "A request may have at most 5 records; got 6.",
        ),
        (
            b'{"records": [{"text":"a"},{"text":"a"}], "explain": true}',
            "A request may have at most 1 records explained; got 2.",
        ),
    ],
)
def test_bad_requests_are_refused_with_our_message(body: bytes, message: str, client: TestClient) -> None:
    answer = client.post("/predict", content=body, headers=JSON)
    assert answer.status_code == 400
    assert message in answer.json()["error"]


def test_mutated_requests_are_answered_or_refused(client: TestClient) -> None:
    rng = np.random.default_rng(0)
    body = b'{"records": [{"text": "fur \\u00e9", "n": 1.5}, {"text": null}], "min_confidence": 0.5}'
    codes = set()
    for _ in range(300):
        mutated = bytearray(body)
        for _ in range(rng.integers(1, 4)):
            place = int(rng.integers(len(mutated)))
            kind = rng.integers(3)
            if kind == 0:
                mutated[place] = int(rng.integers(256))
            elif kind == 1:
                del mutated[place : place + int(rng.integers(1, 9))]
            else:
                mutated[place:place] = mutated[: int(rng.integers(1, 40))]
        answer = client.post("/predict", content=bytes(mutated), headers=JSON)
        codes.add(answer.status_code)
        assert "Traceback" not in answer.text
        assert ("error" in answer.json()) == (answer.status_code != 200)
    assert codes == {200, 400}


def test_other_refusals_have_codes_of_their_own(client: TestClient) -> None:
    def code(method: str, path: str, **given: Any) -> tuple[int, str]:
        answer = client.request(method, path, **given)
        return answer.status_code, answer.json()["error"]

    assert code("POST", "/predict", content=b"{}")[0] == 415
    assert code("POST", "/predict", content=b" " * 2001, headers=JSON)[0] == 413
    assert code("GET", "/predict")[0] == 405
    assert code("GET", "/docs")[0] == 404
    assert code("GET", "/../../etc/passwd")[0] == 404
    assert code("GET", "/health", headers={"host": "elsewhere"})[0] == 421
    assert code("POST", "/predict", json={"records": [CAT]}, headers={"host": "elsewhere:80"})[0] == 421


def test_it_tells_of_itself(client: TestClient) -> None:
    assert client.get("/health").json() == {"status": "ok"}
    model = client.get("/model").json()
    assert (model["name"], model["columns"]) == ("pets", ["text"])
    assert mw.TaskSchema.from_dict(model["schema"]).end_labels == ("Cat", "Dog", "Owl", "Duck")
    page = client.get("/openapi.json").json()["paths"]["/predict"]["post"]
    answer = page["responses"]["200"]["content"]["application/json"]["schema"]
    shown = answer["properties"]["predictions"]["items"]["properties"]
    assert shown["end_label"]["enum"] == ["Cat", "Dog", "Owl", "Duck", None]
    asked = page["requestBody"]["content"]["application/json"]["schema"]
    assert asked["properties"]["records"]["items"]["required"] == ["text"]


def test_it_counts(predictor: Predictor) -> None:
    with TestClient(build_app(predictor, Cut(0.999))) as client:
        client.post("/predict", json={"records": [CAT, DUCK]})
        client.post("/predict", json={"records": [CAT, DUCK], "min_confidence": 0})
        client.get("/nowhere")
        text = client.get("/metrics").text
    for line in (
        'metalwork_requests_total{code="200",path="/predict"} 2.0',
        'metalwork_requests_total{code="404",path="other"} 1.0',
        'metalwork_predictions_total{end_label="Cat"} 1.0',
        "metalwork_abstained_total 2.0",
        "metalwork_request_seconds_count 2.0",
    ):
        assert f"{line}\n" in text


def test_faults_of_the_server_are_told_apart_and_show_nothing(
    predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(records: Any) -> TaskProbabilities:
        raise RuntimeError("a secret")

    app = build_app(predictor)
    with TestClient(app) as client:
        monkeypatch.setattr(app.state.service.batcher, "_predict", fail)
        answer = client.post("/predict", json={"records": [CAT]})
    assert answer.status_code == 500
    assert answer.json() == {"error": "The server failed on this request. Its log says how."}


def end(rows: list[dict[str, Any]]) -> TaskProbabilities:
    shares = np.array([[row["x"], 1.0 - row["x"]] for row in rows])
    return TaskProbabilities(shares, mw.TaskSchema.flat(["ham", "spam"]))


def test_what_waits_together_is_predicted_together_and_faults_stay_apart() -> None:
    sizes: list[int] = []
    first_is_asked, go_on = threading.Event(), threading.Event()

    def predict(rows: Any) -> TaskProbabilities:
        if not first_is_asked.is_set():
            first_is_asked.set()
            go_on.wait(5)
        if any("x" not in row for row in rows):
            raise DataError("x is missing")
        return end(rows)

    async def talk() -> list[Any]:
        batcher = Batcher(predict, 100, 1000, sizes.append)
        batcher.start()
        asked = [asyncio.ensure_future(batcher.ask([{"x": 0.0}]))]
        while not first_is_asked.is_set():
            await asyncio.sleep(0.001)
        asked += [
            asyncio.ensure_future(batcher.ask(rows)) for rows in ([{"x": 0.25}] * 2, [{"y": 1}], [{"x": 1.0}])
        ]
        await asyncio.sleep(0.01)
        go_on.set()
        await batcher.stop()  # answers what waits first
        assert batcher.n_waiting == 0
        return await asyncio.gather(*asked, return_exceptions=True)

    first, several, wrong, last = asyncio.run(talk())
    assert sizes == [1, 4]
    assert (first.end[0, 0], several.end[:, 0].tolist(), last.end[0, 0]) == (0.0, [0.25, 0.25], 1.0)
    assert (type(wrong), str(wrong)) == (DataError, "x is missing")


def test_too_many_that_wait_are_told_to_come_again() -> None:
    go_on = threading.Event()

    def predict(rows: Any) -> TaskProbabilities:
        go_on.wait(5)
        return end(rows)

    async def talk() -> None:
        batcher = Batcher(predict, 10, 3, lambda size: None)
        batcher.start()
        asked = asyncio.ensure_future(batcher.ask([{"x": 0.0}] * 2))
        await asyncio.sleep(0.01)
        with pytest.raises(BusyError):
            await batcher.ask([{"x": 0.0}] * 2)
        go_on.set()
        await asked
        assert len(await batcher.ask([{"x": 0.0}] * 9)) == 9  # alone, a request of more is answered
        await batcher.stop()

    asyncio.run(talk())


def test_a_busy_server_says_so(predictor: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    app = build_app(predictor)

    async def busy(records: Any) -> TaskProbabilities:
        raise BusyError

    with TestClient(app) as client:
        monkeypatch.setattr(app.state.service.batcher, "ask", busy)
        answer = client.post("/predict", content=json.dumps({"records": [CAT]}), headers=JSON)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
