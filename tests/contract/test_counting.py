"""Counting votes: chunked is whole, whatever the order, and a bounded count is a fixed sample of rows."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import metalwork as mw
from metalwork.errors import DataError, VotesError
from metalwork.inference import packing
from metalwork.label_models import VoteShards, _e_step, label_shards
from metalwork.label_models._counting import RowCounts

pytestmark = pytest.mark.filterwarnings("ignore:No (LF|record):metalwork.errors.MetalworkWarning")

SCHEMA = mw.TaskSchema.from_dict(
    {
        "task": "root",
        "labels": [
            "x",
            {"a": {"task": "a", "labels": ["a1", "a2", "a3"]}},
            {"b": {"task": "b", "labels": ["b1", "b2"]}},
        ],
    }
)
TASKS = ["root", "a", "b", "a", "root", "b", "root", "a", "b", "a"]


def sample(n_points: int = 6_000, seed: int = 0) -> mw.LabelMatrix:
    """LFs that know the label on half of the records where their task applies."""
    rng = np.random.default_rng(seed)
    gold = rng.integers(SCHEMA.n_end_labels, size=n_points)
    truth = SCHEMA.task_codes[gold][:, [SCHEMA.task_index(task) for task in TASKS]]
    sizes = np.array([len(SCHEMA.labels(task)) for task in TASKS])
    noise = rng.integers(sizes, size=truth.shape)
    votes = np.where((truth >= 0) & (rng.random(truth.shape) < 0.7), truth, noise)
    silent = rng.random(truth.shape) < np.where(truth >= 0, 0.5, 0.9)
    return mw.LabelMatrix(np.where(silent, mw.ABSTAIN, votes), SCHEMA, TASKS)


def fitted(model: mw.HierarchicalLabelModel) -> dict[str, Any]:
    """Everything a fit leaves behind."""
    return {name: value for name, value in vars(model).items() if name.endswith("_")}


def flat(value: Any) -> Any:
    """Lists and dicts of arrays as one array."""
    value = list(value.values()) if isinstance(value, dict) else value
    return np.concatenate(value, axis=None) if isinstance(value, list) and value else np.asarray(value)


def assert_same_bits(first: mw.HierarchicalLabelModel, second: mw.HierarchicalLabelModel) -> None:
    one, two = fitted(first), fitted(second)
    assert one.keys() == two.keys()
    for name, value in one.items():
        np.testing.assert_array_equal(flat(value), flat(two[name]), err_msg=name)


def in_chunks(votes: mw.LabelMatrix, size: int) -> Iterator[mw.LabelMatrix]:
    for start in range(0, votes.n_points, size):
        yield votes.rows(slice(start, start + size))


def test_the_comparison_of_bits_fails() -> None:
    votes = sample(300)
    model = mw.HierarchicalLabelModel(SCHEMA).fit(votes)
    other = mw.HierarchicalLabelModel(SCHEMA).fit(votes.rows(slice(1, None)))
    with pytest.raises(AssertionError):
        assert_same_bits(model, other)


@pytest.mark.parametrize("size", [1, 7, 1_000, 5_999])
def test_chunked_is_whole_in_any_order(size: int) -> None:
    votes = sample(6_000 if size > 10 else 500)
    whole = mw.HierarchicalLabelModel(SCHEMA).fit(votes)
    shuffled = votes.rows(np.random.default_rng(size).permutation(votes.n_points))
    assert_same_bits(whole, mw.HierarchicalLabelModel(SCHEMA).fit(shuffled))
    assert_same_bits(whole, mw.HierarchicalLabelModel(SCHEMA).fit_parts(in_chunks(shuffled, size)))
    chunked = [whole.predict_proba(part).end for part in in_chunks(votes, size)]
    assert (np.concatenate(chunked) == whole.predict_proba(votes).end).all()


@pytest.mark.parametrize("kind", ["rules", "independent"])
def test_beyond_the_sample_all_rows_decide(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    votes = sample(20_000)
    exact = mw.HierarchicalLabelModel(SCHEMA, kind=kind).fit(votes)
    monkeypatch.setattr(_e_step, "EM_ROWS", 2_000)
    model = mw.HierarchicalLabelModel(SCHEMA, kind=kind).fit(votes)
    few = mw.HierarchicalLabelModel(SCHEMA, kind=kind).fit(votes.rows(slice(2_000)))
    found, truth, sampled = (np.exp(flat(m.tables_)) for m in (model, exact, few))
    assert np.abs(found - truth).max() < 0.1
    assert np.abs(found - truth).max() < 0.5 * np.abs(sampled - truth).max()
    shuffled = votes.rows(np.random.default_rng(1).permutation(votes.n_points))
    other = mw.HierarchicalLabelModel(SCHEMA, kind=kind).fit_parts(in_chunks(shuffled, 3_001))
    assert_same_bits(model, other)


def test_partial_fit_learns_when_asked() -> None:
    votes = sample(2_000)
    whole = mw.HierarchicalLabelModel(SCHEMA).fit(votes)
    model = mw.HierarchicalLabelModel(SCHEMA)
    for part in in_chunks(votes, 700):
        assert model.partial_fit(part) is model
    assert not hasattr(model, "tables_")
    assert (model.predict_proba(votes).end == whole.predict_proba(votes).end).all()
    assert_same_bits(model, whole)
    both = mw.HierarchicalLabelModel(SCHEMA).fit(mw.LabelMatrix.concatenate([votes, votes]))
    assert_same_bits(model.partial_fit(votes).refit(), both)
    assert_same_bits(model.fit(votes), whole)


@pytest.mark.filterwarnings("ignore:Dev labels contradict:metalwork.errors.MetalworkWarning")
def test_prior_and_dev_labels_reach_a_refit() -> None:
    votes, prior, dev = sample(500), [0.5, 0.1, 0.1, 0.1, 0.1, 0.1], (sample(20, 1), [0, 1, 2, 3, 4] * 4)
    whole = mw.HierarchicalLabelModel(SCHEMA).fit(votes, prior, dev)
    assert_same_bits(whole, mw.HierarchicalLabelModel(SCHEMA).partial_fit(votes).refit(prior, dev))


def test_a_loaded_model_predicts_without_its_counts(tmp_path: Path) -> None:
    votes = sample(200)
    model = mw.HierarchicalLabelModel(SCHEMA).partial_fit(votes)
    model.save(tmp_path / "model.npz")
    loaded = mw.load_label_model(tmp_path / "model.npz")
    assert (loaded.predict_proba(votes).end == model.predict_proba(votes).end).all()


def test_mistakes() -> None:
    votes = sample(50)
    model = mw.HierarchicalLabelModel(SCHEMA)
    with pytest.raises(VotesError, match=r"^votes must hold at least one record; got none\.$"):
        model.refit()
    with pytest.raises(VotesError, match=r"^votes must hold at least one record; got none\.$"):
        model.fit_parts([])
    model.partial_fit(votes)
    text = r"^votes must come from the LFs counted so far, in their order; they differ\.$"
    with pytest.raises(VotesError, match=text):
        model.partial_fit(votes.lfs(range(5)))


def counts(votes: mw.LabelMatrix, most_rows: int, parts: int = 1) -> RowCounts:
    layout = packing([np.array(votes.lfs_of(task), np.int64) for task in SCHEMA.tasks], SCHEMA.n_labels)
    found = RowCounts(layout, most_rows)
    for part in np.array_split(votes.codes, parts):
        found.add(part)
    return found


@pytest.mark.parametrize("most_rows", [1, 50, 700, 10**6])
def test_a_bounded_count_depends_on_content_only(most_rows: int) -> None:
    votes = sample(4_000)
    shuffled = votes.rows(np.random.default_rng(3).permutation(votes.n_points))
    whole, parted = counts(votes, most_rows).coded(), counts(shuffled, most_rows, 13).coded()
    assert (whole.weights == parted.weights).all()
    for first, second in zip(whole.keys, parted.keys, strict=True):
        assert (first == second).all()
    assert len(whole.weights) <= most_rows
    assert whole.weights.sum() == pytest.approx(4_000)


def test_a_bounded_count_stays_close_to_the_whole() -> None:
    votes = sample(20_000)
    whole, some = counts(votes, 10**6).coded(), counts(votes, 1_000).coded()
    assert len(whole.weights) > 4_000
    for group, everything, sampled in zip(whole.groups, whole.totals, some.totals, strict=True):
        silent = np.array([total[0] for total in (everything, sampled)])  # key 0: no LF of the group votes
        assert abs(silent[0] - silent[1]) < 0.1 * 20_000, group


def test_shards_are_the_whole(tmp_path: Path) -> None:
    votes = sample(3_000)
    frame = pl.from_numpy(votes.codes, schema=list(votes.names))
    paths = [tmp_path / "one.parquet", tmp_path / "two.parquet"]
    frame[:1_300].write_parquet(paths[0])
    frame[1_300:].with_columns(pl.all().replace({-1: None})).write_parquet(paths[1])
    shards = VoteShards(paths, SCHEMA, TASKS, chunk_rows=400)
    model, whole = (
        mw.HierarchicalLabelModel(SCHEMA).fit_parts(shards),
        mw.HierarchicalLabelModel(SCHEMA).fit(votes),
    )
    assert_same_bits(model, whole)
    written = label_shards(model, shards, tmp_path / "labels")
    assert [path.name for path in written][:5] == [f"one-{i:05d}.parquet" for i in range(4)] + [
        "two-00000.parquet"
    ]
    found = pl.concat([pl.read_parquet(path) for path in written])
    assert found.columns == list(SCHEMA.end_labels)
    assert (found.to_numpy() == whole.predict_proba(votes).end.astype(np.float32)).all()


def test_shards_that_cannot_be_read(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.parquet", tmp_path / "bad.parquet"
    pl.DataFrame({"lf": [0, 1]}).write_parquet(good)
    schema = mw.TaskSchema.flat(["ham", "spam"])
    pl.DataFrame({"other": [0, 1]}).write_parquet(bad)
    with pytest.raises(DataError, match=r"columns must be those of .*good\.parquet, in their order; they differ"):
        list(VoteShards([good, bad], schema))
    pl.DataFrame({"lf": ["ham", "spam"]}).write_parquet(bad)
    with pytest.raises(DataError, match="columns must hold whole numbers; column 'lf' does not"):
        list(VoteShards([bad], schema))
    bad.write_bytes(good.read_bytes()[:-20])
    with pytest.raises(DataError, match="must be a Parquet file of votes; it is damaged"):
        list(VoteShards([bad], schema))
    model = mw.HierarchicalLabelModel(schema).fit_parts(VoteShards([good], schema))
    with pytest.raises(DataError, match="distinct file names"):
        label_shards(model, VoteShards([good, good], schema), tmp_path)
