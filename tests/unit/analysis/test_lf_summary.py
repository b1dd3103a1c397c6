"""Summaries of labeling functions against counting pair by pair."""

from itertools import product
from typing import Any

import numpy as np
import polars as pl
import pytest

import metalwork as mw
from metalwork.analysis import _lf_counts
from metalwork.errors import VotesError

SECTORS = {
    "task": "sector",
    "labels": [
        {"Corporate": {"task": "corporate", "labels": ["Performance", "Funding"]}},
        {"Markets": {"task": "markets", "labels": ["Money", "Commodity"]}},
    ],
}
UNEVEN = {
    "task": "a",
    "labels": [
        "a0",
        {"a1": {"task": "b", "labels": [{"b0": {"task": "c", "labels": ["c0", "c1", "c2"]}}, "b1"]}},
        {"a2": {"task": "d", "labels": ["d0", "d1"]}},
    ],
}


def random_votes(tree: dict[str, Any], n_points: int, n_lfs: int, seed: int) -> mw.LabelMatrix:
    schema = mw.TaskSchema.from_dict(tree)
    rng = np.random.default_rng(seed)
    tasks = [schema.tasks[t] for t in rng.integers(0, schema.n_tasks, n_lfs)]
    columns = [rng.integers(0, len(schema.labels(task)), n_points) for task in tasks]
    codes = np.where(rng.random((n_points, n_lfs)) < 0.3, np.stack(columns, axis=1), -1)
    return mw.LabelMatrix(codes, schema, tasks)


def admitted(votes: mw.LabelMatrix, i: int, j: int) -> set[int]:
    """The end labels that the vote of LF ``j`` on record ``i`` admits."""
    return set(np.flatnonzero(votes.schema.members(votes.tasks[j])[votes.codes[i, j]]).tolist())


def share(votes: mw.LabelMatrix, j: int, same_task: bool, conflict: bool) -> float:
    """Overlap or conflict of LF ``j``, by looking at every pair of votes."""
    others = [k for k in range(votes.n_lfs) if k != j and (votes.tasks[k] == votes.tasks[j] or not same_task)]
    hits = 0
    for i in range(votes.n_points):
        if votes.codes[i, j] >= 0:
            pairs = [k for k in others if votes.codes[i, k] >= 0]
            hits += any(not conflict or not admitted(votes, i, j) & admitted(votes, i, k) for k in pairs)
    return hits / votes.n_points


@pytest.mark.parametrize("tree", [SECTORS, UNEVEN], ids=["sectors", "uneven"])
@pytest.mark.parametrize("seed", range(4))
def test_overlap_and_conflict_equal_those_of_all_pairs(
    tree: dict[str, Any], seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_lf_counts, "_CHUNK", 17)
    votes = random_votes(tree, 50, 7, seed)
    for j, row in enumerate(mw.lf_summary(votes).rows):
        assert row.coverage == np.mean(votes.codes[:, j] >= 0)
        assert row.overlap == share(votes, j, same_task=False, conflict=False)
        assert row.conflict == share(votes, j, same_task=False, conflict=True)
        assert row.task_overlap == share(votes, j, same_task=True, conflict=False)
        assert row.task_conflict == share(votes, j, same_task=True, conflict=True)


def test_a_vote_and_one_below_it_overlap_without_conflict() -> None:
    schema = mw.TaskSchema.from_dict(SECTORS)
    tasks = ["sector", "markets", "corporate"]
    rows = mw.lf_summary(mw.LabelMatrix([[1, 0, -1]], schema, tasks)).rows
    assert [(row.overlap, row.conflict) for row in rows] == [(1, 0), (1, 0), (0, 0)]
    rows = mw.lf_summary(mw.LabelMatrix([[1, 0, 1]], schema, tasks)).rows
    assert [(row.overlap, row.conflict) for row in rows] == [(1, 1), (1, 1), (1, 1)]
    assert [row.task_overlap for row in rows] == [0, 0, 0]


@pytest.mark.parametrize("seed", range(3))
def test_precision_and_off_branch_equal_those_counted_by_hand(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_lf_counts, "_CHUNK", 11)
    votes = random_votes(UNEVEN, 60, 6, seed)
    y = np.random.default_rng(seed).integers(-1, votes.schema.n_end_labels, 60)
    summary = mw.lf_summary(votes, y)
    assert summary.n_gold == (y >= 0).sum()
    for j, row in enumerate(summary.rows):
        expected = [votes.schema.task_codes[e, votes.schema.task_index(row.task)] if e >= 0 else None for e in y]
        cast = [
            (v, t) for v, t in zip(votes.codes[:, j].tolist(), expected, strict=True) if v >= 0 and t is not None
        ]
        assert row.n_scored == len(cast)
        assert row.precision == (np.mean([v == t for v, t in cast]) if cast else None)
        assert row.off_branch == (np.mean([t < 0 for _, t in cast]) if cast else None)


def test_a_vote_off_its_branch_is_wrong() -> None:
    schema = mw.TaskSchema.from_dict(SECTORS)
    y = ["Funding"] * 3 + ["Money"] * 6
    row = mw.lf_summary(mw.LabelMatrix([[1]] * 9, schema, ["corporate"]), y).rows[0]
    assert (row.n_scored, row.precision, row.off_branch) == (9, 1 / 3, 2 / 3)


def test_gold_may_be_names_with_gaps() -> None:
    schema = mw.TaskSchema.from_dict(SECTORS)
    votes = mw.LabelMatrix([[0], [0], [0], [1]], schema, ["corporate"])
    row = mw.lf_summary(votes, ["Performance", None, "Money", "Performance"]).rows[0]
    assert (row.n_scored, row.precision, row.off_branch) == (3, 1 / 3, 1 / 3)


def test_votes_below_what_is_known_are_not_scored() -> None:
    schema = mw.TaskSchema.from_dict(SECTORS)
    votes = mw.LabelMatrix([[1, 0, 0], [1, 0, 0], [1, 0, 0]], schema, ["sector", "markets", "corporate"])
    summary = mw.lf_summary(votes, ["Markets", "Money", None])
    assert summary.n_gold == 2
    assert [(row.n_scored, row.precision) for row in summary.rows] == [(2, 1.0), (1, 1.0), (2, 0.0)]
    assert [row.off_branch for row in summary.rows] == [0.0, 0.0, 1.0]


def test_polarity_errors_and_learned_accuracy_stand_in_the_row() -> None:
    schema = mw.TaskSchema.flat(["ham", "spam"])
    votes = mw.LabelMatrix([[1, -1], [1, -1]], schema, names=["url", "silent"], errors=[0, 2])
    url, silent = mw.lf_summary(votes, accuracies=[0.9, np.nan]).rows
    assert (url.polarity, url.n_votes, url.n_errors, url.learned_accuracy) == (("spam",), 2, 0, 0.9)
    assert (silent.polarity, silent.n_votes, silent.n_errors, silent.learned_accuracy) == ((), 0, 2, None)


def test_tasks_are_summarised_by_record() -> None:
    schema = mw.TaskSchema.from_dict(SECTORS)
    codes = [[0, 0, -1], [0, 1, -1], [-1, -1, 1], [-1, -1, -1]]
    summary = mw.lf_summary(
        mw.LabelMatrix(codes, schema, ["sector", "sector", "markets"]), ["Funding", "Money", "Money", "Money"]
    )
    sector, corporate, markets = summary.tasks
    assert (sector.n_lfs, sector.coverage, sector.overlap, sector.conflict) == (2, 0.5, 0.5, 0.25)
    assert (sector.n_scored, sector.precision, sector.off_branch) == (4, 0.75, 0.0)
    assert (corporate.n_lfs, corporate.coverage, corporate.precision) == (0, 0.0, None)
    assert (markets.coverage, markets.precision) == (0.25, 0.0)


def test_frames_have_the_same_columns_whatever_is_known() -> None:
    votes = random_votes(SECTORS, 9, 3, 0)
    frame = mw.lf_summary(votes).to_frame()
    assert frame.schema == mw.lf_summary(votes, [0] * 9, [0.5] * 3).to_frame().schema
    assert frame.schema["polarity"] == pl.List(pl.String)
    assert frame.height == 3
    assert mw.lf_summary(votes).by_task()["task"].to_list() == ["sector", "corporate", "markets"]
    assert mw.lf_summary(votes.lfs([])).to_frame().schema == frame.schema


def test_frames_take_the_precision_on_other_splits_beside() -> None:
    schema = mw.TaskSchema.from_dict(SECTORS)
    votes = mw.LabelMatrix([[0], [0]], schema, ["corporate"], ["calls"])
    dev = mw.lf_summary(votes, ["Performance", "Money"])
    row = mw.lf_summary(votes).to_frame({"dev": dev}).row(0, named=True)
    assert (row["precision"], row["n_scored"]) == (None, 0)
    assert (row["dev_n_scored"], row["dev_precision"], row["dev_off_branch"]) == (2, 0.5, 0.5)
    other = mw.lf_summary(mw.LabelMatrix([[0]], schema, ["corporate"], ["phones"]))
    with pytest.raises(
        VotesError, match=r"^known\['dev'\] must be a summary of the same LFs; its names differ\.$"
    ):
        other.to_frame({"dev": dev})


def test_it_prints_as_a_table() -> None:
    schema = mw.TaskSchema.flat(["ham", "spam"])
    votes = mw.LabelMatrix([[1, 0], [1, -1]], schema, names=["[bold]url", "greeting"])
    assert str(mw.lf_summary(votes, [1, 1])) == (
        "name       task   polarity  coverage  overlap  conflict  n errors  n scored  precision  off branch\n"
        "[bold]url  label  spam         1.000    0.500     0.500         0         2      1.000       0.000\n"
        "greeting   label  ham          0.500    0.500     0.500         0         1      0.000       0.000"
    )


@pytest.mark.parametrize("shape", [(0, 2), (1, 1), (3, 0)])
def test_matrices_without_rows_or_lfs_are_summarised(shape: tuple[int, int]) -> None:
    votes = mw.LabelMatrix(np.full(shape, -1), mw.TaskSchema.flat(["a", "b"]))
    summary = mw.lf_summary(votes, [0] * shape[0])
    assert [row.coverage for row in summary.rows] == [0.0] * shape[1]
    assert summary.tasks[0].precision is None


def test_the_summary_does_not_depend_on_the_order_of_rows_or_lfs() -> None:
    votes = random_votes(UNEVEN, 80, 8, 5)
    y = np.random.default_rng(5).integers(0, votes.schema.n_end_labels, 80)
    rows, columns = np.random.default_rng(6).permutation(80), np.random.default_rng(7).permutation(8)
    turned = mw.lf_summary(votes.rows(rows).lfs(columns), y[rows])
    straight = mw.lf_summary(votes, y)
    assert [turned.rows[k] for k in np.argsort(columns)] == list(straight.rows)
    assert turned.tasks == straight.tasks


BAD: list[tuple[dict[str, Any], str]] = [
    ({"y": [0]}, "y must hold one label a record (2); got 1."),
    ({"accuracies": [0.5, 0.5]}, "accuracies must hold one number an LF (1); got shape (2,)."),
    ({"accuracies": [1.5]}, "accuracies must be in [0, 1]; got 1.5 at position 0."),
]


@pytest.mark.parametrize(("arguments", "message"), BAD)
def test_arguments_that_do_not_fit_are_named(arguments: dict[str, Any], message: str) -> None:
    votes = mw.LabelMatrix([[0], [1]], mw.TaskSchema.flat(["a", "b"]))
    with pytest.raises(VotesError) as caught:
        mw.lf_summary(votes, **arguments)
    assert str(caught.value) == message


def test_intervals_conflict_exactly_when_no_end_label_is_shared() -> None:
    """The interval rule that the counts rest on, over all pairs of labels of an uneven tree."""
    schema = mw.TaskSchema.from_dict(UNEVEN)
    labels = [(task, code) for task in schema.tasks for code in range(len(schema.labels(task)))]
    for (t1, c1), (t2, c2) in product(labels, labels):
        votes = mw.LabelMatrix([[c1, c2]], schema, [t1, t2])
        disjoint = not admitted(votes, 0, 0) & admitted(votes, 0, 1)
        assert [row.conflict for row in mw.lf_summary(votes).rows] == [disjoint, disjoint]


def alphabet_votes(seed: int) -> mw.LabelMatrix:
    """Plain votes, sets with and without what lies off the branch, and soft votes, on an uneven tree."""
    plain, rng = random_votes(UNEVEN, 40, 4, seed), np.random.default_rng(seed)
    sets = np.array([[1, 1, 0, np.nan], [0, 1, 1, np.nan], [1, 0, 0, np.nan]])
    off_branch = np.array([[1.0, 0, 1], [0, 1, np.nan], [0, 0, 1]])
    codes = np.where(rng.random((40, 4)) < 0.4, rng.integers(0, 3, (40, 4)), -1)
    names = ["set", "other", "soft", "again"]
    soft = np.array([[0.7, 0.3, np.nan], [1, 0, np.nan], [0.2, 0.8, np.nan]])
    outcomes = {"set": sets, "other": off_branch, "soft": soft, "again": sets[:, [1, 0, 2, 3]]}
    return mw.LabelMatrix.beside(
        [plain, mw.LabelMatrix(codes, plain.schema, ["c", "b", "d", "a"], names, outcomes=outcomes)]
    )


@pytest.mark.parametrize("seed", range(4))
def test_sets_and_soft_votes_conflict_where_no_end_label_has_a_share_in_both(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_lf_counts, "_CHUNK", 17)
    votes = alphabet_votes(seed)
    codes = votes.schema.task_codes

    def admits(i: int, j: int) -> set[int]:
        states = codes[:, votes.schema.task_index(votes.tasks[j])]
        return set(
            np.flatnonzero(
                votes.alphabets[j].rows[votes.codes[i, j]][np.where(states < 0, -1, states)] > 0
            ).tolist()
        )

    for j, row in enumerate(mw.lf_summary(votes).rows):
        pairs = [
            (i, [k for k in range(votes.n_lfs) if k != j and votes.codes[i, k] >= 0])
            for i in range(votes.n_points)
            if votes.codes[i, j] >= 0
        ]
        clashes = [[k for k in others if not admits(i, j) & admits(i, k)] for i, others in pairs]
        same = [[k for k in found if votes.tasks[k] == votes.tasks[j]] for found in clashes]
        assert row.overlap == sum(bool(others) for _, others in pairs) / votes.n_points
        assert row.conflict == sum(map(bool, clashes)) / votes.n_points
        assert row.task_conflict == sum(map(bool, same)) / votes.n_points


@pytest.mark.parametrize("seed", range(2))
def test_a_vote_is_right_by_the_share_of_the_true_state(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_lf_counts, "_CHUNK", 11)
    votes = alphabet_votes(seed)
    y = np.random.default_rng(seed).integers(-1, votes.schema.n_end_labels, 40)
    for j, row in enumerate(mw.lf_summary(votes, y).rows):
        states = votes.schema.task_codes[:, votes.schema.task_index(row.task)]
        known = [i for i in range(40) if y[i] >= 0 and votes.codes[i, j] >= 0]
        shares = np.array([votes.alphabets[j].rows[votes.codes[i, j], max(states[y[i]], -1)] for i in known])
        assert row.n_scored == len(known)
        assert row.precision == (pytest.approx(np.nan_to_num(shares).mean()) if known else None)
        assert row.off_branch == (pytest.approx(np.isnan(shares).mean()) if known else None)


def test_sets_and_soft_votes_have_names() -> None:
    schema = mw.TaskSchema.flat(["ham", "spam", "eggs"])
    rows = [[0.8, 0.1, 0.1], [0.2, 0.6, 0.2], [0.1, 0.9, 0.0], [0.0, 1.0, 0.0]]
    soft = mw.LabelMatrix.from_soft([np.array(rows)], schema, names=["model"])
    sets = mw.LabelMatrix(
        [[0], [1], [-1], [0]], schema, names=["rule"], outcomes={"rule": [[1, 1, 0, np.nan], [0, 0, 1, np.nan]]}
    )
    model, rule = mw.lf_summary(mw.LabelMatrix.beside([soft, sets])).rows
    assert model.polarity == ("spam", "ham 0.8", "spam 0.6 to 0.9")
    assert rule.polarity == ("not eggs", "eggs")


def test_equal_plain_alphabets_count_as_plain_votes_do() -> None:
    votes = random_votes(UNEVEN, 60, 6, 0)
    doubled = {  # each label twice: no longer the plain alphabet, but the same votes
        name: np.concatenate([votes.alphabets[j].rows] * 2) for j, name in enumerate(votes.names)
    }
    same = mw.LabelMatrix(votes.codes, votes.schema, votes.tasks, votes.names, outcomes=doubled)
    y = np.random.default_rng(1).integers(-1, votes.schema.n_end_labels, 60)
    assert mw.lf_summary(same, y) == mw.lf_summary(votes, y)
