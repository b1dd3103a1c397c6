"""Votes beyond labels: sets and soft votes in the label matrix."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import metalwork as mw
from metalwork.errors import VotesError
from metalwork.votes import Alphabet, soft_codes
from tests.unit.schemas import SECTORS

SCHEMA = mw.TaskSchema.from_dict(SECTORS)
NEWS = mw.TaskSchema.flat(["Politics", "Sports", "Arts", "Science"])
NAN = np.nan
SETS = [[1, 1, 0, 0, NAN], [1, 0, 1, 1, NAN]]


def news(**more: Any) -> mw.LabelMatrix:
    arguments: dict[str, Any] = {"names": ["plain", "sets"], "outcomes": {"sets": SETS}}
    return mw.LabelMatrix([[0, 1], [3, 0], [-1, -1]], NEWS, **(arguments | more))


def test_alphabets_go_with_their_functions() -> None:
    votes = news()
    assert list(votes.outcomes) == ["sets"]
    np.testing.assert_array_equal(votes.alphabets[1].rows, SETS)
    np.testing.assert_array_equal(votes.alphabets[0].rows, Alphabet.of_labels(4).rows)
    assert not votes.outcomes["sets"].flags.writeable
    assert list(votes.rows([0]).outcomes) == ["sets"]
    assert list(votes.lfs([1]).outcomes) == ["sets"]
    assert votes.lfs([0]).outcomes == {}
    both = mw.LabelMatrix.concatenate([votes, votes.rows([1])])
    assert (both.n_points, list(both.outcomes)) == (4, ["sets"])
    with pytest.raises(VotesError, match=r"^parts must share the outcomes of their LFs; they differ\.$"):
        mw.LabelMatrix.concatenate([votes, news(outcomes={"sets": SETS[::-1]})])


def test_the_labels_themselves_are_no_alphabet_of_their_own() -> None:
    assert news(outcomes={"sets": Alphabet.of_labels(4).rows}).outcomes == {}


def test_votes_have_names() -> None:
    votes = news()
    assert [votes.vote_name(0, 3), votes.vote_name(1, 0), votes.vote_name(1, 1)] == [
        "Science",
        "Politics or Sports",
        "not Sports",
    ]
    rows = [[0, 1, 1], [1, 1, NAN], [0, 0, NAN], [0.8, 0.2, NAN], [1, 0, 0]]
    tree = mw.LabelMatrix([[0]], SCHEMA, ["markets"], ["lf"], outcomes={"lf": rows})
    names = [tree.vote_name(0, code) for code in range(5)]
    assert names == ["not Money", "any", "none", "Money 0.8", "Money"]
    wide = mw.TaskSchema.flat(list("abcdefghijkl"))
    many = mw.LabelMatrix([[0]], wide, outcomes={"lf_0": [[1.0] * 6 + [0.0] * 6 + [NAN]]})
    assert many.vote_name(0, 0) == "a or b or c or 3 more"


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"outcomes": {"set": SETS}}, "outcomes: 'set' is no LF. Did you mean 'sets'?"),
    (
        {"outcomes": {"sets": [[1, 0, 0, 0]]}},
        "outcomes of LF 'sets' must have shape (n_outcomes, 5): its task's 4 labels, and last 'does not apply'; "
        "got (1, 4).",
    ),
    (
        {"outcomes": {"sets": [[1, 0, 0, 0, NAN], [2, 0, 0, 0, NAN]]}},
        "outcomes of LF 'sets' must be between 0 and 1, or NaN where the question does not arise; got 2.0 at "
        "outcome 1, state 0.",
    ),
    (
        {"outcomes": {"sets": SETS[:1]}},
        "LF 'sets' votes on task 'label', so its codes must be -1 (abstain) or 0..0; got 1 at row 0.",
    ),
]


@pytest.mark.parametrize(("wrong", "text"), WRONG, ids=range(len(WRONG)))
def test_what_it_refuses(wrong: dict[str, Any], text: str) -> None:
    with pytest.raises(VotesError) as caught:
        news(**wrong)
    assert str(caught.value) == text


def test_other_packages_know_labels_only() -> None:
    for export in (mw.LabelMatrix.to_snorkel, mw.LabelMatrix.to_metal):
        with pytest.raises(VotesError, match=r"must be labels; got sets or soft votes of sets\. Leave"):
            export(news())
        export(news().lfs([0]))


def test_saved_and_loaded(tmp_path: Path) -> None:
    votes = news(names=["plain", "naïve/☃"], outcomes={"naïve/☃": SETS})
    votes.save(tmp_path / "votes.npz")
    again = mw.LabelMatrix.load(tmp_path / "votes.npz")
    assert (again.codes == votes.codes).all()
    np.testing.assert_array_equal(again.outcomes["naïve/☃"], SETS)


def test_side_by_side() -> None:
    votes = news()
    soft = mw.LabelMatrix.from_soft([[[0.9, 0.1, 0, 0]] * 3], NEWS, names=["model"])
    both = mw.LabelMatrix.beside([votes, soft])
    assert (both.names, list(both.outcomes)) == (("plain", "sets", "model"), ["sets", "model"])
    assert (both.codes[:, :2] == votes.codes).all()
    with pytest.raises(VotesError, match=r"^parts must have one row a record each; got 3, 1 rows\.$"):
        mw.LabelMatrix.beside([votes, soft.rows([0])])
    with pytest.raises(VotesError, match=r"^parts must share the schema; they differ\.$"):
        mw.LabelMatrix.beside([votes, mw.LabelMatrix([[0]] * 3, SCHEMA, ["sector"])])
    with pytest.raises(VotesError, match=r"^LF names must be distinct; got twice: plain, sets\. Rename one\.$"):
        mw.LabelMatrix.beside([votes, votes])


@pytest.mark.parametrize("k", [2, 3, 4, 5, 7, 8, 13, 14, 26, 27, 60])
def test_soft_votes_are_rounded_to_the_nearest_of_a_fixed_alphabet(k: int) -> None:
    rows = np.random.default_rng(k).dirichlet(np.full(k, 0.3), size=300)
    outcomes = Alphabet.of_soft_votes(k).rows
    np.testing.assert_allclose(outcomes[:, :-1].sum(axis=1), 1.0)
    assert len(np.unique(outcomes[:, :-1], axis=0)) == len(outcomes) <= 4_000
    codes = soft_codes(rows, k, "lf")
    voted = codes >= 0
    found, exact = outcomes[codes[voted], :-1], rows[voted]
    if k <= 7:
        nearest = ((outcomes[None, :, :-1] - exact[:, None]) ** 2).sum(axis=2).min(axis=1)
        np.testing.assert_allclose(((found - exact) ** 2).sum(axis=1), nearest, atol=1e-12)
    else:
        top = exact.argmax(axis=1)[:, None]
        kept = np.take_along_axis(found, top, axis=1)
        assert (kept[:, 0] >= found.max(axis=1) - 1e-9).all()
        assert np.abs(kept[:, 0] - exact.max(axis=1)).max() <= 0.15


def test_the_grid_is_a_twentieth_for_two_labels_and_certain_votes_stay_certain() -> None:
    assert Alphabet.of_soft_votes(2).rows[:, 0].tolist() == (np.arange(21) / 20).tolist()
    for k in (2, 4, 9, 30):
        codes = soft_codes(np.eye(k), k, "lf")
        np.testing.assert_array_equal(Alphabet.of_soft_votes(k).rows[codes], Alphabet.of_labels(k).rows)


def test_uniform_and_unknown_rows_abstain() -> None:
    for k in (2, 3, 9, 30):
        rows = np.full((3, k), 1 / k)
        rows[1] = NAN
        rows[2, 0] = NAN
        assert soft_codes(rows, k, "lf").tolist() == [-1, -1, -1]


def test_soft_votes_that_are_no_distribution() -> None:
    text = (
        "probabilities of LF 'model' must be at least 0 and sum to 1, or be NaN for an abstain; "
        "got [0.5, 0.6] at row 1."
    )
    flat = mw.TaskSchema.flat(["ham", "spam"])
    for rows, said in (
        ([[0.5, 0.5], [0.5, 0.6]], text),
        (
            [0.5],
            "probabilities of LF 'model' must have shape (n_points, 2), one column a label of its task; got (1,).",
        ),
    ):
        with pytest.raises(VotesError) as caught:
            mw.LabelMatrix.from_soft([rows], flat, names=["model"])
        assert str(caught.value) == said
    with pytest.raises(VotesError, match=r"^probabilities must have one row a record each; got 1, 2 rows\.$"):
        mw.LabelMatrix.from_soft([[[1, 0]], [[1, 0]] * 2], flat)
