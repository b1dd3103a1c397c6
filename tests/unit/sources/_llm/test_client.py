"""What is read from a response, and what is learned from a refusal."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from metalwork.sources._llm._client import Dialect, Request, RetryError, read_completion, read_retry_after
from metalwork.sources._llm._endpoint import Endpoint, scrubbed
from metalwork.sources._llm._tokens import count_tokens
from tests.unit.sources._llm.endpoint import completion

REQUEST = Request("small", {"temperature": 0}, ("a", "b"), 256, True)


def _body(**parts: Any) -> bytes:
    return json.dumps(completion("x") | parts).encode()


def test_a_completion_is_read() -> None:
    found = read_completion(json.dumps(completion("x", [("x", 0.5, {"y": 0.25})])).encode(), "url")
    assert (found.text, found.finish, found.prompt_tokens, found.answer_tokens) == ("x", "stop", 100, 7)
    ((token, chance, others),) = found.tokens
    assert (token, set(others)) == (b"x", {b"x", b"y"})
    assert chance == pytest.approx(-0.693, abs=1e-3)


@pytest.mark.parametrize(
    "parts",
    [
        {"usage": None},
        {"usage": {"prompt_tokens": -1, "completion_tokens": True}},
        {"usage": {"prompt_tokens": 1e99}},
    ],
)
def test_odd_usage_counts_as_not_told(parts: dict[str, Any]) -> None:
    found = read_completion(_body(**parts), "url")
    assert (found.text, found.prompt_tokens, found.answer_tokens) == ("x", None, None)


@pytest.mark.parametrize("logprob", [float("nan"), float("inf"), 1e300, -1e300])
def test_odd_log_probabilities_are_still_probabilities(logprob: float) -> None:
    body = completion("x", [("x", 1.0, {})])
    body["choices"][0]["logprobs"]["content"][0]["logprob"] = logprob
    ((_, chance, _),) = read_completion(json.dumps(body).encode(), "url").tokens
    assert -100 <= chance <= 0


@pytest.mark.parametrize(
    "content", [b"", b"{", b"null", b"[]", b"{}", b'{"choices": [{}]}', b"[" * 99_999, b"\xff"]
)
def test_what_is_no_completion(content: bytes) -> None:
    with pytest.raises(RetryError, match=r"^url gave no chat completion but ['\"]"):
        read_completion(content, "url")


def test_how_long_to_wait() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30))
    assert read_retry_after(soon) == pytest.approx(30, abs=2)
    given = ["1.5", "-3", "Wed, 21 Oct 2015 07:28:00 GMT", "soon", None, "9" * 99]
    assert [read_retry_after(value) for value in given] == [1.5, 0.0, 0.0, None, None, 1e9]


def test_a_dialect_gives_up_what_a_refusal_names() -> None:
    dialect = Dialect()
    assert dialect.learn(REQUEST, "Unsupported value: 'temperature' does not support 0")
    assert dialect.without == {"temperature"}
    assert dialect.learn(REQUEST, "something is wrong")  # the form of the answer is what most lack
    assert dialect.without == {"temperature", "response_format"}
    assert not dialect.learn(REQUEST, "something is wrong")
    assert dialect.learn(REQUEST, "max_tokens is not supported")
    body = REQUEST.body("p", dialect.without)
    assert body.keys() == {"model", "messages", "max_completion_tokens", "logprobs", "top_logprobs"}


def test_an_endpoint_on_this_machine_is_known() -> None:
    here = ["http://localhost:1/v1", "http://127.0.0.1/v1/", "http://[::1]:8/v1"]
    assert [Endpoint.checked(url, None).is_here for url in here] == [True] * 3
    assert not Endpoint.checked("https://localhost.example.com/v1", None).is_here
    assert Endpoint.checked("http://127.0.0.1/v1/", None).url == "http://127.0.0.1/v1"


def test_a_key_is_taken_out_of_what_an_endpoint_says() -> None:
    assert (
        scrubbed("no such key: sk-abcdef\x1b[0m\n" + "x" * 300, "sk-abcdef")
        == "no such key: *** [0m " + "x" * 176 + "..."
    )


@pytest.mark.parametrize(
    ("text", "n_tokens"),
    [
        ("", 1),
        ("The treasury sold bonds at a lower rate than the market had expected this quarter.", 17),
        ('{"label": "Markets/Money"}', 10),
        ("1234567", 4),
        ("Рынок облигаций вырос", 10),
        ("債券市場が上昇した", 6),
    ],
)
def test_tokens_are_estimated(text: str, n_tokens: int) -> None:
    assert count_tokens(text) == pytest.approx(n_tokens, abs=1 + n_tokens // 4)
