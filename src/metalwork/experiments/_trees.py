"""Trees to compare architectures on: three with gold labels, and the examples with their label model's."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

import metalwork as mw
from metalwork.data import find_data
from metalwork.errors import DataError
from metalwork.examples import load_example
from metalwork.examples.reuters.records import read_articles
from metalwork.experiments._arms import prepare

Codes = npt.NDArray[np.int64]

_MOST_TRAIN: Final = 1500  # records, so that a data set takes minutes
_LEAST_TOPIC: Final = 10  # training articles of a topic


class _Record(NamedTuple):
    text: str
    label: str


class _Labeled(NamedTuple):
    text: str
    coarse: str
    fine: str


class _Gold(NamedTuple):
    schema: mw.TaskSchema
    train: Sequence[_Record]
    test: Sequence[_Record]


@dataclass(frozen=True)
class TreeData:
    """Features (n_points, n_words) and end-label codes to train on, and what is known of the test records.

    Attributes
    ----------
    labels : int array (n_train,)
        Gold, or the label model's most probable ones; as such they count with ``probs``.
    test_labels : int array (n_test, n_tasks)
        Gold, as ``schema.known_codes`` says it.
    probs : TaskProbabilities, optional
        The label model's.
    """

    schema: mw.TaskSchema
    features: Any
    labels: Codes
    test_features: Any
    test_labels: Codes
    probs: mw.TaskProbabilities | None = None
    facts: Mapping[str, str] = field(default_factory=dict)


def load_tree(name: str) -> TreeData:
    """The data set of that name, one of :data:`TREES`; ``DataError`` when it is not on this machine."""
    return _with_gold(_GOLD[name]()) if name in _GOLD else _with_label_model(name)


def _with_gold(found: _Gold) -> TreeData:
    schema = found.schema
    labels = schema.end_codes([record.label for record in found.train])
    drawn = _draw(labels, _MOST_TRAIN)
    train = [found.train[i] for i in drawn]
    counter = mw.WordCounts().fit([record.text for record in train])
    known = schema.known_codes([record.label for record in found.test], names=True)
    facts = {
        "Records": f"train {len(train):,} of {len(labels):,}, test {len(found.test):,}, gold labels",
        "Tree": _shape(schema),
        "Words": f"{len(counter.vocabulary_):,}",
    }
    features = (counter.transform([record.text for record in part]) for part in (train, found.test))
    return TreeData(schema, next(features), labels[drawn], next(features), known, facts=facts)


def _with_label_model(name: str) -> TreeData:
    """An example under its default label model, without dev labels: records with a vote."""
    found = prepare(load_example(name), lambda what: None)
    voted = (found.train.votes.codes != mw.ABSTAIN).any(axis=1)
    model = mw.HierarchicalLabelModel(found.schema, random_state=0).fit(found.train.votes)
    probs = model.predict_proba(found.train.votes).rows(voted)
    test = found.test.gold
    assert test is not None
    facts = {
        "Records": f"train {len(probs):,} with the label model's labels, test {len(test):,} with gold",
        "Tree": _shape(found.schema),
        "Words": f"{found.train.features.shape[1]:,}",
    }
    features = found.train.features[voted]
    return TreeData(found.schema, features, probs.predict(), found.test.features, test, probs, facts)


def _draw(labels: Codes, most: int) -> Codes:
    """Positions of at most about ``most`` records, each label with its share of them but at least four."""
    rng, share = np.random.default_rng(0), min(1.0, most / len(labels))
    drawn = []
    for label in np.unique(labels):
        own = rng.permutation(np.flatnonzero(labels == label))
        drawn.append(own[: max(4, round(share * len(own)))])
    return np.sort(np.concatenate(drawn))


def _shape(schema: mw.TaskSchema) -> str:
    return f"{schema.n_tasks} tasks at {schema.n_levels} levels, {schema.n_end_labels} end labels"


def _two_levels(train: Sequence[_Labeled], test: Sequence[_Labeled]) -> _Gold:
    """A root task over the coarse labels of train and a task each over its fine ones, where it has several."""
    below: dict[str, set[str]] = {}
    for record in train:
        below.setdefault(record.coarse, set()).add(record.fine)
    labels = [
        {coarse: {"task": f"{coarse} labels", "labels": sorted(fine)}} if len(fine) > 1 else coarse
        for coarse, fine in sorted(below.items())
    ]

    def records(part: Sequence[_Labeled]) -> list[_Record]:
        known = [record for record in part if record.fine in below.get(record.coarse, ())]
        several = {coarse for coarse, fine in below.items() if len(fine) > 1}
        return [_Record(r.text, f"{r.coarse}/{r.fine}" if r.coarse in several else r.coarse) for r in known]

    return _Gold(mw.TaskSchema.from_dict({"task": "all", "labels": labels}), records(train), records(test))


def _clinc() -> _Gold:
    folder = find_data("clinc150").parent
    domains = json.loads((folder / "domains.json").read_text(encoding="utf-8"))
    data = json.loads((folder / "data_full.json").read_text(encoding="utf-8"))
    domain = {intent: name for name, intents in domains.items() for intent in intents}
    splits = (
        [_Labeled(text, domain[intent], intent) for text, intent in data[name]] for name in ("train", "test")
    )
    return _two_levels(*splits)


def _trec() -> _Gold:
    lines = find_data("trec").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines if line.strip()]
    splits = (
        [_Labeled(row["text"], row["coarse"], row["fine"]) for row in rows if row["split"] == name]
        for name in ("train", "test")
    )
    return _two_levels(*splits)


def _reuters_topics() -> _Gold:
    """Three levels: the example's tree, and below its market labels the collection's own topics."""
    articles = [article for article in read_articles(find_data("reuters21578")) if len(article.topics) == 1]
    train = [article for article in articles if article.split == "TRAIN"]
    count = Counter((article.label, article.topics[0]) for article in train)
    if not count:
        raise DataError("The archive must hold the whole of Reuters-21578; got none of its training articles.")
    topics = {
        label: sorted(topic for (above, topic), n in count.items() if above == label and n >= _LEAST_TOPIC)
        for label in ("Money", "Commodity")
    }
    markets = [{label: {"task": f"{label} topics", "labels": own}} for label, own in topics.items()]
    schema = mw.TaskSchema.from_dict(
        {
            "task": "sector",
            "labels": [
                {"Corporate": {"task": "corporate", "labels": ["Performance", "Ownership"]}},
                {"Markets": {"task": "markets", "labels": markets}},
            ],
        }
    )

    def records(split: str) -> list[_Record]:
        own = [(a.text, a.label, a.topics[0]) for a in articles if a.split == split]
        named = [(text, topic if label in topics else label, label) for text, label, topic in own]
        return [_Record(text, end) for text, end, label in named if label not in topics or end in topics[label]]

    return _Gold(schema, records("TRAIN"), records("TEST"))


_GOLD: Final[Mapping[str, Callable[[], _Gold]]] = {
    "clinc": _clinc,
    "trec": _trec,
    "reuters-topics": _reuters_topics,
}
TREES: Final = (*_GOLD, "openi", "rcv1", "reuters")
"""Data sets that architectures are compared on."""
