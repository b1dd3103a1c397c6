"""Language models in a project file."""

from pathlib import Path
from typing import Any

import pytest

from metalwork.errors import ConfigError
from metalwork.pipeline import Job, Run, load_project
from metalwork.sources import LanguageModelFunction
from tests.unit.sources._llm.asking import named, record_of
from tests.unit.sources._llm.endpoint import FakeEndpoint, fake_endpoint

PROJECT = """\
schema: {{task: kind, labels: [ham, {{spam: {{task: trick, labels: [pills]}}}}]}}
data: {{train: train.jsonl}}
lfs:
  rules:
    - {rule}
    - {{task: trick, label: pills, keywords: [spam]}}
features: {{text: text}}
"""


def _project(folder: Path, rule: str) -> Any:
    path = folder / "project.yaml"
    path.write_text(PROJECT.format(rule=rule))
    texts = ["a ham", "spam", "hello"] * 5
    (folder / "train.jsonl").write_text("".join(f'{{"text": "{text}"}}\n' for text in texts))
    return load_project(path)


def _job(folder: Path, rule: str) -> Job:
    return Job.of_project(_project(folder, rule))


def test_a_language_model_is_a_rule(tmp_path: Path) -> None:
    with fake_endpoint(named) as endpoint:
        job = _job(
            tmp_path, f"{{task: kind, llm: {{model: small, base_url: {endpoint.url}, cache: kept/a.sqlite}}}}"
        )
        votes = Run(job).votes["train"]
        assert votes.names[0] == "small"
        assert votes.codes[:, 0].tolist() == [0, 1, -1] * 5
        assert (tmp_path / "kept/a.sqlite").is_file()
        assert [record_of(prompt) for prompt in sorted(endpoint.prompts)] == ["a ham", "hello", "spam"]


def test_every_argument_may_be_given(tmp_path: Path) -> None:
    (tmp_path / "prompt.txt").write_text("Which of {% for l in labels %}{{ l.name }} {% endfor %}is {{ record }}?")
    rule = """{task: [kind, trick], name: m, llm: {model: small, base_url: https://a.org/v1, fields: [text, title],
      descriptions: {pills: medicine}, examples: [{text: x, label: spam/pills}, {text: y, label: null}],
      template: prompt.txt, logprobs: true, parameters: {seed: null, top_p: 0.5}, answer_tokens: 9, api_key_env: K,
      concurrency: 2, timeout: 5, retries: 0, requests_per_minute: 60, tokens_per_minute: 1.5, max_calls: 4,
      max_tokens: 5, max_cost: 6, prices: [1, 2]}}"""
    project = _project(tmp_path, rule)
    assert project.faults == ()
    lf = Job.of_project(project).labeling_functions[0]
    assert isinstance(lf, LanguageModelFunction)
    function: Any = lf.function
    service = function.service
    assert (lf.name, lf.task, lf.fields, function.question.tasks) == (
        "m",
        None,
        ("text", "title"),
        ("kind", "trick"),
    )
    assert (service.parameters, service.answer_tokens, service.logprobs) == (
        {"temperature": 0, "top_p": 0.5},
        9,
        True,
    )
    assert (service.endpoint.key_variable, service.limits.prices, service.limits.max_cost) == (
        "K",
        (1.0, 2.0),
        6.0,
    )
    assert service.manner.retries == 0


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ("{task: kind, llm: {base_url: x}}", "5:20: lfs.rules[0].llm.model must be given. Add it."),
        ("{task: kind, llm: {model: m, modle: m}}", "is no key of lfs.rules[0].llm. Did you mean 'model'?"),
        ("{task: knd, llm: {model: m}}", "5:8: lfs.rules[0].task: 'knd' is no task. Did you mean 'kind'?"),
        ("{task: [kind, x], llm: {model: m}}", "5:8: lfs.rules[0].task: 'x' is no task. Known: 'kind', 'trick'."),
        ("{task: [], llm: {model: m}}", "5:8: lfs.rules[0].task must be the name of a task; got []."),
        (
            "{task: null, label: ham, regex: x}",
            "5:7: lfs.rules[0] must have one task beside regex; only a language model (llm) has several.",
        ),
        (
            "{task: kind, llm: {model: m}, label: ham}",
            "must not have the key label beside llm, which says the labels",
        ),
        (
            "{task: kind, llm: {model: m, base_url: 'http://me:secret@host/v1'}}",
            "lfs.rules[0].llm: base_url must hold no user, password or query, since it is shown in messages; ",
        ),
        ("{task: kind, llm: {model: m, descriptions: {eggs: x}}}", "'eggs' is no label."),
        (
            "{task: kind, llm: {model: m, template: none.txt}}",
            "must be UTF-8 text, the template of a prompt; got [Errno",
        ),
        ("{task: kind, llm: {model: m, template: empty.txt}}", "must hold the template of a prompt; it is empty."),
        (
            "{task: kind, llm: {model: m, examples: [{text: x}]}}",
            "must have the key label in each example: what to",
        ),
        (
            "{task: kind, llm: {model: m, examples: [{text: x, label: y}]}}",
            "the label at 0 is none. 'y' is no label.",
        ),
        ("{task: kind, llm: {model: m, max_cost: 1}}", "prices must be given with max_cost: "),
    ],
)
def test_says_what_is_wrong(tmp_path: Path, rule: str, fault: str) -> None:
    (tmp_path / "empty.txt").write_text("\n")
    with pytest.raises(ConfigError) as caught:
        _job(tmp_path, rule)
    assert fault in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_run_folder_knows_the_template_and_holds_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "sk-not-to-be-seen")
    (tmp_path / "prompt.txt").write_text("{{ record }}")
    with fake_endpoint(lambda prompt: named(f"<record>\n{prompt}\n</record>")) as endpoint:
        where = f"base_url: {endpoint.url}, cache: a, api_key_env: MY_KEY"
        _project(tmp_path, f"{{task: kind, llm: {{model: small, {where}, template: prompt.txt}}}}")
        Run.open(tmp_path / "project.yaml", run="one").apply()
        assert _sent(endpoint) == 3
        (tmp_path / "prompt.txt").write_text("New: {{ record }}")
        with pytest.raises(ConfigError, match=r"prompt\.txt"):
            Run.open(tmp_path / "project.yaml", run="one").fit()
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 5
    assert not any(b"sk-not-to-be-seen" in content for content in files)


def _sent(endpoint: FakeEndpoint) -> int:
    return len({headers["authorization"] for headers in endpoint.headers}) * len(endpoint.prompts)
