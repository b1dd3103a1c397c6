"""Inputs that are not those of the fit: each is one error that says which records are meant."""

from typing import Any

import numpy as np
import pytest

import metalwork as mw
from metalwork.errors import MetalworkError
from metalwork.features import NumericColumns
from tests.unit.end_models.samples import TRIAGE, words

DATA = words(TRIAGE, 40)
DENSE = DATA.counts.toarray().astype(float)
RECORDS = [{"text": f"the {name}", "n": 1.0} for name in TRIAGE.end_names(DATA.labels)]


def message(X: Any, dev: Any = None, labels: Any = DATA.labels, **options: Any) -> str:
    with pytest.raises(MetalworkError) as caught:
        mw.EndModel(TRIAGE, max_epochs=1, **options).fit(X, labels, None if dev is None else (dev, DATA.labels))
    return str(caught.value)


def test_dev_records_of_another_kind_are_called_by_their_name() -> None:
    words = {"featurizer": mw.WordCounts(min_df=1, field="text")}
    width = "X of dev must have 52 columns, as the X of fit; got 51 columns. Make the features the same way."
    assert message(DENSE, DENSE[:, 1:]) == width
    assert message(DATA.counts, DATA.counts[:, 1:]) == width
    assert message(DENSE, DATA.counts) == (
        "X of dev must be dense for scaling='standard'; got a sparse matrix. Make it dense by toarray(), or use "
        "scaling='none'."
    )
    assert message(DENSE, ["text"] * 40).startswith("X of dev must be a matrix of real numbers; got list.")
    assert message(DATA.counts, -DENSE).startswith("X of dev must not be below 0 for scaling='counts'; got -")
    assert message(DENSE, np.where(DENSE == 1, np.nan, DENSE)).startswith(
        "X of dev must be finite as 32-bit floats;"
    )
    assert (
        message(RECORDS, [{"note": "a"}] * 40, **words)
        == "dev: 'text' is no column of the records. Known: 'note'."
    )
    assert message(RECORDS, [3] * 40, **words).startswith("dev: texts must be text; got 3 at row 0.")
    lacking = [{"n": None}] * 40
    assert message(RECORDS, lacking, featurizer=NumericColumns(["n"])).startswith(
        "dev: column 'n' must hold finite"
    )


@pytest.mark.parametrize("architecture", ["tree", "linear"])
def test_records_to_predict_must_be_those_of_the_fit(architecture: str) -> None:
    model = mw.EndModel(TRIAGE, architecture, max_epochs=1).fit(DENSE, DATA.labels)
    for X, told in (
        (DENSE[:, 1:], "X must have 52 columns, as the X of fit; got 51 columns."),
        (DATA.counts, "X must be dense for scaling='standard'; got a sparse matrix."),
        (np.full_like(DENSE, np.nan), "X must be finite as 32-bit floats; got nan at row 0, column 0."),
    ):
        with pytest.raises(MetalworkError) as caught:
            model.predict(X)
        assert str(caught.value).startswith(told)


def test_a_split_without_records_is_one_error() -> None:
    assert message(DENSE[:0], labels=[]) == "probs must hold at least one record; got none."
    assert message([], labels=[], featurizer=mw.WordCounts()) == "probs must hold at least one record; got none."
    with pytest.raises(MetalworkError, match=r"^y of dev must hold at least one known label; got none\.$"):
        mw.EndModel(TRIAGE).fit(DENSE, DATA.labels, (DENSE[:0], []))


def test_an_encoder_that_is_not_there_is_one_error() -> None:
    pytest.importorskip("sentence_transformers")
    for kind in (mw.SentenceEmbeddings, mw.FineTuned):
        told = message(RECORDS, featurizer=kind("/no/such/folder", field="text"))
        assert told.startswith("encoder must be the ")
        assert "got '/no/such/folder'" in told
        assert told.endswith("without one, give a folder.") or told.endswith(
            "without one, give the folder of a model."
        )
