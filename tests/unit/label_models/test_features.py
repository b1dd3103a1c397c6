"""What label models learn from the features of records, beside the votes."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
import scipy.sparse as sp

import metalwork as mw
from metalwork.errors import ConfigError, DataError, VotesError
from metalwork.label_models import LabelModel, count_votes, load_label_model
from metalwork.label_models._features import keys_of_rows
from metalwork.label_models._worth import groups_of_lfs
from tests.unit.schemas import SECTORS

SCHEMA = mw.TaskSchema.flat(["ham", "spam", "news"])
SUBJECTS = [f"{label}{i}" for label in SCHEMA.end_labels for i in range(8)]


class Case:
    """Votes of nine one-label LFs, right nine times in ten, and texts whose words tell the label.

    A text has three words of its label's eight among nine of no label.
    """

    def __init__(self, n_points: int = 1200, seed: int = 0, telling: bool = True) -> None:
        rng = np.random.default_rng(seed)
        self.y = rng.integers(0, 3, n_points)
        said = np.arange(9) % 3
        fires = rng.random((n_points, 9)) < np.where(self.y[:, None] == said, 0.3, 0.015)
        self.votes = mw.LabelMatrix(np.where(fires, said, mw.ABSTAIN), SCHEMA)
        told = 8 * (self.y if telling else rng.integers(0, 3, n_points))[:, None] + rng.integers(
            0, 8, (n_points, 3)
        )
        other = rng.integers(0, 60, (n_points, 9))
        self.texts = [
            " ".join([*(SUBJECTS[w] for w in own), *(f"word{w}" for w in rest)])
            for own, rest in zip(told, other, strict=True)
        ]
        self.X = mw.WordCounts().fit_transform(self.texts)
        self.voted = (self.votes.codes != mw.ABSTAIN).any(axis=1)

    def right(self, model: LabelModel, features: Any = None) -> npt.NDArray[np.bool_]:
        found: npt.NDArray[np.bool_] = model.predict(self.votes, features=features) == self.y
        return found


@pytest.fixture(scope="module")
def case() -> Case:
    return Case()


@pytest.fixture(scope="module")
def fitted(case: Case) -> mw.HierarchicalLabelModel:
    return mw.HierarchicalLabelModel(SCHEMA).fit(case.votes, features=case.X)


def test_words_label_what_no_lf_votes_on_and_correct_what_they_do(
    case: Case, fitted: mw.HierarchicalLabelModel
) -> None:
    alone, read = case.right(fitted), case.right(fitted, case.X)
    assert read[~case.voted].mean() > 0.9
    assert read[case.voted].mean() > alone[case.voted].mean() + 0.02
    assert fitted.feature_model_["weight"][0] >= 0.75


def test_features_that_say_nothing_move_nothing() -> None:
    noise = Case(telling=False)
    model = mw.HierarchicalLabelModel(SCHEMA).fit(noise.votes, features=noise.X)
    assert model.feature_model_["weight"].tolist() == [0.0]
    alone, read = (model.predict_proba(noise.votes, f).end for f in (None, noise.X))
    np.testing.assert_allclose(read[noise.voted], alone[noise.voted], atol=1e-12)
    assert np.abs(read - alone)[~noise.voted].mean() < 0.06
    labels = [model.predict(noise.votes, features=f)[noise.voted] for f in (None, noise.X)]
    np.testing.assert_array_equal(labels[0], labels[1])


def test_numbers_are_read_too(case: Case) -> None:
    rng = np.random.default_rng(1)
    numbers = np.column_stack([rng.normal(case.y == k, 0.4) * 1000 for k in range(3)])
    model = mw.HierarchicalLabelModel(SCHEMA).fit(case.votes, features=numbers)
    assert case.right(model, numbers).mean() > 0.85 > case.right(model).mean()


def test_without_features_the_votes_decide(case: Case, fitted: mw.HierarchicalLabelModel) -> None:
    plain = mw.HierarchicalLabelModel(SCHEMA).fit(case.votes)
    np.testing.assert_array_equal(fitted.predict_proba(case.votes).end, plain.predict_proba(case.votes).end)
    np.testing.assert_array_equal(fitted.predict(case.votes), plain.predict(case.votes))


def test_a_record_is_read_by_what_it_has_not_taught(case: Case) -> None:
    """Its words say the same whatever LFs voted on it, though they are its own alone."""
    alone = case.X.tolil()
    alone[0] = 0
    with_own = sp.hstack([alone, sp.csr_array(np.eye(case.X.shape[0], 1, dtype=np.float32))]).tocsr()
    ratios = []
    for vote in (0, 1):
        codes = np.array(case.votes.codes)
        codes[0] = mw.ABSTAIN
        codes[0, vote] = vote
        votes = mw.LabelMatrix(codes, SCHEMA)
        model = mw.MajorityVote(SCHEMA, mode="soft").fit(votes, features=with_own)
        before, after = (model.predict_proba(votes, f).end[0] for f in (None, with_own))
        ratios.append(np.log(after / before) / max(model.feature_model_["weight"][0], 1e-9))
    first, second = (ratio - ratio.mean() for ratio in ratios)
    np.testing.assert_allclose(first, second, atol=0.05)
    assert np.abs(first).max() < 0.1  # a word that no other record has tells nothing


def test_neither_rows_nor_lfs_have_an_order(case: Case, fitted: mw.HierarchicalLabelModel) -> None:
    rng = np.random.default_rng(3)
    rows, lfs = rng.permutation(case.votes.n_points), rng.permutation(case.votes.n_lfs)
    votes = case.votes.rows(rows).lfs(lfs)
    again = mw.HierarchicalLabelModel(SCHEMA).fit(votes, features=case.X[rows])
    assert again.feature_model_["weight"] == fitted.feature_model_["weight"]
    expected = fitted.predict_proba(case.votes, case.X).end[rows]
    np.testing.assert_allclose(again.predict_proba(votes, case.X[rows]).end, expected, atol=1e-5)


def test_a_record_is_read_alike_alone_and_among_others(case: Case, fitted: mw.HierarchicalLabelModel) -> None:
    together = fitted.predict_proba(case.votes, case.X).end
    alone = fitted.predict_proba(case.votes.rows([7]), case.X[[7]]).end
    np.testing.assert_allclose(alone[0], together[7], rtol=1e-9)


def test_keys_go_by_content() -> None:
    dense = np.random.default_rng(0).poisson(0.5, (200, 12)).astype(float)
    dense[5] = dense[9]
    keys = keys_of_rows(dense)
    np.testing.assert_array_equal(keys_of_rows(sp.csr_array(dense)), keys)
    assert keys[5] == keys[9]
    assert len(np.unique(keys)) == len(np.unique(dense, axis=0))
    np.testing.assert_array_equal(keys_of_rows(-0.0 * dense), keys_of_rows(np.zeros_like(dense)))


def test_groups_of_lfs_share_out_every_label(case: Case) -> None:
    groups = groups_of_lfs(case.votes, 3)
    for label in range(3):
        assert sorted(groups[label::3]) == [0, 1, 2]


def test_a_tree(case: Case) -> None:
    schema = mw.TaskSchema.from_dict(SECTORS)
    rng = np.random.default_rng(0)
    y = rng.integers(0, 4, 900)
    codes, tasks = [], []
    for t, task in enumerate(schema.tasks):
        for _ in range(3):
            truth = schema.task_codes[y, t]
            fires = (rng.random(900) < 0.4) & (truth >= 0)
            codes.append(np.where(fires, np.where(rng.random(900) < 0.8, truth, 1 - truth), mw.ABSTAIN))
            tasks.append(task)
    votes = mw.LabelMatrix(np.stack(codes, axis=1), schema, tasks)
    X = np.eye(4)[y] + rng.normal(0, 0.5, (900, 4))
    model = mw.HierarchicalLabelModel(schema).fit(votes, features=X)
    assert model.score(votes, y, features=X) > model.score(votes, y) + 0.1
    probs = model.predict_proba(votes, X)
    np.testing.assert_allclose(probs["sector"].sum(axis=1), 1.0)


def test_a_label_that_is_ruled_out_stays_so(case: Case) -> None:
    model = mw.MajorityVote(SCHEMA).fit(case.votes, features=case.X)  # a hard vote rules out all others
    before, after = (model.predict_proba(case.votes, f).end for f in (None, case.X))
    np.testing.assert_array_equal(after, before)


def test_what_is_left_undecided(case: Case, fitted: mw.HierarchicalLabelModel) -> None:
    by_votes = fitted.predict(case.votes, "abstain")
    assert (by_votes[~case.voted] == mw.ABSTAIN).all()
    read = fitted.predict(case.votes, "abstain", case.X)
    assert (read != mw.ABSTAIN).all()
    np.testing.assert_array_equal(read, fitted.predict(case.votes, features=case.X))


def test_explained_beside_the_features(case: Case, fitted: mw.HierarchicalLabelModel) -> None:
    row = int(np.flatnonzero((case.votes.codes != mw.ABSTAIN).sum(axis=1) == 2)[0])
    effects = fitted.explain(case.votes, row, features=case.X)
    assert len(effects) == 2
    label = fitted.predict(case.votes, features=case.X)[row]
    silent = np.array(case.votes.codes[[row, row]])
    silent[1, case.votes.names.index(effects[0].lf)] = mw.ABSTAIN
    proba = fitted.predict_proba(mw.LabelMatrix(silent, SCHEMA), case.X[[row, row]]).end[:, label]
    log_odds = np.log(proba / (1 - proba))
    assert effects[0].effect == pytest.approx(log_odds[0] - log_odds[1], abs=1e-9)


def test_fitting_anew_forgets_the_features(case: Case) -> None:
    model = mw.HierarchicalLabelModel(SCHEMA).fit(case.votes, features=case.X).fit(case.votes)
    with pytest.raises(VotesError) as caught:
        model.predict_proba(case.votes, case.X)
    assert str(caught.value) == (
        "features must be given to fit, too; it had none. Fit with features=, or leave them out."
    )


def test_counts_then_a_sample_of_records(case: Case) -> None:
    model = mw.HierarchicalLabelModel(SCHEMA).fit(count_votes(case.votes))
    sample = slice(0, 800)
    model.learn_features(case.votes.rows(sample), case.X[sample])
    assert case.right(model, case.X)[~case.voted].mean() > 0.9
    with pytest.raises(ConfigError) as caught:
        mw.HierarchicalLabelModel(SCHEMA).fit(count_votes(case.votes), features=case.X)
    assert str(caught.value) == (
        "votes must be a LabelMatrix; got VoteCounts. Features are of records: counts of votes have none."
    )


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (
            lambda X: X[:7],
            "features must have one row a record of votes (1,200); got 7 rows. "
            "Make them from the same records, in the same order.",
        ),
        (
            lambda X: ["a text"] * 1200,
            "features must be a float array or sparse matrix (n_points, n_features); got list. Count the words of "
            "texts by mw.WordCounts().fit_transform(texts), or use mw.FeatureAwareLabelModel.",
        ),
        (
            lambda X: np.ones(1200),
            "features must be a float array or sparse matrix (n_points, n_features); got ndarray of shape (1200,)."
            " Count the words of texts by mw.WordCounts().fit_transform(texts), or use mw.FeatureAwareLabelModel.",
        ),
        (
            lambda X: np.where(np.arange(1200)[:, None] == 3, np.nan, 1.0),
            "features must be finite; got NaN or infinity at row 3. Fill what is missing first.",
        ),
        (
            lambda X: sp.csr_array(np.where(np.arange(1200)[:, None] == 4, -2.0, 1.0)),
            "features must be counts, of at least 0, where they are sparse; got -2 at row 4. "
            "Give other numbers as an array: features.toarray().",
        ),
        (
            lambda X: sp.csr_array((1200, 20_000_000)),
            "features times end labels must be at most 53,687,091; got 60,000,000. "
            "Keep the most frequent words: mw.WordCounts(max_features=...).",
        ),
    ],
)
def test_features_that_do_not_fit(case: Case, features: Any, message: str) -> None:
    with pytest.raises(VotesError) as caught:
        mw.HierarchicalLabelModel(SCHEMA).fit(case.votes, features=features(case.X))
    assert str(caught.value) == message


def test_other_columns_than_in_fit(case: Case, fitted: mw.HierarchicalLabelModel) -> None:
    with pytest.raises(VotesError) as caught:
        fitted.predict(case.votes, features=case.X[:, :5])
    assert str(caught.value) == (
        f"features must have {case.X.shape[1]} columns, as those of fit; got 5. Make them the same way."
    )


@pytest.mark.filterwarnings("ignore:No (LF|record):metalwork.errors.MetalworkWarning")
@pytest.mark.parametrize("codes", [[[-1, -1]] * 6, [[0, -1]] * 6, [[0, 1]], [[0]] * 4])
def test_votes_of_every_odd_kind(codes: list[list[int]]) -> None:
    votes = mw.LabelMatrix(np.array(codes), SCHEMA)
    X = sp.csr_array(np.eye(len(codes)))
    model = mw.HierarchicalLabelModel(SCHEMA).fit(votes, features=X)
    end = model.predict_proba(votes, X).end
    assert np.isfinite(end).all()
    np.testing.assert_allclose(end.sum(axis=1), 1.0)


def test_saved_and_loaded(case: Case, fitted: mw.HierarchicalLabelModel, tmp_path: Path) -> None:
    fitted.save(tmp_path / "model.npz")
    again = load_label_model(tmp_path / "model.npz")
    expected = fitted.predict_proba(case.votes, case.X).end
    np.testing.assert_array_equal(again.predict_proba(case.votes, case.X).end, expected)


@pytest.mark.parametrize(
    ("name", "value"),
    [("weight", np.array([-1.0])), ("weights", np.ones((5, 2, 3))), ("balance", np.array([0.5, 0.5, 0.0]))],
)
def test_a_damaged_classifier_is_refused(
    case: Case, fitted: mw.HierarchicalLabelModel, tmp_path: Path, name: str, value: Any
) -> None:
    model = mw.HierarchicalLabelModel(SCHEMA).fit(case.votes)
    model.feature_model_ = fitted.feature_model_ | {name: value}
    model.save(tmp_path / "model.npz")
    with pytest.raises(DataError, match="feature_model_ must be"):
        load_label_model(tmp_path / "model.npz")


class TestFeatureAware:
    def test_words_by_default(self, case: Case, fitted: mw.HierarchicalLabelModel) -> None:
        model = mw.FeatureAwareLabelModel(SCHEMA).fit(case.votes, features=case.texts)
        expected = fitted.predict_proba(case.votes, case.X).end
        np.testing.assert_array_equal(model.predict_proba(case.votes, case.texts).end, expected)
        assert case.right(model, case.texts).mean() == case.right(fitted, case.X).mean()
        np.testing.assert_array_equal(model.predict(case.votes), fitted.predict(case.votes))

    def test_a_matrix_is_taken_as_it_is(self, case: Case, fitted: mw.HierarchicalLabelModel) -> None:
        model = mw.FeatureAwareLabelModel(SCHEMA).fit(case.votes, features=case.X)
        assert model.featurizer_ is None
        expected = fitted.predict_proba(case.votes, case.X).end
        np.testing.assert_array_equal(model.predict_proba(case.votes, case.X).end, expected)

    def test_a_featurizer_reads_records(self, case: Case, tmp_path: Path) -> None:
        frame = pl.DataFrame({"id": range(len(case.texts)), "body": case.texts})
        counts = mw.WordCounts(min_df=3, field="body")
        model = mw.FeatureAwareLabelModel(SCHEMA, mw.MajorityVote(SCHEMA, mode="soft"), counts)
        model.fit(case.votes, features=frame)
        assert case.right(model, frame)[~case.voted].mean() > 0.9
        assert not hasattr(counts, "vocabulary_")
        model.save(tmp_path / "model.npz")
        again = load_label_model(tmp_path / "model.npz")
        assert repr(again) == repr(model)
        expected = model.predict_proba(case.votes, frame).end
        np.testing.assert_array_equal(again.predict_proba(case.votes, frame).end, expected)

    def test_dev_and_prior_go_to_the_base(self, case: Case) -> None:
        dev = (case.votes.rows(slice(0, 50)), case.y[:50])
        prior = [0.2, 0.3, 0.5]
        model = mw.FeatureAwareLabelModel(SCHEMA).fit(case.votes, prior, dev)
        base = mw.HierarchicalLabelModel(SCHEMA).fit(case.votes, prior, dev)
        np.testing.assert_array_equal(model.predict_proba(case.votes).end, base.predict_proba(case.votes).end)
        assert isinstance(model.base_, mw.HierarchicalLabelModel)
        np.testing.assert_array_equal(model.base_.accuracies_, base.accuracies_)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (
                {"base": 3},
                "base must be a LabelModel; got int. For example, mw.HierarchicalLabelModel(schema).",
            ),
            (
                {"base": mw.MajorityVote(mw.TaskSchema.flat(["a", "b"]))},
                "base must have the schema of the model; it differs. Make it from the same schema.",
            ),
            (
                {"base": mw.FeatureAwareLabelModel(SCHEMA)},
                "base must be a label model that reads votes; got FeatureAwareLabelModel.",
            ),
            ({"featurizer": "words"}, "featurizer must be a Featurizer; got str."),
        ],
    )
    def test_arguments_that_do_not_fit(self, case: Case, arguments: Any, message: str) -> None:
        with pytest.raises(ConfigError) as caught:
            mw.FeatureAwareLabelModel(SCHEMA, **arguments).fit(case.votes)
        assert str(caught.value) == message
