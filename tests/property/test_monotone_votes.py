"""Default model: a better-than-random LF's vote never lowers its own label's posterior.

METALWORK_SLOW=1 runs 10,000 cases of each reading; the everyday suite a sample.
"""

from typing import Any

import numpy as np
import pytest

import metalwork as mw
from tests.oracle._enumeration import random_alphabet, random_schema
from tests.simulated import simulate
from tests.slow import cases

pytestmark = pytest.mark.filterwarnings(
    "ignore:No (LF|record)|The votes on task:metalwork.errors.MetalworkWarning"
)

_TOLERANCE = 1e-9


def better_than_random(model: mw.HierarchicalLabelModel, task: str, position: int) -> bool:
    """Does the fitted table of the task's LF give its own label more than another, on average?"""
    k = len(model.schema.labels(task))
    table = np.exp(model.tables_[model.schema.task_index(task)][position][:k, :k])
    return bool(np.diag(table).mean() > table.mean())


def lowered(
    model: mw.HierarchicalLabelModel, base: Any, tasks: tuple[str, ...], lf: int
) -> list[tuple[int, int, float]]:
    """(row, label, by how much) wherever a vote of the LF, not an abstain, lowers its own label's posterior."""
    task, silent, found = tasks[lf], base.copy(), []
    silent[:, lf] = -1
    before = model.predict_proba(mw.LabelMatrix(silent, model.schema, tasks))[task]
    for label in range(before.shape[1]):
        voted = silent.copy()
        voted[:, lf] = label
        fall = before[:, label] - model.predict_proba(mw.LabelMatrix(voted, model.schema, tasks))[task][:, label]
        found += [(int(row), label, float(fall[row])) for row in np.flatnonzero(fall > _TOLERANCE)]
    return found


def check(seed: int, **arguments: Any) -> list[tuple[int, int, float]]:
    """What one random fitted model lowers, on its own rows, one random LF and all its labels."""
    rng = np.random.default_rng(seed)
    schema = random_schema(rng)
    off, accuracy = rng.uniform(0, 0.5), (rng.uniform(0.1, 0.9), 0.95)
    votes = simulate(
        rng, schema, int(rng.integers(1, 300)), int(rng.integers(1, 4)), rng.uniform(0.05, 0.95), off, accuracy
    ).votes
    prior = None if rng.random() < 0.5 else rng.dirichlet(np.full(schema.n_end_labels, rng.choice([0.3, 3.0])))
    model = mw.HierarchicalLabelModel(schema, **arguments).fit(votes, class_prior=prior)
    lf = int(rng.integers(votes.n_lfs))
    position = votes.lfs_of(votes.tasks[lf]).tolist().index(lf)
    if not better_than_random(model, votes.tasks[lf], position):
        return []
    base = votes.codes[rng.integers(votes.n_points, size=8)]
    base[0] = -1
    return lowered(model, base, votes.tasks, lf)


def held_most(alphabet: Any, model: mw.HierarchicalLabelModel, task: str) -> Any:
    """End labels that each outcome holds most (all of a set): bool (n_outcomes, n_end_labels).

    None where it says nothing: where it holds all states that it asks of alike. (The root always applies.)
    """
    alphabet = alphabet.copy()
    alphabet[:, -1] = np.nan if task == model.schema.root else alphabet[:, -1]
    members = np.concatenate([model.schema.members(task), ~model.schema.members(task).any(axis=0, keepdims=True)])
    share = np.nan_to_num(alphabet, nan=-1.0)
    least = np.nan_to_num(alphabet, nan=2.0).min(axis=1, keepdims=True)
    most = (share == share.max(axis=1, keepdims=True)) & (share > least)
    return most.astype(int) @ members > 0


def lowered_sets(model: mw.HierarchicalLabelModel, votes: mw.LabelMatrix, lf: int) -> list[tuple[int, int, float]]:
    """(row, outcome, by how much) wherever an outcome of the LF, not an abstain, lowers what it holds most."""

    def asked(codes: Any) -> Any:
        made = mw.LabelMatrix(codes, model.schema, votes.tasks, votes.names, outcomes=votes.outcomes)
        return model.predict_proba(made).end

    silent, found = votes.codes.copy(), []
    silent[:, lf] = -1
    before = asked(silent)
    for outcome, held in enumerate(held_most(votes.alphabets[lf].rows, model, votes.tasks[lf])):
        voted = silent.copy()
        voted[:, lf] = outcome
        fall = before[:, held].sum(axis=1) - asked(voted)[:, held].sum(axis=1)
        found += [(int(row), outcome, float(fall[row])) for row in np.flatnonzero(fall > _TOLERANCE)]
    return found


def check_sets(seed: int, soft: bool, **arguments: Any) -> list[tuple[int, int, float]]:
    """What votes for sets (and soft votes) of one LF of a random fitted model lower."""
    rng = np.random.default_rng(seed)
    schema = random_schema(rng)
    plain = simulate(rng, schema, int(rng.integers(1, 200)), 2, rng.uniform(0.2, 0.9), rng.uniform(0, 0.4)).votes
    outcomes, codes = {}, plain.codes.copy()
    for j in range(0, plain.n_lfs, 2):
        rows = random_alphabet(rng, len(schema.labels(plain.tasks[j])))
        outcomes[plain.names[j]] = rows if soft else np.where(np.isnan(rows), rows, rows.round())
        codes[:, j] = np.where(codes[:, j] < 0, -1, rng.integers(len(rows), size=len(codes)))
    votes = mw.LabelMatrix(codes, schema, plain.tasks, plain.names, outcomes=outcomes)
    model = mw.HierarchicalLabelModel(schema, **arguments).fit(votes)
    lf = 2 * int(rng.integers(len(outcomes)))
    if arguments["kind"] == "independent" and not knows(model, votes, lf):
        return []
    return lowered_sets(model, votes.rows(rng.integers(votes.n_points, size=8)), lf)


def knows(model: mw.HierarchicalLabelModel, votes: mw.LabelMatrix, lf: int) -> bool:
    """Does the fitted table of the LF give what its sets hold more than what they do not, on average?"""
    task = votes.tasks[lf]
    stacked = sorted(votes.lfs_of(task).tolist(), key=lambda j: len(votes.alphabets[j]))
    rows = votes.alphabets[lf].rows.T
    table = np.exp(model.tables_[model.schema.task_index(task)][stacked.index(lf)][:, : rows.shape[1]])
    inside, outside = table[rows == 1], table[rows == 0]
    return bool(inside.size and outside.size and inside.mean() > outside.mean())


every_reading = pytest.mark.parametrize("kind", ["auto", "rules", "independent"])


@every_reading
def test_a_vote_never_lowers_its_own_label(kind: str) -> None:
    seeds = cases(60, 1_250)
    assert {seed: found for seed in seeds if (found := check(seed, kind=kind))} == {}


def test_a_set_or_soft_vote_never_lowers_what_it_holds_most() -> None:
    seeds = cases(60, 1_250)
    found = {seed: lowered for seed in seeds if (lowered := check_sets(seed, soft=True, kind="rules"))}
    assert found == {}


def test_a_set_never_lowers_what_it_holds_in_the_generative_reading() -> None:
    seeds = cases(60, 1_250)
    found = {seed: lowered for seed in seeds if (lowered := check_sets(seed, soft=False, kind="independent"))}
    assert found == {}


def test_the_check_finds_a_vote_that_lowers_its_label(monkeypatch: pytest.MonkeyPatch) -> None:
    votes = mw.LabelMatrix([[0, 0], [1, 1], [0, -1]], mw.TaskSchema.flat(["a", "b"]))
    model = mw.HierarchicalLabelModel(votes.schema, kind="independent").fit(votes)
    assert lowered(model, votes.codes, votes.tasks, 0) == []
    model.tables_[0][0] = model.tables_[0][0][:, [1, 0, 2]]
    assert lowered(model, votes.codes, votes.tasks, 0) != []
