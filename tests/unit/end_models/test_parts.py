"""Training in parts: the network of ``fit`` on all records at once, bit for bit, in bounded memory."""

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
import torch
from torch import nn

from metalwork import EndModel, TaskProbabilities, WordCounts
from metalwork.end_models import _batches, _tasks
from metalwork.end_models._batches import batches
from metalwork.errors import ConfigError, DataError, VotesError
from metalwork.features import NumericColumns
from tests.unit.end_models.samples import FLAT, TRIAGE, UNEVEN, Words, words

CUTS = {"one": [0, 120], "two": [0, 1, 120], "some": [0, 37, 74, 119, 120], "tens": list(range(0, 121, 10))}


class Parts:
    """A re-iterable of parts, read anew each time."""

    def __init__(self, cuts: list[int], *columns: Any) -> None:
        self._cuts, self._columns = cuts, columns
        self.n_reads = 0

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        self.n_reads += 1
        for start, stop in pairwise(self._cuts):
            yield tuple(column[start:stop] for column in self._columns)


def same(first: EndModel, second: EndModel) -> bool:
    """Whether two models have the same network, bit for bit, and the same history but for seconds."""
    one, two = first.network_.state_dict(), second.network_.state_dict()
    told = [[{**epoch, "seconds": 0} for epoch in model.history_] for model in (first, second)]
    return told[0] == told[1] and one.keys() == two.keys() and all(torch.equal(one[k], two[k]) for k in one)


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sums and orders are cut within these few records, as those of many are."""
    monkeypatch.setattr(_tasks, "_BLOCK", 90)
    monkeypatch.setattr(_batches, "_WINDOW", 48)


def dense(found: Words) -> Any:
    return found.counts.toarray() * 1.7 - 3


@pytest.mark.parametrize("cuts", CUTS.values(), ids=CUTS)
@pytest.mark.parametrize(
    "features",
    [
        lambda found: found.counts,
        dense,
        lambda found: pd.DataFrame(dense(found)),
        lambda found: found.counts * 0.5,
    ],
    ids=["counts", "dense", "frame", "sparse"],
)
def test_matrices_in_parts(features: Callable[[Words], Any], cuts: list[int]) -> None:
    found = words(UNEVEN)
    X = features(found)
    model = EndModel(UNEVEN, max_epochs=3, batch_size=16, dropout=0.1)
    dev = (X[:20], found.labels[:20])
    whole = EndModel(UNEVEN, max_epochs=3, batch_size=16, dropout=0.1).fit(X, found.probs, dev=dev)
    assert model.fit_parts(Parts(cuts, X, found.probs), dev=dev) is model
    assert same(whole, model)
    assert np.array_equal(whole.predict_proba(X).end, model.predict_proba(X).end)


@pytest.mark.parametrize("cuts", CUTS.values(), ids=CUTS)
def test_weights_and_records_that_do_not_count(cuts: list[int]) -> None:
    found = words(TRIAGE)
    rng = np.random.default_rng(3)
    weights = rng.choice([0.0, 0.5, 1.7], 120)
    weights[37:74] = 0.0  # a whole part
    labels = np.where(rng.random(120) < 0.3, -1, found.labels)
    whole = EndModel(TRIAGE, "flat", max_epochs=2).fit(found.counts, labels, sample_weight=weights)
    parts = Parts(cuts, found.counts, labels, weights)
    assert same(whole, EndModel(TRIAGE, "flat", max_epochs=2).fit_parts(parts))
    assert parts.n_reads == 1


@pytest.mark.parametrize("cuts", CUTS.values(), ids=CUTS)
def test_coarse_labels_in_parts(cuts: list[int]) -> None:
    found = words(UNEVEN)
    known = UNEVEN.known_codes(found.labels)
    known[::3][known[::3] > 0] = -1
    weights = np.random.default_rng(3).choice([0.3, 1.7], 120)
    whole = EndModel(UNEVEN, max_epochs=2).fit(found.counts, known, sample_weight=weights)
    assert same(whole, EndModel(UNEVEN, max_epochs=2).fit_parts(Parts(cuts, found.counts, known, weights)))


@pytest.mark.parametrize("cuts", CUTS.values(), ids=CUTS)
def test_records_in_parts(cuts: list[int]) -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 120)
    texts = [
        " ".join(rng.choice([f"word{i}" for i in range(60)], 9)) + " spam" * label for label in labels.tolist()
    ]
    frame = pl.DataFrame({"text": texts, "n": rng.normal(size=120), "other": texts})
    probs = TaskProbabilities(np.eye(2)[labels] * 0.8 + 0.1, FLAT)

    def model() -> EndModel:
        both = [WordCounts(min_df=6, max_features=40, field="text"), NumericColumns(["n"])]
        return EndModel(FLAT, featurizer=both, max_epochs=2)

    whole, parts = model().fit(frame, probs), Parts(cuts, frame, probs)
    found = model().fit_parts(parts)
    assert same(whole, found)
    assert parts.n_reads == 2
    assert found.featurizer_.get_feature_names_out().tolist() == whole.featurizer_.get_feature_names_out().tolist()


def test_an_input_module_reads_arrays_in_parts() -> None:
    rng = np.random.default_rng(0)
    images, labels = rng.normal(size=(120, 4, 4)), rng.integers(0, 2, 120)
    module = nn.Sequential(nn.Flatten(), nn.Linear(16, 8))

    def model() -> EndModel:
        return EndModel(FLAT, input_module=module, max_epochs=2)

    assert same(model().fit(images, labels), model().fit_parts(Parts(CUTS["some"], images, labels)))


@pytest.mark.parametrize("n_points", [1, 47, 48, 49, 120, 500])
@pytest.mark.parametrize("batch_size", [1, 7, 48, 64])
def test_every_record_is_seen_once_an_epoch(n_points: int, batch_size: int) -> None:
    generator = torch.Generator().manual_seed(0)
    for _ in range(2):
        found = list(batches(n_points, batch_size, generator))
        assert [len(index) for index in found] == np.diff(_batches.batch_bounds(n_points, batch_size)).tolist()
        assert sorted(np.concatenate(found).tolist()) == list(range(n_points))
    first = np.concatenate(list(batches(n_points, batch_size, generator)))
    assert n_points < 47 or not np.array_equal(first, np.concatenate(found))


def test_few_records_are_shuffled_all_together() -> None:
    found = np.concatenate(list(batches(48, 10, torch.Generator().manual_seed(5))))
    assert found.tolist() == torch.randperm(48, generator=torch.Generator().manual_seed(5)).tolist()


COUNTS = words(FLAT).counts
LABELS = words(FLAT).labels


@pytest.mark.parametrize(
    ("parts", "kind", "message"),
    [
        (7, ConfigError, "parts must be a sequence of tuples (X, probs); got int."),
        ([7], ConfigError, "Part 0: parts must be tuples (X, probs) or (X, probs, sample_weight); got int."),
        (
            [(COUNTS[:9], LABELS[:9]), (COUNTS[:9], LABELS[:8])],
            DataError,
            "Part 1: probs must have one entry a row of X (9); got 8.",
        ),
        (
            [(COUNTS[:9], LABELS[:9]), (COUNTS[:9, 1:], LABELS[:9])],
            DataError,
            "Part 1: X must have 36 columns, as the X of fit; got 35 columns. Make the features the same way.",
        ),
        (
            [(COUNTS[:9], LABELS[:9]), (COUNTS[:9].toarray(), LABELS[:9])],
            DataError,
            "Part 1: X must be sparse rows of shape (36,), as in the parts before; got dense ones of shape (36,). "
            "Make the features of all parts alike.",
        ),
        (
            [(COUNTS[:2], [0, 1]), (sp.csr_array([[0, np.inf], [1, 1]]), [-1, 0])],
            DataError,
            "Part 1: X must have 36 columns, as the X of fit; got 2 columns. Make the features the same way.",
        ),
        (
            [(np.eye(3), [0, 1, 0]), (np.array([[0, 0, 0], [1, 2, np.inf]]), [-1, 0])],
            DataError,
            "Part 1: X must be finite as 32-bit floats; got inf at row 1, column 2. Fill in missing values first, "
            "and scale down what is too large.",
        ),
        (
            [(COUNTS[:2], [-1, None])],
            VotesError,
            "probs must hold a known label for at least one record of weight above 0; got none.",
        ),
        (
            [],
            VotesError,
            "probs must hold a known label for at least one record of weight above 0; got none.",
        ),
        ([(COUNTS[:2], ["ham", "eggs"])], VotesError, None),
    ],
)
def test_faults_name_the_part(parts: Any, kind: type[Exception], message: str | None) -> None:
    with pytest.raises(kind, match="^Part 0: " if message is None else f"^{re.escape(message)}$"):
        EndModel(FLAT, max_epochs=1).fit_parts(parts)


def test_what_is_read_once_is_no_source_for_a_featurizer() -> None:
    message = (
        "parts must be readable twice, for the featurizer is fitted first; got generator. "
        "Pass a list, or an object whose __iter__ starts anew."
    )
    texts, labels = ["win cash", "see you"] * 3, [1, 0] * 3
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        EndModel(FLAT, featurizer=WordCounts()).fit_parts((texts, labels) for _ in range(2))
    model = EndModel(FLAT, max_epochs=1).fit_parts((COUNTS[:9], LABELS[:9]) for _ in range(2))
    assert len(model.history_) == 1


def test_records_for_an_input_module_are_refused() -> None:
    class Lengths(nn.Module):
        def forward(self, texts: list[str]) -> torch.Tensor:
            return torch.tensor([[float(len(text))] for text in texts])

    message = (
        "Part 0: Parts must be matrices, or records for a featurizer, to be kept on disk; got a sequence of "
        "records for input_module. Call fit, or turn them into arrays first."
    )
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        EndModel(FLAT, input_module=Lengths()).fit_parts([(["a", "bb"], [0, 1])])
