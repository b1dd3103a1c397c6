"""Dev records whose label is known down to an inner label only count for the tasks that are known."""

from typing import Any

import numpy as np
import pytest

import metalwork as mw
from metalwork.errors import MetalworkWarning, VotesError
from metalwork.inference import code_votes, known_counts, packing
from tests.simulated import simulate
from tests.unit.schemas import SECTORS

SCHEMA = mw.TaskSchema.from_dict(SECTORS)


def sampled(n_points: int, seed: int) -> tuple[mw.LabelMatrix, Any, Any]:
    """Votes, end labels, and the root's labels by name."""
    found = simulate(np.random.default_rng(seed), SCHEMA, n_points, lfs_a_task=3)
    coarse = [SCHEMA.labels("sector")[code] for code in SCHEMA.task_codes[found.y, 0]]
    return found.votes, SCHEMA.end_names(found.y), coarse


def test_counts_leave_out_tasks_that_are_not_known() -> None:
    votes, names, coarse = sampled(60, 0)
    mixed = [name if i % 3 else above for i, (name, above) in enumerate(zip(names, coarse, strict=True))]
    known = SCHEMA.known_codes(mixed)
    layout = packing([votes.lfs_of(task).astype(np.int64) for task in SCHEMA.tasks], SCHEMA.n_labels)
    found = known_counts(code_votes(layout, votes.codes), known, 2.0)
    for t, k in enumerate(SCHEMA.n_labels):
        state = np.where(known[:, t] == mw.NOT_APPLICABLE, k, known[:, t])
        assert found.labels[t].tolist() == [2.0 * (state == c).sum() for c in range(k + 1)]
        for i, lf in enumerate(votes.lfs_of(SCHEMA.tasks[t]).tolist()):
            for c in range(k + 1):
                expected = [2.0 * ((state == c) & (votes.codes[:, lf] == v)).sum() for v in range(k)]
                assert found.votes[t][i, c].tolist() == expected


@pytest.mark.parametrize("kind", ["rules", "independent"])
def test_inner_labels_tell_the_root_s_functions_as_end_labels_do(kind: str) -> None:
    votes, _, _ = sampled(400, 1)
    dev, names, coarse = sampled(100, 2)
    fine, rough, none = (
        mw.HierarchicalLabelModel(SCHEMA, kind=kind).fit(votes, dev=known)
        for known in ((dev, names), (dev, coarse), None)
    )
    root = votes.lfs_of("sector")
    distance = np.abs(np.asarray(rough.accuracies_)[root] - np.asarray(fine.accuracies_)[root]).max()
    without = np.abs(np.asarray(none.accuracies_)[root] - np.asarray(fine.accuracies_)[root]).max()
    assert distance < 0.7 * without
    assert rough.score(dev, names) >= none.score(dev, names) - 0.02


def test_records_of_which_nothing_is_known_are_left_out() -> None:
    votes, _, _ = sampled(200, 1)
    dev, names, _ = sampled(40, 2)
    gaps = [None if i % 2 else name for i, name in enumerate(names)]
    some = mw.HierarchicalLabelModel(SCHEMA).fit(votes, dev=(dev, gaps)).predict_proba(votes).end
    kept = (dev.rows(slice(0, 40, 2)), names[::2])
    np.testing.assert_array_equal(
        some, mw.HierarchicalLabelModel(SCHEMA).fit(votes, dev=kept).predict_proba(votes).end
    )
    with pytest.raises(VotesError) as caught:
        mw.HierarchicalLabelModel(SCHEMA).fit(votes, dev=(dev, [None] * 40))
    assert str(caught.value) == "dev must hold a record whose label is known; got none."


def test_turned_labels_are_found_by_coarse_labels_too() -> None:
    votes, _, _ = sampled(400, 1)
    dev, _, coarse = sampled(200, 2)
    turned = ["Corporate" if label == "Markets" else "Markets" for label in coarse]
    with pytest.warns(MetalworkWarning, match="are worse than chance on the dev records: "):
        mw.HierarchicalLabelModel(SCHEMA).fit(votes, dev=(dev, turned))


def test_scores_are_of_records_known_down_to_an_end_label() -> None:
    votes, names, coarse = sampled(100, 1)
    model = mw.MajorityVote(SCHEMA, mode="soft").fit(votes)
    mixed = [name if i < 50 else above for i, (name, above) in enumerate(zip(names, coarse, strict=True))]
    assert model.score(votes, mixed) == model.score(votes.rows(slice(0, 50)), names[:50])
    with pytest.raises(VotesError) as caught:
        model.score(votes, coarse)
    assert str(caught.value) == "y must hold at least one known end label; got none."
