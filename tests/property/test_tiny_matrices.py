"""Whatever small matrix comes, label models fit and predict, without an error and without a warning of numpy's."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import metalwork as mw
from metalwork.errors import MetalworkWarning
from metalwork.label_models import LabelModel
from tests.oracle._enumeration import random_alphabet, random_schema
from tests.slow import SLOW


def small_matrix(rng: np.random.Generator) -> mw.LabelMatrix:
    """Up to six records, five LFs and four tasks; some LFs vote for sets or softly, some rows repeat."""
    schema = random_schema(rng, max_tasks=4, max_labels=4)
    n_points, n_lfs = int(rng.integers(1, 7)), int(rng.integers(1, 6))
    tasks = [schema.tasks[t] for t in rng.integers(schema.n_tasks, size=n_lfs)]
    if rng.random() < 0.3:
        tasks = [schema.root] * n_lfs
    outcomes = {}
    for j, task in enumerate(tasks):
        if rng.random() < 0.3:
            outcomes[f"lf_{j}"] = random_alphabet(rng, len(schema.labels(task)))
    sizes = [len(outcomes.get(f"lf_{j}", schema.labels(task))) for j, task in enumerate(tasks)]
    codes = np.stack([rng.integers(-1, size, n_points) for size in sizes], axis=1)
    kind = rng.integers(4)
    if kind == 0:  # as many labels as records, each with a row of its own
        codes = np.stack([np.minimum(np.arange(n_points), size - 1) for size in sizes], axis=1)
    elif kind == 1:  # no overlaps
        codes[np.arange(n_lfs) != rng.integers(n_lfs, size=(n_points, 1))] = -1
    elif kind == 2:
        codes = np.repeat(codes[:1], n_points, axis=0)
    return mw.LabelMatrix(codes, schema, tasks, outcomes=outcomes)


def models(votes: mw.LabelMatrix) -> list[LabelModel]:
    schema = votes.schema
    found: list[LabelModel] = [mw.HierarchicalLabelModel(schema, kind=a) for a in ("auto", "rules", "independent")]
    found += [mw.MajorityVote(schema), mw.MajorityVote(schema, mode="soft")]
    return found if votes.outcomes else [*found, mw.LogLinearLabelModel(schema)]


def check(seed: int) -> None:
    rng = np.random.default_rng(seed)
    votes = small_matrix(rng)
    n_end, known = votes.schema.n_end_labels, int(rng.integers(votes.n_points + 1))
    dev = (votes.rows(slice(known)), rng.integers(n_end, size=known)) if rng.random() < 0.4 else None
    prior = rng.dirichlet(np.full(n_end, 0.3)) if rng.random() < 0.3 else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MetalworkWarning)
        for model in models(votes):
            end = model.fit(votes, class_prior=prior, dev=dev).predict_proba(votes).end
            assert np.isfinite(end).all()
            np.testing.assert_allclose(end.sum(axis=1), 1.0, rtol=1e-9)
            predicted = model.predict(votes)
            open_ones = model.predict(votes, undecided="abstain")
            assert ((open_ones == predicted) | (open_ones == mw.ABSTAIN)).all()
            assert (open_ones[(votes.codes < 0).all(axis=1)] == mw.ABSTAIN).all()
            if isinstance(model, mw.HierarchicalLabelModel):
                assert np.isfinite(model.class_prior_).all()
                assert np.isfinite(model.accuracies_).all()
                model.diagnose()
                model.intervals()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_small_matrices_fit_and_predict(seed: int) -> None:
    check(seed)


@pytest.mark.skipif(not SLOW, reason="METALWORK_SLOW=1 checks ten thousand")
def test_ten_thousand_small_matrices() -> None:
    for seed in range(10_000):
        check(seed)


@pytest.mark.parametrize("n", [1, 2, 3, 20, 41])
def test_as_many_labels_as_records(n: int) -> None:
    schema = mw.TaskSchema.flat([f"label {i}" for i in range(max(n, 2))])
    votes = mw.LabelMatrix(np.repeat(np.arange(n)[:, None], 3, axis=1), schema)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MetalworkWarning)
        model = mw.HierarchicalLabelModel(schema).fit(votes)
    assert model.predict(votes).tolist() == list(range(n))
