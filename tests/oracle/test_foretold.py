"""Votes left out in turn: against the posterior of the records without them, and a majority counted by hand."""

import numpy as np
import numpy.typing as npt
import pytest

import metalwork as mw
from metalwork.inference import (
    CodedVotes,
    Floats,
    Tree,
    code_few,
    code_votes,
    code_words,
    doubts_of_votes,
    end_posterior_of_keys,
    foretold_votes,
    pack,
    packing,
    weigh,
)

K, N_LFS = 3, 5


def drawn(seed: int, coverage: float = 0.6) -> tuple[npt.NDArray[np.int64], Floats, Floats]:
    """Codes (n_points, n_lfs), tables (n_lfs, n_states, n_outcomes + 1) with abstains that tell, log prior."""
    rng = np.random.default_rng(seed)
    codes = np.where(rng.random((40, N_LFS)) < coverage, rng.integers(0, K, (40, N_LFS)), -1)
    tables = np.log(rng.dirichlet(np.ones(K + 1), (N_LFS, K + 1)))
    return codes, tables, np.log(rng.dirichlet(np.ones(K)))


def coded(codes: npt.NDArray[np.int64], few: bool) -> CodedVotes:
    single = packing([np.arange(N_LFS)], (K,), 1, {})
    if few:
        return code_few(single, pack(codes, single), np.ones(len(codes)), single)
    layout = packing([np.arange(N_LFS)], (K,), 50, {})
    return code_words(layout, pack(codes, layout), np.ones(len(codes)))


def left_out(
    codes: npt.NDArray[np.int64], table: Floats, log_prior: Floats
) -> list[tuple[int, int, Floats, Floats]]:
    """Of each vote with others beside it: LF, label, the posterior had it abstained, and how the others voted."""
    tree = Tree.of(mw.TaskSchema.flat([str(i) for i in range(K)]))
    found = []
    for row in codes:
        for lf in np.flatnonzero(row >= 0):
            others = np.delete(row, lf)
            if (others < 0).all():
                continue
            votes = code_votes(packing([np.arange(N_LFS - 1)], (K,), 50, {}), others[None])
            weights = weigh(tree, votes.tasks, votes.groups, [np.delete(table, lf, axis=0)], [log_prior])
            own = np.exp(table[lf, :K, -1])
            posterior = end_posterior_of_keys(tree, weights, votes.keys)[:, 0]
            found.append(
                (
                    int(lf),
                    int(row[lf]),
                    posterior * own,
                    np.bincount(others[others >= 0], minlength=K).astype(np.float64),
                )
            )
    return found


def shared(by: npt.NDArray[np.float64], label: int) -> float:
    return float(by[label] == by.max()) / int((by == by.max()).sum())


@pytest.mark.parametrize("few", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_shares_foretold_by_model_and_majority(seed: int, few: bool) -> None:
    codes, table, log_prior = drawn(seed)
    model, majority = foretold_votes(coded(codes, few), [table], [log_prior])
    votes = left_out(codes, table, log_prior)
    assert model.share == pytest.approx(np.mean([shared(p, label) for _, label, p, _ in votes]))
    assert majority.share == pytest.approx(np.mean([shared(n, label) for _, label, _, n in votes]))
    cast = np.bincount([label for _, label, _, _ in votes], minlength=K) / len(votes)
    said = np.mean([(n == n.max()) / (n == n.max()).sum() for _, _, _, n in votes], axis=0)
    assert majority.beyond_chance == pytest.approx((majority.share - said @ cast) / (1 - said @ cast))


@pytest.mark.parametrize("few", [False, True])
def test_doubts_are_those_of_the_others(few: bool) -> None:
    codes, table, log_prior = drawn(5)
    doubts = doubts_of_votes(coded(codes, few), [table], [log_prior])
    for lf in range(N_LFS):
        right = [p[label] / p.sum() for j, label, p, _ in left_out(codes, table, log_prior) if j == lf]
        assert doubts[lf] == pytest.approx(np.mean([p * (1 - p) for p in right]))


def test_to_say_one_label_always_is_nothing_beyond_chance() -> None:
    codes, table, _ = drawn(7)
    model, _ = foretold_votes(coded(codes, False), [0.0 * table], [np.array([0.0, -50.0, -50.0])])
    assert model.share == pytest.approx(
        (codes[(codes >= 0).sum(axis=1) > 1] == 0).sum() / (codes[(codes >= 0).sum(axis=1) > 1] >= 0).sum()
    )
    assert model.beyond_chance == pytest.approx(0.0)


def test_single_votes_are_foretold_by_nobody() -> None:
    codes = np.full((6, N_LFS), -1)
    codes[np.arange(6), np.arange(6) % N_LFS] = 1
    _, table, log_prior = drawn(0)
    model, majority = foretold_votes(coded(codes, True), [table], [log_prior])
    assert model == majority == (0.0, 0.0)
    assert doubts_of_votes(coded(codes, True), [table], [log_prior]).tolist() == [0.25] * N_LFS
