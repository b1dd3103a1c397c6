"""Which records answer a question, and what is said of each."""

from typing import Any

import numpy as np
import polars as pl
import pytest

import metalwork as mw
from metalwork.errors import ConfigError
from metalwork.inspection import Span
from tests.unit.inspection.pets import SCHEMA, TRAIN, ids, run_of

pytestmark = pytest.mark.filterwarnings("ignore::metalwork.errors.MetalworkWarning")  # few LFs, few records


@pytest.fixture(scope="module")
def run() -> mw.Run:
    return run_of().fit()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("f", "name of one alone begins; got 'f', as begin 2: 'furry', 'feathered'. Write more"),
        ("fxrry", "Did you mean 'furry'?"),
        ("", "'' is no labeling function"),
    ],
)
def test_a_beginning_must_be_that_of_one_labeling_function(run: mw.Run, name: str, message: str) -> None:
    with pytest.raises(ConfigError) as failed:
        run.inspection.records(lf=name)
    assert message in str(failed.value)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"lf": "meows"}, ["t0", "t5", "t6", "d0", "d1"]),
        ({"lf": ["meows", "furry"]}, ["t0", "t6", "d0"]),
        ({"lf": "meows", "split": "dev"}, ["d0", "d1"]),
        ({"lf": "me", "split": "dev"}, ["d0", "d1"]),
        ({"lf": "me...", "split": "dev"}, ["d0", "d1"]),
        ({"lf": "meows", "vote": "Cat", "search": "PURR"}, ["t6"]),
        ({"lf": "barks", "vote": "Cat"}, []),
        ({"vote": "Duck", "split": "train"}, ["t2", "t5", "t7", "t8"]),
        ({"wrong": True}, ["d1"]),
        ({"lf": "meows", "wrong": True}, ["d1"]),
        ({"lf": "feathered", "wrong": True}, []),
        ({"lf": "meows", "right": True}, ["d0"]),
        ({"right": True, "task": "kind"}, ["d0", "d1"]),
        ({"conflict": True, "split": "train"}, ["t2", "t5"]),
        ({"lf": "feathered", "conflict": True}, ["t2", "d1"]),
        ({"conflict": ("barks", "quacks")}, ["t2"]),
        ({"conflict": ("furry", "meows")}, []),
        ({"uncovered": True}, ["t4", "d3"]),
        ({"uncovered": True, "task": "mammal", "label": "Bird", "split": "train"}, ["t1", "t7", "t8"]),
        ({"task": "bird", "split": "train"}, ["t1", "t2", "t5", "t7", "t8"]),
        ({"label": "Duck", "split": "train", "task": "bird"}, ["t2", "t5", "t7", "t8"]),
        ({"label": "Dog"}, ["t3"]),
        ({"known": "Bird"}, ["d1", "d2"]),
        ({"known": "Duck"}, ["d1"]),
        ({"known": True}, ["d0", "d1", "d2"]),
        ({"known": False, "split": "dev"}, ["d3"]),
        ({"search": "fur|feather", "conflict": True}, ["t2", "d1"]),
        ({"search": "(?<=a )meow"}, ["t0", "t5", "d1"]),
    ],
)
def test_what_is_asked_holds_of_the_answers(run: mw.Run, asked: dict[str, Any], expected: list[str]) -> None:
    page = run.records(**asked)
    assert ids(page) == expected
    assert page.total == len(expected)


def test_the_least_certain_records_with_votes_come_first(run: mw.Run) -> None:
    page = run.records(uncertain=True, split="train")
    assert page.total == 8
    scores = [record.score for record in page.records]
    assert scores == sorted(scores)  # type: ignore[type-var]
    margins = [sorted(run.labels["train"].end[record.row])[-1:-3:-1] for record in page.records]
    assert [high - low for high, low in margins] == pytest.approx(scores, abs=1e-6)
    of_task = run.records(uncertain=True, task="bird", split="train")
    assert set(ids(of_task)) == {r.id for r in page.records if r.predicted in ("Owl", "Duck")}


def test_pages_follow_each_other(run: mw.Run) -> None:
    first, second = (run.records(offset=offset, limit=5) for offset in (0, 5))
    assert (first.total, first.offset, second.offset) == (13, 0, 5)
    assert ids(first) + ids(second) == [f"t{i}" for i in range(9)] + ["d0"]
    assert ids(run.records(offset=12)) == ["d3"]
    assert ids(run.records(offset=50)) == []


def test_a_record_says_what_matched_where_and_what_was_made_of_it(run: mw.Run) -> None:
    record = run.inspection.record("train", 1)
    assert dict(record.fields) == {"text": TRAIN["text"][1], "legs": 2}
    assert record.spans == (
        Span("text", 3, 6, "furry", None, "No"),
        Span("text", 14, 18, "hoots", "Owl", None),
        Span("text", 20, 25, "hoots", "Owl", None),
    )
    assert record.votes == {"bird": (("hoots", "Owl"),)}
    assert (record.predicted, record.known, record.end_predicted, record.n_votes) == ("Owl", None, None, 1)
    labels = run.labels["train"]
    assert record.posterior["bird"] == pytest.approx(dict(zip(("Owl", "Duck"), labels["bird"][1], strict=True)))
    assert [moved.lf for moved in record.moved_by] == ["hoots"]
    assert record.moved_by[0].effect == pytest.approx(run.label_model.explain(run.votes["train"], 1)[0].effect)
    assert "".join(segment.text for segment in record.segments("text")) == TRAIN["text"][1]
    assert [s.text for s in record.segments("text") if s.spans] == ["fur", "Hoot", "hooot"]


def test_functions_in_python_say_which_columns_they_read(run: mw.Run) -> None:
    record = run.inspection.record("train", 3)
    assert record.reasons == {"barks": "reads text, legs"}
    assert {span.lf for span in record.spans} == {"furry"}


def test_showing_a_record_calls_no_function() -> None:
    called = []

    @mw.labeling_function(task="kind", name="costly")
    def costly(text: str) -> str:
        called.append(text)
        return "Bird"

    large = mw.threshold("kind", "Mammal", "legs", name="large", at_least=4)
    both = (large & mw.keywords("kind", "Mammal", ["fur"])).voting("Mammal", name="both")
    run = mw.Run.of(SCHEMA, [costly, large, both], train=TRAIN, features={"text": "text"}).apply()
    called.clear()
    record = run.inspection.record("train", 0)
    assert called == []
    assert record.reasons == {"costly": "reads text", "large": "legs is 4, asked for >= 4"}
    assert record.spans == (Span("text", 0, 3, "both", "Mammal", None),)


def test_known_labels_are_as_deep_as_they_are_known(run: mw.Run) -> None:
    assert [run.inspection.record("dev", row).known for row in range(4)] == ["Cat", "Duck", "Bird", None]


def test_test_is_never_shown(run: mw.Run) -> None:
    assert run.inspection.splits == ("train", "dev")
    with pytest.raises(ConfigError, match="split must be one of 'train', 'dev'; got 'test'"):
        run.records(split="test")
    with pytest.raises(ConfigError, match="split must be one of 'train', 'dev'; got 'test'"):
        run.inspection.record("test", 0)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"lf": "meaws"}, "lf: 'meaws' is no labeling function. Did you mean 'meows'?"),
        ({"conflict": ("meows", "x")}, "conflict: 'x' is no labeling function."),
        ({"conflict": ("meows",)}, "conflict must be True or the names of two LFs"),
        ({"task": "cat"}, "task must be one of 'kind', 'mammal', 'bird'; got 'cat'."),
        ({"label": "Dgo"}, "label: 'Dgo' is no label. Did you mean 'Dog'?"),
        ({"vote": "Fish"}, "vote must be one that these labeling functions can cast; got 'Fish'."),
        ({"search": "("}, r"search must be a regular expression; got '\('"),
        ({"limit": 0}, "limit must be a whole number of at least 1; got 0."),
    ],
)
def test_questions_that_make_no_sense_are_refused(run: mw.Run, asked: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message.replace("?", r"\?")):
        run.records(**asked)


def test_questions_wait_for_the_step_that_answers_them() -> None:
    run = run_of().apply()
    assert ids(run.records(conflict=True, split="train")) == ["t2", "t5"]
    for asked in ({"tied": True}, {"uncertain": True}, {"label": "Dog"}):
        with pytest.raises(ConfigError, match="must be asked once the step fit is done"):
            run.records(**asked)
    assert run.records(lf="meows").records[0].posterior == {}
    run.fit()
    assert run.records(label="Dog").total == 1
    with pytest.raises(ConfigError, match="differ must be asked once the step evaluate is done"):
        run.records(differ=True)


def test_models_that_differ() -> None:
    run = run_of().evaluate()
    ours, theirs = run.labels["train"].predict(), run.end["train"].predict()
    covered = (run.votes["train"].codes >= 0).any(axis=1)
    expected = {f"t{row}" for row in ((ours != theirs) & covered).nonzero()[0]}
    page = run.records(differ=True, split="train")
    assert set(ids(page)) == expected
    for record in run.records(network_wrong=True).records:
        assert record.predicted == record.known
        assert record.end_predicted != record.known
    assert all(record.end_posterior is not None for record in run.records().records)


def test_a_page_is_drawn_with_marks_and_nothing_of_the_records_is_html(run: mw.Run) -> None:
    html = run.records(lf="quacks", split="train")._repr_html_()
    assert '<mark style="background:#ffe08a;color:#222" title="quacks: Duck">quack</mark>' in html
    assert "&lt;b&gt;bark&lt;/b&gt;" in html
    assert "<b>bark" not in html
    single = run.inspection.record("train", 1)._repr_html_()
    assert "line-through" in single
    assert "furry: abstains, negated by No" in single
    searched = run.records(search="stone")._repr_html_()
    assert '<mark style="background:#bfe3ff;color:#222" title="found">stone</mark>' in searched


def test_a_frame_has_a_row_a_record(run: mw.Run) -> None:
    frame = run.records(split="dev").to_frame()
    assert frame["id"].to_list() == ["d0", "d1", "d2", "d3"]
    assert frame["known"].to_list() == ["Cat", "Duck", "Bird", None]
    assert frame["votes"][0].to_list() == ["furry: Mammal", "meows: Cat"]
    assert frame["text"][2] == "quack"
    assert run.records(search="no such thing").to_frame().height == 0


def test_the_nearest_records_come_first_and_share_a_word(run: mw.Run) -> None:
    page = run.records(near=("train", 0))
    assert ids(page)[:2] in (["t6", "d0"], ["d0", "t6"])  # fur and meow, nothing else that tells
    assert "t0" not in ids(page)
    assert "t4" not in ids(page)  # no word in common
    scores = [record.score for record in page.records]
    assert scores == sorted(scores)  # type: ignore[type-var]
    assert ids(run.records(near=("train", 0), lf="quacks", split="train"))[0] == "t5"
    with pytest.raises(ConfigError, match=r"row of near must be from 0 to 3 in the dev records; got 4\."):
        run.records(near=("dev", 4))


def test_near_goes_by_numbers_where_there_is_no_text() -> None:
    records = pl.DataFrame({"a": [0.0, 1.0, 10.0], "b": [500.0, 0.0, 510.0]})
    schema = mw.TaskSchema.flat(["low", "high"])
    lf = mw.threshold("label", "high", "a", above=5)
    run = mw.Run.of(schema, [lf], train=records, features={"columns": ["a", "b"]}).apply()
    page = run.records(near=("train", 0))
    numbers = records.to_numpy() / records.to_numpy().std(axis=0)
    distances = np.sqrt(((numbers - numbers[0]) ** 2).mean(axis=1))
    assert [record.row for record in page.records] == [1 + row for row in np.argsort(distances[1:])]
    assert [record.score for record in page.records] == pytest.approx(sorted(distances[1:].tolist()), rel=1e-5)


def test_wrong_dev_labels_are_suspect() -> None:
    words = {"Cat": "meow fur", "Dog": "fur", "Owl": "hoot", "Duck": "quack feather"}
    dev = pl.DataFrame({"text": [*words.values()] * 5, "legs": [4] * 20, "label": [*words] * 5})
    labels = dev["label"].to_list()
    labels[0], labels[7] = "Duck", "Owl"
    wrong = dev.with_columns(pl.Series("label", labels))
    run = run_of(dev=wrong, id=None, train=pl.concat([dev.select("text", "legs")] * 3)).fit()
    page = run.records(suspect=True)
    assert {record.row for record in page.records} == {0, 7}
    assert [record.score for record in page.records] == sorted(r.score or 0 for r in page.records)
    clean = run_of(dev=dev, id=None, train=pl.concat([dev.select("text", "legs")] * 3)).fit()
    assert clean.records(suspect=True).total == 0
