"""Tasks alike taken together: each gets what it gets alone."""

from collections.abc import Callable

import numpy as np
import pytest

import metalwork as mw
from metalwork.inference import CodedVotes, SuffStats, Tree, expected_counts
from metalwork.label_models import _independent, _rules
from metalwork.label_models._alike import Alike, alike_tasks, by_task
from metalwork.label_models._em import Parameters, Priors
from metalwork.label_models._independent import independent_m_step
from metalwork.label_models._rules import initial_rules, rules_m_step
from tests.simulated import simulate

SCHEMA = mw.TaskSchema.from_dict(
    {
        "task": "root",
        "labels": [
            {"a": {"task": "a", "labels": ["a1", "a2"]}},
            {"b": {"task": "b", "labels": ["b1", "b2", "b3"]}},
            {"c": {"task": "c", "labels": [{"c1": {"task": "d", "labels": ["d1", "d2"]}}, "c2"]}},
        ],
    },
)


def counted() -> tuple[CodedVotes, SuffStats, Priors]:
    """Votes on a tree with tasks of two and of three labels, one LF of sets, expected counts, priors."""
    votes = simulate(np.random.default_rng(0), SCHEMA, 2_000, lfs_a_task=3).votes
    either = np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0]])
    rows = np.concatenate([either, np.full((2, 1), np.nan)], axis=1)
    outcomes = {votes.names[votes.tasks.index("b")]: rows}
    codes = np.minimum(votes.codes, np.where(np.arange(votes.n_lfs) == votes.tasks.index("b"), 1, 9))
    votes = mw.LabelMatrix(codes, SCHEMA, votes.tasks, votes.names, outcomes=outcomes)
    model = mw.HierarchicalLabelModel(SCHEMA).fit(votes)
    assert model._counts is not None
    coded = model._counts.coded()
    priors = model._priors(None, coded)
    return coded, expected_counts(Tree.of(SCHEMA), coded, *initial_rules(coded, priors)), priors


def each_alone(votes: CodedVotes) -> list[Alike]:
    return [Alike((t,), task, np.zeros(len(task.lfs), np.int64)) for t, task in enumerate(votes.tasks)]


def test_tasks_of_one_size_whose_lfs_vote_for_labels_are_alike() -> None:
    votes, stats, _ = counted()
    alike = alike_tasks(votes)
    assert sorted(part.tasks for part in alike) == [(0,), (1, 3, 4), (2,)]
    assert [part.of_root.any() for part in alike] == [0 in part.tasks for part in alike]
    back = by_task((part, part.joined(stats.votes)) for part in alike)
    assert all((one == two).all() for one, two in zip(back, stats.votes, strict=True))


@pytest.mark.parametrize(("room", "m_step"), [(_rules, rules_m_step), (_independent, independent_m_step)])
def test_together_they_get_the_tables_that_each_gets_alone(
    monkeypatch: pytest.MonkeyPatch, room: object, m_step: Callable[..., Parameters]
) -> None:
    votes, stats, priors = counted()
    together = m_step(votes, stats, priors)
    monkeypatch.setattr(room, "alike_tasks", each_alone)
    alone = m_step(votes, stats, priors)
    for part, other in zip(together, alone, strict=True):
        for one, two in zip(part, other, strict=True):
            np.testing.assert_allclose(one, two, rtol=1e-12, atol=1e-12)
