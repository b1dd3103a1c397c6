"""The M-step of raters, what it is worth, and the tests that tell raters from rules."""

import itertools

import numpy as np
import numpy.typing as npt
import pytest

import metalwork as mw
from metalwork.inference import CodedVotes, SuffStats, Tree, expected_counts, log_dirichlet_multinomial
from metalwork.label_models._counting import RowCounts
from metalwork.label_models._e_step import e_step
from metalwork.label_models._em import EMResult, Priors, Stopping, plain_em
from metalwork.label_models._raters import (
    Reading,
    evidence_bound,
    rated,
    rater_counts,
    rater_m_step,
    silence_tells,
    spread_between,
)
from metalwork.label_models._rules import initial_rules

FREE = Reading(confusions=True, balance=True)
FLAT = mw.TaskSchema.flat(["a", "b", "c"])
TREE = mw.TaskSchema.from_dict(
    {"task": "top", "labels": [{"x": {"task": "low", "labels": ["x1", "x2", "x3"]}}, "y"]}
)


def prepared(votes: mw.LabelMatrix, **settings: object) -> tuple[Tree, CodedVotes, Priors]:
    model = mw.HierarchicalLabelModel(votes.schema, **settings)  # type: ignore[arg-type]
    model._know(votes)
    counts = RowCounts(model._layout())
    counts.add(votes.codes)
    coded = counts.coded()
    return Tree.of(votes.schema), coded, model._priors(None, coded)


def raters(seed: int, n_points: int = 300, n_lfs: int = 6, asked: float = 0.6) -> mw.LabelMatrix:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, n_points)
    codes = np.where(rng.random((n_points, n_lfs)) < 0.75, y[:, None], rng.integers(0, 3, (n_points, n_lfs)))
    return mw.LabelMatrix(np.where(rng.random(codes.shape) < asked, codes, -1), FLAT)


def fitted(votes: mw.LabelMatrix, reading: Reading = FREE) -> tuple[Tree, CodedVotes, Priors, EMResult]:
    tree, coded, priors = prepared(votes)

    def step(stats: SuffStats) -> tuple[list[npt.NDArray[np.float64]], list[npt.NDArray[np.float64]]]:
        return rater_m_step(coded, stats, priors, reading)

    return (
        tree,
        coded,
        priors,
        plain_em(e_step(tree, coded), step, initial_rules(coded, priors), Stopping(50, 0.0, 0.01)),
    )


def test_tables_are_what_the_counts_and_beliefs_say_against_how_often_a_vote_is_cast() -> None:
    votes = raters(0)
    tree, coded, priors = prepared(votes)
    stats = expected_counts(tree, coded, *initial_rules(coded, priors))
    (table,), (log_prior,) = rater_m_step(coded, stats, priors, FREE)
    every = np.ones(votes.n_lfs, dtype=bool)
    told = rater_counts(coded.tasks[0], stats.votes[0], priors, FREE, every)
    given, pseudo = stats.votes[0][:, :3], told.strength[:, None, None] * told.mean[:, :3]
    confusion = (given + pseudo) / (given + pseudo).sum(axis=2, keepdims=True)
    difference = table[:, :3, :3] - np.log(confusion)
    np.testing.assert_allclose(difference, np.broadcast_to(difference[:, :1], difference.shape), atol=1e-9)
    assert (table[:, :, -1] == 0).all()
    assert np.exp(log_prior).sum() == pytest.approx(1.0)


def test_the_mean_is_one_accuracy_shrunk_to_that_of_all() -> None:
    votes = raters(1)
    tree, coded, priors = prepared(votes)
    stats = expected_counts(tree, coded, *initial_rules(coded, priors))
    every = np.ones(votes.n_lfs, dtype=bool)
    told = rater_counts(coded.tasks[0], stats.votes[0], priors, FREE, every)
    np.testing.assert_allclose(told.right, np.einsum("jss->j", stats.votes[0][:, :3]))
    own = (told.right + told.worth * told.accuracy) / (told.n_votes + told.worth)
    expected = own[:, None, None] * np.eye(3) + (1 - own)[:, None, None] * (1 - np.eye(3)) / 2
    np.testing.assert_allclose(told.mean[:, :3], expected)


@pytest.mark.parametrize("by_user", [False, True])
def test_one_accuracy_knows_no_confusions(by_user: bool) -> None:
    votes = raters(2)
    strength = dict.fromkeys(votes.names, 10.0) if by_user else 50.0
    tree, coded, priors = prepared(votes, strength=strength)
    stats = expected_counts(tree, coded, *initial_rules(coded, priors))
    (table,), log_prior = rater_m_step(coded, stats, priors, Reading(by_user, False))
    wrong = table[:, :3, :3] - table[:, [1, 2, 0], :3]
    gains = wrong[:, [0, 1, 2], [0, 1, 2]]
    np.testing.assert_allclose(gains, np.broadcast_to(gains[:, :1], gains.shape), atol=1e-4)
    np.testing.assert_allclose(np.exp(log_prior[0]), 1 / 3)


def test_where_the_task_does_not_apply_votes_are_rarer_by_a_ratio() -> None:
    codes = np.random.default_rng(3).integers(0, 2, (200, 4))
    votes = mw.LabelMatrix(codes, TREE, ["top", "top", "low", "low"])
    tree, coded, priors = prepared(votes)
    stats = expected_counts(tree, coded, *initial_rules(coded, priors))
    tables, _ = rater_m_step(coded, stats, priors, FREE)
    below = tables[1][:, -1, :-1]
    assert (below == below[:, :1]).all()
    assert (below < 0).all()
    assert all(np.isfinite(table).all() for table in tables)


def test_sets_and_soft_votes_are_rated_and_sets_by_a_part_are_not() -> None:
    y = np.random.default_rng(4).integers(0, 3, 200)
    nan = np.nan
    says = {
        "set": [[1, 1, 0, nan], [0, 0, 1, nan]],
        "soft": [[0.8, 0.1, 0.1, nan], [0.1, 0.8, 0.1, nan]],
        "part": [[0.9, 0.5, 0, nan], [0, 0, 1, nan]],
    }
    codes = np.stack([y, y == 2, y == 1, y == 2], axis=1).astype(int)
    votes = mw.LabelMatrix(codes, FLAT, names=["plain", "set", "soft", "part"], outcomes=says)
    tree, coded, priors = prepared(votes)
    place = {votes.names[lf]: i for i, lf in enumerate(coded.tasks[0].lfs.tolist())}
    which = rated(coded.tasks[0])
    assert [bool(which[place[name]]) for name in votes.names] == [True, True, True, False]
    stats = expected_counts(tree, coded, *initial_rules(coded, priors))
    (table,), _ = rater_m_step(coded, stats, priors, FREE)
    assert np.isfinite(table).all()
    of_set = table[place["set"]]
    assert of_set[0, 0] > of_set[2, 0]
    assert of_set[2, 1] > of_set[0, 1]


@pytest.mark.parametrize("balance", [False, True])
def test_the_bound_is_below_the_evidence_and_near_it(balance: bool) -> None:
    votes = raters(5, n_points=7, n_lfs=3, asked=0.9)
    reading = Reading(True, balance)
    _, coded, priors, fit = fitted(votes, reading)
    told = rater_counts(coded.tasks[0], fit.stats.votes[0], priors, reading, np.ones(3, dtype=bool))
    alpha, logs = told.strength[:, None, None] * told.mean[:, :3], []
    for y in itertools.product(range(3), repeat=7):
        counts = np.zeros((3, 3, 3))
        for row, state in zip(votes.codes, y, strict=True):
            for lf in np.flatnonzero(row >= 0):
                counts[lf, state, row[lf]] += 1
        records = np.bincount(y, minlength=3)[None].astype(float)
        prior = log_dirichlet_multinomial(records, np.ones((1, 3))) if balance else -7 * np.log(3)
        logs.append(log_dirichlet_multinomial(counts, alpha) + prior)
    evidence = float(np.logaddexp.reduce(logs))
    bound = 7 * evidence_bound(coded, fit, priors, reading)
    assert evidence - 4.0 < bound < evidence


def test_rules_differ_in_what_they_vote_for_and_raters_do_not() -> None:
    rng = np.random.default_rng(6)
    fires = np.where(rng.random((500, 6)) < 0.3, np.arange(6) % 3, -1)
    _, rules, _ = prepared(mw.LabelMatrix(fires, FLAT))
    _, crowd, _ = prepared(raters(6))
    assert spread_between(rules) > 0.9
    assert spread_between(crowd) < 0.1


def test_silence_tells_where_raters_choose_what_to_answer() -> None:
    asked = raters(7, n_points=1000)
    dropped = np.random.default_rng(7).random(asked.codes.shape) < 0.7
    chosen = np.where((asked.codes == 0) & dropped, -1, asked.codes)
    for votes, tells in ((asked, False), (mw.LabelMatrix(chosen, FLAT), True)):
        _, coded, _, fit = fitted(votes)
        assert silence_tells(coded, fit.stats) == tells


def test_nobody_is_silent_where_all_vote() -> None:
    _, coded, _, fit = fitted(raters(8, asked=1.1))
    assert not silence_tells(coded, fit.stats)
