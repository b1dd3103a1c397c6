"""Making labeling functions from functions, callables and columns."""

import functools
import math
import re
from typing import Any

import cloudpickle
import polars as pl
import pytest

import metalwork as mw
from metalwork.errors import LabelingError

SCHEMA = mw.TaskSchema.flat(["ham", "spam"], task="kind")


def test_the_decorator_reads_columns_from_argument_names() -> None:
    @mw.labeling_function(task="kind")
    def shouts(text: str, author: str, limit: int = 3) -> str | int:
        return "spam" if text.count("!") > limit and author else mw.ABSTAIN

    assert (shouts.task, shouts.name, shouts.fields) == ("kind", "shouts", ("text", "author"))
    assert shouts("buy!!!!", "x") == "spam"
    assert shouts(text="hello", author="x") == mw.ABSTAIN
    assert repr(shouts) == "LabelingFunction('shouts', task='kind', fields=['text', 'author'])"


def test_fields_and_name_override_what_the_function_says() -> None:
    lf = mw.from_callable(lambda a, b: None, "kind", fields=["text", "author"], name="both")
    assert (lf.fields, lf.name) == (("text", "author"), "both")
    named = mw.labeling_function("kind", name="other", fields=["title"])(lambda text: "ham")
    assert (named.fields, named.name, named("x")) == (("title",), "other", "ham")


def test_a_partial_and_an_object_are_callables() -> None:
    class Model:
        def __call__(self, text: str) -> str:
            return "ham"

    def longer(text: str, limit: int) -> str | None:
        return "spam" if len(text) > limit else None

    assert mw.from_callable(Model(), "kind", name="model").fields == ("text",)
    partial = mw.from_callable(functools.partial(longer, limit=2), "kind", fields=["text"], name="longer")
    assert partial("abc") == "spam"


def test_labeling_functions_travel_by_cloudpickle() -> None:
    @mw.labeling_function(task="kind")
    def local(text: str) -> str:
        return "ham"

    made = [
        local,
        mw.keywords("kind", "spam", ["free"], negated_by=True),
        mw.regex("kind", "spam", "a+"),
        column(),
    ]
    for lf in made:
        copy = cloudpickle.loads(cloudpickle.dumps(lf))
        assert (copy.name, copy("free aaa")) == (lf.name, lf("free aaa"))


def column() -> mw.LabelingFunction:
    return mw.from_column("kind", "crowd", mapping={"free aaa": "spam"})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: mw.labeling_function(lambda text: "ham"), "task must be the name of a task; got <function"),  # type: ignore[arg-type]
        (lambda: mw.from_callable(lambda text: "ham", "kind"), "which has none of its own. Pass name='...'."),
        (
            lambda: mw.from_callable(lambda *texts: "ham", "kind", name="x"),
            "must name the columns it reads; got (*texts)",
        ),
        (lambda: mw.from_callable(lambda: "ham", "kind", name="x"), "must name the columns it reads; got ()"),
        (lambda: mw.from_callable(max, "kind"), "fields must be given for LF 'max'"),
        (lambda: mw.from_callable(dict, "kind"), "LF 'dict'"),
        (
            lambda: mw.from_callable(3, "kind"),  # type: ignore[arg-type]
            "function must be a plain callable; got 3. Pass a function or an object with __call__.",
        ),
        (lambda: mw.from_callable(column(), "kind"), "function must be a plain callable; got LabelingFunction"),
        (
            lambda: mw.from_callable(str.lower, "kind", fields="text"),
            "must be a list of column names; got 'text'.",
        ),
        (lambda: mw.from_callable(str.lower, "", fields=["text"]), "task of LF 'lower' must be a text; got ''."),
        (
            lambda: mw.keywords("kind", "spam", "free"),
            "words of the keyword LF for 'spam' must be a list of words; got 'free'.",
        ),
        (
            lambda: mw.keywords("kind", "spam", []),
            "words of the keyword LF for 'spam' must be a list of words; got [].",
        ),
        (
            lambda: mw.keywords("kind", "spam", ["a"], window=0),
            "window of LF 'spam: a' must be a whole number from 1",
        ),
        (
            lambda: mw.keywords("kind", "spam", ["a"], negated_by="no"),
            "must be True or a list of words; got 'no'.",
        ),
        (lambda: mw.keywords("kind", 3, ["a"]), "label of LF '3: a' must be a text; got 3."),  # type: ignore[arg-type]
        (
            lambda: mw.regex("kind", "spam", "(a"),
            "must be a regular expression; got '(a': missing )",
        ),
        (lambda: mw.regex("kind", "spam", b"a"), "must be a regular expression; got b'a'"),  # type: ignore[arg-type]
        (lambda: mw.regex("kind", "spam", None), "must be a regular expression; got None"),  # type: ignore[arg-type]
    ],
)
def test_a_misdeclared_lf_says_what_is_wrong(make: Any, message: str) -> None:
    with pytest.raises(LabelingError, match=re.escape(message)):
        make()


def test_generators_are_refused() -> None:
    def several(text: str) -> Any:
        yield "ham"

    async def one_by_one(text: str) -> Any:
        yield "ham"

    for function in (several, one_by_one):
        with pytest.raises(LabelingError, match=r"must return one vote; it is a generator\. Use return\."):
            mw.from_callable(function, "kind")


def test_a_column_holds_labels_or_nothing() -> None:
    records = pl.DataFrame({"crowd": ["ham", None, "", " ", "spam"]})
    lf = mw.from_column("kind", "crowd")
    assert (lf.name, lf.fields) == ("crowd", ("crowd",))
    assert mw.apply([lf], records, SCHEMA).codes[:, 0].tolist() == [0, -1, -1, -1, 1]


def test_a_mapping_turns_values_into_labels() -> None:
    records = [{"model": 0}, {"model": 1}, {"model": -1}, {"model": None}, {"model": 7}, {"model": math.nan}]
    lf = mw.from_column("kind", "model", mapping={0: "ham", 1: "spam", 7: mw.ABSTAIN}, name="theirs")
    assert mw.apply([lf], records, SCHEMA).codes[:, 0].tolist() == [0, 1, -1, -1, -1, -1]


@pytest.mark.parametrize(
    ("values", "mapping", "message"),
    [
        (
            ["ham", "eggs"],
            None,
            "LF 'crowd' failed at row 1: it returned a wrong label. 'eggs' is no label of task 'kind'. "
            "Known: 'ham', 'spam'.",
        ),
        (
            ["h", "e"],
            {"h": "ham"},
            "LF 'crowd' failed at row 1: the value 'e' of column 'crowd' is not in the mapping. "
            "Map it to a label of task 'kind', or to mw.ABSTAIN (null in a project file).",
        ),
        (
            [-1, 0],
            None,
            "LF 'crowd' failed at row 1: column 'crowd' must hold labels of task 'kind'; got 0. "
            "Pass mapping={...} from the column's values to labels.",
        ),
    ],
)
def test_a_column_with_something_else_is_an_error(values: list[Any], mapping: Any, message: str) -> None:
    lf = mw.from_column("kind", "crowd", mapping=mapping)
    with pytest.raises(LabelingError) as caught:
        mw.apply([lf], pl.DataFrame({"crowd": values}), SCHEMA)
    assert str(caught.value) == message
