"""EM on a sample that passes over all records set right, and leaps along EM's path."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import metalwork as mw
from metalwork.inference import CodedVotes, Tree, log_likelihood, packing
from metalwork.inference import code_votes as coded_votes
from metalwork.label_models import _e_step, _em, _hierarchical
from metalwork.label_models._e_step import anchored, e_step
from tests.simulated import Simulated, simulate

SCHEMA = mw.TaskSchema.from_dict(
    {"task": "root", "labels": ["x", {"a": {"task": "a", "labels": ["a1", "a2"]}}]},
)


def drawn(n_points: int, **settings: Any) -> Simulated:
    return simulate(np.random.default_rng(0), SCHEMA, n_points, **settings)


def fitted(found: Simulated, **settings: Any) -> mw.HierarchicalLabelModel:
    return mw.HierarchicalLabelModel(SCHEMA, kind="independent", **settings).fit(found.votes)


def rows_of(votes: mw.LabelMatrix) -> CodedVotes:
    of_task = [np.flatnonzero(np.array(votes.tasks) == task) for task in SCHEMA.tasks]
    return coded_votes(packing(of_task, SCHEMA.n_labels), votes.codes)


def moved(tables: list[npt.NDArray[Any]], by: float) -> list[npt.NDArray[Any]]:
    """Tables in which all LFs are a little less sure, normalised."""
    shifted = [(1 - by) * table for table in tables]
    return [table - np.log(np.exp(table).sum(axis=2, keepdims=True)) for table in shifted]


def test_at_the_anchor_counts_are_exact_and_their_likelihood_has_the_right_slope() -> None:
    found, tree = drawn(4_000), Tree.of(SCHEMA)
    model = fitted(found)
    everything, few = rows_of(found.votes), rows_of(found.votes.rows(slice(2_000)))
    few = few._replace(weights=2.0 * few.weights, totals=tuple(2.0 * total for total in few.totals))
    exact = e_step(tree, everything)
    at = (model.tables_, model.log_prior_)
    expect = anchored(tree, few, exact(*at), *at)
    for part, whole in zip(expect(*at).votes, exact(*at).votes, strict=True):
        np.testing.assert_allclose(part, whole, atol=1e-8)

    def rise(step: Any, by: float) -> float:
        tables = moved(model.tables_, by)
        return log_likelihood(step(tables, model.log_prior_), tables)

    slopes = [(rise(step, 1e-5) - rise(step, -1e-5)) / 2e-5 for step in (exact, expect, e_step(tree, few))]
    assert slopes[1] == pytest.approx(slopes[0], abs=0.01)
    assert slopes[2] != pytest.approx(slopes[0], abs=1.0)  # the sample alone has another


def test_a_sample_set_right_ends_where_all_records_do(monkeypatch: pytest.MonkeyPatch) -> None:
    found = drawn(60_000, prior=[0.5, 0.2, 0.3])
    whole = fitted(found)

    def errors() -> list[float]:
        model = fitted(found)
        pairs = ((model.class_prior_, whole.class_prior_), (model.accuracies_, whole.accuracies_))
        return [float(np.abs(one - two).max()) for one, two in pairs]

    monkeypatch.setattr(_e_step, "EM_ROWS", 6_000)
    carried = errors()
    monkeypatch.setattr(_em, "_NATS_A_NUMBER", 0.0)  # pass after pass, until nothing is gained
    arrived = errors()
    monkeypatch.setattr(_hierarchical, "over_all", lambda of, choice: (choice.fit, e_step(of.tree, of.votes)))
    sampled = errors()
    assert arrived[0] < 5e-4
    assert carried[1] < sampled[1] / 4.0


def test_led_astray_em_goes_over_all_records(monkeypatch: pytest.MonkeyPatch) -> None:
    found, tree = drawn(20_000), Tree.of(SCHEMA)
    whole = fitted(found)
    wrong = rows_of(found.votes.rows(slice(40)))
    monkeypatch.setattr(_e_step, "EM_ROWS", 2_000)
    monkeypatch.setattr(_em, "anchored", lambda *_: e_step(tree, wrong))
    np.testing.assert_allclose(fitted(found).class_prior_, whole.class_prior_, atol=1e-3)


@pytest.mark.parametrize("n_points", [300, 5_000])
def test_leaps_arrive_where_plain_steps_do_and_sooner(monkeypatch: pytest.MonkeyPatch, n_points: int) -> None:
    found = drawn(n_points, lfs_a_task=3)
    model = fitted(found, max_iter=5_000, tol=1e-12)
    monkeypatch.setattr(_em, "_LONGEST_LEAP", 1.0)
    plain = fitted(found, max_iter=5_000, tol=1e-12)
    assert model.converged_
    assert plain.converged_
    assert model.n_iter_ < 0.6 * plain.n_iter_
    assert np.diff(model.log_likelihoods_).min() > -0.2 / n_points
    np.testing.assert_allclose(model.class_prior_, plain.class_prior_, atol=1e-4)
