"""Task graphs as feasible label vectors: near the best guess, and on a tree as good as the tree's own model."""

import numpy as np
import pytest

import metalwork as mw
from tests.simulated import simulate
from tests.unit.schemas import SECTORS

GRAPH = mw.FeasibleLabels(  # "urgent" applies below two labels of different tasks: no tree
    {"kind": ["bug", "question"], "area": ["app", "site", "shop"], "urgent": ["yes", "no"]},
    [
        {"kind": "bug", "area": "app", "urgent": "yes"},
        {"kind": "bug", "area": "app", "urgent": "no"},
        {"kind": "bug", "area": "site"},
        {"kind": "bug", "area": "shop", "urgent": "yes"},
        {"kind": "question", "area": "shop", "urgent": "yes"},
        {"kind": "question", "area": "shop", "urgent": "no"},
        {"kind": "question", "area": "site"},
    ],
)


def graph_votes(seed: int, n_points: int = 5_000) -> tuple[mw.LabelMatrix, np.ndarray, float]:
    """Votes of five LFs a task, the vectors behind them, and the accuracy of the best guess, by enumeration."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, len(GRAPH), n_points)
    log_posterior = np.zeros((n_points, len(GRAPH)))
    columns, tasks = [], []
    for t, task in enumerate(GRAPH.tasks[:-1]):
        k = len(GRAPH.labels(task))
        states = np.where(GRAPH.states[:, t] < 0, k, GRAPH.states[:, t])
        for right in rng.uniform(0.65, 0.9, 5):
            table = np.full((k + 1, k + 1), 0.1 / k)  # p(vote, or last: abstain | state, or last: does not apply)
            table[:k] = 0.5 * (1 - right) / (k - 1)
            table[np.arange(k), np.arange(k)] = 0.5 * right
            table[:, k] = 1 - table[:, :k].sum(axis=1)
            votes = (rng.random((n_points, 1)) > table.cumsum(axis=1)[states[y], :-1]).sum(axis=1)
            log_posterior += np.log(table[states][:, votes]).T
            columns.append(np.where(votes == k, -1, votes))
            tasks.append(task)
    return GRAPH.votes(np.stack(columns, axis=1), tasks), y, float(np.mean(log_posterior.argmax(axis=1) == y))


@pytest.mark.parametrize("seed", range(2))
def test_accuracy_near_the_oracle_and_above_the_vote(seed: int) -> None:
    votes, y, oracle = graph_votes(seed)
    learned = mw.HierarchicalLabelModel(GRAPH.schema).fit(votes).score(votes, y)
    assert learned > oracle - 0.02
    assert learned > mw.MajorityVote(GRAPH.schema).fit(votes).score(votes, y) + 0.02


def test_the_flat_view_of_a_tree_is_as_good_as_the_tree() -> None:
    schema = mw.TaskSchema.from_dict(SECTORS)
    found = simulate(np.random.default_rng(3), schema, 5_000)
    view = mw.FeasibleLabels.flatten(schema)
    votes = view.votes(found.votes.codes, found.votes.tasks)
    flat = mw.HierarchicalLabelModel(view.schema).fit(votes)
    tree = mw.HierarchicalLabelModel(schema).fit(found.votes)
    assert flat.score(votes, found.y) == pytest.approx(tree.score(found.votes, found.y), abs=0.015)
    assert np.mean(flat.predict(votes) == tree.predict(found.votes)) > 0.9
