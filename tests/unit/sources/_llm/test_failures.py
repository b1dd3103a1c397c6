"""Endpoints that fail, stall, cut off and limit, and what each means for the records."""

from pathlib import Path
from typing import Any

import pytest

import metalwork as mw
from tests.unit.sources._llm.asking import FLAT, KEY, codes, model, named, record_of, records, stopped
from tests.unit.sources._llm.endpoint import FakeEndpoint, Reply, completion, error, fake_endpoint, label

RETRIED = [
    Reply({"error": "busy"}, 503),
    Reply(b"<html>Bad gateway</html>", 502),
    Reply({"error": {"message": "slow down"}}, 429, {"retry-after": "0"}),
    Reply(completion("x"), cut=True),
    Reply(b"<html>Welcome to the proxy</html>"),
    Reply({"choices": []}),
    Reply([1, 2]),
    Reply(b""),
    Reply(completion("x"), wait=2.0),
    Reply(completion("x"), drip=0.05),
]


@pytest.mark.parametrize("reply", RETRIED, ids=lambda reply: f"{reply.status} {reply.body!r:.30}")
def test_what_may_go_better_later_is_tried_again(reply: Reply, tmp_path: Path) -> None:
    def answers(prompt: str) -> Any:
        return reply if len(endpoint.prompts) < 3 else named(prompt)

    with fake_endpoint(answers) as endpoint:
        assert codes(model(endpoint, tmp_path, timeout=0.3), "ham") == [0]
        assert len(endpoint.prompts) == 3


def test_what_stays_wrong_is_a_failure_with_its_reason(tmp_path: Path) -> None:
    wrong: dict[str, Any] = {
        "rubbish": "I like trains",
        "wrong label": label("eggs"),
        "refusal": Reply(completion(None, refusal="I cannot do that")),
        "cut": Reply(completion("Well, ", finish="length")),
        "too long": error(400, "This model's maximum context length is 8192 tokens"),
        "huge": Reply(b"x" * 5_000_000),
        "html": Reply(b"<html>"),
        "down": error(500, "it broke"),
    }

    def answers(prompt: str) -> Any:
        return wrong.get(record_of(prompt), label("ham"))

    with fake_endpoint(answers) as endpoint:
        lf = model(endpoint, tmp_path, retries=1)
        votes = mw.apply([lf], records("ok", *wrong), FLAT, max_error_rate=1.0)
    assert votes.codes[:, 0].tolist() == [0, *[-1] * len(wrong)]
    assert votes.failed[:, 0].tolist() == list(range(1, len(wrong) + 1))
    url = endpoint.url
    assert [incident.message for incident in votes.incidents] == [
        "UnreadableAnswerError: the answer must be one of the labels; got 'I like trains'",
        'UnreadableAnswerError: the answer must be one of the labels; got \'{"label": "eggs"}\'',
        "UnreadableAnswerError: the model refused: 'I cannot do that'",
        "UnreadableAnswerError: the answer was cut off before its label ('Well, '); raise answer_tokens, which "
        "models that reason first need in the thousands",
        f"RejectedError: {url} gave status 400: This model's maximum context length is 8192 tokens",
        f"RejectedError: {url} gave an answer of more than 4,000,000 bytes",
        f"RetryError: {url} gave no chat completion but '<html>'",
        f"RetryError: {url} gave status 500: it broke",
    ]


def test_it_waits_as_long_as_it_is_asked_to(tmp_path: Path) -> None:
    def answers(prompt: str) -> Any:
        return (
            Reply({"error": "slow down"}, 429, {"retry-after": "1"})
            if len(endpoint.prompts) == 1
            else named(prompt)
        )

    with fake_endpoint(answers) as endpoint:
        assert codes(model(endpoint, tmp_path), "ham", "spam") == [0, 1]
        assert endpoint.times[1] - endpoint.times[0] >= 0.95


def test_requests_a_minute_are_kept_to(endpoint: FakeEndpoint, tmp_path: Path) -> None:
    codes(model(endpoint, tmp_path, requests_per_minute=600), *(f"ham {i}" for i in range(6)))
    gaps = [later - earlier for earlier, later in zip(endpoint.times, endpoint.times[1:], strict=False)]
    assert endpoint.times[-1] - endpoint.times[0] >= 0.45
    assert min(gaps) >= 0.05


STOPS: dict[str, tuple[Any, str]] = {
    "wrong key": (
        error(401, f"Incorrect API key provided: {KEY}"),
        "the key in the environment variable MY_KEY must be one that {url} takes; it was refused (status 401). "
        "Set MY_KEY to a valid key.",
    ),
    "unknown model": (
        error(404, "The model 'small' does not exist"),
        "model must be one that {url} has; got 'small', and status 404: The model 'small' does not exist. "
        "Correct model, or base_url, which mostly ends with /v1.",
    ),
    "no credit": (
        Reply({"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}}, 429),
        "the account at {url} must have credit; got status 429: You exceeded your current quota. "
        "Add some, or ask elsewhere.",
    ),
    "elsewhere": (
        Reply(b"", 307, {"location": "http://127.0.0.1:1/"}),
        "base_url must be the endpoint's own address; {url} sends elsewhere (status 307), which is not followed "
        "since the key would go there. Correct it.",
    ),
    "long wait": (
        Reply({"error": f"limit of {KEY}"}, 429, {"retry-after": "86400"}),
        "{url} asks to wait 86400 s (status 429: limit of ***). Run this again then; what was answered is kept "
        "and is not asked for again.",
    ),
}


@pytest.mark.parametrize("case", STOPS)
def test_what_would_befall_every_record_stops_at_once(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    reply, message = STOPS[case]
    with fake_endpoint(lambda _: reply) as endpoint:
        text = stopped(model(endpoint, tmp_path, api_key_env="MY_KEY"), *(f"ham {i}" for i in range(9)))
        assert text == "LF 'm' failed at row 0: " + message.format(url=endpoint.url)
        assert len(endpoint.prompts) == 1


def test_an_endpoint_that_always_fails_stops_soon(tmp_path: Path) -> None:
    with fake_endpoint(lambda _: error(500, "it broke")) as endpoint:
        text = stopped(model(endpoint, tmp_path, retries=0), *(f"ham {i}" for i in range(50)))
        assert text == (
            f"LF 'm' failed at row 0: {endpoint.url} must answer; {endpoint.url} gave status 500: it broke, "
            "10 times in a row. See that it runs, and that base_url and model are right; what was answered is "
            "kept and is not asked for again."
        )
        assert len(endpoint.prompts) == 10


def test_an_endpoint_that_is_not_there(tmp_path: Path) -> None:
    with fake_endpoint(named) as endpoint:
        pass
    text = stopped(model(endpoint, tmp_path, retries=1), "ham", "spam")
    assert text.startswith(
        f"LF 'm' failed at row 0: {endpoint.url} must answer; {endpoint.url} cannot be reached ("
    )


@pytest.mark.parametrize(
    ("limit", "n_calls"),
    [({"max_calls": 3}, 3), ({"max_tokens": 900}, 6), ({"max_cost": 0.32, "prices": (100, 1000)}, 4)],
)
def test_a_budget_stops_and_what_was_answered_is_kept(
    limit: dict[str, Any], n_calls: int, endpoint: FakeEndpoint, tmp_path: Path
) -> None:
    texts = [f"ham {i}" for i in range(12)]
    lf = model(endpoint, tmp_path, concurrency=1, **limit)
    (name, value), *_ = limit.items()
    assert stopped(lf, *texts) == (
        f"LF 'm' failed at row 0: the budget of LF 'm' must cover all records; {name}={value:g} is reached after "
        f"{n_calls} calls. Raise it, or give fewer records; what was answered is kept in "
        f"{tmp_path / 'answers.sqlite'} and is not paid for again."
    )
    assert len(endpoint.prompts) == n_calls
    assert codes(model(endpoint, tmp_path), *texts) == [0] * 12
    assert len(endpoint.prompts) == 12
