"""Relative states say what all states say: E-step, posterior and known counts against tables of every state."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest

import metalwork as mw
from metalwork.inference import (
    INSIDE,
    OFF,
    OUTSIDE,
    CodedVotes,
    EndPosteriors,
    Floats,
    Packing,
    SuffStats,
    Tree,
    code_few,
    code_votes,
    code_words,
    distinct_words,
    end_posterior_of_keys,
    expected_counts,
    factors_of_votes,
    key_blocks,
    known_counts,
    pack,
    packing,
    tasks_of,
    weigh,
)

BROAD: dict[str, Any] = {
    "task": "r",
    "labels": [
        "x",
        {"a": {"task": "a", "labels": ["a1", "a2", {"a3": {"task": "d", "labels": ["d1", "d2"]}}, "a4"]}},
        {"b": {"task": "b", "labels": ["b1", {"b2": {"task": "e", "labels": ["e1", "e2", "e3"]}}]}},
        "y",
        {"c": {"task": "c", "labels": ["c1", "c2", "c3", "c4", "c5"]}},
    ],
}
TREES = {"flat": {"task": "only", "labels": list("abcdefgh")}, "broad": BROAD}
SET = np.array([[1.0, 1.0, np.nan], [0.0, 1.0, 0.0]])


class Votes(NamedTuple):
    """The same votes with all states, with relative ones by keys, and with these as votes alone."""

    every: CodedVotes
    relative: CodedVotes
    few: CodedVotes


def by_every_state(values: Floats, n_labels: int) -> Floats:
    """A table (n_lfs, 3, n_outcomes + 1) of relative states as one of every state."""
    found = np.repeat(values[:, OUTSIDE, None, :], n_labels + 1, axis=1)
    found[:, n_labels] = values[:, OFF]
    label = np.arange(n_labels)
    found[:, label, label] = values[:, INSIDE, :n_labels]
    return found


def simulated(schema: mw.TaskSchema, n_lfs: int, coverage: float) -> tuple[npt.NDArray[np.int64], list[Any], Any]:
    """Codes, the LFs of each task, and alphabets; the last task has no LF, those of two labels also sets."""
    rng = np.random.default_rng(n_lfs)
    sizes = np.array(schema.n_labels)
    task = np.sort(rng.integers(max(1, schema.n_tasks - 1), size=n_lfs))
    codes = rng.integers(sizes[task], size=(300, n_lfs))
    codes[rng.random(codes.shape) > coverage] = mw.ABSTAIN
    alphabets = {int(lf): SET for lf in np.flatnonzero(sizes[task] == 2)[:1]}
    return codes, [np.flatnonzero(task == t) for t in range(schema.n_tasks)], alphabets


def in_three_forms(schema: mw.TaskSchema, coverage: float, monkeypatch: pytest.MonkeyPatch) -> Votes:
    codes, lfs_of_task, alphabets = simulated(schema, 19, coverage)

    def layout(most_keys: int) -> Packing:
        return packing(lfs_of_task, schema.n_labels, most_keys, alphabets)

    words, counts = distinct_words(pack(codes, layout(200)))
    weights = counts * np.random.default_rng(0).uniform(0.5, 2.0, len(counts))
    every = code_words(layout(200), words.copy(), weights)
    monkeypatch.setattr("metalwork.inference._outcomes.MOST_CELLS", 0)
    words, _ = distinct_words(pack(codes, layout(200)))
    relative = code_words(layout(200), words.copy(), weights)
    return Votes(every, relative, code_few(layout(200), words, weights, layout(1)))


def random_tables(votes: Votes, seed: int) -> tuple[list[Floats], list[Floats], list[Floats]]:
    """Tables of every state, the same in relative ones, and a log prior."""
    rng = np.random.default_rng(seed)
    every, relative = [], []
    for task in votes.relative.tasks:
        n_states, n_outcomes = task.outcomes.member.shape[1:]
        table = rng.normal(0, 1.5, (len(task.lfs), n_states, n_outcomes + 1))
        if task.relative:
            table[:, INSIDE, -1] = table[:, OUTSIDE, -1]
        relative.append(table)
        every.append(by_every_state(table, task.n_labels) if task.relative else table)
    return every, relative, [np.log(rng.dirichlet(np.ones(task.n_labels))) for task in votes.every.tasks]


def seen_from_votes(counts: SuffStats, tasks: Sequence[Any]) -> list[Floats]:
    """Votes by every state as votes by what the relative tasks tell apart."""
    found = []
    for counted, task in zip(counts.votes, tasks, strict=True):
        k = task.n_labels
        if not task.relative:
            found.append(counted)
            continue
        inside, off = counted[:, np.arange(k), np.arange(k)], counted[:, k]
        found.append(np.stack([inside, counted.sum(axis=1) - inside - off, off], axis=1))
    return found


@pytest.mark.parametrize("coverage", [0.02, 0.4, 1.0])
@pytest.mark.parametrize("name", list(TREES))
def test_expected_counts(name: str, coverage: float, monkeypatch: pytest.MonkeyPatch) -> None:
    schema = mw.TaskSchema.from_dict(TREES[name])
    tree, votes = Tree.of(schema), in_three_forms(schema, coverage, monkeypatch)
    assert any(task.relative for task in votes.few.tasks)
    assert not any(task.relative for task in votes.every.tasks)
    every, relative, log_prior = random_tables(votes, 1)
    exact = expected_counts(tree, votes.every, every, log_prior)
    for coded in (votes.relative, votes.few):
        found = expected_counts(tree, coded, relative, log_prior)
        assert found.log_evidence == pytest.approx(exact.log_evidence, rel=1e-12)
        for one, two in zip(found.labels, exact.labels, strict=True):
            np.testing.assert_allclose(one, two, atol=1e-8)
        for one, two in zip(found.votes, seen_from_votes(exact, coded.tasks), strict=True):
            np.testing.assert_allclose(one, two, atol=1e-8)


@pytest.mark.parametrize("name", list(TREES))
def test_posterior_and_known_counts(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    schema = mw.TaskSchema.from_dict(TREES[name])
    tree, votes = Tree.of(schema), in_three_forms(schema, 0.4, monkeypatch)
    every, relative, log_prior = random_tables(votes, 2)
    monkeypatch.undo()
    codes, lfs_of_task, alphabets = simulated(schema, 19, 0.4)
    state_of = schema.task_codes[np.random.default_rng(3).integers(schema.n_end_labels, size=len(codes))]

    def looked_at(tables: Sequence[Floats]) -> tuple[Floats, SuffStats, Any]:
        layout = packing(lfs_of_task, schema.n_labels, alphabets=alphabets)
        ((_, keys),) = key_blocks(codes, layout)
        keys = [key.astype(np.intp) for key in keys]
        weights = weigh(tree, tasks_of(layout), layout.groups, tables, log_prior)
        counts = known_counts(code_votes(layout, codes), state_of, 2.0)
        return end_posterior_of_keys(tree, weights, keys), counts, tasks_of(layout)

    posterior, counts, _ = looked_at(every)
    monkeypatch.setattr("metalwork.inference._outcomes.MOST_CELLS", 0)
    found = looked_at(relative)
    np.testing.assert_allclose(found[0], posterior, atol=1e-13)
    for one, two in zip(found[1].labels, counts.labels, strict=True):
        np.testing.assert_allclose(one, two)
    for one, two in zip(found[1].votes, seen_from_votes(counts, found[2]), strict=True):
        np.testing.assert_allclose(one, two)


def test_factors_of_votes_are_rows_of_the_table_of_every_state() -> None:
    rng = np.random.default_rng(0)
    relative = rng.normal(size=(4, 3, 7))
    relative[:, INSIDE, -1] = relative[:, OUTSIDE, -1]
    every = by_every_state(relative, 6)
    assert every.shape == (4, 7, 7)
    np.testing.assert_array_equal(every[:, 6], relative[:, OFF])
    lf, outcome = rng.integers(4, size=50), rng.integers(-1, 6, size=50)
    expected = factors_of_votes(every, lf, outcome, 6)
    np.testing.assert_array_equal(factors_of_votes(relative, lf, outcome, 6), expected)


@pytest.mark.parametrize("name", list(TREES))
def test_posteriors_by_votes_are_those_by_keys_whatever_rows_stand_beside(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = mw.TaskSchema.from_dict(TREES[name])
    tree, votes = Tree.of(schema), in_three_forms(schema, 0.4, monkeypatch)
    every, relative, log_prior = random_tables(votes, 2)
    monkeypatch.undo()
    codes, lfs_of_task, alphabets = simulated(schema, 19, 0.4)
    layout = packing(lfs_of_task, schema.n_labels, alphabets=alphabets)
    expected = EndPosteriors(tree, layout).of(codes, every, log_prior)
    monkeypatch.setattr("metalwork.inference._end_posteriors.MANY_GROUPS", 0)
    monkeypatch.setattr("metalwork.inference._end_posteriors.FEW", 0.5)  # some rows have few votes
    found = [(EndPosteriors(tree, layout), every)]
    monkeypatch.setattr("metalwork.inference._outcomes.MOST_CELLS", 0)
    layout = packing(lfs_of_task, schema.n_labels, alphabets=alphabets)
    found.append((EndPosteriors(tree, layout), relative))
    for posteriors, tables in found:
        end = posteriors.of(codes, tables, log_prior)
        np.testing.assert_allclose(end, expected, atol=1e-12)
        for rows in (slice(0, 1), slice(7, 50)):
            assert (posteriors.of(codes[rows], tables, log_prior) == end[rows]).all()
