"""Sets and soft votes keep every promise that plain votes keep."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import metalwork as mw
from metalwork.errors import VotesError
from metalwork.label_models import LabelModel
from tests.contract.test_counting import assert_same_bits
from tests.contract.test_label_models import assert_distributions, made
from tests.simulated import simulate
from tests.unit.schemas import SECTORS

SCHEMA = mw.TaskSchema.from_dict(SECTORS)
NAN = np.nan
TAKE_ALL = ["hard", "soft", "auto", "rules", "independent"]
COUNTED = ["auto", "rules", "independent"]
every_model = pytest.mark.parametrize("name", TAKE_ALL)
not_hard = pytest.mark.parametrize("name", TAKE_ALL[1:])  # the hard vote breaks ties by row number
ALPHABETS: dict[str, list[list[float]]] = {
    "sector": [[1, 0, NAN], [0, 1, NAN], [0.8, 0.2, NAN], [0.3, 0.7, NAN]],
    "corporate": [[0, 1, NAN], [1, 0, NAN], [1, 1, NAN], [0, 0, 1]],
    "markets": [[0, 1, 1], [1, 0, NAN]],
}


def sample(n_points: int = 300, seed: int = 0) -> mw.LabelMatrix:
    """Of three LFs a task, the first votes for labels; the others for sets that hold the label, or softly."""
    rng = np.random.default_rng(seed)
    plain = simulate(rng, SCHEMA, n_points, lfs_a_task=3).votes
    codes, outcomes = plain.codes.copy(), {}
    for j, task in enumerate(plain.tasks):
        if j % 3:
            outcomes[plain.names[j]] = np.array(ALPHABETS[task])
            more = rng.integers(len(ALPHABETS[task]), size=n_points)
            codes[:, j] = np.where((codes[:, j] >= 0) & (rng.random(n_points) < 0.5), more, codes[:, j])
    return mw.LabelMatrix(codes, SCHEMA, plain.tasks, plain.names, outcomes=outcomes)


def posterior(name: str, votes: mw.LabelMatrix) -> Any:
    found = made(name, votes.schema).fit(votes).predict_proba(votes).end
    assert_distributions(found, votes)
    return found


def test_the_sample_has_all_kinds() -> None:
    votes = sample()
    assert len(votes.outcomes) == 6
    assert all(set(votes.codes[:, j]) >= set(range(len(votes.alphabets[j]))) for j in range(votes.n_lfs))


@not_hard
def test_neither_order_nor_parts_of_records_matter(name: str) -> None:
    votes = sample()
    order = np.random.default_rng(1).permutation(votes.n_points)
    found = posterior(name, votes)
    assert (posterior(name, votes.rows(order)) == found[order]).all()
    model = made(name).fit(votes)
    parts = [model.predict_proba(votes.rows(slice(i, i + 37))).end for i in range(0, votes.n_points, 37)]
    np.testing.assert_allclose(np.concatenate(parts), found, rtol=1e-12)


@pytest.mark.parametrize("name", COUNTED)
def test_counted_in_parts_is_fitted_whole(name: str) -> None:
    votes = sample()
    whole, streamed = made(name), made(name)
    assert isinstance(whole, mw.HierarchicalLabelModel)
    assert isinstance(streamed, mw.HierarchicalLabelModel)
    whole.fit(votes)
    streamed.fit_parts(votes.rows(slice(i, i + 53)) for i in range(0, votes.n_points, 53))
    assert_same_bits(whole, streamed)


@not_hard
def test_the_order_of_functions_does_not_matter(name: str) -> None:
    votes = sample()
    order = np.random.default_rng(1).permutation(votes.n_lfs)
    np.testing.assert_allclose(posterior(name, votes.lfs(order)), posterior(name, votes), rtol=1e-4, atol=1e-6)


@every_model
def test_the_order_of_outcomes_does_not_matter(name: str) -> None:
    votes = sample()
    codes = votes.codes.copy()
    outcomes = {lf: rows[::-1] for lf, rows in votes.outcomes.items()}
    for lf, rows in outcomes.items():
        j = votes.names.index(lf)
        codes[:, j] = np.where(codes[:, j] < 0, -1, len(rows) - 1 - codes[:, j])
    turned = mw.LabelMatrix(codes, SCHEMA, votes.tasks, votes.names, outcomes=outcomes)
    np.testing.assert_allclose(posterior(name, turned), posterior(name, votes), rtol=1e-4, atol=1e-6)


@every_model
def test_sets_of_one_label_are_plain_votes(name: str) -> None:
    plain = simulate(np.random.default_rng(3), SCHEMA, 300, lfs_a_task=3).votes
    identity = np.concatenate([np.eye(2), np.full((2, 1), NAN)], axis=1)
    outcomes = dict.fromkeys(plain.names, identity)
    sets = mw.LabelMatrix(plain.codes, SCHEMA, plain.tasks, plain.names, outcomes=outcomes)
    assert (posterior(name, sets) == posterior(name, plain)).all()


@pytest.mark.parametrize("name", ["hard", "soft", "rules"])
def test_sets_of_one_label_in_another_order_are_plain_votes(name: str) -> None:
    """The same through the code for sets. (Generative fits share out pseudo-records a little differently.)"""
    plain = simulate(np.random.default_rng(3), SCHEMA, 300, lfs_a_task=3).votes
    identity = np.concatenate([np.eye(2), np.full((2, 1), NAN)], axis=1)
    outcomes = dict.fromkeys(plain.names[::2], identity[::-1])
    codes = plain.codes.copy()
    codes[:, ::2] = np.where(codes[:, ::2] < 0, -1, 1 - codes[:, ::2])
    sets = mw.LabelMatrix(codes, SCHEMA, plain.tasks, plain.names, outcomes=outcomes)
    np.testing.assert_allclose(posterior(name, sets), posterior(name, plain), rtol=1e-9)


@every_model
def test_saved_and_loaded(name: str, tmp_path: Path) -> None:
    votes = sample()
    model = made(name).fit(votes)
    model.save(tmp_path / "model.npz")
    again = mw.load_label_model(tmp_path / "model.npz")
    assert (again.predict_proba(votes).end == model.predict_proba(votes).end).all()
    assert list(again.lf_outcomes_) == list(votes.outcomes)


@every_model
def test_votes_in_another_alphabet_are_refused(name: str) -> None:
    votes = sample()
    other = dict(votes.outcomes) | {"lf_1": np.array([[1, 0, NAN], [0, 1, NAN], [0.9, 0.1, NAN], [1, 1, NAN]])}
    changed = mw.LabelMatrix(votes.codes, SCHEMA, votes.tasks, votes.names, outcomes=other)
    model = made(name).fit(votes)
    text = (
        r"^votes must come from the LFs the model was fitted on, with the same outcomes; they differ\. Pass like="
    )
    with pytest.raises(VotesError, match=text):
        model.predict_proba(changed)
    with pytest.raises(VotesError, match=r"^dev votes must come from the same LFs as votes, with the same"):
        model.fit(votes, dev=(changed, [0] * votes.n_points))
    if isinstance(model, mw.HierarchicalLabelModel):
        with pytest.raises(VotesError, match=r"^votes must come from the LFs counted so far, with the same"):
            model.partial_fit(changed)


def soft_sample(n_points: int = 300) -> tuple[np.ndarray[Any, Any], list[Any]]:
    """Plain votes of three LFs on ten labels, and what two classifiers hold of each record."""
    rng = np.random.default_rng(3)
    gold = rng.integers(10, size=n_points)
    codes = np.where(rng.random((n_points, 3)) < 0.5, gold[:, None], rng.integers(-1, 10, (n_points, 3)))
    logits = [rng.normal(size=(n_points, 10)) + 2.0 * np.eye(10)[gold] for _ in range(2)]
    return codes, [np.exp(part) / np.exp(part).sum(axis=1, keepdims=True) for part in logits]


def soft_votes(codes: np.ndarray[Any, Any], shares: list[Any], rows: slice = slice(None)) -> mw.LabelMatrix:
    schema = mw.TaskSchema.flat([f"l{v}" for v in range(10)])
    plain = mw.LabelMatrix(codes[rows], schema)
    soft = mw.LabelMatrix.from_soft([part[rows] for part in shares], schema, names=["one", "two"])
    return mw.LabelMatrix.beside([plain, soft])


@pytest.mark.parametrize("name", COUNTED)
def test_soft_votes_over_many_labels_are_taken_whatever_was_said_before(name: str, tmp_path: Path) -> None:
    """Each matrix has an alphabet of its own; what is learned does not hang on it, by a bit."""
    sample_of = soft_sample()
    votes = soft_votes(*sample_of)
    model = made(name, votes.schema).fit(votes)
    in_parts: Any = made(name, votes.schema)
    for rows in (slice(200, 300), slice(0, 50), slice(50, 200)):
        in_parts.partial_fit(soft_votes(*sample_of, rows))
    expected = model.predict_proba(votes).end
    assert (in_parts.predict_proba(votes).end == expected).all()
    few = soft_votes(*sample_of, slice(40, 90))
    assert few.outcomes["one"].shape != votes.outcomes["one"].shape
    assert (model.predict_proba(few).end == expected[40:90]).all()
    model.save(tmp_path / "model.npz")
    assert (mw.load_label_model(tmp_path / "model.npz").predict_proba(few).end == expected[40:90]).all()
    with_dev = made(name, votes.schema).fit(votes, dev=(few, expected[40:90].argmax(axis=1)))
    assert_distributions(with_dev.predict_proba(votes).end, votes)


def test_the_paper_model_takes_labels_only() -> None:
    votes, model = sample(), mw.LogLinearLabelModel(SCHEMA)
    text = r"^Votes for LogLinearLabelModel must be labels; got sets or soft votes of lf_1, .* or MajorityVote\.$"
    for use in (model.fit, lambda v: model.objective(v, [0.0] * 18), lambda v: model.posterior(v, [0.0] * 18)):
        with pytest.raises(VotesError, match=text):
            use(votes)


@every_model
def test_explanations_say_what_a_vote_said(name: str) -> None:
    votes = sample()
    row = int(np.argmax((votes.codes >= 0).sum(axis=1)))
    if name != "hard":
        labels = {effect.lf: effect.label for effect in made(name).fit(votes).explain(votes, row)}
        voters = [j for j in range(votes.n_lfs) if votes.codes[row, j] >= 0]
        assert labels == {votes.names[j]: votes.vote_name(j, votes.codes[row, j]) for j in voters}


@pytest.mark.filterwarnings("ignore:3 of 9 LFs are worse than chance:metalwork.errors.MetalworkWarning")
def test_dev_labels_are_used() -> None:
    found = simulate(np.random.default_rng(0), SCHEMA, 400, lfs_a_task=3)
    votes = sample(400)
    model: LabelModel = mw.HierarchicalLabelModel(SCHEMA, kind="rules")
    without = model.fit(votes).predict_proba(votes).end
    assert (model.fit(votes, dev=(votes, found.y)).predict_proba(votes).end != without).any()


@pytest.mark.parametrize("n_plain", [30, 31, 32])
def test_soft_votes_stand_beside_any_number_of_lfs(n_plain: int) -> None:
    """31 LFs of three labels fill a word of packed votes."""
    rng, schema = np.random.default_rng(0), mw.TaskSchema.flat(["a", "b", "c"])
    y = rng.integers(0, 3, 300)
    codes = np.where(rng.random((300, n_plain)) < 0.7, y[:, None], rng.integers(0, 3, (300, n_plain)))
    plain = mw.LabelMatrix(np.where(rng.random(codes.shape) < 0.1, codes, mw.ABSTAIN), schema)
    soft = mw.LabelMatrix.from_soft(
        [rng.dirichlet(np.ones(3), 300) / 2 + np.eye(3)[y] / 2], schema, names=["soft"]
    )
    votes = mw.LabelMatrix.beside([plain, soft])
    assert mw.HierarchicalLabelModel(schema).fit(votes).score(votes, y) > 0.9
