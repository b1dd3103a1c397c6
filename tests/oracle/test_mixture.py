"""The default model's inference against brute force over all end labels, on random trees.

METALWORK_SLOW=1 checks 10,000 trees of each model; the everyday suite a few hundred.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import metalwork as mw
from metalwork.inference import (
    CodedVotes,
    Tree,
    code_votes,
    expected_counts,
    in_smaller_groups,
    log_likelihood,
    packing,
)
from tests.oracle._enumeration import (
    counts_of,
    log_joint_of_mixture,
    n_outcomes,
    posterior_of,
    random_alphabet,
    random_schema,
)
from tests.slow import cases

pytestmark = pytest.mark.filterwarnings("ignore:No (LF|record):metalwork.errors.MetalworkWarning")

Floats = npt.NDArray[np.float64]
AnyFloats = npt.NDArray[np.floating[Any]]


def random_votes(rng: np.random.Generator, n_points: int = 5) -> mw.LabelMatrix:
    """Votes of up to six LFs on a random tree; some tasks have none, some rows repeat, some abstain throughout.

    On every other tree, some of the LFs vote for sets of labels or softly.
    """
    schema = random_schema(rng, max_tasks=6, max_labels=4)
    tasks = [schema.tasks[t] for t in rng.integers(schema.n_tasks, size=int(rng.integers(0, 7)))]
    sizes = {f"lf_{j}": len(schema.labels(task)) for j, task in enumerate(tasks)}
    beyond = {lf: random_alphabet(rng, k) for lf, k in sizes.items() if rng.random() < 0.5}
    outcomes = beyond if rng.random() < 0.5 else {}
    columns = [rng.integers(-1, len(outcomes.get(lf, range(k))), n_points) for lf, k in sizes.items()]
    codes = np.stack(columns, axis=1) if columns else np.empty((n_points, 0), int)
    codes[-1] = codes[0]
    codes[1] = -1
    return mw.LabelMatrix(codes, schema, tasks, outcomes=outcomes)


def random_parameters(
    rng: np.random.Generator, votes: mw.LabelMatrix, spread: float
) -> tuple[list[Floats], list[Floats]]:
    """Normalised vote tables and log branch probabilities, from mild (1) to extreme (30)."""
    tables, log_prior = [], []
    for task, k in zip(votes.schema.tasks, votes.schema.n_labels, strict=True):
        raw = rng.normal(0, spread, (len(votes.lfs_of(task)), k + 1, n_outcomes(votes, task) + 1))
        tables.append(raw - np.logaddexp.reduce(raw, axis=2, keepdims=True))
        prior = rng.normal(0, spread, k)
        log_prior.append(prior - np.logaddexp.reduce(prior))
    return tables, log_prior


def coded(votes: mw.LabelMatrix, most_keys: int) -> CodedVotes:
    """The votes as inference takes them, in groups of at most ``most_keys`` keys."""
    lfs = [np.asarray(votes.lfs_of(task), dtype=np.int64) for task in votes.schema.tasks]
    alphabets = {votes.names.index(lf): rows for lf, rows in votes.outcomes.items()}
    return code_votes(packing(lfs, votes.schema.n_labels, most_keys, alphabets), votes.codes)


def assert_same(found: AnyFloats, exact: AnyFloats, tolerance: float) -> None:
    """Equal within ``tolerance``, relative; below 1e-250, where float64 runs out of digits, both are tiny."""
    np.testing.assert_allclose(found, exact, rtol=tolerance, atol=1e-250)


def check(seed: int, spread: float = 1.5, tolerance: float = 1e-12) -> None:
    """Posterior, log likelihood and expected counts of one random model against enumeration."""
    rng = np.random.default_rng(seed)
    votes = random_votes(rng)
    tables, log_prior = random_parameters(rng, votes, spread)
    posterior, evidence = posterior_of(log_joint_of_mixture(votes, tables, log_prior))
    model = mw.HierarchicalLabelModel(votes.schema, kind="independent").fit(votes)
    model.tables_, model.log_prior_ = tables, log_prior
    probs = model.predict_proba(votes)
    assert_same(probs.end, posterior, tolerance)
    np.testing.assert_allclose(probs.end.sum(axis=1), 1.0, rtol=1e-14)
    for task in votes.schema.tasks:
        assert_same(probs[task], posterior @ votes.schema.members(task).T, tolerance)
    expected = expected_counts(
        Tree.of(votes.schema), coded(votes, int(rng.choice([1, 30, 1 << 16]))), tables, log_prior
    )
    np.testing.assert_allclose(log_likelihood(expected, tables), evidence, rtol=tolerance, atol=1e-12)
    labels, spoken = counts_of(votes, posterior)
    for found, exact in [*zip(expected.labels, labels, strict=True), *zip(expected.votes, spoken, strict=True)]:
        np.testing.assert_allclose(found, exact, rtol=tolerance, atol=1e-12)


@pytest.mark.parametrize("block", range(10))
def test_posterior_likelihood_and_counts_equal_enumeration(block: int) -> None:
    for seed in cases(300, 10_000)[block::10]:
        check(seed)


def test_extreme_parameters_stay_exact() -> None:
    for seed in cases(40, 1_000):
        check(10_000 + seed, spread=30.0, tolerance=1e-11)


def test_the_check_fails_on_a_wrong_posterior(monkeypatch: pytest.MonkeyPatch) -> None:
    right = mw.HierarchicalLabelModel._posterior

    def slightly_wrong(self: mw.HierarchicalLabelModel, votes: mw.LabelMatrix) -> Any:
        end = right(self, votes)
        end[0] *= 1 + 1e-9
        return end

    monkeypatch.setattr(mw.HierarchicalLabelModel, "_posterior", slightly_wrong)
    with pytest.raises(AssertionError, match="Not equal to tolerance rtol=1e-12"):
        check(0)


def test_smaller_groups_count_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metalwork.inference._packing._LEAST_KEYS", 4)
    for seed in cases(30, 300):
        rng = np.random.default_rng(seed)
        votes = random_votes(rng)
        tables, log_prior = random_parameters(rng, votes, 1.5)
        large = coded(votes, 1 << 16)
        small = in_smaller_groups(large)
        tree = Tree.of(votes.schema)
        exact, found = (expected_counts(tree, part, tables, log_prior) for part in (large, small))
        assert found.log_evidence == pytest.approx(exact.log_evidence, rel=1e-12, abs=1e-12)
        for one, two in zip([*found.labels, *found.votes], [*exact.labels, *exact.votes], strict=True):
            np.testing.assert_allclose(one, two, atol=1e-12)
