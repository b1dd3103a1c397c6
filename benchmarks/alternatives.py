"""What a user would do instead of writing labeling functions (LFs): with so many hand labels, which is better?

    python benchmarks/alternatives.py --data trec --out FOLDER   # one data set, or several; goes on where it was
    python benchmarks/alternatives.py --data trec --out FOLDER --fine-tune    # SetFit itself: minutes a fit
    python benchmarks/alternatives.py --out FOLDER --table       # what FOLDER holds, and the break-even

Hand labels are drawn at random from train and dev, never from test; five draws, each holding the smaller ones. All
read the same records: at most 4,000 without their labels, and 1,000 test records with (drawn by a fixed seed where
there are more). "names alone" is the label whose name is nearest to the text. metalwork's label model and linear
end model read the LFs' votes on all these records and the same hand labels, as dev labels; in the rows "and hand
labels" the end model learns from them, too. No setting was chosen on any set. OpenI and RCV1 publish 50 labels.
Needs metalwork[text] and METALWORK_DATA. Points are accuracy on test, for sms the F1 of spam.
"""

import argparse
import json
import re
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from _alternatives_table import tables
from _few_labels import contrastive_projection, fine_tuning, label_spreading, logistic_regression
from _matrices import SOURCES, TEST
from label_model_ablation import DATA
from label_model_features import given

import metalwork as mw

Codes = npt.NDArray[np.int64]
SETS = ("openi", "rcv1", "reuters", "youtube", "sms", "trec", "agnews", "finbank", "massive_tree", "norec")
F1_SETS = {"sms": "spam"}
NONE, ALL = 0, -1
SEEDS, COUNTS, CURVE = range(5), (50, 100, 300), (50, 100, 300, 1000, ALL)
MOST, MOST_TEST = 4_000, 1_000
_BREAKS = re.compile(r"[_\-/:.]+")
Predictor = Callable[..., Codes]


class Part(NamedTuple):
    """Texts, votes, and gold end labels (-1: not known)."""

    texts: list[str]
    votes: mw.LabelMatrix
    gold: Codes

    def rows(self, rows: Codes) -> "Part":
        return Part([self.texts[i] for i in rows], self.votes.rows(rows), self.gold[rows])


def parts_of(name: str) -> tuple[Part, Part]:
    """All that may be learned from, and test."""
    rng = np.random.default_rng(0)
    if name in SOURCES:
        found = SOURCES[name]()
        whole = Part(list(found.texts or ()), found.votes, found.gold)
        is_test = found.split == TEST
    else:
        read = next(read for read in given(DATA) if read.name == name)
        whole = Part(list(read.records), read.votes, read.gold)
        is_test = np.isin(np.arange(len(read.gold)), rng.permutation(len(read.gold))[: len(read.gold) // 3])
    rows = [
        np.sort(rng.permutation(np.flatnonzero(own))[:n]) for own, n in ((~is_test, MOST), (is_test, MOST_TEST))
    ]
    return whole.rows(rows[0]), whole.rows(rows[1][whole.gold[rows[1]] >= 0])


class Trial:
    """A data set with its features; predicts the test records from some hand labels."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.pool, self.test = parts_of(name)
        self.schema = self.pool.votes.schema
        self.known = np.flatnonzero(self.pool.gold >= 0)

    @cached_property
    def tf_idf(self) -> tuple[Any, Any]:
        model = mw.TfIdf().fit(self.pool.texts)
        return model.transform(self.pool.texts), model.transform(self.test.texts)

    @cached_property
    def embeddings(self) -> tuple[Any, Any]:
        model = mw.SentenceEmbeddings().fit(self.pool.texts)
        return model.transform(self.pool.texts), model.transform(self.test.texts)

    @cached_property
    def both(self) -> tuple[Any, Any]:
        """TF-IDF and embeddings side by side, each of length 1."""
        pairs = zip(self.tf_idf, self.embeddings, strict=True)
        pool, test = (sp.hstack([words, sp.csr_matrix(meaning)]).tocsr() for words, meaning in pairs)
        return pool, test

    @cached_property
    def with_votes(self) -> tuple[Any, Any]:
        """The LFs' votes beside both, a column a vote."""
        from sklearn.preprocessing import OneHotEncoder

        codes = [np.asarray(part.votes.codes) for part in (self.pool, self.test)]
        values = [np.arange(codes[0].max() + 1)] * codes[0].shape[1]  # an abstain is none of them
        votes = OneHotEncoder(categories=values, handle_unknown="ignore").fit(codes[0])
        pairs = zip(self.both, codes, strict=True)
        pool, test = (sp.hstack([features, votes.transform(own)]).tocsr() for features, own in pairs)
        return pool, test

    def drawn(self, count: int, seed: int) -> Codes:
        """Rows of the pool that have a hand label."""
        order = np.random.default_rng(seed).permutation(self.known)
        return order if count == ALL else order[:count]

    def score(self, predicted: Codes) -> float:
        if self.name not in F1_SETS:
            return float(100.0 * (predicted == self.test.gold).mean())
        positive = self.schema.end_labels.index(F1_SETS[self.name])
        hits = float(((predicted == positive) & (self.test.gold == positive)).sum())
        return 200.0 * hits / max(float((predicted == positive).sum() + (self.test.gold == positive).sum()), 1.0)

    def label_model(self, rows: Codes) -> tuple[Any, Codes]:
        """A label model that learns from the votes on the other records, and these records."""
        others = np.setdiff1d(np.arange(len(self.pool.texts)), rows)
        dev = (self.pool.votes.rows(rows), self.named(rows)) if len(rows) else None
        return mw.HierarchicalLabelModel(self.schema).fit(self.pool.votes.rows(others), dev=dev), others

    def named(self, rows: Codes) -> list[str]:
        return self.schema.end_names(self.pool.gold[rows])

    def facts(self) -> dict[str, Any]:
        """What the tables say of the data."""
        return {
            "records": len(self.pool.texts),
            "known": len(self.known),
            "test": len(self.test.texts),
            "labels": self.schema.n_end_labels,
            "lfs": self.pool.votes.n_lfs,
            "metric": f"F1 of {F1_SETS[self.name]}" if self.name in F1_SETS else "accuracy",
        }


def by_names(trial: Trial, rows: Codes, seed: int) -> Codes:
    """The label whose name, with those above it, is nearest in meaning."""
    from metalwork.encoders import encode_texts

    schema, names = trial.schema, []
    for codes in schema.task_codes:
        path = [schema.labels(task)[code] for task, code in zip(schema.tasks, codes, strict=True) if code >= 0]
        names.append(_BREAKS.sub(" ", " ".join(path)))
    return np.asarray((trial.embeddings[1] @ encode_texts(names).T).argmax(axis=1))


def from_labels(learn: Predictor, features: str) -> Predictor:
    """One of the alternatives that read features."""

    def predicted(trial: Trial, rows: Codes, seed: int) -> Codes:
        X, X_test = getattr(trial, features)
        return np.asarray(learn(X, rows, trial.pool.gold[rows], X_test, seed))

    return predicted


def fine_tuned(trial: Trial, rows: Codes, seed: int) -> Codes:
    """The encoder itself learns from the hand labels."""
    return fine_tuning(trial.pool.texts, rows, trial.pool.gold[rows], trial.test.texts, seed)


def label_model(trial: Trial, rows: Codes, seed: int) -> Codes:
    """What the votes on the test records say."""
    return np.asarray(trial.label_model(rows)[0].predict(trial.test.votes))


def end_model(features: str, hand: float | None = 0.0) -> Predictor:
    """Learns from the label model's labels of records with a vote, and from hand labels that weigh ``hand`` each.

    None: of a weight that all of them together count for as much as the others.
    """

    def predicted(trial: Trial, rows: Codes, seed: int) -> Codes:
        model, others = trial.label_model(rows)
        X, X_test = getattr(trial, features)
        weak = others[(trial.pool.votes.codes[others] >= 0).any(axis=1)]
        labels = model.predict_proba(trial.pool.votes.rows(weak)).end
        known = np.eye(labels.shape[1])[trial.pool.gold[rows]]
        weight = len(weak) / max(len(rows), 1) if hand is None else hand
        weights = np.concatenate([np.ones(len(weak)), np.full(len(rows), weight)])
        dev = (X[rows], trial.named(rows)) if len(rows) else None
        taught = mw.TaskProbabilities(np.concatenate([labels, known]), trial.schema)
        end = mw.EndModel(trial.schema, "linear")
        return np.asarray(end.fit(X[np.concatenate([weak, rows])], taught, dev, weights).predict(X_test))

    return predicted


class Arm(NamedTuple):
    """A way to predict, and at which numbers of hand labels."""

    predict: Predictor
    counts: tuple[int, ...] = COUNTS


ARMS = {
    "names alone": Arm(by_names, (NONE,)),
    "logistic regression, TF-IDF": Arm(from_labels(logistic_regression, "tf_idf"), CURVE),
    "logistic regression, embeddings": Arm(from_labels(logistic_regression, "embeddings"), CURVE),
    "logistic regression, both": Arm(from_labels(logistic_regression, "both"), CURVE),
    "contrastive projection of embeddings": Arm(from_labels(contrastive_projection, "embeddings"), CURVE),
    "label spreading, embeddings": Arm(from_labels(label_spreading, "embeddings")),
    "logistic regression, both and LFs' votes": Arm(from_labels(logistic_regression, "with_votes"), CURVE),
    "metalwork: label model": Arm(label_model, (NONE, *COUNTS)),
    "metalwork: end model, TF-IDF": Arm(end_model("tf_idf"), (NONE, *COUNTS)),
    "metalwork: end model, both": Arm(end_model("both"), (NONE, *COUNTS)),
    "metalwork: end model, both, and hand labels": Arm(end_model("both", hand=1.0), CURVE[:-1]),
    "metalwork: end model, both and votes, and hand labels": Arm(end_model("with_votes", hand=1.0), COUNTS),
    "metalwork: end model, both, and hand labels, half of the weight": Arm(
        end_model("both", hand=None), CURVE[:-1]
    ),
}
SLOW = {"SetFit, encoder fine-tuned": Arm(fine_tuned, COUNTS[:1])}


def measure(name: str, arms: dict[str, Arm], file: Path) -> None:
    """Complete what a file holds of a data set, fit by fit."""
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {"scores": {}}
    trial = Trial(name)
    found["facts"] = trial.facts()
    for arm, count, seed in _asked(arms, len(trial.known)):
        key = "all" if count == ALL else str(count)
        scores = found["scores"].setdefault(arm, {}).setdefault(key, {})
        if str(seed) not in scores:
            scores[str(seed)] = trial.score(arms[arm].predict(trial, trial.drawn(count, seed), seed))
            kept = file.with_suffix(".part")
            kept.write_text(json.dumps(found, indent=1), encoding="utf-8")
            kept.replace(file)


def _asked(arms: dict[str, Arm], n_known: int) -> Iterator[tuple[str, int, int]]:
    """Arm, number of hand labels and seed; one seed where no other rows can be drawn."""
    for name, arm in arms.items():
        for count in arm.counts:
            if count > n_known or (count == ALL and n_known in arm.counts):
                continue
            for seed in SEEDS[:1] if count in (NONE, ALL, n_known) else SEEDS:
                yield name, count, seed


def main() -> None:
    """Measure, or print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", choices=SETS, default=SETS)
    parser.add_argument("--out", type=Path, required=True, help="folder of one JSON a data set")
    parser.add_argument("--fine-tune", action="store_true", help="SetFit's fine-tuning alone")
    parser.add_argument("--table", action="store_true", help="print what is there")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    files = {name: asked.out / f"{name}.json" for name in asked.data}
    warnings.simplefilter("ignore")
    for name, file in files.items() if not asked.table else ():
        start = time.process_time()
        measure(name, SLOW if asked.fine_tune else ARMS, file)
        print(f"{name}: {time.process_time() - start:.0f} s", file=sys.stderr, flush=True)
    found = {name: json.loads(file.read_text(encoding="utf-8")) for name, file in files.items() if file.exists()}
    print("\n".join(tables(found)))


if __name__ == "__main__":
    main()
