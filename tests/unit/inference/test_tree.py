"""Passing weights up and down the tree: closed forms and the edge of what numbers can hold."""

import numpy as np

import metalwork as mw
from metalwork.inference import END, Tree, end_posterior, leaf_spans, pass_up
from metalwork.inference._tree import logsumexp_rows, pass_down
from tests.unit.schemas import FIVE_LEVELS, SECTORS

SCHEMA = mw.TaskSchema.from_dict(SECTORS)
TREE = Tree.of(SCHEMA)


def test_the_tree_as_integers() -> None:
    assert Tree(((1, 2), (END, END), (END, END)), ((0, 2), (0, 1), (2, 3)), 4) == TREE
    deep = mw.TaskSchema.from_dict(FIVE_LEVELS)
    for schema in (SCHEMA, deep):
        for t, task in enumerate(schema.tasks):
            assert [list(span) for span in leaf_spans(Tree.of(schema), t)] == schema.spans(task).tolist()


def test_sums_of_exponentials() -> None:
    values = np.array([[0.0, 0.0], [1000.0, 1000.0], [-1000.0, -1000.0], [-np.inf, 3.0], [-np.inf, -np.inf]])
    expected = [np.log(2), 1000 + np.log(2), -1000 + np.log(2), 3.0, -np.inf]
    np.testing.assert_allclose(logsumexp_rows(values), expected, rtol=1e-15)


def test_no_weight_anywhere_is_uniform_over_end_labels() -> None:
    beliefs = pass_up(TREE, [np.zeros((3, 2))] * 3)
    np.testing.assert_allclose(beliefs.log_evidence, np.log(4), rtol=1e-15)
    np.testing.assert_allclose(end_posterior(TREE, beliefs.log_branch), 0.25, rtol=1e-15)


def test_weights_add_up_along_the_path() -> None:
    potentials = [np.array([[1.0, 2.0]]), np.array([[0.5, -0.5]]), np.array([[3.0, 0.0]])]
    weight = np.exp([1.5, 0.5, 5.0, 2.0])
    beliefs = pass_up(TREE, potentials)
    np.testing.assert_allclose(beliefs.log_evidence, np.log(weight.sum()), rtol=1e-15)
    np.testing.assert_allclose(end_posterior(TREE, beliefs.log_branch)[0], weight / weight.sum(), rtol=1e-14)
    marginals = pass_down(TREE, beliefs.log_branch)
    np.testing.assert_allclose(marginals[2][0], weight[2:] / weight.sum(), rtol=1e-14)
    np.testing.assert_allclose([part.sum() for part in marginals[1:]], marginals[0][0], rtol=1e-14)


def test_extreme_weights_stay_finite() -> None:
    potentials = [np.array([[1e5, -1e5]]), np.array([[-1e5, 1e5]]), np.array([[0.0, 1e5]])]
    end = end_posterior(TREE, pass_up(TREE, potentials).log_branch)
    np.testing.assert_allclose(end, [[0, 1, 0, 0]], atol=1e-300)


def test_impossible_labels_have_no_share() -> None:
    potentials = [np.array([[0.0, -np.inf]]), np.zeros((1, 2)), np.zeros((1, 2))]
    end = end_posterior(TREE, pass_up(TREE, potentials).log_branch)
    np.testing.assert_allclose(end, [[0.5, 0.5, 0, 0]])
