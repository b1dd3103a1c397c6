"""Reading answers: labels, abstains, rubbish; probabilities from tokens."""

import math
from collections.abc import Mapping
from typing import Any

import pytest

import metalwork as mw
from metalwork.sources._llm._answers import Answer, UnreadableAnswerError, read_answer, read_shares
from metalwork.sources._llm._choices import Choices

SCHEMA = mw.TaskSchema.flat(["Money", "Money market", "Été", 'say "no"'], task="t")
CHOICES = Choices.of_task(SCHEMA, "t")
TREE = mw.TaskSchema.from_dict(
    {
        "task": "top",
        "labels": [{"A": {"task": "a", "labels": ["X", "Other"]}}, {"B": {"task": "b", "labels": ["Other"]}}],
    }
)
PATHS = Choices.of_tree(TREE, TREE.tasks)


def _read(text: str, choices: Choices = CHOICES) -> str | None:
    choice = read_answer(Answer(text), choices)
    return None if choice is None else choice.name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('{"label": "Money"}', "Money"),
        ('```json\n{"label": "Money market"}\n```', "Money market"),
        ('Let me think {hm}. {"label": "Money"} or rather {"label": "Money market"}', "Money market"),
        ('{"label": "none of these"}', None),
        ("None of these.", None),
        ("Money", "Money"),
        ("  **Money** \n", "Money"),
        ("money MARKET", "Money market"),
        ("E\u0301te\u0301", "Été"),
        ("Label: Money", "Money"),
        ("The answer is: Money.", "Money"),
        ("Money\n\nBecause of the rates.", "Money"),
        ("Because of the rates:\nMoney", "Money"),
        ('{"label": "say \\"no\\""}', 'say "no"'),
    ],
)
def test_labels_are_read_however_they_are_written(text: str, name: str | None) -> None:
    assert _read(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "Sports",
        '{"label": "Sports"}',
        "It is not Money, I think.",
        "Money or Money market",
        '{"label": 3}',
        "{" * 9999,
    ],
)
def test_what_is_no_label_is_a_failure(text: str) -> None:
    with pytest.raises(UnreadableAnswerError, match=r"^the answer must be one of the labels; got ['\"]"):
        _read(text)


def test_paths_may_be_labels_where_these_are_unique() -> None:
    assert _read('{"label": "A / X"}', PATHS) == _read("X", PATHS) == "A/X"
    with pytest.raises(UnreadableAnswerError):
        _read("Other", PATHS)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(""), "it is empty"),
        (Answer("", refusal="I cannot help with that"), "the model refused: 'I cannot help with that'"),
        (Answer("", finish="content_filter"), "the endpoint's content filter withheld the answer"),
        (Answer("First, let", finish="length"), "the answer was cut off before its label ('First, let'); raise"),
        (Answer("\x1b[31mred" + "x" * 99), "the answer must be one of the labels; got ' [31mredxxx"),
    ],
)
def test_why_there_is_no_label(answer: Answer, reason: str) -> None:
    with pytest.raises(UnreadableAnswerError) as caught:
        read_answer(answer, CHOICES)
    assert str(caught.value).startswith(reason)
    assert len(str(caught.value)) < 160


Token = tuple[str, float, Mapping[str, float]]


def _shares(tokens: list[Token], said: str, choices: Choices) -> Mapping[str, float] | None:
    made = tuple(
        (text.encode(), math.log(p), {o.encode(): math.log(q) for o, q in {text: p, **others}.items()})
        for text, p, others in tokens
    )
    return read_shares(Answer(b"".join(token for token, _, _ in made).decode(), tokens=made), choices, said)


def test_probabilities_come_from_where_the_answers_part() -> None:
    ham = Choices.of_task(mw.TaskSchema.flat(["ham", "spam", "spice"], task="t"), "t")
    tokens: list[Token] = [
        ('{"', 1.0, {}),
        ("label", 1.0, {}),
        ('": "', 0.98, {'":"': 0.02}),
        ("sp", 0.7, {"h": 0.2, "none": 0.08, "S": 0.02}),
        ("am", 0.9, {"ice": 0.1}),
        ('"}', 1.0, {}),
    ]
    found = _shares(tokens, "spam", ham)
    total = 0.63 + 0.07 + 0.2 + 0.08
    assert found == pytest.approx(
        {"ham": 0.2 / total, "spam": 0.63 / total, "spice": 0.07 / total, "none of these": 0.08 / total}
    )


def test_an_alternative_that_begins_several_answers_is_shared() -> None:
    ham = Choices.of_task(mw.TaskSchema.flat(["ham", "spam", "spice"], task="t"), "t")
    found = _shares([('{"label": "', 1.0, {}), ("ham", 0.6, {"sp": 0.4}), ('"}', 1.0, {})], "ham", ham)
    assert found == pytest.approx({"ham": 0.6, "spam": 0.2, "spice": 0.2, "none of these": 0.0})


def test_an_answer_that_begins_another() -> None:
    tokens: list[Token] = [('{"label":"', 1.0, {}), ("Money", 0.8, {"none": 0.2}), ('"}', 0.75, {" market": 0.25})]
    found = _shares(tokens, "Money", CHOICES)
    assert found is not None
    assert found["Money"] == pytest.approx(0.6)
    assert found["Money market"] == pytest.approx(0.2)
    assert found["none of these"] == pytest.approx(0.2)


def test_tokens_may_begin_before_the_label_and_end_after_it() -> None:
    ham = Choices.of_task(mw.TaskSchema.flat(["ham", "spam"], task="t"), "t")
    found = _shares([('{"label"', 1.0, {}), (':"ham"}', 0.6, {':"spam"}': 0.3, ':"sp': 0.1})], "ham", ham)
    assert found == pytest.approx({"ham": 0.6, "spam": 0.4, "none of these": 0.0})


def test_bytes_of_a_letter_may_be_in_several_tokens() -> None:
    raw = '{"label": "Été"}'.encode()
    cut = raw.index(b"\xc3") + 1
    tokens: Any = ((raw[:cut], 0.0, {}), (raw[cut:], 0.0, {}))
    found = read_shares(Answer(raw.decode(), tokens=tokens), CHOICES, "Été")
    assert found == pytest.approx({name: float(name == "Été") for name in CHOICES.names})


def test_without_tokens_there_are_no_probabilities() -> None:
    assert _shares([], "Money", CHOICES) is None
    assert _shares([("money", 1.0, {})], "Money", CHOICES) is None
