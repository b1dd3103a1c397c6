"""Rules in a project file: every kind, every option of the Python functions, and what is wrong with a rule."""

from pathlib import Path

import pytest

import metalwork as mw
from metalwork.errors import ConfigError
from metalwork.labeling import LabelingFunction
from metalwork.pipeline import Job, load_project

PROJECT = """\
schema: {task: kind, labels: [Tea, Coffee]}
data: {train: train.csv}
lfs:
  rules:
    - RULE
features: {text: text}
"""


def _write(folder: Path, rule: str) -> Path:
    (folder / "train.csv").write_text("text,note,vote,p_tea\nhello,there,Tea,0.9\n")
    path = folder / "project.yaml"
    path.write_text(PROJECT.replace("RULE", rule))
    return path


def _rule(folder: Path, rule: str) -> LabelingFunction:
    (lf,) = Job.of_project(load_project(_write(folder, rule))).labeling_functions
    return lf


def _fault(folder: Path, rule: str) -> str:
    with pytest.raises(ConfigError) as caught:
        Job.of_project(load_project(_write(folder, rule)))
    heading = "The project file project.yaml has 1 fault:\n  - "
    assert str(caught.value).startswith(heading)
    return str(caught.value).removeprefix(heading).replace(f"{folder}/", "")


@pytest.mark.parametrize(
    ("options", "votes", "silent"),
    [
        ("keywords: [oolong, green tea]", ["An oolong", "GREEN  TEA"], ["oolongs", "green"]),
        ("keywords: [茶], whole_words: false", ["我喝茶了"], ["我喝水了"]),
        ("keywords: [Assam], ignore_case: false", ["Assam"], ["assam"]),
        ("keywords: [tea], negated_by: true", ["tea"], ["There was no tea"]),
        ("keywords: [tea], negated_by: [sans]", ["no tea"], ["sans tea"]),
        ("keywords: [tea], negated_by: [sans], window: 2", ["sans milk or sugar, tea"], ["sans sweet tea"]),
        (r"regex: '\bpots?\b'", ["two POTS"], ["potato"]),
        (r"regex: '\bpots?\b', flags: []", ["two pots"], ["two POTS"]),
        ("regex: 'cup.of.tea', flags: [ignorecase, dotall]", ["Cup\nof\ntea"], ["cup tea"]),
        ("regex: 'cup.of.tea', flags: 16", ["cup\nof\ntea"], ["Cup\nof\ntea"]),
        ("regex: tea, negated_by: [sans], window: 1", ["sans any tea"], ["sans tea"]),
    ],
)
def test_takes_every_option_of_words_and_patterns(
    tmp_path: Path, options: str, votes: list[str], silent: list[str]
) -> None:
    lf = _rule(tmp_path, f"{{{options}, task: kind, label: Tea, field: note, name: one}}")
    assert (lf.name, lf.fields) == ("one", ("note",))
    assert [lf(text) for text in votes] == ["Tea"] * len(votes)
    assert [lf(text) for text in silent] == [None] * len(silent)


def test_takes_the_words_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "tea.txt").write_text("\ufeff# leaves\ndarjeeling\n\n  lapsang souchong \n", "utf-8")
    lf = _rule(tmp_path, "{words_file: words/tea.txt, task: kind, label: Tea, negated_by: true}")
    assert lf.name == "Tea: darjeeling"
    assert [lf("Lapsang Souchong"), lf("without darjeeling"), lf("leaves")] == ["Tea", None, None]


def test_reads_votes_and_probabilities_from_columns(tmp_path: Path) -> None:
    column = _rule(tmp_path, "{column: vote, task: kind, mapping: {1: Tea, 2.5: Coffee, x: null}}")
    assert [column(value) for value in ("1", 1, "2.5", 2.5, "x")] == ["Tea", "Tea", "Coffee", "Coffee", None]
    shares = _rule(tmp_path, "{probabilities: {p_tea: Tea}, task: kind, name: model}")
    votes = mw.apply(
        [shares], [{"p_tea": 0.9}, {"p_tea": None}], mw.TaskSchema.flat(["Tea", "Coffee"], task="kind")
    )
    assert (votes.vote_name(0, int(votes.codes[0, 0])), votes.codes[1, 0]) == ("Tea 0.9", mw.ABSTAIN)


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        (
            "{keywords: [a], regex: b, task: kind, label: Tea}",
            "project.yaml:5:7: lfs.rules[0] must have exactly one of the keys keywords, words_file, "
            "regex, threshold, equals, all, any, column, probabilities, llm.",
        ),
        (
            "{regex: b, whole_words: false, task: kind, label: Tea}",
            "project.yaml:5:7: lfs.rules[0] may have the key whole_words beside keywords, words_file only.",
        ),
        (
            "{keywords: [b], mapping: {1: Tea}, task: kind, label: Tea}",
            "project.yaml:5:7: lfs.rules[0] may have the key mapping beside column only.",
        ),
        (
            "{column: vote, task: kind, label: Tea}",
            "project.yaml:5:7: lfs.rules[0] must not have the key label beside column, which says the labels "
            "itself.",
        ),
        (
            "{regex: b, flags: [dotal], task: kind, label: Tea}",
            "project.yaml:5:18: lfs.rules[0].flags must be a list of flags (ignorecase, multiline, dotall, "
            "verbose, ascii; [] heeds letter case); got ['dotal'].",
        ),
        (
            "{keywords: [b], negated_by: no, task: kind, label: Tea}",
            "project.yaml:5:23: lfs.rules[0].negated_by must be true or a list of words; got 'no'.",
        ),
        (
            "{keywords: [b], window: 0, task: kind, label: Tea}",
            "project.yaml:5:23: lfs.rules[0].window must be greater than 0; got 0.",
        ),
        (
            "{probabilities: {p_tea: Tee}, task: kind}",
            "project.yaml:5:24: lfs.rules[0].probabilities.p_tea: 'Tee' is no label of task 'kind'. "
            "Did you mean 'Tea'?",
        ),
        (
            "{probabilities: {p_tea: Tea, p_2: Tea}, task: kind}",
            "project.yaml:5:8: lfs.rules[0].probabilities: columns of LF 'kind probabilities' must be a dict from "
            "columns to distinct labels; got {'p_tea': 'Tea', 'p_2': 'Tea'}. "
            "Write e.g. {'p_spam': 'spam', 'p_ham': 'ham'}.",
        ),
        (
            "{words_file: tea.txt, task: kind, label: Tea}",
            "project.yaml:5:8: lfs.rules[0].words_file: tea.txt: must be UTF-8 text, a word or phrase a line; "
            "got [Errno 2] No such file or directory: 'tea.txt'.",
        ),
    ],
)
def test_says_what_is_wrong_with_a_rule(tmp_path: Path, rule: str, fault: str) -> None:
    assert _fault(tmp_path, rule) == fault


def test_a_words_file_must_hold_a_word(tmp_path: Path) -> None:
    (tmp_path / "none.txt").write_text("# nothing yet\n")
    assert _fault(tmp_path, "{words_file: none.txt, task: kind, label: Tea}") == (
        "project.yaml:5:8: lfs.rules[0].words_file: none.txt: must hold a word or phrase a line; it holds none. "
        "Write at least one."
    )


@pytest.mark.parametrize(
    ("prior", "fault"),
    [
        (
            "{Tea: 0.6, Coffee: 0.6}",
            "project.yaml:7:15: label_model.class_prior must sum to 1; it sums to 1.2. Correct the shares.",
        ),
        (
            "{Tea: 1.5, Coffee: -0.5}",
            "project.yaml:7:29: label_model.class_prior.Tea must be a share from 0 to 1; got 1.5.\n"
            "  - project.yaml:7:39: label_model.class_prior.Coffee must be a share from 0 to 1; got -0.5.",
        ),
    ],
)
def test_a_class_prior_is_shares_that_sum_to_one(tmp_path: Path, prior: str, fault: str) -> None:
    path = _write(tmp_path, "{keywords: [a], task: kind, label: Tea}")
    path.write_text(path.read_text() + f"label_model: {{class_prior: {prior}}}\n")
    with pytest.raises(ConfigError) as caught:
        Job.of_project(load_project(path))
    _, faults = str(caught.value).split(":\n  - ", 1)
    assert faults.replace(f"{tmp_path}/", "") == fault
