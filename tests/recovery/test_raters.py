"""Simulated raters: near the best guess, above the hard vote, and told apart from rules."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pytest

import metalwork as mw

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


class Crowd(NamedTuple):
    """Answers, gold labels, the best guess's accuracy (who knows all), and the raters' accuracies."""

    votes: mw.LabelMatrix
    y: Codes
    oracle: float
    accuracies: Floats


def crowd(
    seed: int,
    k: int = 2,
    n_points: int = 1500,
    n_raters: int = 60,
    answers: int = 5,
    balance: list[float] | None = None,
    spammers: float = 0.0,
    contrary: float = 0.0,
) -> Crowd:
    """Raters with confusions of their own; spammers draw labels, contrary ones are wrong four times in five."""
    rng = np.random.default_rng(seed)
    share = np.full(k, 1 / k) if balance is None else np.array(balance)
    y = rng.choice(k, n_points, p=share)
    tables = np.empty((n_raters, k, k))
    for j, kind in enumerate(rng.random(n_raters)):
        accuracy = 1 / k + (1 - 1 / k) * rng.beta(6, 2)
        accuracy = 1 / k if kind < spammers else 0.2 if kind < spammers + contrary else accuracy
        mean = accuracy * np.eye(k) + (1 - accuracy) / (k - 1) * (1 - np.eye(k))
        tables[j] = [rng.dirichlet(20 * row) for row in mean]
    busy = rng.pareto(1.5, n_raters) + 0.3
    codes = np.full((n_points, n_raters), -1)
    log_weight = np.tile(np.log(share), (n_points, 1))
    for i, row in enumerate(codes):
        for j in rng.choice(n_raters, answers, replace=False, p=busy / busy.sum()):
            row[j] = rng.choice(k, p=tables[j, y[i]])
            log_weight[i] += np.log(tables[j, :, row[j]])
    votes = mw.LabelMatrix(codes, mw.TaskSchema.flat([f"l{c}" for c in range(k)]))
    oracle = float((log_weight.argmax(axis=1) == y).mean())
    return Crowd(votes, y, oracle, np.einsum("jss,s->j", tables, share))


def hard(found: Crowd) -> float:
    return mw.MajorityVote(found.votes.schema).fit(found.votes).score(found.votes, found.y)


SKEWED = [0.85, 0.15]
CROWDS = {
    "two labels": {},
    "skewed": {"balance": SKEWED, "answers": 3},
    "spammers": {"spammers": 0.4},
    "contrary": {"contrary": 0.3},
    "spammers, skewed": {"spammers": 0.4, "balance": SKEWED},
    "four labels": {"k": 4},
    "ten labels, few answers": {"k": 10, "n_points": 400, "answers": 3},
}


@pytest.mark.parametrize("name", CROWDS)
def test_near_the_best_guess_and_above_the_hard_vote(name: str) -> None:
    found = crowd(0, **CROWDS[name])  # type: ignore[arg-type]
    model = mw.HierarchicalLabelModel(found.votes.schema).fit(found.votes)
    assert model.kind_ == "raters"
    accuracy = model.score(found.votes, found.y)
    assert accuracy >= found.oracle - (0.07 if "few" in name else 0.02)
    assert accuracy >= hard(found) - 0.002


def test_contrary_raters_are_turned_round() -> None:
    found = crowd(1, contrary=0.3)
    model = mw.HierarchicalLabelModel(found.votes.schema).fit(found.votes)
    answers = (found.votes.codes >= 0).sum(axis=0)
    contrary = (found.accuracies < 0.4) & (answers > 30)
    assert contrary.any()
    assert (model.accuracies_[contrary] < 0.5).all()


def test_the_balance_is_learned_where_it_is_plain() -> None:
    found = crowd(2, balance=SKEWED)
    model = mw.HierarchicalLabelModel(found.votes.schema, kind="raters").fit(found.votes)
    assert model.class_prior_[1] == pytest.approx(np.mean(found.y), abs=0.03)


def test_rules_are_no_raters() -> None:
    rng = np.random.default_rng(3)
    y = rng.integers(0, 3, 1000)
    own = np.arange(9) % 3
    fires = np.where(y[:, None] == own, rng.random((1000, 9)) < 0.4, rng.random((1000, 9)) < 0.05)
    votes = mw.LabelMatrix(np.where(fires, own, -1), mw.TaskSchema.flat(["a", "b", "c"]))
    assert mw.HierarchicalLabelModel(votes.schema).fit(votes).kind_ != "raters"


def test_labels_that_do_not_foretell_votes_are_not_believed() -> None:
    """Few raters who all see the same wrong thing: whether a record is long, which is no label of theirs."""
    rng = np.random.default_rng(4)
    y, odd = rng.integers(0, 3, 3000), rng.random(3000) < 0.5
    codes = np.where(rng.random((3000, 6)) < 0.6, y[:, None], rng.integers(0, 3, (3000, 6)))
    codes[odd] = np.where(rng.random((odd.sum(), 6)) < 0.75, 1, codes[odd])
    votes = mw.LabelMatrix(codes, mw.TaskSchema.flat(["a", "b", "c"]))
    model = mw.HierarchicalLabelModel(votes.schema).fit(votes)
    assert model.score(votes, y) >= mw.MajorityVote(votes.schema).fit(votes).score(votes, y) - 0.01


@pytest.mark.parametrize("answers", [3, 5])
def test_intervals_hold_the_truth_nine_times_in_ten(answers: int) -> None:
    held = []
    for seed in range(5):
        found = crowd(10 + seed, answers=answers)
        model = mw.HierarchicalLabelModel(found.votes.schema, kind="raters").fit(found.votes)
        intervals = model.intervals(0.95)
        assert intervals.calibrated
        asked = (found.votes.codes >= 0).sum(axis=0) > 0
        bounds = zip(intervals.accuracies, found.accuracies, asked, strict=True)
        held += [interval.low <= truth <= interval.high for interval, truth, some in bounds if some]
    assert 0.87 <= np.mean(held) <= 0.99


def test_confusions_by_name() -> None:
    found = crowd(5, k=3, n_raters=8, answers=6, n_points=3000)
    model = mw.HierarchicalLabelModel(found.votes.schema, kind="raters").fit(found.votes)
    table = model.confusions("lf_2")
    assert table.columns == ["(label)", "l0", "l1", "l2"]
    assert table["(label)"].to_list() == ["l0", "l1", "l2"]
    shares = table.drop("(label)").to_numpy()
    np.testing.assert_allclose(shares.sum(axis=1), 1.0)


def test_the_true_prior_and_dev_labels_cost_raters_nothing() -> None:
    found = crowd(6, balance=SKEWED, answers=3)
    votes, y = found.votes, found.y
    alone = mw.HierarchicalLabelModel(votes.schema).fit(votes).score(votes, y)
    told = mw.HierarchicalLabelModel(votes.schema).fit(votes, class_prior=SKEWED).score(votes, y)
    shown = mw.HierarchicalLabelModel(votes.schema).fit(votes, dev=(votes.rows(slice(50)), y[:50])).score(votes, y)
    assert min(told, shown) >= alone - 0.005
