"""Labeling functions that take many records at once."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import metalwork as mw
from metalwork.errors import LabelingError

SCHEMA = mw.TaskSchema.flat(["Tea", "Coffee"], task="kind")
RECORDS = [{"text": text, "size": size} for text, size in (("oolong", "1"), ("mocha", "2.5"), (None, None))]


def _codes(function: Any, records: Any = RECORDS, **options: Any) -> list[int]:
    lf = mw.from_callable(function, "kind", ["text"], "lf", batch=True)
    return [int(code) for code in mw.apply([lf], records, SCHEMA, **options).codes[:, 0]]


def _fault(function: Any, task: str | None = "kind", **options: Any) -> str:
    lf = mw.from_callable(function, task, ["text"], "lf", batch=True)
    with pytest.raises(LabelingError) as caught:
        mw.apply([lf], RECORDS, SCHEMA, **options)
    return str(caught.value)


def test_the_decorator_hands_over_whole_columns() -> None:
    seen = []

    @mw.labeling_function(task="kind", batch=True)
    def guess(text: list[str | None], size: list[float | None]) -> list[str | None]:
        seen.append((text, size))
        return ["Tea" if value == "oolong" else None for value in text]

    votes = mw.apply([guess], RECORDS, SCHEMA)
    assert seen == [(["oolong", "mocha", None], [1.0, 2.5, None])]
    assert votes.codes[:, 0].tolist() == [0, -1, -1]
    assert guess(["oolong"], [1.0]) == ["Tea"]


@pytest.mark.parametrize(
    "returned",
    [
        ["Tea", "Coffee", None],
        ("Tea", "Coffee", mw.ABSTAIN),
        np.array(["Tea", "Coffee", None], dtype=object),
        pl.Series(["Tea", "Coffee", None]),
        pd.Series(["Tea", "Coffee", None]),
        ["Tea", {"Coffee"}, set()],
        [mw.Not("Coffee"), mw.Not("Tea"), None],
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_vote_a_record_in_any_sequence(returned: Any) -> None:
    assert _codes(lambda texts: returned) == [0, 1, -1]


def test_votes_do_not_depend_on_chunks_and_workers() -> None:
    records = [{"text": text} for text in ("oolong", "mocha", "sencha", "oolong", "flat white")] * 5

    def leaves(texts: Sequence[str]) -> list[str | None]:
        return ["Tea" if text in ("oolong", "sencha") else None for text in texts]

    whole = _codes(leaves, records)
    assert whole == [0, -1, 0, 0, -1] * 5
    assert _codes(leaves, records, chunk_size=3) == whole
    assert _codes(leaves, records, backend="processes", n_jobs=2, chunk_size=4) == whole


def test_probabilities_of_all_labels() -> None:
    shares = np.array([[0.9, 0.1], [np.nan, 0.8], [np.nan, np.nan]])
    lf = mw.from_callable(lambda texts: shares, "kind", ["text"], "model", batch=True)
    votes = mw.apply([lf], RECORDS, SCHEMA)
    said = [votes.vote_name(0, int(code)) for code in votes.codes[:2, 0]]
    assert (said, votes.codes[2, 0]) == (["Tea 0.9", "Coffee 0.8"], mw.ABSTAIN)
    alone = mw.from_probabilities("kind", {"p_tea": "Tea", "p_coffee": "Coffee"})
    columns = pl.DataFrame(shares, schema=["p_tea", "p_coffee"]).fill_nan(None)
    assert (mw.apply([alone], columns, SCHEMA).codes == votes.codes).all()


def test_rows_that_are_no_probabilities_are_failures() -> None:
    lf = mw.from_callable(lambda texts: np.array([[0.9, 0.9]] * 3), "kind", ["text"], "model", batch=True)
    votes = mw.apply([lf], RECORDS, SCHEMA, max_error_rate=1)
    assert (votes.errors[0], votes.codes[:, 0].tolist()) == (3, [-1, -1, -1])


@pytest.mark.parametrize(
    ("returned", "reason"),
    [
        (
            ["Tea", "Coffee"],
            "it returned 2 votes for a batch of 3 records. Return one a record, None where it abstains.",
        ),
        (
            "Tea",
            "it returned str for a batch of 3 records. Return a list with a vote a record, or an array of "
            "probabilities.",
        ),
        (
            None,
            "it returned NoneType for a batch of 3 records. Return a list with a vote a record, or an array of "
            "probabilities.",
        ),
        (
            np.zeros((3, 3)),
            "it returned an array of float64 of shape (3, 3) for a batch of 3 records. Return one of "
            "probabilities, a "
            "row a record and a column a label: 'Tea', 'Coffee'.",
        ),
    ],
)
def test_what_does_not_fit_the_batch_is_named(returned: Any, reason: str) -> None:
    assert _fault(lambda texts: returned) == f"LF 'lf' failed at row 0: {reason}"


def test_a_wrong_label_names_its_row() -> None:
    assert _fault(lambda texts: ["Tea" if text != "mocha" else "Cofee" for text in texts], chunk_size=1) == (
        "LF 'lf' failed at row 1: it returned a wrong label. 'Cofee' is no label of task 'kind'. "
        "Did you mean 'Coffee'?"
    )


def test_a_function_that_raises_fails_on_all_its_records() -> None:
    def broken(texts: list[str]) -> list[str]:
        raise RuntimeError("no model")

    message = _fault(broken)
    assert "RuntimeError: no model" in message
    lf = mw.from_callable(broken, "kind", ["text"], "lf", batch=True)
    assert mw.apply([lf], RECORDS, SCHEMA, max_error_rate=1).errors.tolist() == [3]


def test_a_value_that_cannot_be_read_fails_on_its_record_alone(tmp_path: Path) -> None:
    path = tmp_path / "sizes.csv"
    path.write_text("size\n1\nlarge\n3\n")

    @mw.labeling_function(task="kind", batch=True)
    def small(size: list[float | None]) -> list[str | None]:
        return ["Tea" if value is not None and value < 2 else None for value in size]

    votes = mw.apply([small], path, SCHEMA, max_error_rate=0.5)
    assert (votes.codes[:, 0].tolist(), votes.errors.tolist()) == ([0, -1, -1], [1])


def test_labels_of_the_whole_tree() -> None:
    tree = mw.TaskSchema.from_dict(
        {"task": "drink", "labels": [{"Hot": {"task": "hot", "labels": ["Tea", "Cocoa"]}}, "Cold"]}
    )
    lf = mw.from_callable(lambda texts: ["Tea", "Cold", None], None, ["text"], "lf", batch=True)
    assert mw.apply([lf], RECORDS, tree).codes.tolist() == [[-1, 0], [1, -1], [-1, -1]]
    soft = mw.from_callable(lambda texts: np.zeros((3, 3)), None, ["text"], "soft", batch=True)
    with pytest.raises(LabelingError, match=r"^LF 'soft' failed at row 0: it returned an array of probab"):
        mw.apply([soft], RECORDS, tree)


def test_an_exception_in_place_of_a_vote_is_a_failure_on_its_record() -> None:
    lf = mw.from_callable(
        lambda texts: ["Tea", TimeoutError("too slow"), None], "kind", ["text"], "lf", batch=True
    )
    votes = mw.apply([lf], RECORDS, SCHEMA, max_error_rate=1.0)
    assert votes.codes[:, 0].tolist() == [0, -1, -1]
    assert votes.failed.tolist() == [[1, 0]]
    assert [(incident.row, incident.message) for incident in votes.incidents] == [(1, "TimeoutError: too slow")]
