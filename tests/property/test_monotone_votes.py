"""Default model: a better-than-random LF's vote never lowers its own label's posterior.

METALWORK_SLOW=1 runs 10,000 cases of each reading; the everyday suite a sample.
"""

from typing import Any

import numpy as np
import pytest

import metalwork as mw
from tests.oracle._enumeration import random_schema
from tests.simulated import simulate
from tests.slow import cases

pytestmark = pytest.mark.filterwarnings("ignore:No (LF|record):metalwork.errors.MetalworkWarning")

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


every_reading = pytest.mark.parametrize("abstains", ["auto", "ignored", "informative"])


@every_reading
def test_a_vote_never_lowers_its_own_label(abstains: str) -> None:
    seeds = cases(60, 1_250)
    assert {seed: found for seed in seeds if (found := check(seed, abstains=abstains, unvoted="allow"))} == {}


def test_the_check_finds_a_vote_that_lowers_its_label(monkeypatch: pytest.MonkeyPatch) -> None:
    votes = mw.LabelMatrix([[0, 0], [1, 1], [0, -1]], mw.TaskSchema.flat(["a", "b"]))
    model = mw.HierarchicalLabelModel(votes.schema, abstains="informative").fit(votes)
    assert lowered(model, votes.codes, votes.tasks, 0) == []
    model.tables_[0][0] = model.tables_[0][0][:, [1, 0, 2]]
    assert lowered(model, votes.codes, votes.tasks, 0) != []
