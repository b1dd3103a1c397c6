"""``label_model: {features: true}``: a run whose label model reads the records."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import metalwork as mw
from metalwork.errors import ConfigError
from metalwork.label_models import FeatureAwareLabelModel, load_label_model
from metalwork.pipeline import _fitting, _reading
from tests.unit.pipeline.projects import write_project as write_pets

pytestmark = pytest.mark.filterwarnings("ignore:No (LF|labeling):metalwork.errors.MetalworkWarning")

WORDS = {"spam": "prize cash winner claim bonus", "ham": "lunch office meeting tomorrow coffee"}


def write_project(folder: Path, label_model: str, more: str = "", backend: str = "serial") -> Path:
    """1,000 texts of three of their label's words among five of none; an LF knows a word of most of them."""
    rng = np.random.default_rng(0)
    labels = np.where(rng.random(1000) < 0.5, "spam", "ham")
    texts = [
        " ".join([*rng.choice(WORDS[label].split(), 3), *(f"word{w}" for w in rng.integers(0, 40, 5))])
        for label in labels
    ]
    folder.mkdir(parents=True, exist_ok=True)
    frame = pl.DataFrame({"text": texts, "label": labels})
    frame[:800].drop("label").write_parquet(folder / "train.parquet")
    frame[800:].write_parquet(folder / "test.parquet")
    path = folder / "project.yaml"
    path.write_text(
        f"""
schema: {{task: label, labels: [ham, spam]}}
data: {{train: train.parquet, test: test.parquet}}
lfs:
  backend: {backend}
  n_jobs: 2
  rules:
    - {{task: label, label: spam, keywords: [prize]}}
    - {{task: label, label: spam, keywords: [cash]}}
    - {{task: label, label: ham, keywords: [lunch]}}
    - {{task: label, label: ham, keywords: [office]}}
features: {{text: text{more}}}
label_model: {label_model}
end_model: {{max_epochs: 2, hidden_sizes: [4, 3]}}
output: {{shard_rows: 250}}
""",
        encoding="utf-8",
    )
    return path


def test_records_without_a_vote_are_labeled_by_their_words(tmp_path: Path) -> None:
    run = mw.Run.open(write_project(tmp_path, "{features: true}"), run="read").run()
    covered = (run.votes["test"].codes != mw.ABSTAIN).any(axis=1)
    gold = np.array(run.job.split("test").gold).ravel()
    assert 0.1 < (~covered).mean() < 0.5
    right = run.labels["test"].predict() == gold
    assert right[~covered].mean() > 0.95
    assert right[covered].mean() > 0.95
    assert list(run.metrics)[1] == "Label model (hierarchical) with features"
    assert run.folder is not None
    stored = load_label_model(run.folder.file("label_model.npz"))
    assert isinstance(stored, FeatureAwareLabelModel)
    records = run.job.split("test").records
    found = stored.predict_proba(run.votes["test"], features=records).end
    np.testing.assert_allclose(found, run.labels["test"].end, atol=1e-6)
    assert run.folder.manifest["steps"]["train"]["records"] == 800
    assert "class prior" in run.html


def test_by_default_labels_go_by_the_votes(tmp_path: Path) -> None:
    run = mw.Run.open(write_project(tmp_path, "{}")).fit()
    unvoted = (run.votes["train"].codes == mw.ABSTAIN).all(axis=1)
    assert len(np.unique(run.labels["train"].end[unvoted], axis=0)) == 1
    assert isinstance(run.label_model, mw.HierarchicalLabelModel)


def test_workers_read_what_this_process_reads(tmp_path: Path) -> None:
    found = []
    for backend in ("serial", "processes"):
        path = write_project(tmp_path / backend, "{features: true}", backend=backend)
        run = mw.Run.open(path, run="one").fit()
        assert run.sizes("train") == (250, 250, 250, 50)
        found.append(run.labels["train"].end)
    np.testing.assert_array_equal(found[0], found[1])


def test_of_many_records_some_teach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_fitting, "_MOST_READ", 300)
    run = mw.Run.open(write_project(tmp_path, "{features: true}")).apply()
    votes, records = _reading.sample(run, 300)
    np.testing.assert_array_equal(votes.codes, run.votes["train"].codes[::3])
    assert records["text"].to_list() == run.job.split("train").records["text"][::3].to_list()
    gold = np.array(run.job.split("test").gold).ravel()
    assert (run.fit().labels["test"].predict() == gold).mean() > 0.9


def test_numbers_where_there_is_no_text(tmp_path: Path) -> None:
    project = (
        "schema: schema.yaml\ndata: {train: train.csv, dev: dev.csv}\nlfs: {python: lfs.py}\n"
        "features: {columns: [size]}\nlabel_model: {features: true}\nend_model: {max_epochs: 1}\n"
    )
    path = write_pets(tmp_path, project=project)
    for split in ("train", "dev"):
        frame = pl.read_csv(tmp_path / f"{split}.csv")
        frame.with_columns(size=pl.int_range(pl.len()) % 4).write_csv(tmp_path / f"{split}.csv")
    model = mw.Run.open(path).fit().label_model
    assert isinstance(model, FeatureAwareLabelModel)
    assert isinstance(model.featurizer_, mw.features.NumericColumns)


def test_other_features_are_another_fit(tmp_path: Path) -> None:
    mw.Run.open(write_project(tmp_path, "{features: true}"), run="one").fit()
    assert mw.Run.open(write_project(tmp_path, "{features: true}"), run="one").steps == ("apply", "fit")
    with pytest.raises(ConfigError, match=r"label_model, features|features"):
        _ = mw.Run.open(write_project(tmp_path, "{features: true}", ", min_df: 5"), run="one").labels


def test_a_hard_vote_reads_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        mw.Run.open(write_project(tmp_path, "{name: hard-vote, features: true}"))
    assert "label_model may have features: true beside other names only; nothing moves a hard-vote" in str(
        caught.value
    )
