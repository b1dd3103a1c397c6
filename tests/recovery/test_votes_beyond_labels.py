"""Sets and soft votes, simulated: near the best guess, and better than what plain votes can say of them."""

from itertools import combinations

import numpy as np
import numpy.typing as npt
import pytest

import metalwork as mw
from tests.simulated import Simulated, simulate

Floats = npt.NDArray[np.float64]
NAN = np.nan


def soft_votes(seed: int, k: int, n_points: int, n_lfs: int = 5) -> tuple[list[Floats], Simulated]:
    """Calibrated classifiers that see the label in Gaussian noise, on 70 % of records; and the pooled truth."""
    rng = np.random.default_rng(seed)
    y = rng.integers(k, size=n_points)
    total, found = np.zeros((n_points, k)), []
    for _ in range(n_lfs):
        strength = rng.uniform(1, 2)
        evidence = strength * (strength * np.eye(k)[y] + rng.normal(size=(n_points, k)))
        seen = rng.random(n_points) < 0.7
        total[seen] += evidence[seen]
        found.append(np.where(seen[:, None], _softmax(evidence), NAN))
    votes = mw.LabelMatrix.from_soft(found, mw.TaskSchema.flat([f"l{c}" for c in range(k)]))
    return found, Simulated(votes, y, _softmax(total))


def _softmax(log_weights: Floats) -> Floats:
    found: Floats = np.exp(log_weights - np.logaddexp.reduce(log_weights, axis=1, keepdims=True))
    return found


def argmax_votes(probabilities: list[Floats], schema: mw.TaskSchema) -> mw.LabelMatrix:
    """The same classifiers, each voting for its top label."""
    columns = [np.where(np.isnan(p[:, 0]), -1, np.nan_to_num(p).argmax(axis=1)) for p in probabilities]
    return mw.LabelMatrix(np.stack(columns, axis=1), schema)


@pytest.mark.parametrize("kind", ["auto", "rules", "independent"])
@pytest.mark.parametrize("k", [2, 3, 5])
def test_soft_votes_beat_their_top_labels_and_come_near_the_oracle(k: int, kind: str) -> None:
    probabilities, found = soft_votes(0, k, 4_000)
    schema = found.votes.schema
    top = argmax_votes(probabilities, schema)
    hard = mw.HierarchicalLabelModel(schema, kind=kind).fit(top).score(top, found.y)
    soft = mw.HierarchicalLabelModel(schema, kind=kind).fit(found.votes).score(found.votes, found.y)
    assert soft > hard + 0.015
    assert soft > found.oracle - 0.015


def test_many_labels_keep_what_their_coarse_grids_can() -> None:
    for k in (9, 15):
        probabilities, found = soft_votes(1, k, 3_000)
        top = argmax_votes(probabilities, found.votes.schema)
        scores = [
            mw.HierarchicalLabelModel(v.schema, kind="rules").fit(v).score(v, found.y) for v in (top, found.votes)
        ]
        assert scores[1] > scores[0] + 0.05


PAIRS = np.array([[c in pair for c in range(4)] for pair in combinations(range(4), 2)])
SETS: dict[str, list[Floats]] = {
    "not one": [np.eye(4)] * 3 + [1 - np.eye(4)] * 4,
    "pairs": [np.eye(4)] * 2 + [PAIRS] * 4,
    "one label or all but one": [np.eye(4)[[c]] for c in range(4)] + [1 - np.eye(4)[[c]] for c in range(4)] * 2,
}


def set_votes(seed: int, members: list[Floats], n_points: int) -> tuple[Simulated, Floats]:
    """LFs that vote on half of the records; 60 to 90 % of votes know the label and pick a set that holds it.

    The others are drawn at random. Also the share of each LF's votes that are right.
    """
    rng = np.random.default_rng(seed)
    k = members[0].shape[1]
    y = rng.integers(k, size=n_points)
    total, columns, outcomes, right = np.zeros((n_points, k)), [], {}, []
    for j, rows in enumerate(members):
        known, holds = rng.uniform(0.6, 0.9), rows.astype(float).T
        table = 0.5 * (known * holds / max(holds.sum(axis=1).max(), 1) + (1 - known) / len(rows) / 2)
        table = np.append(table, 1 - table.sum(axis=1, keepdims=True), axis=1)
        code = (rng.random(n_points)[:, None] > table.cumsum(axis=1)[y, :-1]).sum(axis=1)
        total += np.log(table[:, code]).T
        columns.append(np.where(code == len(rows), -1, code))
        right.append(rows[code[code < len(rows)], y[code < len(rows)]].mean())
        outcomes[f"lf_{j}"] = np.append(rows, np.full((len(rows), 1), NAN), axis=1)
    schema = mw.TaskSchema.flat([f"l{c}" for c in range(k)])
    votes = mw.LabelMatrix(np.stack(columns, axis=1), schema, outcomes=outcomes)
    return Simulated(votes, y, _softmax(total)), np.array(right)


@pytest.mark.parametrize("kind", SETS)
def test_sets_come_near_the_oracle(kind: str) -> None:
    found, right = set_votes(0, SETS[kind], 6_000)
    model = mw.HierarchicalLabelModel(found.votes.schema).fit(found.votes)
    assert model.score(found.votes, found.y) > found.oracle - 0.015
    assert np.abs(model.accuracies_ - right).max() < 0.1
    robust = mw.HierarchicalLabelModel(found.votes.schema, kind="rules").fit(found.votes)
    assert robust.score(found.votes, found.y) > found.oracle - 0.05


@pytest.mark.filterwarnings("ignore:No LF overlaps:metalwork.errors.MetalworkWarning")
@pytest.mark.parametrize("kind", ["not one", "pairs"])
def test_sets_add_to_the_plain_votes_beside_them(kind: str) -> None:
    found, _ = set_votes(0, SETS[kind], 3_000)
    votes = found.votes
    plain = votes.lfs([j for j, name in enumerate(votes.names) if name not in votes.outcomes])
    alone = mw.HierarchicalLabelModel(plain.schema).fit(plain).score(plain, found.y)
    assert mw.HierarchicalLabelModel(votes.schema).fit(votes).score(votes, found.y) > alone + 0.02


def test_flat_feasible_vectors_are_as_good_as_their_tree() -> None:
    """The tree a -> (x -> b) as three vectors; LFs as sets of vectors that ask only where their task applies."""
    tree = mw.TaskSchema.from_dict({"task": "a", "labels": [{"x": {"task": "b", "labels": ["b0", "b1"]}}, "y"]})
    found = simulate(np.random.default_rng(0), tree, 4_000)
    vectors = mw.TaskSchema.flat(["x b0", "x b1", "y"])
    sets = {"a": [[1, 1, 0, NAN], [0, 0, 1, NAN]], "b": [[1, 0, NAN, NAN], [0, 1, NAN, NAN]]}
    outcomes = {lf: np.array(sets[task]) for lf, task in zip(found.votes.names, found.votes.tasks, strict=True)}
    flat = mw.LabelMatrix(found.votes.codes, vectors, names=found.votes.names, outcomes=outcomes)
    in_tree = mw.HierarchicalLabelModel(tree, kind="independent").fit(found.votes)
    in_flat = mw.HierarchicalLabelModel(vectors, kind="independent").fit(flat)
    assert in_flat.score(flat, found.y) == pytest.approx(in_tree.score(found.votes, found.y), abs=0.01)
