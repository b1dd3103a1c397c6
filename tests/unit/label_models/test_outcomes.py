"""What sets and soft votes say, by hand: the factors of the votes-only reading and the estimates behind them."""

import numpy as np
import numpy.typing as npt
import pytest

import metalwork as mw
from metalwork.inference import packing, tasks_of
from metalwork.inference._soft import soft_factors
from metalwork.label_models import _outcomes
from metalwork.label_models._outcomes import Outcomes, outcomes_of

Floats = npt.NDArray[np.float64]
NAN = np.nan


def outcomes(rows: list[list[float]], share: list[float], applies: float = 1.0) -> Outcomes:
    """The outcomes of one LF with the alphabet ``rows``."""
    layout = packing([np.arange(1)], [len(share)], alphabets={0: np.array(rows)})
    return outcomes_of(tasks_of(layout)[0], np.log(share)[None], np.array([applies]))


def said(rows: list[list[float]], share: list[float], precision: float, applies: float = 1.0) -> Floats:
    """Factors (n_outcomes, n_states) of one LF's votes."""
    own = outcomes(rows, share, applies)
    found: Floats = _outcomes.vote_factors(own, _outcomes.bounded_precision(own, np.array([precision])))[0].T
    return found


def test_a_vote_for_one_label_is_right_as_often_as_the_precision_says() -> None:
    share = [0.5, 0.3, 0.2]
    found = said([[0, 1, 0, NAN]], share, 0.8)
    np.testing.assert_allclose(found[0], [0.2 / 0.7, 0.8 / 0.3, 0.2 / 0.7, 1.0])


def test_a_set_is_right_as_often_as_an_lf_that_knows_as_much_makes_it() -> None:
    """Of four equal labels, an LF of precision 0.8 knows 11 in 15; "not a" is right in 3/4 of the rest."""
    found = said([[0, 1, 1, 1, NAN]], [0.25] * 4, 0.8)
    right = 11 / 15 + 4 / 15 * 3 / 4
    np.testing.assert_allclose(found[0], [(1 - right) / 0.25, *[right / 0.75] * 3, 1.0])


def test_a_set_may_hold_that_the_task_does_not_apply() -> None:
    found = said([[0, 1, 1]], [0.5, 0.5], 0.8, applies=0.5)[0]
    states = np.array([0.25, 0.25, 0.5])
    assert found @ states == pytest.approx(1.0)
    assert found[0] < 1 < found[1] == found[2]


def test_soft_votes_lie_between_a_vote_and_an_abstain() -> None:
    """Beside a set an LF's soft votes are outcomes of their own; alone they make votes for labels."""
    rows = [[1, 0, NAN], [0.9, 0.1, NAN], [0.6, 0.4, NAN], [0.5, 0.5, NAN]]
    beside_a_set = said([*rows, [1, 1, NAN]], [0.5, 0.5], 0.8)[:4]
    votes_for_labels = said([[1, 0, NAN], [0, 1, NAN]], [0.5, 0.5], 0.8)
    table = np.append(np.log(votes_for_labels.T), np.zeros((3, 1)), axis=1)
    shares = np.array(rows)[:, :2]
    alone = soft_factors(table, shares).by_label(shares)
    np.testing.assert_allclose(alone, beside_a_set[:, :2])
    certain, sure, doubtful, uniform = beside_a_set
    np.testing.assert_allclose(certain, [1.6, 0.4, 1.0])
    np.testing.assert_allclose(sure, [0.9 * 1.6 + 0.1 * 0.4, 0.1 * 1.6 + 0.9 * 0.4, 1.0])
    assert certain[0] > sure[0] > doubtful[0] > 1
    np.testing.assert_allclose(uniform, 1.0)


def test_everything_and_nothing_say_nothing_of_the_labels() -> None:
    np.testing.assert_allclose(said([[1, 1, NAN], [0, 0, NAN], [NAN, NAN, NAN], [1, 1, 1]], [0.5, 0.5], 0.9), 1.0)


@pytest.mark.parametrize("seed", range(20))
def test_factors_keep_the_prior_and_never_lower_what_they_hold(seed: int) -> None:
    """Over the states that an outcome asks about, the factors average to 1; the more it holds one, the higher."""
    rng = np.random.default_rng(seed)
    k = int(rng.integers(2, 6))
    rows = np.where(rng.random((5, k + 1)) < 0.2, NAN, rng.random((5, k + 1)).round(1))
    share, applies, precision = rng.dirichlet(np.ones(k)), rng.uniform(0.1, 1), rng.uniform(0.05, 1)
    states = np.append(applies * share, 1 - applies)
    for row, factor in zip(rows, said(rows.tolist(), share.tolist(), precision, applies), strict=True):
        asked = ~np.isnan(row)
        assert (factor[~asked] == 1).all()
        assert (factor * states)[asked].sum() == pytest.approx(states[asked].sum())
        order = np.argsort(row[asked])
        assert (np.diff(factor[asked][order]) >= -1e-12).all()


def test_precision_in_labels_and_in_outcomes_are_each_others_inverse() -> None:
    own = outcomes([[1, 0, 0, NAN], [1, 1, 0, NAN], [0.7, 0.2, 0.1, NAN]], [0.2, 0.3, 0.5])
    votes, precision = np.array([[30.0, 50.0, 20.0]]), np.array([0.77])
    right = votes * _outcomes.by_outcome(own, precision)
    assert _outcomes.right_in_labels(own, right, votes) / 100 == pytest.approx(precision)
    stated = right.sum(axis=1) / 100
    assert _outcomes.precision_in_labels(own, stated, votes) == pytest.approx(precision)


def test_labels_are_the_outcomes_of_lfs_without_an_alphabet() -> None:
    """Written out as an alphabet or not, they say the same; unwritten, one set of arrays stands for all LFs."""
    labels = np.concatenate([np.eye(3), np.full((3, 1), NAN)], axis=1)
    share, counted = np.log([0.5, 0.3, 0.2]), np.random.default_rng(0).random((4, 4, 3))
    layouts = [packing([np.arange(4)], [3], alphabets=own) for own in ({}, dict.fromkeys(range(4), labels))]
    one_for_all, written_out = (
        outcomes_of(tasks_of(layout)[0], share[None], np.array([0.4])) for layout in layouts
    )
    assert one_for_all.sets.member.shape == (1, 4, 3)
    assert written_out.sets.member.shape == (4, 4, 3)
    precision = np.array([0.5, 0.7, 0.8, 0.95])
    for one, other in zip(one_for_all[1:], written_out[1:], strict=True):
        np.testing.assert_array_equal(np.broadcast_to(one, other.shape), other)
    results = [
        (
            _outcomes.vote_factors(own, _outcomes.bounded_precision(own, precision)),
            _outcomes.estimate_precision(own, counted, precision, np.full(4, 2.0)),
            _outcomes.right_votes(own, counted),
            *_outcomes.branch_counts(own.sets, counted, np.arange(4.0)),
        )
        for own in (one_for_all, written_out)
    ]
    for first, second in zip(*results, strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-14)


def test_a_precision_stated_by_name_is_that_of_the_sets() -> None:
    """ "Not a" of four labels, right in 97 % of cases: that is what an LF with a fixed precision is held to."""
    rng = np.random.default_rng(0)
    y = rng.integers(4, size=2_000)
    wrong = np.where(rng.random(2_000) < 0.9, (y + rng.integers(1, 4, 2_000)) % 4, y)
    codes = np.column_stack([wrong, np.where(rng.random((2_000, 2)) < 0.8, y[:, None], (y[:, None] + 1) % 4)])
    schema = mw.TaskSchema.flat(list("abcd"))
    outcomes = {"lf_0": np.concatenate([1 - np.eye(4), np.full((4, 1), NAN)], axis=1)}
    votes = mw.LabelMatrix(codes, schema, outcomes=outcomes)
    model = mw.HierarchicalLabelModel(
        schema, kind="rules", precision={"lf_0": 0.97}, strength={"lf_0": np.inf}
    ).fit(votes)
    inside, outside = np.exp(model.tables_[0][0, 1:4, 0]), np.exp(model.tables_[0][0, 0, 0])
    share = float(np.exp(model.log_prior_[0][0]))
    np.testing.assert_allclose(inside, 0.97 / (1 - share), rtol=0.01)
    np.testing.assert_allclose(outside, 0.03 / share, rtol=0.1)
