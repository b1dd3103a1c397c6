"""Trees that architectures are compared on: read from small files of the same form as the real ones."""

import json
from pathlib import Path

import numpy as np
import pytest

import metalwork as mw
from metalwork.examples.reuters.records import Article
from metalwork.experiments import TREES, _trees
from metalwork.experiments._trees import load_tree
from tests.unit.experiments import toy


def names(schema: mw.TaskSchema, labels: object) -> list[str]:
    return schema.end_names(np.asarray(labels))


def test_clinc_has_its_domains_above_its_intents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    domains = {"bank": ["pay", "freeze"], "travel": ["flight", "pay later"], "meta": ["yes"]}
    intents = [intent for own in domains.values() for intent in own]
    split = [[f"please {intent} now", intent] for intent in intents for _ in range(6)]
    (tmp_path / "domains.json").write_text(json.dumps(domains))
    (tmp_path / "data_full.json").write_text(
        json.dumps({"train": split, "test": split[:8], "oos_test": [["x", "oos"]]})
    )
    monkeypatch.setattr(_trees, "find_data", lambda name: tmp_path / "data_full.json")
    found = load_tree("clinc")
    assert found.schema.labels("all") == ("bank", "meta", "travel")
    assert found.schema.end_labels == (
        "freeze",
        "pay",
        "meta",
        "flight",
        "pay later",
    )  # a lone intent is its domain
    assert found.facts["Records"] == "train 30 of 30, test 8, gold labels"
    assert names(found.schema, found.labels)[::6] == ["pay", "freeze", "flight", "pay later", "meta"]
    assert names(found.schema, found.schema.end_of(found.test_labels)) == ["pay"] * 6 + ["freeze"] * 2
    assert found.features.shape == (30, found.test_features.shape[1])


def test_trec_leaves_out_test_labels_that_train_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [("train", "DESC", "DESC:manner"), ("train", "DESC", "DESC:reason"), ("train", "ABBR", "ABBR:exp")] * 5
    rows += [("dev", "DESC", "DESC:manner"), ("test", "DESC", "DESC:reason"), ("test", "ABBR", "ABBR:exp")]
    rows += [("test", "DESC", "DESC:other")]
    path = tmp_path / "trec.jsonl"
    path.write_text(
        "\n".join(json.dumps({"split": s, "coarse": c, "fine": f, "text": f"how {f}"}) for s, c, f in rows)
    )
    monkeypatch.setattr(_trees, "find_data", lambda name: path)
    found = load_tree("trec")
    assert found.schema.end_labels == ("ABBR", "DESC:manner", "DESC:reason")
    assert names(found.schema, found.schema.end_of(found.test_labels)) == ["DESC:reason", "ABBR"]
    assert len(found.labels) == 15


def test_reuters_topics_stand_below_their_markets(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = {"earn": "Performance", "acq": "Ownership", "interest": "Money", "money-fx": "Money"}
    kinds |= {"crude": "Commodity", "gold": "Commodity"}
    articles = [
        Article(str(i), split, topic, f"news of {topic}", label, (topic,))
        for topic, label in kinds.items()
        for i, split in enumerate(["TRAIN"] * 12 + ["TEST"] * 2)
    ]
    articles += [Article("x", "TRAIN", "", "rare", "Commodity", ("zinc",))] * 9
    articles += [
        Article("y", "TEST", "", "rare", "Commodity", ("zinc",)),
        articles[0]._replace(topics=("earn", "acq")),
    ]
    monkeypatch.setattr(_trees, "find_data", lambda name: Path("archive"))
    monkeypatch.setattr(_trees, "read_articles", lambda path: articles)
    found = load_tree("reuters-topics")
    assert found.schema.end_labels == ("Performance", "Ownership", "interest", "money-fx", "crude", "gold")
    assert (len(found.labels), len(found.test_labels)) == (72, 12)
    assert found.facts["Tree"] == "5 tasks at 3 levels, 6 end labels"


def test_an_example_comes_with_its_label_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_trees, "load_example", lambda name: toy.job())
    found = load_tree("rcv1")
    assert found.probs is not None
    assert found.labels.tolist() == found.probs.predict().tolist()
    assert found.features.shape[0] == len(found.labels) < 120  # records without a vote are left out
    assert found.test_labels.shape == (40, 3)


def test_many_records_are_drawn_label_by_label() -> None:
    labels = np.repeat([0, 1, 2], [900, 90, 3])
    drawn = _trees._draw(labels, 100)
    assert np.bincount(labels[drawn]).tolist() == [91, 9, 3]
    assert np.array_equal(drawn, np.unique(drawn))


def test_every_tree_has_a_name_of_its_own() -> None:
    assert TREES == ("clinc", "trec", "reuters-topics", "openi", "rcv1", "reuters")
