"""Counts of votes that add up: what a model learns from them is what it learns of all votes at once."""

import pickle
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import metalwork as mw
from metalwork.errors import ConfigError, VotesError
from metalwork.label_models import VoteCounts, _counting, count_votes
from metalwork.label_models._counting import RowCounts
from metalwork.votes import Alphabet
from tests.contract.test_counting import SCHEMA, assert_same_bits, in_chunks, sample

pytestmark = pytest.mark.filterwarnings("ignore:(No (LF|record)|Dev labels):metalwork.errors.MetalworkWarning")

VOTES = sample(2_000)
MODELS: list[Callable[[], Any]] = [
    lambda: mw.HierarchicalLabelModel(SCHEMA),
    lambda: mw.LogLinearLabelModel(SCHEMA, max_iter=20),
    lambda: mw.MajorityVote(SCHEMA),
]


def merged(votes: mw.LabelMatrix, size: int, seed: int) -> VoteCounts:
    """Counts of shuffled parts, sent through pickle and merged in a random order, some of them twice over."""
    rng = np.random.default_rng(seed)
    shuffled = votes.rows(rng.permutation(votes.n_points))
    parts = [pickle.loads(pickle.dumps(count_votes(part))) for part in in_chunks(shuffled, size)]
    order = rng.permutation(len(parts)).tolist()
    half = len(parts) // 2
    first = [VoteCounts.merge([parts[i] for i in order[:half]])] if half else []
    return VoteCounts.merge([*first, *(parts[i] for i in order[half:])])


@pytest.mark.parametrize("make", MODELS, ids=["default", "paper", "vote"])
@pytest.mark.parametrize("size", [111, 999, 2_000])
def test_merged_is_whole(make: Callable[[], Any], size: int) -> None:
    counts = merged(VOTES, size, seed=size)
    assert (counts.n_points, counts.names, counts.tasks) == (2_000, VOTES.names, VOTES.tasks)
    assert_same_bits(make().fit(VOTES), make().fit(counts))
    assert_same_bits(make().fit(VOTES), make().fit(count_votes(in_chunks(VOTES, size))))


def test_prior_dev_and_further_votes_go_with_counts() -> None:
    gold = np.random.default_rng(1).integers(SCHEMA.n_end_labels, size=50)
    more: dict[str, Any] = {"class_prior": np.full(6, 1 / 6), "dev": (VOTES.rows(slice(50)), gold)}
    whole = mw.HierarchicalLabelModel(SCHEMA).fit(VOTES, **more)
    found = mw.HierarchicalLabelModel(SCHEMA).fit(merged(VOTES, 700, 0), **more)
    assert_same_bits(whole, found)
    assert found.diagnose() == whole.diagnose()
    start = count_votes(VOTES.rows(slice(1_500)))
    onward = mw.HierarchicalLabelModel(SCHEMA).fit(start).partial_fit(VOTES.rows(slice(1_500, None)))
    assert_same_bits(mw.HierarchicalLabelModel(SCHEMA).fit(VOTES), onward.refit())
    assert start.n_points == 1_500


def test_a_bounded_count_is_the_same_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_counting, "MOST_BYTES", 400 * 16)
    whole = count_votes(VOTES)
    assert len(whole._rows.rows()[1]) == 400
    for size in (111, 999):
        found = merged(VOTES, size, seed=size)
        assert all(np.array_equal(*pair) for pair in zip(found._rows.rows(), whole._rows.rows(), strict=True))
        assert found._rows._limit == whole._rows._limit


def test_rows_are_those_counted() -> None:
    rows, weights = count_votes(VOTES).rows()
    expected, counts = np.unique(VOTES.codes, axis=0, return_counts=True)
    order = np.lexsort(rows.codes.T[::-1])
    assert np.array_equal(rows.codes[order], expected)
    assert np.array_equal(weights[order], counts)


def _with_sets(codes: list[int], sets: list[list[int]]) -> mw.LabelMatrix:
    alphabet = Alphabet(np.concatenate([Alphabet.of_labels(3).rows, Alphabet.of_states(3, sets).rows]))
    array = np.column_stack([codes, [0, 1, 2, -1]])
    schema = mw.TaskSchema.flat(["a", "b", "c"])
    return mw.LabelMatrix(array, schema, names=["sets", "plain"], outcomes={"sets": alphabet})


def test_alphabets_are_united() -> None:
    first, second = _with_sets([3, 0, -1, 3], [[0, 1]]), _with_sets([3, 4, 1, -1], [[1, 2], [0, 1]])
    third = mw.LabelMatrix([[2, 2], [-1, 0]], first.schema, names=["sets", "plain"])
    sets = [[0, 1], [1, 2]]
    alike = [_with_sets([3, 0, -1, 3], sets), _with_sets([4, 3, 1, -1], sets), third]
    whole = VoteCounts.merge(map(count_votes, alike))
    for order in ([first, second, third], [third, second, first]):
        found = VoteCounts.merge(map(count_votes, order))
        assert found.n_points == 10
        assert Alphabet(found.outcomes["sets"]) == Alphabet(whole.outcomes["sets"])
        assert all(np.array_equal(*pair) for pair in zip(found._rows.rows(), whole._rows.rows(), strict=True))
        assert np.array_equal(count_votes(iter(order))._rows.rows()[0], found._rows.rows()[0])


def test_samples_of_other_alphabets_are_refused() -> None:
    counted = count_votes(_with_sets([3, 0, -1, 3], [[0, 1]]))
    counted._rows._limit = 2.0
    with pytest.raises(
        VotesError, match=r"^Counts of more than 8,388,608 distinct rows must have the same alphabets;"
    ):
        VoteCounts.merge([counted, count_votes(_with_sets([3, 0, -1, 3], [[0, 2]]))])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: VoteCounts.merge([]), "parts must hold at least one count; got none."),
        (lambda: count_votes(iter([])), "votes must hold at least one label matrix; got none."),
        (
            lambda: VoteCounts.merge([count_votes(VOTES), count_votes(VOTES.lfs([0]))]),
            "parts must be counts of the same LFs on the same schema, in their order; they differ.",
        ),
        (
            lambda: mw.MajorityVote(mw.TaskSchema.flat(["a", "b"])).fit(count_votes(VOTES)),
            "votes must have the model's schema; it differs.",
        ),
        (
            lambda: mw.MajorityVote(SCHEMA).fit(count_votes(VOTES.rows(slice(0)))),
            "votes must hold at least one record; got none.",
        ),
    ],
)
def test_faults(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(VotesError, match=f"^{re.escape(message)}$"):
        call()


def test_counts_are_not_predicted() -> None:
    model = mw.MajorityVote(SCHEMA).fit(count_votes(VOTES))
    with pytest.raises(ConfigError, match=r"^votes must be a LabelMatrix; got VoteCounts\."):
        model.predict(count_votes(VOTES))  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"^each of parts must be VoteCounts; got RowCounts\.$"):
        VoteCounts.merge([count_votes(VOTES)._rows])  # type: ignore[list-item]
    assert isinstance(count_votes(VOTES)._rows, RowCounts)
