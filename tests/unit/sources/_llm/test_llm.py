"""``mw.llm`` against an endpoint on this machine."""

import json
import pickle
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

import metalwork as mw
from metalwork.errors import LabelingError, MetalworkWarning
from metalwork.labeling import functions_digest
from metalwork.sources import LanguageModelFunction
from tests.unit.sources._llm.asking import (
    FLAT,
    KEY,
    TREE,
    codes,
    model,
    named,
    records,
    stopped,
)
from tests.unit.sources._llm.endpoint import FakeEndpoint, Reply, completion, error, fake_endpoint, label


def test_it_votes_beside_other_labeling_functions(endpoint: FakeEndpoint, tmp_path: Path) -> None:
    offers = mw.keywords("kind", "spam", ["offer"], name="offers")
    votes = mw.apply([model(endpoint, tmp_path), offers], records("a ham", "spam offer", "else", None, ""), FLAT)
    assert votes.names == ("m", "offers")
    assert votes.codes.tolist() == [[0, -1], [1, 1], [-1, -1], [-1, -1], [-1, -1]]
    assert votes.failed.tolist() == []
    assert len(endpoint.prompts) == 3  # nothing is asked about an empty record
    body = endpoint.bodies[0]
    assert (body["model"], body["temperature"], body["seed"], body["max_tokens"]) == ("small", 0, 0, 256)
    form = body["response_format"]["json_schema"]["schema"]["properties"]["label"]
    assert form == {"type": "string", "enum": ["ham", "spam", "none of these"]}
    assert "authorization" not in endpoint.headers[0]


def test_one_call_for_all_tasks_of_a_tree(endpoint: FakeEndpoint, tmp_path: Path) -> None:
    texts = records("Markets/Money", "Corporate", "x")
    votes = mw.apply([model(endpoint, tmp_path, None)], texts, TREE)
    assert votes.names == ("m[sector]", "m[corporate]", "m[markets]")
    assert votes.codes.tolist() == [[1, -1, 0], [0, -1, -1], [-1, -1, -1]]
    assert len(endpoint.prompts) == 3
    some = mw.apply([model(endpoint, tmp_path, ["markets", "corporate"])], texts, TREE, max_error_rate=1.0)
    assert some.codes.tolist() == [[-1, -1, 0], [-1, -1, -1], [-1, -1, -1]]
    assert some.failed[:, 0].tolist() == [1, 1, 1]  # "Corporate" is no valid answer here


def test_tasks_and_descriptions_must_fit_the_schema(endpoint: FakeEndpoint, tmp_path: Path) -> None:
    with pytest.raises(
        LabelingError, match=r"^LF 'm': 'market' is no task of the schema\. Did you mean 'markets'\?$"
    ):
        mw.apply([model(endpoint, tmp_path, ["market"])], records("x"), TREE)
    assert "'eggs' is no label" in stopped(model(endpoint, tmp_path, descriptions={"eggs": "x"}), "x")
    assert endpoint.prompts == []


def test_the_same_prompt_is_asked_once_and_never_again(endpoint: FakeEndpoint, tmp_path: Path) -> None:
    texts = ["ham", "spam", "ham", "ham"]
    assert codes(model(endpoint, tmp_path), *texts) == [0, 1, 0, 0]
    assert codes(model(endpoint, tmp_path), *texts, "ham 2", chunk_size=2) == [0, 1, 0, 0, 0]
    assert len(endpoint.prompts) == 3
    codes(model(endpoint, tmp_path, parameters={"temperature": 0.5, "seed": None}), "ham")
    assert len(endpoint.prompts) == 4
    assert "seed" not in endpoint.bodies[3]


def test_worker_processes_give_the_same_and_share_what_is_kept(
    endpoint: FakeEndpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    for part in range(2):
        (tmp_path / f"{part}.jsonl").write_text(
            "".join(json.dumps({"text": f"ham {part} {i}"}) + "\n" for i in range(9))
        )
    lf = model(endpoint, tmp_path, max_calls=18)
    votes = mw.apply([lf], str(tmp_path / "*.jsonl"), FLAT, backend="processes", n_jobs=2)
    assert votes.codes[:, 0].tolist() == [0] * 18
    assert len(endpoint.prompts) == 18
    assert {headers["authorization"] for headers in endpoint.headers} == {f"Bearer {KEY}"}
    assert stopped(lf, "one more").startswith(
        "LF 'm' failed at row 0: the budget of LF 'm' must cover all records; "
    )


def test_calls_are_made_together_but_not_too_many(tmp_path: Path) -> None:
    with fake_endpoint(lambda prompt: Reply(completion(named(prompt)), wait=0.02)) as endpoint:
        assert codes(model(endpoint, tmp_path, concurrency=4), *(f"ham {i}" for i in range(20))) == [0] * 20
        assert 2 <= endpoint.most_at_once <= 4


def test_an_endpoint_that_takes_no_form_is_asked_without(tmp_path: Path) -> None:
    def answers(prompt: str) -> Any:
        body = endpoint.bodies[-1]
        if "response_format" in body:
            return error(400, "Unknown field: response_format")
        if "max_tokens" in body:
            return error(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")
        return "The label is: " + json.loads(named(prompt))["label"]

    with fake_endpoint(answers) as endpoint:
        assert codes(model(endpoint, tmp_path), "ham", "spam", "x") == [0, 1, -1]
        assert len(endpoint.prompts) == 5
        assert endpoint.bodies[-1]["max_completion_tokens"] == 256


def test_what_makes_answers_weaker_is_said(tmp_path: Path) -> None:
    def answers(prompt: str) -> Any:
        refused = {"logprobs", "temperature"} & endpoint.bodies[-1].keys()
        return error(422, f"{min(refused)} is not supported") if refused else named(prompt)

    with fake_endpoint(answers) as endpoint, pytest.warns(MetalworkWarning) as caught:
        assert codes(model(endpoint, tmp_path, logprobs=True), "ham") == [0]
    assert [str(w.message).removeprefix(f"LF 'm': {endpoint.url} ") for w in caught] == [
        "gives no probabilities of tokens: its votes are plain labels.",
        "does not take the temperature: its answers may differ from call to call.",
    ]


def test_probabilities_of_tokens_are_soft_votes(tmp_path: Path) -> None:
    def answers(prompt: str) -> Any:
        tokens = [('{"label": "', 1.0, {}), ("ham", 0.7, {"spam": 0.2, "none": 0.1}), ('"}', 1.0, {})]
        return Reply(completion(label("ham"), tokens))

    with fake_endpoint(answers) as endpoint:
        votes = mw.apply([model(endpoint, tmp_path, logprobs=True)], records("a"), FLAT)
        again = mw.apply([model(endpoint, tmp_path, logprobs=True)], records("a"), FLAT)
        assert votes.vote_name(0, votes.codes[0, 0]) == again.vote_name(0, again.codes[0, 0]) == "ham 0.75"
        assert len(endpoint.prompts) == 1
        assert (endpoint.bodies[0]["logprobs"], endpoint.bodies[0]["top_logprobs"]) == (True, 20)


def test_a_dry_run_counts_and_sends_nothing(endpoint: FakeEndpoint, tmp_path: Path) -> None:
    lf = model(endpoint, tmp_path, prices=(1.0, 2.0))
    texts = records("ham", "ham", "spam", None, "eggs")
    dry = lf.dry_run(texts, FLAT)
    assert endpoint.prompts == []
    assert not (tmp_path / "answers.sqlite").exists()
    assert (dry.n_records, dry.n_kept, dry.n_calls) == (5, 0, 3)
    assert dry.prompt_tokens == pytest.approx(3 * 120, rel=0.3)
    assert dry.cost == pytest.approx((dry.prompt_tokens + 2 * dry.answer_tokens) / 1e6)
    codes(lf, "ham")
    later = lf.dry_run(texts, FLAT)
    assert (later.n_records, later.n_kept, later.n_calls) == (5, 2, 2)
    assert str(later).endswith("; 2 records have an answer already")


def test_two_that_ask_the_same_are_the_same(endpoint: FakeEndpoint, tmp_path: Path) -> None:
    lfs = [model(endpoint, tmp_path, max_calls=max_calls) for max_calls in (1, 1, 2)]
    digests = [functions_digest([lf], FLAT) for lf in lfs]
    assert digests[0] == digests[1] != digests[2]
    assert [codes(lf, f"ham {i}") for i, lf in enumerate(lfs)] == [[0]] * 3  # each has a budget of its own


def test_a_pickled_one_is_the_same(endpoint: FakeEndpoint, tmp_path: Path) -> None:
    lf = pickle.loads(pickle.dumps(model(endpoint, tmp_path)))
    assert isinstance(lf, LanguageModelFunction)
    assert codes(lf, "ham") == [0]


def test_one_called_by_itself_says_what_it_needs(endpoint: FakeEndpoint, tmp_path: Path) -> None:
    with pytest.raises(
        LabelingError, match=r"^LF 'm' must know the labels of its task\. Run it with mw\.apply\.$"
    ):
        model(endpoint, tmp_path)("ham")


def test_an_interrupt_ends_it_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with fake_endpoint(lambda prompt: Reply(completion(named(prompt)), wait=3.0)) as endpoint:

        def interrupted(future: Any, timeout: float | None = None) -> None:
            while not endpoint.prompts:
                time.sleep(0.01)
            raise KeyboardInterrupt

        start = time.monotonic()
        monkeypatch.setattr(Future, "result", interrupted)
        with pytest.raises(KeyboardInterrupt):
            codes(model(endpoint, tmp_path), "ham", "spam")
        assert time.monotonic() - start < 2.0
        time.sleep(0.1)
        assert len(endpoint.prompts) == 1  # no other call is begun
