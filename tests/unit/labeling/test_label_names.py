"""Names of labels as labeling functions give them: composed or not, with blanks around, written as numbers."""

import unicodedata
from typing import Any

import polars as pl
import pytest

import metalwork as mw
from metalwork.errors import LabelingError

CAFE = "caf\u00e9"
APART = unicodedata.normalize("NFD", CAFE)
PLACES = mw.TaskSchema.from_dict(
    {"task": "lieu\u00e9", "labels": [{APART: {"task": "kind", "labels": ["Bar", "Inn", "Tea"]}}, "Home", "Work"]}
)
PLACE = PLACES.root
STARS = mw.TaskSchema.flat([1, 2, 3, 4], task="stars")
MOOD = mw.TaskSchema.flat([-1, 0, 1], task="mood")


def voted(lf: mw.LabelingFunction, values: list[Any], schema: mw.TaskSchema = PLACES) -> list[Any]:
    """What the LF, which reads the column ``x``, says of each value; None where it abstains."""
    votes = mw.apply([lf], pl.DataFrame({"x": pl.Series(values, strict=False)}), schema)
    return [
        {votes.tasks[j]: votes.vote_name(j, code) for j, code in enumerate(row) if code >= 0} or None
        for row in votes.codes.tolist()
    ]


def returning(value: Any, task: str | None = PLACE) -> mw.LabelingFunction:
    return mw.from_callable(lambda x: value, task, name="lf")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (APART, CAFE),
        (f" {APART}\u00a0", CAFE),
        ({APART, "Home "}, "not Work"),
        (mw.Not(f"{APART} "), f"not {CAFE}"),
        ({f" {APART}": 0.9}, f"{CAFE} 0.9"),
    ],
)
def test_what_an_lf_returns_is_compared_composed_and_without_blanks(value: Any, said: str) -> None:
    assert voted(returning(value), ["a"]) == [{PLACE: said}]
    assert voted(returning(value, None), ["a"]) == [{PLACE: said}]


def test_paths_are_compared_alike() -> None:
    for path in (f"{APART}/Inn", f" {APART} / Inn "):
        assert voted(returning(path, None), ["a"]) == [{"kind": "Inn"}]
        assert voted(returning(mw.Not(path), None), ["a"]) == [{"kind": "not Inn"}]


def test_the_same_name_composed_and_not_is_one_label() -> None:
    assert mw.Not(CAFE, APART) == mw.Not(f"{APART} ")
    with pytest.raises(LabelingError) as caught:
        voted(returning({CAFE: 0.4, APART: 0.3}), ["a"])
    assert str(caught.value) == (
        "LF 'lf' failed at row 0: it returned two probabilities for one label: "
        f"{{{CAFE!r}: 0.4, {APART!r}: 0.3}}. Return one."
    )


def test_two_columns_of_probabilities_for_one_label_are_refused() -> None:
    with pytest.raises(LabelingError) as caught:
        mw.from_probabilities(PLACE, {"x": CAFE, "y": APART}, name="scores")
    assert str(caught.value) == (
        "columns of LF 'scores' must be a dict from columns to distinct labels; got "
        f"{{'x': {CAFE!r}, 'y': {APART!r}}}. Write e.g. {{'p_spam': 'spam', 'p_ham': 'ham'}}."
    )


def test_built_in_lfs_take_names_and_tasks_as_they_may_be_written() -> None:
    task = unicodedata.normalize("NFD", PLACE) + " "
    assert voted(mw.keywords(task, APART, ["tea"], field="x"), ["tea", "ale"]) == [{PLACE: CAFE}, None]
    assert voted(mw.regex(task, f" {APART}", "t.a", field="x"), ["tea", "ale"]) == [{PLACE: CAFE}, None]
    assert voted(mw.from_column(task, "x"), [APART, f"{CAFE} ", "Home"]) == [
        {PLACE: CAFE},
        {PLACE: CAFE},
        {PLACE: "Home"},
    ]
    mapped = mw.from_column(task, "x", mapping={"c": APART, APART: "Home "})
    assert voted(mapped, ["c", CAFE, f" {CAFE}"]) == [{PLACE: CAFE}, {PLACE: "Home"}, {PLACE: "Home"}]
    assert voted(mw.from_probabilities(task, {"x": APART}), [0.9]) == [{PLACE: f"{CAFE} 0.9"}]


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ([1, 4, None], ["1", "4", None]),
        ([1.0, 4.0, float("nan")], ["1", "4", None]),
        (["1", " 4", " ", "", "2.0"], ["1", "4", None, None, "2"]),
        ([-1, 2], [None, "2"]),
        (["-1", "2"], [None, "2"]),
        ([-1.0, 2.0], [None, "2"]),
    ],
)
def test_a_column_of_numbers_holds_names(values: list[Any], names: list[str | None]) -> None:
    found = voted(mw.from_column("stars", "x"), values, STARS)
    assert found == [None if name is None else {"stars": name} for name in names]


def test_minus_one_is_a_label_where_one_is_called_so() -> None:
    for values in ([-1, 0, 1], ["-1", "0", "1"], [-1.0, 0.0, 1.0]):
        assert voted(mw.from_column("mood", "x"), values, MOOD) == [{"mood": name} for name in ("-1", "0", "1")]
    assert voted(mw.from_column("mood", "x", mapping={"bad": -1, "good": 1}), ["bad", "good"], MOOD) == [
        None,  # in a mapping -1 is what it is in Python: mw.ABSTAIN
        {"mood": "1"},
    ]


@pytest.mark.parametrize("values", [[0, 5, None], ["0", " 5", None], [0.0, 5.0, None]])
@pytest.mark.parametrize("mapping", [{0: 1, 5: 4}, {"0": "1", "5": "4"}, {0: "1 ", "5": 4}])
def test_keys_and_labels_of_a_mapping_may_be_numbers(values: list[Any], mapping: dict[Any, Any]) -> None:
    assert voted(mw.from_column("stars", "x", mapping=mapping), values, STARS) == [
        {"stars": "1"},
        {"stars": "4"},
        None,
    ]


def test_a_number_that_is_no_label_is_refused() -> None:
    with pytest.raises(LabelingError) as caught:
        voted(mw.from_column("stars", "x"), [1, 5], STARS)
    assert str(caught.value) == (
        "LF 'x' failed at row 1: column 'x' must hold labels of task 'stars'; got 5. "
        "Pass mapping={...} from the column's values to labels."
    )


def test_a_name_of_several_tasks_needs_its_path_however_it_is_written() -> None:
    tree = mw.TaskSchema.from_dict(
        {
            "task": "a",
            "labels": [{"l": {"task": "b", "labels": [CAFE, "x"]}}, {"r": {"task": "c", "labels": [APART, "y"]}}],
        }
    )
    with pytest.raises(LabelingError) as caught:
        voted(returning(APART, None), ["a"], tree)
    assert str(caught.value) == (
        f"LF 'lf' failed at row 0: it returned {APART!r}, a label of more than one task. "
        f"Return its path: 'l/{CAFE}' or 'r/{CAFE}'."
    )
