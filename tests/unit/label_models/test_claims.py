"""What sets and soft votes say, by hand: the factors of the votes-only reading and the estimates behind them."""

import numpy as np
import numpy.typing as npt
import pytest

import metalwork as mw
from metalwork.inference import Alphabets, CodedVotes, TaskVotes, code_votes, packing, tasks_of
from metalwork.label_models import _claims, _estimates
from metalwork.label_models._claims import Claims, claims_of
from metalwork.label_models._stated import vote_priors

Floats = npt.NDArray[np.float64]
NAN = np.nan


def claims(rows: list[list[float]], share: list[float], applies: float = 1.0) -> Claims:
    """The claims of one LF with the alphabet ``rows``."""
    layout = packing([np.arange(1)], [len(share)], alphabets={0: np.array(rows)})
    found = claims_of(tasks_of(layout)[0], np.log(share), applies)
    assert found is not None
    return found


def said(rows: list[list[float]], share: list[float], precision: float, applies: float = 1.0) -> Floats:
    """Factors (n_outcomes, n_states) of one LF's votes."""
    own = claims(rows, share, applies)
    found: Floats = _claims.factors(own, _claims.bounded(own, np.array([precision])))[0].T
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
    certain, sure, doubtful, uniform = said(
        [[1, 0, NAN], [0.9, 0.1, NAN], [0.6, 0.4, NAN], [0.5, 0.5, NAN]], [0.5, 0.5], 0.8
    )
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
    own = claims([[1, 0, 0, NAN], [1, 1, 0, NAN], [0.7, 0.2, 0.1, NAN]], [0.2, 0.3, 0.5])
    votes, precision = np.array([[30.0, 50.0, 20.0]]), np.array([0.77])
    right = votes * _claims.of_outcomes(own, precision)
    assert _claims.of_labels(own, right, votes) / 100 == pytest.approx(precision)
    stated = right.sum(axis=1) / 100
    assert _claims.as_of_labels(own, stated, votes) == pytest.approx(precision)


def two_ways(seed: int) -> tuple[CodedVotes, CodedVotes, list[Claims | None]]:
    """The same plain votes, as such and with the labels as an alphabet."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(-1, 3, (200, 4))
    identity: Floats = np.concatenate([np.eye(3), np.full((3, 1), NAN)], axis=1)
    own: Alphabets = dict.fromkeys(range(4), identity)
    plain, beyond = (code_votes(packing([np.arange(4)], [3], alphabets=a), codes) for a in (None, own))
    return plain, beyond, [claims_of(beyond.tasks[0], np.log([0.5, 0.3, 0.2]), 0.4)]


def test_the_labels_as_an_alphabet_are_what_plain_votes_are() -> None:
    plain, beyond, own = two_ways(0)
    share, applies = [np.log([0.5, 0.3, 0.2])], np.array([0.4])
    priors = vote_priors(["a", "b", "c", "d"], 0.8, 50.0, 0.3)
    parameters = _estimates.VotesOnly([np.array([0.5, 0.7, 0.8, 0.95])], [np.full(4, 0.3)])
    tables = []
    for votes, says in ((plain, [None]), (beyond, own)):
        spoken = [np.bincount(votes.tasks[0].lfs, minlength=4)[:, None] * np.array([[90.0, 30.0, 20.0]])]
        most = _estimates.most_precision(votes, spoken, says, share, applies, priors)
        tables.append(_estimates.votes_only_tables(votes, parameters, share, says, most, priors)[0])
    np.testing.assert_allclose(tables[0], tables[1], rtol=1e-12, atol=1e-12)


def task_of(alphabets: Alphabets) -> TaskVotes:
    return tasks_of(packing([np.arange(1)], [2], alphabets=alphabets))[0]


def test_a_task_of_plain_votes_claims_nothing_beyond() -> None:
    assert claims_of(task_of({}), np.log([0.5, 0.5]), 1.0) is None
    assert claims_of(task_of({0: np.array([[1, 1, 0.0]])}), np.log([0.5, 0.5]), 1.0) is not None


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
        schema, abstains="ignored", precision={"lf_0": 0.97}, strength={"lf_0": np.inf}
    ).fit(votes)
    inside, outside = np.exp(model.tables_[0][0, 1:4, 0]), np.exp(model.tables_[0][0, 0, 0])
    np.testing.assert_allclose(inside, 0.97 / 0.75)
    np.testing.assert_allclose(outside, 0.03 / 0.25)
