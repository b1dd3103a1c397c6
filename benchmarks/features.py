"""Features and end models beside each other: accuracy on test, and CPU seconds of features and training.

    python benchmarks/features.py                       # all sets, words alone
    python benchmarks/features.py --only openi rcv1 --features counts tf-idf --models linear
    python benchmarks/features.py --votes               # examples, with the votes of LFs as features and without
    python benchmarks/features.py --features embeddings "embeddings, tf-idf"    # needs metalwork[text]
    python benchmarks/features.py --only trec --sample 400 --features tf-idf embeddings fine-tuned --seeds 1
    python benchmarks/features.py --pictures            # scikit-learn's digits: flat pixels and convolutions

openi, rcv1 and reuters are the examples, trained on the default label model's probabilities (dev given) of the
records with a vote. trec and clinc150 are trained on known labels: all of trec's, ten an intent of clinc150's.
Networks are the mean of three seeds, with dev. "scikit-learn" is `LogisticRegression(C=16)` on TF-IDF rows of
length 1, each record once a label with the label's probability as its weight: the same problem as the linear
end model's. Folder: METALWORK_DATA.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from _matrices._wrench import data_folder

import metalwork as mw
from metalwork.examples import EXAMPLES, load_example
from metalwork.features import Combined, Featurizer

SEEDS = (0, 1, 2)
DIGITS = (100, 1000)
"""Records that train on digits; the 747 that judge are the same."""


@dataclass
class Set:
    """Records with one text each, what trains the end model, and what judges it."""

    schema: mw.TaskSchema
    train: Any
    labels: Any
    dev: tuple[Any, Any]
    test: tuple[Any, Any]


def example(name: str) -> Set:
    """One of the examples, labeled by the default label model."""
    run = mw.Run(load_example(name)).fit()
    text, columns = run.job.features.text, {}
    for split in ("train", "dev", "test"):
        columns[split] = {"text": run.split(split).records[text].to_list()}
    voted = np.flatnonzero((run.votes["train"].codes >= 0).any(axis=1))
    gold = {split: run.job.known_labels(split) for split in ("dev", "test")}
    train = [columns["train"]["text"][i] for i in voted]
    return Set(
        run.job.schema,
        train,
        run.labels["train"].rows(voted),
        (columns["dev"]["text"], gold["dev"]),
        (columns["test"]["text"], gold["test"]),
    )


def clinc150() -> Set:
    """Ten records an intent."""
    data = json.loads(data_folder("clinc150", "data_full.json").read_text(encoding="utf-8"))
    domains = json.loads(data_folder("clinc150", "domains.json").read_text(encoding="utf-8"))
    tree = [{name: {"task": f"intent of {name}", "labels": labels}} for name, labels in domains.items()]
    by_label: dict[str, list[str]] = {}
    for text, label in data["train"]:
        by_label.setdefault(label, []).append(text)
    rng = np.random.default_rng(0)
    rows = [(text, label) for label in sorted(by_label) for text in rng.permutation(by_label[label])[:10]]
    schema = mw.TaskSchema.from_dict({"task": "domain", "labels": tree})
    return Set(schema, *_columns(rows), _columns(data["val"][::10]), _columns(data["test"]))


def trec() -> Set:
    """All known labels."""
    lines = data_folder("trec", "trec_hier_wrench.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    fine: dict[str, set[str]] = {}
    for row in rows:
        fine.setdefault(row["coarse"], set()).add(row["fine"])
    tree = [{name: {"task": f"kind of {name}", "labels": sorted(own)}} for name, own in sorted(fine.items())]
    parts = {s: [(r["text"], r["fine"]) for r in rows if r["split"] == s] for s in ("train", "valid", "test")}
    schema = mw.TaskSchema.from_dict({"task": "coarse", "labels": tree})
    return Set(schema, *_columns(parts["train"]), _columns(parts["valid"][:100]), _columns(parts["test"]))


def _columns(rows: Any) -> tuple[list[str], list[str]]:
    return [str(text) for text, _ in rows], [label for _, label in rows]


SETS: dict[str, Callable[[], Set]] = {
    "openi": lambda: example("openi"),
    "rcv1": lambda: example("rcv1"),
    "reuters": lambda: example("reuters"),
    "trec": trec,
    "clinc150": clinc150,
}
FEATURES: dict[str, Callable[[], Featurizer]] = {
    "counts": mw.WordCounts,
    "tf-idf": mw.TfIdf,
    "tf-idf, pairs": lambda: mw.TfIdf(ngrams=(1, 2)),
    "tf-idf, characters": lambda: mw.TfIdf(tokenizer="chars", ngrams=(2, 4), min_df=3),
}
FEATURES["embeddings"] = mw.SentenceEmbeddings
FEATURES["embeddings, tf-idf"] = lambda: Combined([mw.SentenceEmbeddings(), mw.TfIdf()])
FEATURES["fine-tuned"] = mw.FineTuned
WORDS_ALONE = ["counts", "tf-idf", "tf-idf, pairs", "tf-idf, characters"]
MODELS = {"linear": "linear", "network": "tree"}


def sampled(found: Set, n_points: int | None) -> Set:
    """Some of the training records, drawn by a fixed seed."""
    if n_points is None:
        return found
    rows = np.random.default_rng(0).permutation(len(found.train))[:n_points]
    return replace(found, train=[found.train[i] for i in rows], labels=[found.labels[i] for i in rows])


def trained(
    found: Set, make: Callable[[], Featurizer], architecture: str, n_seeds: int
) -> Iterator[tuple[float, float]]:
    """Accuracy on test and CPU seconds of each seed."""
    for seed in SEEDS[:n_seeds] if architecture != "linear" else SEEDS[:1]:
        start = time.process_time()
        featurizer = make()
        size = 16 if featurizer.has_module else 64  # as is usual for either
        model = mw.EndModel(found.schema, architecture, random_state=seed, featurizer=featurizer, batch_size=size)
        model.fit(found.train, found.labels, found.dev)
        took = time.process_time() - start
        yield model.score(*found.test), took


def by_scikit_learn(found: Set) -> tuple[float, float]:
    """Logistic regression on the same soft labels, by rows of weights."""
    from sklearn.linear_model import LogisticRegression

    start = time.process_time()
    featurizer = mw.TfIdf()
    X = featurizer.fit_transform(found.train)
    labels = found.labels
    if not isinstance(labels, mw.TaskProbabilities):
        labels = mw.TaskProbabilities.from_labels(labels, found.schema)
    rows, codes = np.nonzero(labels.end)
    model = LogisticRegression(C=16, max_iter=500)
    model.fit(sp.csr_matrix(X)[rows], codes, sample_weight=labels.end[rows, codes])
    end = np.zeros((len(found.test[0]), found.schema.n_end_labels))
    end[:, model.classes_] = model.predict_proba(featurizer.transform(found.test[0]))
    took = time.process_time() - start
    right = mw.evaluate(mw.TaskProbabilities(end, found.schema), found.test[1])
    return right.accuracy, took


def with_and_without_votes(name: str) -> Iterator[str]:
    """Runs of an example whose end model reads the votes, too, and that does not; the mean of the seeds."""
    for model, words in (("linear", "tf-idf"), ("network", "counts")):
        for votes in (False, True):
            found = []
            for seed in SEEDS if model == "network" else SEEDS[:1]:
                job = load_example(name)
                features = job.features.model_copy(update={"words": words, "votes": votes})
                end_model = job.end_model.model_copy(update={"architecture": MODELS[model]})
                run = mw.Run(replace(job, features=features, end_model=end_model, random_state=seed))
                found.append(mw.evaluate(run.end["test"], job.known_labels("test")).accuracy)
            yield f"| {name} | {words}{' and votes' * votes} | {model} | {100 * np.mean(found):.1f} |"


def pictures() -> Iterator[str]:
    """Digits by flat pixels and by convolutions, the mean of the seeds."""
    from sklearn.datasets import load_digits

    pixels, digits = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(digits))
    schema, test = mw.TaskSchema.flat([str(digit) for digit in range(10)]), order[max(DIGITS) + 50 :]
    for n_points in DIGITS:
        for name, X, featurizer in (
            ("flat pixels", pixels, None),
            ("pictures", pixels.reshape(-1, 8, 8), mw.Images()),
        ):
            found = []
            for seed in SEEDS:
                start = time.process_time()
                model = mw.EndModel(schema, random_state=seed, featurizer=featurizer)
                model.fit(X[order[:n_points]], digits[order[:n_points]])
                found.append((model.score(X[test], digits[test]), time.process_time() - start))
            accuracy, seconds = np.mean(found, axis=0)
            yield f"| digits, {n_points} | {name} | network | {100 * accuracy:.1f} | {seconds:.1f} |"


def main() -> None:
    """Print one line a set, features and model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=list(SETS), default=list(SETS))
    parser.add_argument("--features", nargs="+", choices=list(FEATURES), default=WORDS_ALONE)
    parser.add_argument("--models", nargs="+", choices=list(MODELS), default=list(MODELS))
    parser.add_argument("--sample", type=int, help="training records of sets with known labels (all)")
    parser.add_argument("--seeds", type=int, default=len(SEEDS), choices=range(1, len(SEEDS) + 1))
    parser.add_argument("--pictures", action="store_true", help="scikit-learn's digits alone")
    parser.add_argument("--votes", action="store_true", help="examples with votes as features and without")
    chosen = parser.parse_args()
    if chosen.votes:
        for name in set(chosen.only) & set(EXAMPLES):
            for line in with_and_without_votes(name):
                print(line, flush=True)
        return
    if chosen.pictures:
        for line in pictures():
            print(line, flush=True)
        return
    for name in chosen.only:
        found = sampled(SETS[name](), chosen.sample)
        accuracy, seconds = by_scikit_learn(found)
        print(f"| {name} | tf-idf | scikit-learn | {100 * accuracy:.1f} | {seconds:.1f} |", flush=True)
        for features in chosen.features:
            for model in chosen.models:
                pairs = list(trained(found, FEATURES[features], MODELS[model], chosen.seeds))
                accuracy, seconds = np.mean(pairs, axis=0)
                print(f"| {name} | {features} | {model} | {100 * accuracy:.1f} | {seconds:.1f} |", flush=True)


if __name__ == "__main__":
    main()
