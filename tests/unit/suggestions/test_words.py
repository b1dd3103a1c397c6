"""Words that could become labeling functions."""

import numpy as np
import polars as pl
import pytest

import metalwork as mw
from metalwork.errors import ConfigError, VotesError
from metalwork.suggestions import WordSuggestion, suggest_words
from tests.unit.suggestions.mail import GOOD, SCHEMA, UNDER, WORDS, mailbox, run_of, without_lfs


def _truth(found: WordSuggestion) -> tuple[int, float]:
    """Training records that its labeling function matches, and the share of them with its label."""
    records = mailbox().head(1900)
    voted = mw.apply([found.lf()], records, SCHEMA).codes[:, 0] >= 0
    known = SCHEMA.known_codes(records["label"].to_list())[:, SCHEMA.task_index(found.task)]
    return int(voted.sum()), float((known[voted] == SCHEMA.label_code(found.task, found.label)).mean())


@pytest.fixture(scope="module")
def run() -> mw.Run:
    return run_of([lf for lf in GOOD if lf.name in ("invoice", "refund", "back", "flight", "boarding", "hotel")])


def test_suggested_words_are_those_of_the_label(run: mw.Run) -> None:
    found = suggest_words(run.inspection, n=8)
    assert len(found) >= 5
    for one in found:
        n_records, precision = _truth(one)
        assert one.words[0] in [word for label in UNDER.get(one.label, [one.label]) for word in WORDS[label]]
        assert one.n_records == n_records
        assert one.coverage == pytest.approx(n_records / 1900)
        assert one.interval[0] <= precision <= one.interval[1]
        assert abs(one.precision - precision) < 0.2


def test_words_of_labeling_functions_are_not_suggested_again(run: mw.Run) -> None:
    taken = {"invoice", "amount", "refund", "money", "back", "flight", "airport", "boarding", "hotel", "room"}
    assert taken.isdisjoint(word for one in suggest_words(run.inspection, n=30) for word in one.words)


def test_overlap_and_examples_are_those_of_the_records(run: mw.Run) -> None:
    one = suggest_words(run.inspection, label="Invoice", n=1)[0]
    covered = np.any(run.votes["train"].codes >= 0, axis=1)
    held = mw.apply([one.lf()], mailbox().head(1900), SCHEMA).codes[:, 0] >= 0
    assert one.overlap == pytest.approx(covered[held].mean())
    assert one.n_uncovered == (~covered[held]).sum()
    names = run.votes["train"].names
    assert one.lfs[0][0] in names
    for split, row in one.examples:
        assert one.words[0] in run.inspection.record(split, row).fields["text"]


def test_only_the_task_or_label_that_is_asked_for(run: mw.Run) -> None:
    assert {one.task for one in suggest_words(run.inspection, task="travel")} == {"travel"}
    assert {one.label for one in suggest_words(run.inspection, label="Travel/Hotel")} == {"Hotel"}
    with pytest.raises(VotesError, match=r"'Hotl' is no label\. Did you mean 'Hotel'\?"):
        suggest_words(run.inspection, label="Hotl")
    with pytest.raises(VotesError, match="'travle' is no task"):
        suggest_words(run.inspection, task="travle")


def test_an_accepted_word_is_a_rule_that_raises_accuracy(run: mw.Run) -> None:
    found = suggest_words(run.inspection, n=5)
    assert found[0].rule() == {
        "name": found[0].name,
        "task": found[0].task,
        "label": found[0].label,
        "keywords": list(found[0].words),
    }
    more = run_of([*run.job.labeling_functions, *(one.lf() for one in found)])
    records = mailbox().head(1900)
    before, after = (one.label_model.score(one.votes["train"], records["label"].to_list()) for one in (run, more))
    assert after > before + 0.02


def test_dev_labels_speak_where_no_votes_do() -> None:
    records = mailbox()
    found = suggest_words(without_lfs(SCHEMA, records.head(1900), records.tail(100)), n=5)
    assert found
    assert {one.source for one in found} == {"dev"}
    assert all(_truth(one)[1] > 0.6 for one in found)


def test_names_speak_where_nothing_else_does() -> None:
    found = suggest_words(without_lfs(SCHEMA, mailbox().head(1900)), n=10)
    assert {(one.words, one.label, one.source) for one in found} == {
        (("invoice",), "Invoice", "name"),
        (("refund",), "Refund", "name"),
        (("flight",), "Flight", "name"),
        (("hotel",), "Hotel", "name"),
    }


def test_what_names_share_is_for_the_label_above_and_each_word_comes_once() -> None:
    schema = mw.TaskSchema.from_dict(
        {
            "task": "area",
            "labels": [{"Car": {"task": "car", "labels": ["oil_change_how", "oil_change_when"]}}, "Bank"],
        }
    )
    texts = [
        "how to do an oil change",
        "when is my oil change due",
        "open the bank",
        "close the bank account",
    ] * 10
    inspection = without_lfs(schema, pl.DataFrame({"text": texts}))
    found = suggest_words(inspection, n=20)
    by_word = {one.words[0]: one.label for one in found}
    assert len(by_word) == len(found)
    assert (by_word["how"], by_word["when"], by_word["bank"]) == ("oil_change_how", "oil_change_when", "Bank")
    assert {one.words[0] for one in suggest_words(inspection, label="Car")} & {"oil", "change", "oil change"}
    assert {one.words[0] for one in suggest_words(inspection, label="oil_change_how")} == {"how"}


def test_a_word_on_one_dev_record_alone_does_not_count() -> None:
    records = mailbox().head(1900)
    dev = pl.DataFrame({"text": ["gate luggage", "lobby luggage"], "label": ["Flight", "Flight"]})
    found = suggest_words(without_lfs(SCHEMA, records, dev), n=20)
    assert [one.words for one in found if one.source == "dev"] == [("luggage",)]


def test_words_near_a_name_in_meaning_speak_with_an_encoder() -> None:
    """An encoder that knows the four subjects, and nothing else."""

    def encoder(texts: list[str]) -> np.ndarray:
        subjects = [{label.lower(), *words[:4]} for label, words in WORDS.items()]
        return np.array([[float(text in subject) for subject in subjects] + [0.1] for text in texts])

    found = suggest_words(without_lfs(SCHEMA, mailbox().head(1900)), n=40, encoder=encoder)
    assert {"airport", "boarding", "gate"} <= {one.words[0] for one in found if one.label == "Flight"}
    assert {one.source for one in found} == {"name"}
    flight = {one.words[0]: one.precision for one in found if one.label == "Flight"}
    assert flight["flight"] > max(flight["airport"], flight["boarding"])


def test_names_of_rules_are_free() -> None:
    lfs = [mw.keywords("billing", "Refund", ["back"], name="Refund: refund"), *GOOD[:2], *GOOD[4:]]
    found = suggest_words(run_of(lfs).inspection, label="Refund", n=10)
    assert {one.name for one in found if one.words == ("refund",)} == {"Refund: refund (2)"}


def test_scripts_without_spaces_are_matched_inside_words() -> None:
    schema = mw.TaskSchema.flat(["好", "坏"])
    texts = ["这个房间很干净", "房间不干净", "房间干净", "早餐难吃", "早餐很难吃", "又难吃"] * 5
    labels = ["好", "坏", "好", "坏", "坏", "坏"] * 5
    records = pl.DataFrame({"text": texts, "label": labels})
    found = {one.words[0]: one for one in suggest_words(without_lfs(schema, records, records), label="坏")}
    assert found["难吃"].rule()["whole_words"] is False
    assert found["难吃"].lf()("早餐难吃") == "坏"


def test_it_says_what_it_needs() -> None:
    run = run_of(GOOD)
    with pytest.raises(ConfigError, match=r"'body' is no text column\. Known: 'text'"):
        suggest_words(run.inspection, field="body")
    unfitted = mw.Run.of(SCHEMA, GOOD, train=mailbox().select("text"))
    with pytest.raises(ConfigError, match=r"label model is fitted; got a run without it\. Call run\.fit"):
        suggest_words(unfitted.apply().inspection)
