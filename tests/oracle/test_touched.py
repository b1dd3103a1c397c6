"""The E-step that passes over touched tasks only finds what the one over all tasks finds."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import metalwork as mw
from metalwork.inference import (
    CodedVotes,
    Floats,
    Packing,
    Tree,
    distinct_words,
    expected_counts,
    n_votes_of,
    one_hot,
    pack,
    packing,
    votes_on_task,
)
from metalwork.inference._mixture import code_few, code_words, covered, keys_at, reweighted, votes_of_task
from metalwork.inference._packing import votes_of_keys
from tests.unit.schemas import FIVE_LEVELS, SECTORS

WIDE: dict[str, Any] = {
    "task": "r",
    "labels": [
        "x",
        {"a": {"task": "a", "labels": ["a1", "a2", "a3", {"a4": {"task": "d", "labels": ["d1", "d2"]}}]}},
        {"b": {"task": "b", "labels": ["b1", {"b2": {"task": "e", "labels": ["e1", "e2"]}}]}},
        "y",
    ],
}
SET = np.array([[1.0, 1.0, 0.0, np.nan], [0.0, 1.0, 1.0, 0.0]])
SINGLE: dict[str, Any] = {
    "task": "r",
    "labels": ["x", {"a": {"task": "a", "labels": [{"a1": {"task": "b", "labels": ["b1", "b2"]}}]}}],
}
TREES = {
    "flat": {"task": "only", "labels": ["a", "b", "c"]},
    "sectors": SECTORS,
    "five levels": FIVE_LEVELS,
    "wide": WIDE,
    "single": SINGLE,
}


def both(schema: mw.TaskSchema, n_lfs: int, coverage: float) -> tuple[CodedVotes, CodedVotes]:
    """The same random votes, kept as keys and as the votes alone; some rows and some tasks have none."""
    rng = np.random.default_rng(n_lfs)
    sizes = np.array(schema.n_labels)
    task = np.sort(rng.integers(max(1, schema.n_tasks - 1), size=n_lfs))
    lfs_of_task = [np.flatnonzero(task == t) for t in range(schema.n_tasks)]
    alphabets = {int(lf): SET for lf in np.flatnonzero(sizes[task] == 3)[:2]}
    n_outcomes = np.array([len(alphabets.get(j, range(sizes[t]))) for j, t in enumerate(task)])
    codes = rng.integers(n_outcomes, size=(400, n_lfs)).astype(np.int8)
    codes[rng.random(codes.shape) > coverage] = mw.ABSTAIN

    def layout(most_keys: int) -> Packing:
        return packing(lfs_of_task, schema.n_labels, most_keys, alphabets)

    words, counts = distinct_words(pack(codes, layout(200)))
    weights = counts * rng.uniform(0.5, 2.0, len(counts))
    return code_words(layout(200), words, weights), code_few(layout(200), words, weights, layout(1))


def random_tables(votes: CodedVotes, seed: int) -> tuple[list[Floats], list[Floats]]:
    rng = np.random.default_rng(seed)
    shapes = [(len(task.lfs), task.n_labels + 1, task.outcomes.member.shape[2] + 1) for task in votes.tasks]
    tables = [np.log(rng.dirichlet(np.ones(shape[2]), shape[:2])) for shape in shapes]
    return tables, [np.log(rng.dirichlet(np.ones(task.n_labels))) for task in votes.tasks]


@pytest.mark.parametrize("coverage", [0.02, 0.5])
@pytest.mark.parametrize("name", list(TREES))
def test_touched_tasks_are_enough(name: str, coverage: float) -> None:
    schema = mw.TaskSchema.from_dict(TREES[name])
    tree, (dense, few) = Tree.of(schema), both(schema, 23, coverage)
    assert dense.sparse_rows is None
    assert few.sparse_rows is not None
    tables, log_prior = random_tables(few, 1)
    expected, found = (expected_counts(tree, votes, tables, log_prior) for votes in (dense, few))
    assert found.log_evidence == pytest.approx(expected.log_evidence, rel=1e-12)
    for one, two in zip([*expected.labels, *expected.votes], [*found.labels, *found.votes], strict=True):
        np.testing.assert_allclose(two, one, atol=1e-11)


def test_votes_alone_are_counted_and_chosen_as_keys_are() -> None:
    schema = mw.TaskSchema.from_dict(WIDE)
    pair = both(schema, 23, 0.02)
    kept = np.where(np.arange(len(pair[0].weights)) % 3, pair[0].weights, 0.0)
    for dense, few in (pair, [covered(votes) for votes in pair], [reweighted(votes, kept) for votes in pair]):
        rows = np.arange(len(dense.weights))[::2]
        assert (n_votes_of(dense) == n_votes_of(few)).all()
        assert (one_hot(dense, rows).toarray() == one_hot(few, rows).toarray()).all()
        assert (cast(dense, rows) == cast(few, rows)).all()
        for t in range(schema.n_tasks):
            np.testing.assert_allclose(votes_of_task(few, t), votes_of_task(dense, t), atol=1e-12)
            assert (votes_on_task(dense, t) == votes_on_task(few, t)).all()


def cast(votes: CodedVotes, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Votes of some rows, -1 for an abstain: (n_rows, n_lfs)."""
    found = np.full((len(rows), votes.n_lfs), -1)
    for key, group in zip(keys_at(votes, rows), votes.groups, strict=True):
        found[:, group.lfs] = votes_of_keys(key, group)
    return found


def test_many_votes_on_few_rows_give_the_same_model(monkeypatch: pytest.MonkeyPatch) -> None:
    schema, rng = mw.TaskSchema.flat(["a", "b", "c"]), np.random.default_rng(0)
    votes = mw.LabelMatrix(rng.integers(-1, 3, size=(20, 150)), schema)
    few = mw.HierarchicalLabelModel(schema, kind="raters").fit(votes)
    assert few._counts is not None
    assert few._counts.coded().sparse_rows is not None
    monkeypatch.setattr("metalwork.label_models._counting._FEW_ROWS", 0)
    dense = mw.HierarchicalLabelModel(schema, kind="raters").fit(votes)
    assert dense._counts is not None
    assert dense._counts.coded().sparse_rows is None
    np.testing.assert_allclose(few.predict_proba(votes).end, dense.predict_proba(votes).end, atol=1e-9)


@pytest.mark.filterwarnings("ignore:No record:metalwork.errors.MetalworkWarning")
def test_rare_votes_give_the_same_model(monkeypatch: pytest.MonkeyPatch) -> None:
    schema = mw.TaskSchema.from_dict(WIDE)
    rng = np.random.default_rng(0)
    tasks = rng.choice(schema.tasks, 200).tolist()
    sizes = np.array([len(schema.labels(task)) for task in tasks])
    codes = np.where(rng.random((500, 200)) < 0.01, rng.integers(sizes, size=(500, 200)), mw.ABSTAIN)
    votes = mw.LabelMatrix(codes, schema, tasks)
    few = mw.HierarchicalLabelModel(schema).fit(votes)
    assert few._counts is not None
    assert few._counts.coded().sparse_rows is not None
    monkeypatch.setattr("metalwork.label_models._counting._MANY_GROUPS", 10**6)
    dense = mw.HierarchicalLabelModel(schema).fit(votes)
    assert dense._counts is not None
    assert dense._counts.coded().sparse_rows is None
    np.testing.assert_allclose(few.predict_proba(votes).end, dense.predict_proba(votes).end, atol=1e-9)
    np.testing.assert_allclose(few.class_prior_, dense.class_prior_, atol=1e-9)
    assert few.diagnose() == dense.diagnose()
    found, expected = (model.intervals().to_frame() for model in (few, dense))
    np.testing.assert_allclose(
        found["standard_error"].to_numpy(), expected["standard_error"].to_numpy(), rtol=1e-6
    )
