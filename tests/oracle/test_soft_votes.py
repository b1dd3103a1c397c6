"""Soft votes in the E-step and in posteriors, written out vote by vote; by keys and by votes alone."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest

import metalwork as mw
from metalwork.inference import (
    CodedVotes,
    EndPosteriors,
    Floats,
    Packing,
    Tree,
    code_few,
    code_words,
    distinct_words,
    expected_counts,
    known_counts,
    log_likelihood,
    one_hot,
    pack,
    packing,
    votes_of_task,
)
from metalwork.inference import code_votes as coded_rows

SCHEMA = mw.TaskSchema.from_dict(
    {"task": "r", "labels": ["x", {"a": {"task": "a", "labels": ["a1", "a2", "a3"]}}, "y"]}
)
LFS = [np.array([0, 1, 2]), np.array([3, 4, 5])]
SET = np.array([[1.0, 1.0, 0.0, np.nan], [0.0, 1.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 1.0]])


def with_nan(shares: Floats) -> Floats:
    return np.append(shares, np.full((len(shares), 1), np.nan), axis=1)


class Case(NamedTuple):
    """LF 1 of the root and LFs 4 and 5 of the other task say more than labels: 1 and 4 softly, 5 in sets."""

    codes: npt.NDArray[np.int64]
    alphabets: dict[int, Floats]
    tables: list[Floats]
    log_prior: list[Floats]


def case(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    soft = {1: rng.dirichlet(np.ones(3), 40), 4: rng.dirichlet(np.ones(3), 15)}
    soft[4][3] = [0.0, 1.0, 0.0]
    n_outcomes = [3, 40, 3, 3, 15, 4]
    codes = np.stack([rng.integers(-1, n, 60) for n in n_outcomes], axis=1)
    tables = [rng.normal(0, 1, (3, 4, width + 1)) for width in (3, 4)]
    log_prior = [np.log(rng.dirichlet(np.ones(3))) for _ in range(2)]
    return Case(codes, {lf: with_nan(rows) for lf, rows in soft.items()} | {5: SET}, tables, log_prior)


def layout_of(given: Case, most_keys: int) -> Packing:
    return packing(LFS, SCHEMA.n_labels, most_keys, given.alphabets)


def coded(given: Case) -> tuple[CodedVotes, CodedVotes]:
    words, counts = distinct_words(pack(given.codes, layout_of(given, 300)))
    weights = counts.astype(np.float64)
    single = layout_of(given, 1)
    return code_words(layout_of(given, 300), words, weights), code_few(
        layout_of(given, 300), words, weights, single
    )


def position(lf: int) -> tuple[int, int]:
    """Task of an LF, and its place among the task's, by the number of outcomes."""
    return {0: (0, 0), 2: (0, 1), 1: (0, 2), 3: (1, 0), 5: (1, 1), 4: (1, 2)}[lf]


def factors(given: Case, lf: int, code: int) -> npt.NDArray[np.float64]:
    """What one vote multiplies each state of the LF's task by: (n_states, n_labels voted for), to be summed."""
    t, i = position(lf)
    table = np.exp(given.tables[t][i])
    if code < 0 or lf not in (1, 4):
        plain: Floats = table[:, [code]]
        return plain
    m = given.alphabets[lf][code, :3]
    inside = 1 / sum(m[v] / table[v, v] for v in range(3))
    outside = 1 / sum(m[v] * 2 / (table[[s for s in range(3) if s != v], v].sum()) for v in range(3))
    off = 1 / sum(m[v] / table[3, v] for v in range(3))
    found = np.array([[m[v] * (inside if s == v else outside) for v in range(3)] for s in range(3)])
    return np.append(found, (m * off)[None], axis=0)


def written_out(given: Case) -> tuple[Floats, float, list[Floats], list[Floats]]:
    """Posterior of each row, log likelihood, records by label and votes by state, by brute force."""
    tree_states = np.where(SCHEMA.task_codes < 0, 3, SCHEMA.task_codes)
    prior = [np.exp(given.log_prior[0]), np.exp(given.log_prior[1])]
    posterior, total = np.empty((60, 5)), 0.0
    labels, votes = [np.zeros(4), np.zeros(4)], [np.zeros((3, 4, 3)), np.zeros((3, 4, 4))]
    for row, cast in enumerate(given.codes.tolist()):
        weight = np.array(
            [np.prod([prior[t][s] for t, s in enumerate(states) if s < 3]) for states in tree_states]
        )
        by_lf = [factors(given, lf, code) for lf, code in enumerate(cast)]
        for lf, factor in enumerate(by_lf):
            weight = weight * factor.sum(axis=1)[tree_states[:, position(lf)[0]]]
        total += float(np.log(weight.sum()))
        posterior[row] = weight / weight.sum()
        for end, belief in enumerate(posterior[row]):
            for t in range(2):
                labels[t][tree_states[end, t]] += belief
            for lf, code in enumerate(cast):
                t, i = position(lf)
                s, share = tree_states[end, t], by_lf[lf][tree_states[end, t]]
                if code >= 0 and lf in (1, 4):
                    votes[t][i, s, :3] += belief * share / share.sum()
                elif code >= 0:
                    votes[t][i, s, code] += belief
    return posterior, total, labels, votes


@pytest.mark.parametrize("seed", range(4))
def test_counts_likelihood_and_posterior(seed: int) -> None:
    given, tree = case(seed), Tree.of(SCHEMA)
    posterior, total, labels, votes = written_out(given)
    for one in coded(given):
        found = expected_counts(tree, one, given.tables, given.log_prior)
        assert log_likelihood(found, given.tables) == pytest.approx(total, rel=1e-10)
        for part, exact in zip([*found.labels, *found.votes], [*labels, *votes], strict=True):
            np.testing.assert_allclose(part, exact, atol=1e-9)
    end = EndPosteriors(tree, layout_of(given, 300)).of(given.codes, given.tables, given.log_prior)
    np.testing.assert_allclose(end, posterior, atol=1e-12)


def test_soft_votes_are_shared_out_to_labels_where_nothing_else_is_known() -> None:
    given = case(0)
    dense, few = coded(given)
    shares, codes = given.alphabets[1][:, :3], given.codes[:, 1]
    expected = shares[codes[codes >= 0]].sum(axis=0)
    for votes in (dense, few):
        np.testing.assert_allclose(votes_of_task(votes, 0)[2], expected, atol=1e-9)
        seen = one_hot(votes, np.arange(len(votes.weights))).T @ votes.weights
        np.testing.assert_allclose(seen[6:9], expected, atol=1e-9)
    state_of: Any = np.tile(np.array([0, mw.NOT_APPLICABLE]), (60, 1))
    known = known_counts(coded_rows(layout_of(given, 300), given.codes), state_of, 2.0)
    np.testing.assert_allclose(known.votes[0][2, 0], 2.0 * expected, atol=1e-9)
